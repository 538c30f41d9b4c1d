/** Reads what `deno compile` has put behind the runtime: how it starts, and the files in it. */

/** The part of a binary's facts that decides what it may do. */
export interface BinaryFacts {
  readonly argv: readonly string[];
  /** Null where V8's code cache is off. */
  readonly code_cache_key: number | null;
  /** Lists of what is granted; null is nothing, an empty list everything. */
  readonly permissions: Readonly<Record<string, readonly string[] | null | boolean>>;
  readonly v8_flags: readonly string[];
  readonly entrypoint_key: string;
  readonly unstable_config: { readonly features: readonly string[] };
  readonly app_name: string;
}

/** What is in a binary besides its runtime. */
export interface BinarySection {
  readonly facts: BinaryFacts;
  /** Embedded files by path, with their content. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Times of the embedded files, in milliseconds since 1970. */
  readonly timesMs: ReadonlySet<number>;
}

/** The section's name, and the mark that its content begins with. */
const MARK = new TextEncoder().encode("d3n0l4ndd3n0l4nd");

type Entry =
  | { readonly Dir: { readonly n: string; readonly e: readonly Entry[] } }
  | {
    readonly File: {
      readonly n: string;
      /** Offset and length in the data. */
      readonly o: readonly [number, number];
      readonly t?: number;
    };
  };

/** Reads a binary that `deno compile` has written; null where nothing is embedded. */
export function readSection(binary: Uint8Array): BinarySection | null {
  const at = findLast(binary, MARK);
  if (at < 0) return null;
  const reader = new Reader(binary, at + MARK.length);
  const facts: BinaryFacts = JSON.parse(reader.text());
  // Of packages and remote modules there are none: everything is bundled.
  for (let empty = 0; empty < 2; empty++) reader.skipEmpty();
  reader.skipCount();
  const entries: readonly Entry[] = JSON.parse(reader.text());
  const content = reader.block();
  const files = new Map<string, Uint8Array>();
  const timesMs = new Set<number>();
  collect(entries, "", (path, { o: [offset, length], t }) => {
    files.set(path, content.subarray(offset, offset + length));
    timesMs.add(t ?? -1);
  });
  return { facts, files, timesMs };
}

function collect(
  entries: readonly Entry[],
  folder: string,
  found: (path: string, file: { o: readonly [number, number]; t?: number }) => void,
): void {
  for (const entry of entries) {
    if ("Dir" in entry) collect(entry.Dir.e, `${folder}${entry.Dir.n}/`, found);
    else if ("File" in entry) found(folder + entry.File.n, entry.File);
    else throw new Error(`Cannot read section: unknown entry ${JSON.stringify(entry)}`);
  }
}

/** Blocks with their length in front. */
class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  block(): Uint8Array {
    const length = Number(this.#view.getBigUint64(this.#at, true));
    this.#at += 8 + length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  text(): string {
    return new TextDecoder().decode(this.block());
  }

  skipEmpty(): void {
    if (this.block().length > 0) throw new Error("Cannot read section: packages are embedded");
  }

  skipCount(): void {
    const count = this.#view.getUint32(this.#at, true);
    if (count > 0) throw new Error("Cannot read section: remote modules are embedded");
    this.#at += 4;
  }
}

function findLast(bytes: Uint8Array, wanted: Uint8Array): number {
  for (
    let at = bytes.lastIndexOf(wanted[0]!);
    at >= 0;
    at = bytes.lastIndexOf(wanted[0]!, at - 1)
  ) {
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at;
    if (at === 0) break;
  }
  return -1;
}
