/** Reads the files of a TLS listener, all or nothing: what is wrong with any of them is the result. */
import { type Certificate, describeCertificate, parseCertificate } from "./certificate.ts";
import type { CertificateCrypto } from "./certificate_crypto.ts";
import { type Crl, parseCrls } from "./crl.ts";
import { readForeignCertificate } from "./foreign_certificate.ts";
import { readBlocks, toPem } from "./pem.ts";
import { readFile } from "./_read_file.ts";
import { TrustStore } from "./trust_store.ts";

/** Paths of the files. */
export interface TlsPaths {
  /** The server's certificate and the intermediate ones below its root, PEM or DER. */
  readonly certificateFile: string;
  /** The private key of the certificate, PEM, without a passphrase. */
  readonly keyFile: string;
  /** CA certificates that may issue client certificates; null where none are asked for. */
  readonly caFile: string | null;
  readonly crlFiles: readonly string[];
}

/** What was read, ready for use. */
export interface TlsMaterial {
  readonly certificatePem: string;
  readonly keyPem: string;
  /** The CA bundle; empty where there is none. */
  readonly caPem: string;
  readonly store: TrustStore;
  /** When the first certificate of the server's chain expires. */
  readonly notAfterMs: number;
  /** What works now and should be seen to. */
  readonly warnings: readonly string[];
}

/** CRLs of the largest authorities have some 10 MB. */
const CRL_BYTES_MAX = 33_554_432;
const FILE_BYTES_MAX = 4_194_304;
/** A certificate that runs out within this time is worth a warning. */
const EXPIRY_NOTICE_MS = 14 * 86_400_000;

class Unreadable extends Error {}

/** Reads and verifies every file; gives the first reason why that is not possible. Never throws. */
export async function loadTlsFiles(
  paths: TlsPaths,
  { crypto, nowMs }: { crypto: CertificateCrypto; nowMs: number },
): Promise<TlsMaterial | { readonly problem: string }> {
  try {
    return await load(paths, { crypto, nowMs });
  } catch (error) {
    if (error instanceof Unreadable) return { problem: error.message };
    throw error;
  }
}

async function load(
  { certificateFile, keyFile, caFile, crlFiles }: TlsPaths,
  { crypto, nowMs }: { crypto: CertificateCrypto; nowMs: number },
): Promise<TlsMaterial> {
  const chain = await readServerChain(certificateFile);
  const keyPem = new TextDecoder().decode(await readTlsFile(keyFile, FILE_BYTES_MAX));
  const keyProblem = crypto.keyProblem(chain[0]!, keyPem);
  if (keyProblem !== null) throw new Unreadable(`Cannot use private key ${keyFile}: ${keyProblem}`);
  const authorities = caFile === null ? [] : await readAuthorities(caFile);
  const crls: Crl[] = [];
  for (const crlFile of crlFiles) crls.push(...await readCrls(crlFile));
  const store = TrustStore.build({ authorities, crls }, crypto);
  if ("problem" in store) {
    throw new Unreadable(`Cannot use ${[caFile, ...crlFiles].join(", ")}: ${store.problem}`);
  }
  const { notAfterMs, warnings } = expiryOf(chain, nowMs);
  return {
    certificatePem: chain.map((der) => toPem(der, "CERTIFICATE")).join(""),
    keyPem,
    caPem: authorities.map(({ der }) => toPem(der, "CERTIFICATE")).join(""),
    store,
    notAfterMs,
    warnings: [...warnings, ...trustWarnings(store, nowMs)],
  };
}

async function readServerChain(path: string): Promise<readonly Uint8Array[]> {
  const found = readBlocks(await readTlsFile(path, FILE_BYTES_MAX), "CERTIFICATE");
  if ("problem" in found) throw new Unreadable(`Cannot use certificate ${path}: ${found.problem}`);
  return found.blocks;
}

async function readAuthorities(path: string): Promise<readonly Certificate[]> {
  const found = readBlocks(await readTlsFile(path, FILE_BYTES_MAX), "CERTIFICATE");
  if ("problem" in found) throw new Unreadable(`Cannot use CA file ${path}: ${found.problem}`);
  return found.blocks.map((der, index) => {
    const certificate = parseCertificate(der);
    if (!("problem" in certificate)) return certificate;
    throw new Unreadable(
      `Cannot use CA file ${path}: certificate ${index + 1}: ${certificate.problem}`,
    );
  });
}

async function readCrls(path: string): Promise<readonly Crl[]> {
  const crls = parseCrls(await readTlsFile(path, CRL_BYTES_MAX));
  if ("problem" in crls) throw new Unreadable(`Cannot use CRL file ${path}: ${crls.problem}`);
  return crls;
}

async function readTlsFile(path: string, bytesMax: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path, bytesMax);
  } catch (error) {
    throw new Unreadable(`Cannot read ${path}: ${error instanceof Error ? error.message : error}`);
  }
  if (bytes.length === 0) throw new Unreadable(`Cannot read ${path}: it is empty`);
  return bytes;
}

/** The server's own certificate may be of any form that clients accept; its dates matter to us. */
function expiryOf(
  chain: readonly Uint8Array[],
  nowMs: number,
): { notAfterMs: number; warnings: readonly string[] } {
  let notAfterMs = Infinity;
  const warnings: string[] = [];
  for (const der of chain) {
    const certificate = parseCertificate(der);
    const known = "problem" in certificate
      ? readForeignCertificate(der)
      : { subject: describeCertificate(certificate), notAfterMs: certificate.notAfterMs };
    if (known === null) continue;
    notAfterMs = Math.min(notAfterMs, known.notAfterMs);
    warnings.push(
      ...expiryWarnings(`server certificate ${known.subject}`, known.notAfterMs, nowMs),
    );
  }
  return { notAfterMs, warnings };
}

function trustWarnings(store: TrustStore, nowMs: number): readonly string[] {
  const warnings = store.unlisted.map((authority) =>
    `no CRL of CA ${describeCertificate(authority)}: what it issued is not checked`
  );
  for (const authority of store.authorities) {
    warnings.push(
      ...expiryWarnings(`CA ${describeCertificate(authority)}`, authority.notAfterMs, nowMs),
    );
    for (const { nextUpdateMs } of store.crlsOf(authority)) {
      if (nextUpdateMs >= nowMs) continue;
      const date = new Date(nextUpdateMs).toISOString();
      warnings.push(`the CRL of CA ${describeCertificate(authority)} expired on ${date}`);
    }
  }
  return warnings;
}

function expiryWarnings(what: string, notAfterMs: number, nowMs: number): readonly string[] {
  if (notAfterMs > nowMs + EXPIRY_NOTICE_MS) return [];
  const verb = notAfterMs < nowMs ? "expired" : "expires";
  const date = new Date(notAfterMs).toISOString();
  return [`${what} ${verb} on ${date}`];
}
