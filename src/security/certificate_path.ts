/**
 * Certification paths: finds the ways from a client's certificate to a trust anchor, and checks
 * one of them. RFC 5280 section 6.1, without name constraints and policies, which are refused.
 */
import { type Certificate, describeCertificate } from "./certificate.ts";
import type { CertificateCrypto } from "./certificate_crypto.ts";
import { KEY_USAGE } from "./certificate_extensions.ts";
import {
  type CertificateRefusal,
  type CertificateTrust,
  CLOCK_EPOCH_MS,
  refuse,
} from "./certificate_verdict.ts";
import { authorityRefusal, type Issued, mayHaveIssued, type TrustStore } from "./trust_store.ts";

/** From the client's certificate to the trust anchor, both included. */
export type CertificatePath = readonly Certificate[];

/** Certificates of a path, at most. */
const PATH_LENGTH_MAX = 8;
/** Paths that are looked at for one client; real bundles give one or two. */
const PATHS_MAX = 16;
/** Steps of the search for paths: certificates that all name one another make it explode. */
const STEPS_MAX = 256;

const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const ANY_USAGE = "2.5.29.37.0";

/** During which time a verdict holds, and what the policy let pass. */
export class Findings {
  /** First and last moment of the time for which everything checked so far holds. */
  fromMs = -Infinity;
  untilMs = Infinity;
  readonly warnings: string[] = [];

  /** Holds not before this moment. */
  since(ms: number): void {
    this.fromMs = Math.max(this.fromMs, ms);
  }

  /** Holds to this moment and not after it. */
  until(ms: number): void {
    this.untilMs = Math.min(this.untilMs, ms);
  }
}

/** Every path from `leaf` over certificates that the client sent to an authority of the bundle. */
export function findPaths(
  leaf: Certificate,
  { sent, store }: { readonly sent: readonly Certificate[]; readonly store: TrustStore },
): readonly CertificatePath[] {
  const paths: CertificatePath[] = [];
  let steps = 0;
  function extend(path: CertificatePath): void {
    const last = path[path.length - 1]!;
    if (++steps > STEPS_MAX || path.length >= PATH_LENGTH_MAX) return;
    for (const anchor of store.issuersOf(last)) {
      if (paths.length < PATHS_MAX) paths.push([...path, anchor]);
    }
    for (const issuer of sent) {
      if (!path.includes(issuer) && mayHaveIssued(issuer, last)) extend([...path, issuer]);
    }
  }
  extend([leaf]);
  return paths;
}

/**
 * Checks one path; gives why it does not hold, or null. Signatures are verified from the anchor
 * down, so that no key is used that has not been vouched for: keys that a stranger made up could
 * cost as much time as he likes.
 */
export function checkPath(
  path: CertificatePath,
  trust: CertificateTrust,
  { nowMs, crypto, findings }: { nowMs: number; crypto: CertificateCrypto; findings: Findings },
): CertificateRefusal | null {
  for (let i = path.length - 1; i > 0; i--) {
    const issuer = path[i]!;
    const certificate = path[i - 1]!;
    const refusal = issuerRefusal(issuer, i - 1);
    if (refusal !== null) return refusal;
    const problem = crypto.verify(certificate, issuer.spki);
    if (problem !== null) {
      return refuse("untrusted", `${describeCertificate(certificate)}: ${problem}`);
    }
  }
  for (const certificate of path) {
    const refusal = validityRefusal(certificate, trust, { nowMs, findings }) ??
      usageRefusal(certificate);
    if (refusal !== null) return refusal;
  }
  const anchor = path[path.length - 1]!;
  const steps = path.slice(0, -1).map((certificate, i) => ({ certificate, issuer: path[i + 1]! }));
  for (const step of steps) {
    const refusal = revocationRefusal(step, trust, { nowMs, findings, required: true });
    if (refusal !== null) return refusal;
  }
  for (const step of trust.store.superiorsOf(anchor)) {
    const refusal = revocationRefusal(step, trust, { nowMs, findings, required: false });
    if (refusal !== null) return refusal;
  }
  return null;
}

