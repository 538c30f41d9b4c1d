/** Certificate revocation lists, RFC 5280 section 5: version 1 and 2, complete and direct ones. */
import { sameBytes, serialText } from "./certificate.ts";
import type { Signed } from "./certificate_crypto.ts";
import { readAuthorityKeyId, readExtensionList } from "./certificate_extensions.ts";
import { contextTag, DerReader, TAG } from "./der.ts";
import { readBlocks } from "./pem.ts";
import { openEnvelope } from "./signed_envelope.ts";

/** A list whose encoding is sound and whose rules we can apply; its signature is not verified. */
export interface Crl extends Signed {
  /** The encoded name of the issuer, and the same in hexadecimal digits. */
  readonly issuerName: Uint8Array;
  readonly issuer: string;
  readonly thisUpdateMs: number;
  /** When the next list is due; Infinity where the list does not say. */
  readonly nextUpdateMs: number;
  /** Serial numbers of the revoked certificates, in the form of `Certificate.serial`. */
  readonly revoked: ReadonlySet<string>;
  /** Key identifier of the issuer in hexadecimal digits, or null. */
  readonly authorityKeyId: string | null;
  /** What part of the issuer's certificates the list is about: equal for lists about the same. */
  readonly scope: string;
}

const EXPLICIT = contextTag(0, { constructed: true });
const CRL_NUMBER = "2.5.29.20";
const DELTA = "2.5.29.27";
const DISTRIBUTION_POINT = "2.5.29.28";
const AUTHORITY_KEY_ID = "2.5.29.35";
/** Extensions of the list that change nothing of what its entries mean. */
const HARMLESS = new Set([CRL_NUMBER, AUTHORITY_KEY_ID, "2.5.29.18", "2.5.29.46"]);
/** Likewise of an entry: every reason revokes, whenever the key was lost. */
const HARMLESS_IN_ENTRY = new Set(["2.5.29.21", "2.5.29.24"]);

/** The flags of issuingDistributionPoint that we cannot apply. RFC 5280 section 5.2.5. */
const REFUSED_SCOPES: ReadonlyMap<number, string> = new Map([
  [3, "it holds only some reasons for revocation (onlySomeReasons)"],
  [4, "it is an indirect CRL, with certificates of other issuers"],
  [5, "it is about attribute certificates"],
]);

/** Reads every list of a file, PEM or DER; one that cannot be used makes the whole file unusable. */
export function parseCrls(file: Uint8Array): readonly Crl[] | { readonly problem: string } {
  const found = readBlocks(file, "X509 CRL");
  if ("problem" in found) return found;
  const crls: Crl[] = [];
  for (const [index, block] of found.blocks.entries()) {
    const crl = parseCrl(block);
    if ("problem" in crl) return { problem: `CRL ${index + 1}: ${crl.problem}` };
    crls.push(crl);
  }
  return crls;
}

/** Reads one list; never throws. */
export function parseCrl(der: Uint8Array): Crl | { readonly problem: string } {
  const { outer, fields, tbs, signatureAlgorithm, signature } = openEnvelope(der);
  const version = fields.at(TAG.integer) ? fields.smallInteger() + 1 : 1;
  if (version > 2) fields.fail(`CRL version ${version}`);
  const algorithm = fields.element(TAG.sequence);
  const issuerName = fields.element(TAG.sequence);
  const thisUpdateMs = fields.time();
  const dated = fields.at(TAG.utcTime) || fields.at(TAG.generalizedTime);
  const nextUpdateMs = dated ? fields.time() : Infinity;
  const revoked = new Set<string>();
  if (fields.at(TAG.sequence)) readEntries(fields.inside(TAG.sequence), revoked);
  const { authorityKeyId, scope } = readCrlExtensions(fields);
  fields.done();
  const problem = outer.problem ?? fields.problem;
  if (problem !== null) return { problem };
  if (!sameBytes(algorithm, signatureAlgorithm)) return { problem: "two signature algorithms" };
  return {
    tbs,
    signatureAlgorithm,
    signature,
    issuerName,
    issuer: issuerName.toHex(),
    thisUpdateMs,
    nextUpdateMs,
    revoked,
    authorityKeyId,
    scope,
  };
}

/** RFC 5280 section 5.1.2.6. */
function readEntries(list: DerReader, revoked: Set<string>): void {
  while (list.more) {
    const entry = list.inside(TAG.sequence);
    const serial = serialText(entry.integer());
    if (serial === "") entry.fail("serial number too long");
    entry.time();
    revoked.add(serial);
    if (!entry.more) continue;
    for (const { id, critical } of readExtensionList(entry)) {
      // RFC 5280 section 5.3: such a list must not be used at all.
      if (critical && !HARMLESS_IN_ENTRY.has(id)) {
        entry.fail(`entry ${serial}: unknown critical extension ${id}`);
      }
    }
    entry.done();
  }
}

/** RFC 5280 section 5.2. */
function readCrlExtensions(fields: DerReader): { authorityKeyId: string | null; scope: string } {
  const facts = { authorityKeyId: null as string | null, scope: "" };
  if (!fields.at(EXPLICIT)) return facts;
  const explicit = fields.inside(EXPLICIT);
  for (const { id, critical, value } of readExtensionList(explicit)) {
    if (id === DELTA) fields.fail("it is a delta CRL; only complete CRLs can be used");
    else if (id === DISTRIBUTION_POINT) {
      facts.scope = value.toHex();
      const refusal = scopeRefusal(value);
      if (refusal !== null) fields.fail(refusal);
    } else if (id === AUTHORITY_KEY_ID) {
      const reader = new DerReader(value);
      facts.authorityKeyId = readAuthorityKeyId(reader);
      if (reader.problem !== null) fields.fail(`extension ${id}: ${reader.problem}`);
    } else if (critical && !HARMLESS.has(id)) fields.fail(`unknown critical extension ${id}`);
  }
  explicit.done();
  return facts;
}

/**
 * Why the scope of a list cannot be applied, or null. A part of an issuer's certificates, by
 * distribution point or by kind, is fine: what it revokes is revoked, and lists of several parts
 * stand side by side.
 */
function scopeRefusal(value: Uint8Array): string | null {
  const reader = new DerReader(value);
  const fields = reader.inside(TAG.sequence);
  while (fields.more) {
    const refused = REFUSED_SCOPES.get(fields.skip() & 0x1f);
    if (refused !== undefined) return refused;
  }
  reader.done();
  return reader.problem === null ? null : `extension ${DISTRIBUTION_POINT}: ${reader.problem}`;
}
