/** What is in use of certificates and revocation lists, for people. */
import { createHash } from "node:crypto";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { describeName } from "./certificate_name.ts";
import { readForeignCertificate } from "./foreign_certificate.ts";
import { readBlocks } from "./pem.ts";
import type { TlsMaterial } from "./tls_material.ts";

/** A certificate, or a revocation list: then there is no subject. */
export interface CertificateFacts {
  readonly kind: "server" | "authority" | "crl";
  readonly subject: string | null;
  readonly issuer: string;
  readonly serial: string | null;
  /** SHA-256, in hexadecimal digits. */
  readonly fingerprint: string | null;
  readonly notBeforeMs: number;
  /** Of a list: when the next one is due; Infinity where it does not say. */
  readonly notAfterMs: number;
  /** How many certificates a list revokes. */
  readonly revoked: number | null;
}

/** Everything that a listener uses. A server certificate that nobody can read is left out. */
export function certificateFacts(
  { certificatePem, store }: TlsMaterial,
): readonly CertificateFacts[] {
  const chain = readBlocks(new TextEncoder().encode(certificatePem), "CERTIFICATE");
  const own = "problem" in chain ? [] : chain.blocks.flatMap((der) => serverFacts(der) ?? []);
  const authorities = store.authorities.map((authority) => factsOf("authority", authority));
  const lists = new Set(store.authorities.flatMap((authority) => store.crlsOf(authority)));
  const crls = Array.from(lists, (crl): CertificateFacts => ({
    kind: "crl",
    subject: null,
    issuer: describeName(crl.issuerName),
    serial: null,
    fingerprint: null,
    notBeforeMs: crl.thisUpdateMs,
    notAfterMs: crl.nextUpdateMs,
    revoked: crl.revoked.size,
  }));
  return [...own, ...authorities, ...crls];
}

function serverFacts(der: Uint8Array): CertificateFacts | null {
  const certificate = parseCertificate(der);
  if (!("problem" in certificate)) return factsOf("server", certificate);
  const foreign = readForeignCertificate(der);
  return foreign && { kind: "server", ...foreign, fingerprint: sha256(der), revoked: null };
}

function sha256(der: Uint8Array): string {
  return createHash("sha256").update(der).digest("hex");
}

function factsOf(
  kind: CertificateFacts["kind"],
  { subjectName, issuerName, serial, der, notBeforeMs, notAfterMs }: Certificate,
): CertificateFacts {
  return {
    kind,
    subject: describeName(subjectName),
    issuer: describeName(issuerName),
    serial,
    fingerprint: sha256(der),
    notBeforeMs,
    notAfterMs,
    revoked: null,
  };
}
