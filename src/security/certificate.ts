/** X.509 certificates as RFC 5280 section 4 defines them: only what a verdict needs. */
import type { Signed } from "./certificate_crypto.ts";
import { type CertificateExtensions, readExtensions } from "./certificate_extensions.ts";
import { describeName } from "./certificate_name.ts";
import { contextTag, DerReader, TAG } from "./der.ts";
import { openEnvelope } from "./signed_envelope.ts";

/** A certificate whose encoding is sound; nothing else is known about it. */
export interface Certificate extends Signed, CertificateExtensions {
  readonly der: Uint8Array;
  /** The serial number, in hexadecimal digits without leading zero bytes. */
  readonly serial: string;
  /** Names as they are encoded, in hexadecimal digits: compared, and looked up, byte by byte. */
  readonly issuer: string;
  readonly subject: string;
  /** The encoded names. */
  readonly issuerName: Uint8Array;
  readonly subjectName: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The SubjectPublicKeyInfo, as it is encoded. */
  readonly spki: Uint8Array;
}

/** Larger certificates are refused; real ones have one or two kilobytes. */
export const CERTIFICATE_BYTES_MAX = 16_384;

/** A serial number has at most 20 octets (RFC 5280 section 4.1.2.2); some have a zero more. */
const SERIAL_BYTES_MAX = 21;

/**
 * Reads one certificate; never throws.
 *
 * This must be at least as strict as the parser in rustls. Deno 2.9.6 takes a client's proof that it
 * has the private key as good, without looking at it, where rustls finds an X.509 version other than
 * 3 in the certificate; for server certificates it does so at any bad encoding. Certificates are
 * public: whoever knew such a one could connect with it, so none may pass here.
 */
export function parseCertificate(der: Uint8Array): Certificate | { readonly problem: string } {
  if (der.length > CERTIFICATE_BYTES_MAX) {
    return { problem: `longer than ${CERTIFICATE_BYTES_MAX} bytes` };
  }
  const { outer, fields, tbs, signatureAlgorithm, signature } = openEnvelope(der);
  const version = readVersion(fields);
  if (outer.problem === null && version !== 3) {
    return { problem: `X.509 version ${version}; version 3 is needed` };
  }
  const serial = serialText(fields.integer());
  const algorithm = fields.element(TAG.sequence);
  const issuerName = fields.element(TAG.sequence);
  const validity = fields.inside(TAG.sequence);
  const notBeforeMs = validity.time();
  const notAfterMs = validity.time();
  validity.done();
  const subjectName = fields.element(TAG.sequence);
  const spki = fields.element(TAG.sequence);
  checkSpki(fields, spki);
  // Unique identifiers, [1] and [2], are not read: nobody uses them, and rustls does not either.
  const extensions = readExtensions(fields);
  fields.done();
  const problem = outer.problem ?? fields.problem;
  if (problem !== null) return { problem };
  if (!sameBytes(algorithm, signatureAlgorithm)) return { problem: "two signature algorithms" };
  return {
    der,
    tbs,
    signatureAlgorithm,
    signature,
    serial,
    issuer: issuerName.toHex(),
    subject: subjectName.toHex(),
    issuerName,
    subjectName,
    notBeforeMs,
    notAfterMs,
    spki,
    ...extensions,
  };
}

/** A certificate for a log line. */
export function describeCertificate({ subjectName, serial }: Certificate): string {
  return `"${describeName(subjectName)}" (serial ${serial})`;
}

/** A serial number in the form in which serial numbers are compared. */
export function serialText(integer: Uint8Array): string {
  // A zero byte in front keeps the number positive; some tools write it, some leave it out.
  let start = 0;
  while (start < integer.length - 1 && integer[start] === 0) start++;
  return integer.length > SERIAL_BYTES_MAX ? "" : integer.subarray(start).toHex();
}

/** Whether two encodings are the same. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

/** 1, 2 or 3; version 1 is the default and not written. */
function readVersion(fields: DerReader): number {
  const tag = contextTag(0, { constructed: true });
  if (!fields.at(tag)) return 1;
  const explicit = fields.inside(tag);
  const version = explicit.smallInteger() + 1;
  explicit.done();
  return version;
}

/** RFC 5280 section 4.1.2.7; a key that rustls cannot read must not pass here, see above. */
function checkSpki(fields: DerReader, spki: Uint8Array): void {
  const file = new DerReader(spki);
  const outer = file.inside(TAG.sequence);
  const algorithm = outer.inside(TAG.sequence);
  algorithm.oid();
  while (algorithm.more) algorithm.skip();
  outer.bitString();
  outer.done();
  if (outer.problem !== null) fields.fail(`public key: ${outer.problem}`);
}
