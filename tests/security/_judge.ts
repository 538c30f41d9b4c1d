/** Judges for tests: trust built from files that a test made. */
import {
  type CertificatePolicy,
  type CertificateTrust,
  loadCertificateCrypto,
  parsePins,
  TrustStore,
} from "../../src/security/mod.ts";
import { CertificateJudge } from "../../src/security/certificate_judge.ts";
import { type Certificate, parseCertificate } from "../../src/security/certificate.ts";
import { type Crl, parseCrls } from "../../src/security/crl.ts";
import { readBlocks } from "../../src/security/pem.ts";
import type { IssuedFiles } from "../support/test_authority.ts";

export const CRYPTO = await loadCertificateCrypto();

export const POLICY: CertificatePolicy = {
  clientCertificate: "required",
  certificateClock: "strict",
  crlExpired: "refuse",
  crlMissing: "warn",
  identityFrom: "cn",
};

/** What a test trusts. */
export interface TrustOptions {
  readonly authorities: readonly IssuedFiles[];
  readonly crlFiles?: readonly string[];
  readonly pins?: readonly string[];
  readonly policy?: Partial<CertificatePolicy>;
}

/** DER of the certificates in these files, in order. */
export function derOf(...files: readonly IssuedFiles[]): Uint8Array[] {
  return files.flatMap(({ certificateFile }) => {
    const found = readBlocks(Deno.readFileSync(certificateFile), "CERTIFICATE");
    if ("problem" in found) throw new Error(`Cannot read ${certificateFile}: ${found.problem}`);
    return [...found.blocks];
  });
}

/** A certificate that must be sound. */
export function parsed(der: Uint8Array): Certificate {
  const certificate = parseCertificate(der);
  if ("problem" in certificate) throw new Error(`Cannot parse: ${certificate.problem}`);
  return certificate;
}

/** The trust store of these files, or its problem. */
export function storeOf(
  { authorities, crlFiles = [] }: TrustOptions,
): TrustStore | { readonly problem: string } {
  const crls: Crl[] = [];
  for (const file of crlFiles) {
    const read = parseCrls(Deno.readFileSync(file));
    if ("problem" in read) return read;
    crls.push(...read);
  }
  return TrustStore.build({ authorities: derOf(...authorities).map(parsed), crls }, CRYPTO);
}

/** The trust of these files; they must be good. */
export function trustOf(options: TrustOptions): CertificateTrust {
  const store = storeOf(options);
  const pins = parsePins(options.pins ?? []);
  if ("problem" in store) throw new Error(`Cannot build trust: ${store.problem}`);
  if ("problem" in pins) throw new Error(`Cannot read pins: ${pins.problem}`);
  return { store, pins, policy: { ...POLICY, ...options.policy } };
}

/** A judge who trusts these files. */
export function judgeOf(options: TrustOptions): CertificateJudge {
  return new CertificateJudge(trustOf(options), CRYPTO);
}