/** `below`: how many authorities stand between this one and the client. */
function issuerRefusal(issuer: Certificate, below: number): CertificateRefusal | null {
  const problem = authorityRefusal(issuer);
  if (problem !== null) return refuse("usage", `issuer ${describeCertificate(issuer)} ${problem}`);
  // RFC 5280 section 6.1.4 (l) and (m).
  if (below > (issuer.basicConstraints?.pathLengthMax ?? 0)) {
    return refuse("usage", `issuer ${describeCertificate(issuer)} allows no authorities below it`);
  }
  return null;
}

/** RFC 5280 section 6.1.3 (a)(2). */
function validityRefusal(
  certificate: Certificate,
  { policy }: CertificateTrust,
  { nowMs, findings }: { nowMs: number; findings: Findings },
): CertificateRefusal | null {
  const { notBeforeMs, notAfterMs } = certificate;
  const named = describeCertificate(certificate);
  // It is not earlier than that, whatever the clock says: no grace for what has expired.
  if (Math.max(nowMs, CLOCK_EPOCH_MS) > notAfterMs) {
    return refuse("expired", `${named} expired on ${dateOf(notAfterMs)}`);
  }
  findings.until(notAfterMs);
  if (nowMs >= notBeforeMs) {
    findings.since(notBeforeMs);
    return null;
  }
  if (policy.certificateClock === "strict" || nowMs >= CLOCK_EPOCH_MS) {
    return refuse("notYetValid", `${named} is not valid before ${dateOf(notBeforeMs)}`);
  }
  findings.until(CLOCK_EPOCH_MS - 1);
  findings.until(notBeforeMs - 1);
  findings.warnings.push(
    `the clock is not set: ${named} is not valid before ${dateOf(notBeforeMs)}`,
  );
  return null;
}

/** RFC 5280 sections 4.2.1.3 and 4.2.1.12; as OpenSSL, for authorities, too. */
function usageRefusal(certificate: Certificate): CertificateRefusal | null {
  const { extendedKeyUsage, keyUsage, unsupported, basicConstraints } = certificate;
  const named = describeCertificate(certificate);
  if (unsupported !== null) {
    return refuse("usage", `${named} has extension ${unsupported}, which is not supported`);
  }
  const allowed = extendedKeyUsage === null || extendedKeyUsage.includes(CLIENT_AUTH) ||
    extendedKeyUsage.includes(ANY_USAGE);
  if (!allowed) return refuse("usage", `${named} is not for clients (extendedKeyUsage)`);
  const signing = KEY_USAGE.digitalSignature | KEY_USAGE.keyAgreement;
  if (basicConstraints?.ca !== true && keyUsage !== null && (keyUsage & signing) === 0) {
    return refuse("usage", `${named} is not for signing handshakes (keyUsage)`);
  }
  return null;
}

/** RFC 5280 section 6.3.3. */
function revocationRefusal(
  { certificate, issuer }: Issued,
  { policy, store }: CertificateTrust,
  { nowMs, findings, required }: { nowMs: number; findings: Findings; required: boolean },
): CertificateRefusal | null {
  const crls = store.crlsOf(issuer);
  const named = describeCertificate(certificate);
  if (crls.some(({ revoked }) => revoked.has(certificate.serial))) {
    return refuse("revoked", `${named} is revoked`);
  }
  if (crls.length === 0 && required && store.hasCrls) {
    const reason = `no CRL is loaded of ${describeCertificate(issuer)}`;
    if (policy.crlMissing === "refuse") return refuse("crlMissing", reason);
    findings.warnings.push(reason);
  }
  for (const { nextUpdateMs } of crls) {
    if (Math.max(nowMs, CLOCK_EPOCH_MS) <= nextUpdateMs) {
      findings.until(nextUpdateMs);
      continue;
    }
    const reason = `the CRL of ${describeCertificate(issuer)} expired on ${dateOf(nextUpdateMs)}`;
    if (policy.crlExpired === "refuse") return refuse("crlExpired", reason);
    findings.warnings.push(reason);
    if (nextUpdateMs >= CLOCK_EPOCH_MS) findings.since(nextUpdateMs + 1);
  }
  return null;
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
