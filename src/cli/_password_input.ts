import type { CliIo, PasswordSource } from "./cli_io.ts";

/** A password, or why there is none. */
export type PasswordReading = { readonly password: Uint8Array } | { readonly problem: string };

const CTRL_C = 0x03;
const CTRL_D = 0x04;
const BACKSPACE = 0x08;
const CTRL_U = 0x15;
const DELETE = 0x7f;
const BYTES_MAX = 65_535;

/**
 * Reads a password: all of standard input but its last line end with `whole`, otherwise what is typed
 * at a terminal that does not show it, twice if it is a new one.
 */
export async function readPassword(
  io: CliIo,
  { whole, isNew, of }: { whole: boolean; isNew: boolean; of: string },
): Promise<PasswordReading> {
  const source = io.input ?? Deno.stdin;
  if (whole) return checked(await readAll(source));
  if (!source.isTerminal()) {
    return {
      problem: "standard input is no terminal; --password-stdin reads the password from it",
    };
  }
  const typed = new TypedLines(source);
  source.setRaw(true);
  try {
    io.err(`Password of ${of}: `);
    const password = await typed.next();
    io.err("\r\n");
    if (!isNew || password === null) return checked(password);
    io.err("Once more: ");
    const again = await typed.next();
    io.err("\r\n");
    if (again === null) return checked(null);
    const same = password.length === again.length && password.every((b, i) => b === again[i]);
    return same ? checked(password) : { problem: "the two passwords differ" };
  } finally {
    source.setRaw(false);
  }
}

function checked(password: readonly number[] | null): PasswordReading {
  if (password === null) return { problem: "no password was given" };
  if (password.length === 0) return { problem: "the password is empty" };
  if (password.length > BYTES_MAX) return { problem: `a password has at most ${BYTES_MAX} bytes` };
  return { password: Uint8Array.from(password) };
}

async function readAll(source: PasswordSource): Promise<number[]> {
  const bytes: number[] = [];
  const buffer = new Uint8Array(4_096);
  while (bytes.length <= BYTES_MAX + 2) {
    const count = await source.read(buffer);
    if (count === null) break;
    bytes.push(...buffer.subarray(0, count));
  }
  if (bytes.at(-1) === 0x0a) bytes.pop();
  if (bytes.at(-1) === 0x0d) bytes.pop();
  return bytes;
}

/** Lines from a terminal in raw mode, which leaves all editing to the program. */
class TypedLines {
  readonly #source: PasswordSource;
  readonly #buffer = new Uint8Array(256);
  /** Bytes that were read and not used: whoever pastes may paste both lines. */
  #rest = new Uint8Array(0);

  constructor(source: PasswordSource) {
    this.#source = source;
  }

  /** The next line, or null if it was cancelled. */
  async next(): Promise<number[] | null> {
    let line: number[] = [];
    for (;;) {
      const byte = await this.#byte();
      if (byte === null || byte === CTRL_C) return null;
      if (byte === CTRL_D && line.length === 0) return null;
      if (byte === 0x0d || byte === 0x0a) return line;
      if (byte === CTRL_U) line = [];
      else if (byte === BACKSPACE || byte === DELETE) line = withoutLastCharacter(line);
      else if (byte >= 0x20 && line.length <= BYTES_MAX) line.push(byte);
    }
  }

  async #byte(): Promise<number | null> {
    if (this.#rest.length === 0) {
      const count = await this.#source.read(this.#buffer);
      if (count === null) return null;
      this.#rest = this.#buffer.slice(0, count);
    }
    const [byte] = this.#rest;
    this.#rest = this.#rest.subarray(1);
    return byte ?? null;
  }
}

/** A character is several bytes of UTF-8; its later ones begin with the bits 10. */
function withoutLastCharacter(line: readonly number[]): number[] {
  const start = line.findLastIndex((byte) => (byte & 0xc0) !== 0x80);
  return line.slice(0, Math.max(0, start));
}
