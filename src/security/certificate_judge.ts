/**
 * Judges client certificates. The runtime's own checks are not relied on: Deno 2.9.6 resumes a
 * session from any listener past them, ignores CRLs, and calls clients authorized that are not. It
 * is relied on for one thing, the proof that the client has the private key; see `parseCertificate`.
 */
import { type Certificate, parseCertificate } from "./certificate.ts";
import type { CertificateCrypto } from "./certificate_crypto.ts";
import { identityOf } from "./certificate_identity.ts";
import { describeName } from "./certificate_name.ts";
import { checkPath, Findings, findPaths } from "./certificate_path.ts";
import {
  type CertificateRefusal,
  type CertificateTrust,
  type CertificateVerdict,
  refuse,
} from "./certificate_verdict.ts";

/** Certificates a client may send besides its own. */
const SENT_MAX = 10;
/** Accepted certificates that are remembered. */
const REMEMBERED_MAX = 4_096;

type AcceptingVerdict = CertificateVerdict & { readonly accepted: true };

/** Where no certificate counts. */
const NOBODY: AcceptingVerdict = {
  accepted: true,
  certificate: null,
  warnings: [],
  presented: [],
};

/** A verdict, and the time for which it holds. */
interface Remembered {
  readonly verdict: AcceptingVerdict;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Judges the client certificates of one listener. */
export class CertificateJudge {
  readonly #crypto: CertificateCrypto;
  /**
   * By fingerprint of the client's certificate. Only who was accepted: a refusal can be made up in
   * any number, and may be owed to intermediate certificates that come along the next time.
   */
  readonly #remembered = new Map<string, Remembered>();
  #trust: CertificateTrust;

  constructor(trust: CertificateTrust, crypto: CertificateCrypto) {
    this.#trust = trust;
    this.#crypto = crypto;
  }

  /** Whether clients are to be asked for a certificate. */
  get asks(): boolean {
    return this.#trust.policy.clientCertificate !== "none";
  }

  /** Judges by other rules and material from now on; nothing is remembered. */
  replace(trust: CertificateTrust): void {
    this.#trust = trust;
    this.#remembered.clear();
  }

  /**
   * Judges what a peer presented: its certificate, then what it sent besides, in DER; nothing if it
   * presented nothing. Never throws.
   */
  judge(presented: readonly Uint8Array[], nowMs: number): CertificateVerdict {
    const { clientCertificate } = this.#trust.policy;
    const [der] = presented;
    if (clientCertificate === "none") return NOBODY;
    if (der === undefined) {
      return clientCertificate === "optional" ? NOBODY : refuse("absent", "no client certificate");
    }
    const fingerprint = this.#crypto.sha256(der).toHex();
    return this.#recall(fingerprint, nowMs) ?? this.#judge(presented, { fingerprint, nowMs });
  }

  /**
   * The verdict on a client's certificate that was accepted before, if it holds now; else null. To
   * get at all that a peer sent costs four times what this does.
   */
  recall(der: Uint8Array, nowMs: number): AcceptingVerdict | null {
    return this.#recall(this.#crypto.sha256(der).toHex(), nowMs);
  }

  #recall(fingerprint: string, nowMs: number): AcceptingVerdict | null {
    const remembered = this.#remembered.get(fingerprint);
    if (remembered === undefined) return null;
    // Moves to the end, so that the certificate that is seldom seen is forgotten first.
    this.#remembered.delete(fingerprint);
    if (nowMs < remembered.fromMs || nowMs > remembered.untilMs) return null;
    this.#remembered.set(fingerprint, remembered);
    return remembered.verdict;
  }

  #judge(
    presented: readonly Uint8Array[],
    { fingerprint, nowMs }: { fingerprint: string; nowMs: number },
  ): CertificateVerdict {
    if (presented.length > 1 + SENT_MAX) {
      return refuse("malformed", `${presented.length} certificates were sent`);
    }
    const leaf = parseCertificate(presented[0]!);
    if ("problem" in leaf) return refuse("malformed", `client certificate: ${leaf.problem}`);
    const sent: Certificate[] = [];
    for (const der of presented.slice(1)) {
      const certificate = parseCertificate(der);
      // What cannot be read cannot be part of a path; the path may do without it.
      if (!("problem" in certificate)) sent.push(certificate);
    }
    const found = this.#bestPath(leaf, sent, nowMs);
    if ("accepted" in found) return found;
    const keyFingerprint = this.#crypto.sha256(leaf.spki).toHex();
    const { pins, policy } = this.#trust;
    if (pins.size > 0 && !pins.has(fingerprint) && !pins.has(keyFingerprint)) {
      return refuse("unpinned", `neither certificate sha256/${fingerprint} nor its key is pinned`);
    }
    const named = identityOf(leaf, { source: policy.identityFrom, fingerprint });
    if ("problem" in named) return refuse("noIdentity", `client certificate: ${named.problem}`);
    const verdict = {
      accepted: true,
      certificate: {
        identity: named.identity,
        fingerprint,
        keyFingerprint,
        subject: describeName(leaf.subjectName),
        issuer: describeName(leaf.issuerName),
        serial: leaf.serial,
        notAfterMs: leaf.notAfterMs,
      },
      warnings: found.warnings,
      presented,
    } as const;
    this.#remember(fingerprint, { verdict, fromMs: found.fromMs, untilMs: found.untilMs });
    return verdict;
  }

  /** The first path that holds, or why none does. */
  #bestPath(
    leaf: Certificate,
    sent: readonly Certificate[],
    nowMs: number,
  ): Findings | CertificateRefusal {
    const crypto = this.#crypto;
    let refusal: CertificateRefusal | null = null;
    for (const path of findPaths(leaf, { sent, store: this.#trust.store })) {
      const findings = new Findings();
      const problem = checkPath(path, this.#trust, { nowMs, crypto, findings });
      if (problem === null) return findings;
      // "Expired" or "revoked" says more than that another key of the same name has not signed.
      if (refusal === null || refusal.cause === "untrusted") refusal = problem;
    }
    return refusal ??
      refuse("untrusted", `no trusted CA has issued it: issuer "${describeName(leaf.issuerName)}"`);
  }

  #remember(fingerprint: string, remembered: Remembered): void {
    if (this.#remembered.size >= REMEMBERED_MAX) {
      const [oldest] = this.#remembered.keys();
      if (oldest !== undefined) this.#remembered.delete(oldest);
    }
    this.#remembered.set(fingerprint, remembered);
  }
}
