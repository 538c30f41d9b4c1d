/** What a judge of client certificates answers, and by which rules. */
import type { IdentitySource } from "./certificate_identity.ts";
import type { Pins } from "./certificate_pins.ts";
import type { TrustStore } from "./trust_store.ts";

/** The rules of one listener. */
export interface CertificatePolicy {
  /**
   * `none`: nobody is asked, and a certificate that a resumed session brings along is not looked at.
   * `optional`: who shows none is let in without an identity; who shows one that does not hold is
   * refused. `required`: nobody gets in without one.
   */
  readonly clientCertificate: "none" | "optional" | "required";
  /**
   * `grace`: while the clock stands before `CLOCK_EPOCH_MS`, it was never set, and a certificate
   * that is "not yet valid" is accepted with a warning.
   */
  readonly certificateClock: "strict" | "grace";
  /** What a CRL past its nextUpdate means for the certificates of its issuer. */
  readonly crlExpired: "refuse" | "warn";
  /** What it means that CRLs are loaded, but none of a certificate's issuer. */
  readonly crlMissing: "refuse" | "warn";
  readonly identityFrom: IdentitySource;
}

/** The rules, and the material they are applied with. */
export interface CertificateTrust {
  readonly policy: CertificatePolicy;
  readonly store: TrustStore;
  /** Where there are any, a certificate must match one of them, besides everything else. */
  readonly pins: Pins;
}

/** 2025-01-01: no clock of a machine that runs this can truly stand before it. */
export const CLOCK_EPOCH_MS = 1_735_689_600_000;

/** Why a connection is refused, for metrics and tests; the reason says more. */
export type RefusalCause =
  | "absent"
  | "malformed"
  | "untrusted"
  | "notYetValid"
  | "expired"
  | "usage"
  | "revoked"
  | "crlExpired"
  | "crlMissing"
  | "unpinned"
  | "noIdentity";

/** A client certificate that is accepted. */
export interface AcceptedCertificate {
  /** The user name it stands for. */
  readonly identity: string;
  /** SHA-256 of the certificate and of its public key, in hexadecimal digits. */
  readonly fingerprint: string;
  readonly keyFingerprint: string;
  /** Names for log lines. */
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  readonly notAfterMs: number;
}

/** A refusal: `reason` has no line breaks and no control characters. */
export interface CertificateRefusal {
  readonly accepted: false;
  readonly cause: RefusalCause;
  readonly reason: string;
}

/** The answer. `certificate` is null where none is needed and none counts. */
export type CertificateVerdict =
  | {
    readonly accepted: true;
    readonly certificate: AcceptedCertificate | null;
    /** What was let pass by the policy and should be seen to. */
    readonly warnings: readonly string[];
    /** What was presented, to be judged again after a reload; shared by equal certificates. */
    readonly presented: readonly Uint8Array[];
  }
  | CertificateRefusal;

/** Makes a refusal. */
export function refuse(cause: RefusalCause, reason: string): CertificateRefusal {
  return { accepted: false, cause, reason };
}
