/** What certificates and revocation lists have in common: a signed sequence. RFC 5280 section 4.1.1. */
import type { Signed } from "./certificate_crypto.ts";
import { DerReader, TAG } from "./der.ts";

/** The opened envelope; nothing is verified. */
export interface SignedEnvelope extends Signed {
  /** The reader of the envelope, at its end: it tells what is wrong with it. */
  readonly outer: DerReader;
  /** The fields of what is signed, at the first one. */
  readonly fields: DerReader;
}

/** Opens the envelope of a certificate or a revocation list; never throws. */
export function openEnvelope(der: Uint8Array): SignedEnvelope {
  const file = new DerReader(der);
  const outer = file.inside(TAG.sequence);
  file.done();
  const tbs = outer.element(TAG.sequence);
  const signatureAlgorithm = outer.element(TAG.sequence);
  const signature = outer.bitString();
  outer.done();
  const fields = new DerReader(tbs).inside(TAG.sequence);
  return { outer, fields, tbs, signatureAlgorithm, signature };
}
