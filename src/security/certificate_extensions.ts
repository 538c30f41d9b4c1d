/** Extensions of certificates, RFC 5280 section 4.2: those that a verdict depends on. */
import { type AlternativeNames, readAlternativeNames } from "./certificate_name.ts";
import { contextTag, DerReader, TAG } from "./der.ts";

/** What the extensions of a certificate say. */
export interface CertificateExtensions {
  /** Null where the certificate has no basicConstraints: then it is no CA. */
  readonly basicConstraints: { readonly ca: boolean; readonly pathLengthMax: number } | null;
  /** Bits of `KEY_USAGE`; null where usage is not restricted. */
  readonly keyUsage: number | null;
  /** Object Identifiers; null where usage is not restricted. */
  readonly extendedKeyUsage: readonly string[] | null;
  readonly alternativeNames: AlternativeNames | null;
  /** Key identifiers in hexadecimal digits. */
  readonly subjectKeyId: string | null;
  readonly authorityKeyId: string | null;
  /** An extension that must not be ignored and that we cannot apply, or null. */
  readonly unsupported: string | null;
}

/** Bits of keyUsage. RFC 5280 section 4.2.1.3. */
export const KEY_USAGE = {
  digitalSignature: 1 << 0,
  keyAgreement: 1 << 4,
  certificateSign: 1 << 5,
  crlSign: 1 << 6,
} as const;

/** One extension, of a certificate, a CRL or an entry of a CRL. */
export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  /** The encoded value. */
  readonly value: Uint8Array;
}

const EXTENSIONS_MAX = 64;
/** Ignored also when critical: they restrict nothing here. certificatePolicies: any is accepted. */
const HARMLESS = new Set(["2.5.29.18", "2.5.29.31", "2.5.29.32"]);
/** Not ignored even when it is not critical: a name outside would pass for one inside. */
const NAME_CONSTRAINTS = "2.5.29.30";
/** Extensions that we do not look into and rustls does. */
const SEQUENCES = new Set(["2.5.29.30", "2.5.29.31"]);
const EXPLICIT = contextTag(3, { constructed: true });
const KEY_ID = contextTag(0, { constructed: false });

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads the extensions of a certificate where `fields` stands; faults are noted in `fields`. */
export function readExtensions(fields: DerReader): CertificateExtensions {
  const found: Mutable<CertificateExtensions> = {
    basicConstraints: null,
    keyUsage: null,
    extendedKeyUsage: null,
    alternativeNames: null,
    subjectKeyId: null,
    authorityKeyId: null,
    unsupported: null,
  };
  if (!fields.at(EXPLICIT)) return found;
  const explicit = fields.inside(EXPLICIT);
  for (const extension of readExtensionList(explicit)) {
    const reader = new DerReader(extension.value);
    readExtension(found, extension, reader);
    if (reader.problem !== null) fields.fail(`extension ${extension.id}: ${reader.problem}`);
  }
  explicit.done();
  return found;
}

/** Reads a list of extensions; none may come twice. RFC 5280 section 4.2. */
export function readExtensionList(reader: DerReader): readonly Extension[] {
  const extensions: Extension[] = [];
  const list = reader.inside(TAG.sequence);
  if (!list.more) reader.fail("empty list of extensions");
  while (list.more) {
    const item = list.inside(TAG.sequence);
    const id = item.oid();
    // DER leaves a default value out, but certificates with a written FALSE are about.
    const critical = item.at(TAG.boolean) && item.boolean();
    const value = item.content(TAG.octetString);
    item.done();
    if (extensions.some((other) => other.id === id)) list.fail(`extension ${id} comes twice`);
    if (extensions.length === EXTENSIONS_MAX) list.fail("too many extensions");
    extensions.push({ id, critical, value });
  }
  return extensions;
}

function readExtension(
  found: Mutable<CertificateExtensions>,
  { id, critical }: Extension,
  reader: DerReader,
): void {
  switch (id) {
    case "2.5.29.14":
      found.subjectKeyId = reader.content(TAG.octetString).toHex();
      break;
    case "2.5.29.15":
      found.keyUsage = reader.namedBits();
      break;
    case "2.5.29.17":
      found.alternativeNames = readAlternativeNames(reader);
      break;
    case "2.5.29.19":
      found.basicConstraints = readBasicConstraints(reader);
      break;
    case "2.5.29.35":
      found.authorityKeyId = readAuthorityKeyId(reader);
      break;
    case "2.5.29.37":
      found.extendedKeyUsage = readExtendedKeyUsage(reader);
      break;
    default:
      if (id === NAME_CONSTRAINTS || (critical && !HARMLESS.has(id))) found.unsupported ??= id;
      // Whatever rustls reads, it must be able to read: see `parseCertificate`.
      if (!SEQUENCES.has(id)) return;
      reader.element(TAG.sequence);
  }
  reader.done();
}

/** RFC 5280 section 4.2.1.9. */
function readBasicConstraints(reader: DerReader): { ca: boolean; pathLengthMax: number } {
  const fields = reader.inside(TAG.sequence);
  const ca = fields.at(TAG.boolean) && fields.boolean();
  const pathLengthMax = fields.at(TAG.integer) ? fields.smallInteger() : Infinity;
  fields.done();
  return { ca, pathLengthMax };
}

/** Reads the key identifier, in hexadecimal digits; null where there is none. RFC 5280 section 4.2.1.1. */
export function readAuthorityKeyId(reader: DerReader): string | null {
  const fields = reader.inside(TAG.sequence);
  const keyId = fields.at(KEY_ID) ? fields.content(KEY_ID).toHex() : null;
  while (fields.more) fields.skip();
  return keyId;
}

/** RFC 5280 section 4.2.1.12. */
function readExtendedKeyUsage(reader: DerReader): string[] {
  const usages: string[] = [];
  const list = reader.inside(TAG.sequence);
  if (!list.more) reader.fail("empty extendedKeyUsage");
  while (list.more) usages.push(list.oid());
  return usages;
}
