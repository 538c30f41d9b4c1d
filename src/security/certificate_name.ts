/** Names in certificates: the text for a log line, the Common Name, and alternative names. */
import { contextTag, DerReader, TAG } from "./der.ts";

/** Names of a log line longer than this are cut. */
const TEXT_LENGTH_MAX = 200;
/** Relative names of one Distinguished Name that are looked at. */
const PARTS_MAX = 32;

const COMMON_NAME = "2.5.4.3";
/** Short names of attribute types. RFC 4514 section 3. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  [COMMON_NAME, "CN"],
  ["2.5.4.5", "serialNumber"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["1.2.840.113549.1.9.1", "emailAddress"],
]);

/** Alternative names by type, those that can name a user. RFC 5280 section 4.2.1.6. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly uri: readonly string[];
  readonly email: readonly string[];
}

/** A Distinguished Name for people; never ambiguous enough to decide by. */
export function describeName(name: Uint8Array): string {
  const parts = attributesOf(name).map(({ type, value }) =>
    `${SHORT_NAMES.get(type) ?? type}=${value ?? "?"}`
  );
  // What a peer chose must not write lines or escape sequences of its own into a log.
  const text = parts.join(", ").replace(/[^ -~\u00a0-\ud7ff\ue000-\ufffd]/g, "?");
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text || "(empty)";
}

/** Every Common Name of a Distinguished Name; null in place of one that cannot be read. */
export function commonNames(name: Uint8Array): readonly (string | null)[] {
  return attributesOf(name).filter(({ type }) => type === COMMON_NAME).map(({ value }) => value);
}

/** Reads the contents of a subjectAltName extension into lists by type. */
export function readAlternativeNames(reader: DerReader): AlternativeNames {
  const names = { dns: [] as string[], uri: [] as string[], email: [] as string[] };
  const byTag = new Map([
    [contextTag(1, { constructed: false }), names.email],
    [contextTag(2, { constructed: false }), names.dns],
    [contextTag(6, { constructed: false }), names.uri],
  ]);
  const list = reader.inside(TAG.sequence);
  if (!list.more) reader.fail("empty subjectAltName");
  while (list.more) {
    const known = [...byTag].find(([tag]) => list.at(tag));
    if (known === undefined) {
      list.skip();
      continue;
    }
    const text = ascii(list.content(known[0]));
    if (text === null) list.fail("subjectAltName that is not ASCII");
    else known[1].push(text);
  }
  return names;
}

function attributesOf(name: Uint8Array): { type: string; value: string | null }[] {
  const attributes: { type: string; value: string | null }[] = [];
  const reader = new DerReader(name).inside(TAG.sequence);
  while (reader.more && attributes.length < PARTS_MAX) {
    const set = reader.inside(TAG.set);
    while (set.more && attributes.length < PARTS_MAX) {
      const attribute = set.inside(TAG.sequence);
      const type = attribute.oid();
      const value = readText(attribute);
      if (attribute.problem === null) attributes.push({ type, value });
    }
  }
  return attributes;
}

/** A DirectoryString; null for the character sets that nobody should use any more. */
function readText(reader: DerReader): string | null {
  if (reader.at(TAG.utf8String)) {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(reader.content(TAG.utf8String));
    } catch {
      return null;
    }
  }
  for (const tag of [TAG.printableString, TAG.ia5String]) {
    if (reader.at(tag)) return ascii(reader.content(tag));
  }
  reader.skip();
  return null;
}

function ascii(bytes: Uint8Array): string | null {
  return bytes.every((byte) => byte < 0x80) ? new TextDecoder().decode(bytes) : null;
}
