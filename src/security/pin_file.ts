/**
 * The pin file: which certificate a user, or whoever uses a Client Identifier, has to show.
 *
 *     # Lines that begin with # are comments. A pin is as in certificate_pins.
 *     user gw-1       sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
 *     user gw-1       sha256/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 *     client press-7  sha256/… sha256/…
 *
 * Several pins of one name, in one line or in several, are alternatives: the old and the new
 * certificate while it is replaced. Who does not stand here may come in with any certificate or none,
 * as the listener says. Who does stand here gets in by no other way: a user who is pinned needs the
 * certificate even where the password is right, and so does whoever uses a Client Identifier that is
 * pinned. The file holds for all listeners, since users and Client Identifiers do.
 */
import { parsePins } from "./certificate_pins.ts";
import { CONTROL_CHARACTER, Diagnostics, type ParsedFile } from "./file_diagnostic.ts";
import { linesOf } from "./_in_slices.ts";
import { LineWords } from "./_line_words.ts";

/** Most UTF-16 code units of a pin file. */
export const PIN_FILE_LENGTH_MAX = 4_194_304;
const LINE_LENGTH_MAX = 8_192;
const LINES_PER_STEP = 64;

/** SHA-256 of a certificate that was accepted and of its public key, in hexadecimal digits. */
export interface ShownCertificate {
  readonly fingerprint: string;
  readonly keyFingerprint: string;
}

/** A pin file that has been read; never changes. */
export class PinFile {
  /** By kind and name: `user gw-1`. */
  readonly #pins: ReadonlyMap<string, ReadonlySet<string>>;

  private constructor(pins: ReadonlyMap<string, ReadonlySet<string>>) {
    this.#pins = pins;
  }

  /** Reads the text of a file, in steps. One mistake refuses all of it: a pin that is lost opens a door. */
  static *reading(text: string): Generator<void, ParsedFile<PinFile>> {
    const diagnostics = new Diagnostics();
    const pins = new Map<string, Set<string>>();
    if (text.length > PIN_FILE_LENGTH_MAX) {
      diagnostics.add(1, 1, `the file is longer than ${PIN_FILE_LENGTH_MAX} characters`);
      return diagnostics.finish(new PinFile(pins));
    }
    let line = 0;
    for (const written of linesOf(text)) {
      if (++line % LINES_PER_STEP === 0) yield;
      const content = written.endsWith("\r") ? written.slice(0, -1) : written;
      if (/^[ \t]*(#|$)/.test(content)) continue;
      const read = readLine(content);
      if ("fault" in read) {
        diagnostics.add(line, read.column, read.fault);
        continue;
      }
      const known = pins.get(read.key);
      if (known === undefined) pins.set(read.key, new Set(read.pins));
      else for (const pin of read.pins) known.add(pin);
    }
    return diagnostics.finish(new PinFile(pins));
  }

  /** Whether a client may come in with what it has shown; null: no certificate that counts. */
  permits(
    client: { readonly userName: string | null; readonly clientIdentifier: string },
    shown: ShownCertificate | null,
  ): boolean {
    const { userName, clientIdentifier } = client;
    return this.#fits(`client ${clientIdentifier}`, shown) &&
      (userName === null || this.#fits(`user ${userName}`, shown));
  }

  #fits(key: string, shown: ShownCertificate | null): boolean {
    const pins = this.#pins.get(key);
    if (pins === undefined) return true;
    return shown !== null && (pins.has(shown.fingerprint) || pins.has(shown.keyFingerprint));
  }
}

function readLine(
  line: string,
): { key: string; pins: Iterable<string> } | { fault: string; column: number } {
  if (line.length > LINE_LENGTH_MAX) {
    return { fault: `the line is longer than ${LINE_LENGTH_MAX} characters`, column: 1 };
  }
  const words = new LineWords(line).all();
  if ("fault" in words) return words;
  const [kind, name, ...rest] = words;
  if (kind!.text !== "user" && kind!.text !== "client") {
    return { fault: `${JSON.stringify(kind!.text)} is none of user, client`, column: kind!.column };
  }
  if (name === undefined || rest.length === 0) {
    return { fault: `${kind!.text} wants a name and its pins`, column: line.length + 1 };
  }
  if (name.text === "" || CONTROL_CHARACTER.test(name.text)) {
    return { fault: "the name is empty or contains a control character", column: name.column };
  }
  const all = new Set<string>();
  for (const { text, column } of rest) {
    const pins = parsePins([text]);
    if ("problem" in pins) return { fault: pins.problem, column };
    for (const pin of pins) all.add(pin);
  }
  return { key: `${kind!.text} ${name.text}`, pins: all };
}
