/** What `relayq pub` publishes, one payload after the other. */
import type { CliIo, PasswordSource } from "./cli_io.ts";
import { type OptionProblem, usage, valueOf } from "./_client_options.ts";
import type { ParsedArguments } from "./_command.ts";
import { fileProblem } from "./_files.ts";
import { EXIT_CODE } from "./exit_code.ts";

/** Payloads in their order. */
export type Payloads = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** What fits into one PUBLISH beside a topic of the greatest length. */
const PAYLOAD_BYTES_MAX = 268_435_455 - 65_539;
const SOURCES = ["message", "hex", "file", "stdin", "lines", "null"] as const;

/** The payloads that the options name; a file is read at once, lines one by one. */
export async function payloadsOf(
  args: ParsedArguments,
  { io, times, delayMs }: { io: CliIo; times: number; delayMs: number },
): Promise<Payloads | OptionProblem> {
  const given = SOURCES.filter((name) => args.flags.has(name) || valueOf(args, name) !== undefined);
  const [source] = given;
  if (source === undefined || given.length > 1) {
    return usage(`exactly one of ${SOURCES.map((name) => `--${name}`).join(", ")} is needed`);
  }
  const input = io.input ?? Deno.stdin;
  if (args.flags.has("password-stdin") && (source === "stdin" || source === "lines")) {
    return usage(`--${source} and --password-stdin both want standard input`);
  }
  if (source === "lines") {
    return times === 1 ? linesOf(input) : usage("--lines and --repeat do not go together");
  }
  const payload = await wholePayload(args, { source, input });
  if ("problem" in payload) return payload;
  return repeated(payload, { times, delayMs });
}

async function wholePayload(
  args: ParsedArguments,
  { source, input }: { source: typeof SOURCES[number]; input: PasswordSource },
): Promise<Uint8Array | OptionProblem> {
  switch (source) {
    case "message":
      return new TextEncoder().encode(valueOf(args, "message"));
    case "null":
      return new Uint8Array(0);
    case "hex":
      try {
        return Uint8Array.fromHex(valueOf(args, "hex")!.replace(/[\s:]/g, ""));
      } catch {
        return usage("--hex: not pairs of hexadecimal digits");
      }
    case "stdin":
      return limited(await readAll(input), "standard input");
    default: {
      const path = valueOf(args, "file")!;
      try {
        using file = await Deno.open(path, { read: true });
        return limited(await readAll(file), path);
      } catch (error) {
        return { problem: `--file: ${path}: ${fileProblem(error)}`, code: EXIT_CODE.config };
      }
    }
  }
}

function limited(bytes: Uint8Array | null, name: string): Uint8Array | OptionProblem {
  return bytes ?? { problem: `${name}: too long for one message`, code: EXIT_CODE.config };
}

async function* repeated(
  payload: Uint8Array,
  { times, delayMs }: { times: number; delayMs: number },
): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i++) {
    if (i > 0 && delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    yield payload;
  }
}

/** All that can be read, or null if that is too long for one message. */
async function readAll(source: Pick<PasswordSource, "read">): Promise<Uint8Array | null> {
  const collected = new Collected();
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await source.read(buffer);
    if (count === null) return collected.take();
    collected.add(buffer.subarray(0, count));
    if (collected.length > PAYLOAD_BYTES_MAX) return null;
  }
}

/** Lines without their ends; the last one need not have any. */
async function* linesOf(source: Pick<PasswordSource, "read">): AsyncGenerator<Uint8Array> {
  const collected = new Collected();
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await source.read(buffer);
    if (count === null) break;
    const piece = buffer.subarray(0, count);
    let from = 0;
    for (let at = piece.indexOf(0x0a); at >= 0; at = piece.indexOf(0x0a, from)) {
      collected.add(piece.subarray(from, at));
      from = at + 1;
      yield collected.takeLine();
    }
    collected.add(piece.subarray(from));
    if (collected.length > PAYLOAD_BYTES_MAX) {
      throw new Error("a line of standard input is too long for one message");
    }
  }
  if (collected.length > 0) yield collected.takeLine();
}

/** Bytes that come in pieces. */
class Collected {
  length = 0;
  #pieces: Uint8Array[] = [];

  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece.slice());
    this.length += piece.length;
  }

  take(): Uint8Array {
    const whole = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.length = 0;
    return whole;
  }

  /** Without the first half of a CR LF. */
  takeLine(): Uint8Array {
    const line = this.take();
    return line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
  }
}
