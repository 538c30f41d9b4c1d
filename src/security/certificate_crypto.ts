/**
 * Signatures and digests of certificates, by `node:crypto`. That module costs 10 MB and 70 ms, so
 * it is imported only where certificates are used.
 */
import type * as NodeCrypto from "node:crypto";
import { DerReader, TAG } from "./der.ts";

/** Something signed: a certificate or a CRL. RFC 5280 section 4.1.1. */
export interface Signed {
  /** The bytes that are signed. */
  readonly tbs: Uint8Array;
  /** The AlgorithmIdentifier, as it is encoded. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
}

/** What certificates need of cryptography; synchronous. */
export interface CertificateCrypto {
  sha256(bytes: Uint8Array): Uint8Array;
  /** Verifies with a SubjectPublicKeyInfo; gives why not, or null if the signature is good. */
  verify(signed: Signed, spki: Uint8Array): string | null;
  /** Why this PEM private key cannot serve with this certificate, or null if it can. */
  keyProblem(certificate: Uint8Array, keyPem: string): string | null;
}

interface SignatureScheme {
  readonly keyType: string;
  /** Null where the scheme has its own. */
  readonly digest: string | null;
}

/**
 * By Object Identifier: RFC 8017, RFC 5758, RFC 8410. SHA-1 and MD5 are not here: their signatures
 * can be forged.
 */
const SCHEMES: ReadonlyMap<string, SignatureScheme> = new Map([
  ["1.2.840.113549.1.1.11", { keyType: "rsa", digest: "sha256" }],
  ["1.2.840.113549.1.1.12", { keyType: "rsa", digest: "sha384" }],
  ["1.2.840.113549.1.1.13", { keyType: "rsa", digest: "sha512" }],
  ["1.2.840.10045.4.3.2", { keyType: "ec", digest: "sha256" }],
  ["1.2.840.10045.4.3.3", { keyType: "ec", digest: "sha384" }],
  ["1.2.840.10045.4.3.4", { keyType: "ec", digest: "sha512" }],
  ["1.3.101.112", { keyType: "ed25519", digest: null }],
]);

/** Shorter RSA keys have been out of use since 2013. NIST SP 800-131A. */
const RSA_BITS_MIN = 2048;
/** Longer ones cost more time than anybody should be able to make us spend. */
const RSA_BITS_MAX = 8192;

/** Imports `node:crypto`. */
export async function loadCertificateCrypto(): Promise<CertificateCrypto> {
  const crypto = await import("node:crypto");
  return {
    sha256: (bytes) => crypto.createHash("sha256").update(bytes).digest(),
    verify: (signed, spki) => verify(crypto, signed, spki),
    keyProblem: (certificate, keyPem) => keyProblem(crypto, certificate, keyPem),
  };
}

function verify(crypto: typeof NodeCrypto, signed: Signed, spki: Uint8Array): string | null {
  const algorithm = new DerReader(signed.signatureAlgorithm).inside(TAG.sequence).oid();
  const scheme = SCHEMES.get(algorithm);
  if (scheme === undefined) return `signature algorithm ${algorithm} is not supported`;
  try {
    const key = crypto.createPublicKey({ key: spki as Buffer, format: "der", type: "spki" });
    if (key.asymmetricKeyType !== scheme.keyType) {
      return `signature algorithm ${algorithm} with a key of type ${key.asymmetricKeyType}`;
    }
    const bits = key.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)) {
      return `RSA key of ${bits} bits`;
    }
    const good = crypto.verify(scheme.digest, signed.tbs, key, signed.signature);
    return good ? null : "signature does not verify";
  } catch (error) {
    return `key or signature cannot be used: ${error instanceof Error ? error.message : error}`;
  }
}

function keyProblem(
  crypto: typeof NodeCrypto,
  certificate: Uint8Array,
  keyPem: string,
): string | null {
  try {
    const key = crypto.createPrivateKey(keyPem);
    const belongs = new crypto.X509Certificate(certificate as Buffer).checkPrivateKey(key);
    return belongs ? null : "it does not belong to the certificate";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
