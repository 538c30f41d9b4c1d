/** Certificates and revocation lists of the TLS listeners, read as the broker reads them. */
import type { Config, ListenerConfig } from "../config/mod.ts";
import {
  type CertificateCrypto,
  loadCertificateCrypto,
  loadTlsFiles,
  type TlsMaterial,
} from "../security/mod.ts";
import { type Finding, Findings } from "./finding.ts";

const DAY_MS = 86_400_000;
/** A certificate that runs out within this time has to be renewed now. */
const SOON_DAYS = 30;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Findings about all listeners with TLS. */
export async function certificateFindings(
  { listeners }: Config,
  nowMs: number,
): Promise<readonly Finding[]> {
  const findings = new Findings("certificate");
  const withTls = listeners.filter(({ certificateFile }) => certificateFile !== "");
  if (withTls.length === 0) return [];
  const crypto = await loadCertificateCrypto();
  for (const listener of withTls) await examine(listener, { findings, crypto, nowMs });
  return findings.all;
}

async function examine(
  listener: ListenerConfig,
  { findings, crypto, nowMs }: { findings: Findings; crypto: CertificateCrypto; nowMs: number },
): Promise<void> {
  const { certificateFile, keyFile, caFile, crlFile, address } = listener;
  const paths = {
    certificateFile,
    keyFile,
    caFile: caFile === "" ? null : caFile,
    crlFiles: crlFile === "" ? [] : [crlFile],
  };
  const material = await loadTlsFiles(paths, { crypto, nowMs });
  if ("problem" in material) {
    const fix = "the broker does not start like this: correct the file";
    return findings.error(`listener ${address}: ${material.problem}`, fix);
  }
  findings.ok(`listener ${address}: ${keyFile} is the key of ${certificateFile}`);
  await examineChain(material, { listener, findings, nowMs });
  examineAuthorities(material, { listener, findings, nowMs });
}

/** The server's own certificate and those it sends with it. */
async function examineChain(
  { certificatePem }: TlsMaterial,
  { listener, findings, nowMs }: { listener: ListenerConfig; findings: Findings; nowMs: number },
): Promise<void> {
  const { X509Certificate } = await import("node:crypto");
  const chain = (certificatePem.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
  const where = `listener ${listener.address}: ${listener.certificateFile}`;
  for (const [index, certificate] of chain.entries()) {
    const name = `${where}: ${certificate.subject.replaceAll("\n", ", ") || "certificate"}`;
    const span = {
      fromMs: Date.parse(certificate.validFrom),
      toMs: Date.parse(certificate.validTo),
    };
    tellDays(name, { ...span, nowMs, findings });
    const issuer = chain[index + 1];
    if (issuer === undefined) continue;
    if (!certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
      const fix = "put the server's certificate first, and behind each one the one that issued it";
      findings.error(`${name}: not issued by the next certificate in the file`, fix);
    }
  }
}

function examineAuthorities(
  { store }: TlsMaterial,
  { listener, findings, nowMs }: { listener: ListenerConfig; findings: Findings; nowMs: number },
): void {
  const where = `listener ${listener.address}`;
  for (const authority of store.authorities) {
    const name = `${where}: CA in ${listener.caFile}, serial ${authority.serial}`;
    tellDays(name, { fromMs: authority.notBeforeMs, toMs: authority.notAfterMs, nowMs, findings });
    for (const { thisUpdateMs, nextUpdateMs } of store.crlsOf(authority)) {
      const age = Math.floor((nowMs - thisUpdateMs) / DAY_MS);
      const crl = `${where}: CRL ${listener.crlFile}: ${age} days old`;
      if (nextUpdateMs < nowMs) {
        const fix = "get the present list from the authority; it is read again by itself";
        findings.warning(`${crl}, a newer one was due on ${dateOf(nextUpdateMs)}`, fix);
      } else findings.ok(`${crl}, the next one is due on ${dateOf(nextUpdateMs)}`);
    }
  }
  for (const { serial } of store.unlisted) {
    const text = `${where}: no CRL of the CA with serial ${serial}: what it revokes is not known`;
    findings.warning(text, `add its list to ${listener.crlFile}`);
  }
}

function tellDays(
  name: string,
  { fromMs, toMs, nowMs, findings }: {
    fromMs: number;
    toMs: number;
    nowMs: number;
    findings: Findings;
  },
): void {
  const days = Math.floor((toMs - nowMs) / DAY_MS);
  const renew = "renew it and put it in the same file; it is read again by itself";
  if (fromMs > nowMs) {
    const fix = "set the clock of this machine, or wait";
    findings.error(`${name}: not valid before ${dateOf(fromMs)}`, fix);
  } else if (toMs < nowMs) findings.error(`${name}: expired on ${dateOf(toMs)}`, renew);
  else if (days < SOON_DAYS) {
    findings.warning(`${name}: expires in ${days} days, on ${dateOf(toMs)}`, renew);
  } else findings.ok(`${name}: ${days} days left, until ${dateOf(toMs)}`);
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
