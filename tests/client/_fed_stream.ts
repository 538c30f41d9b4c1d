/** A stream that gives what a test says, in chunks of the test's choice. */
import type { ClientStream } from "../../src/client/mod.ts";

/** Reads come from `chunks`, then null; writes are kept. */
export class FedStream implements ClientStream {
  readonly written: number[] = [];
  readonly #chunks: readonly Uint8Array[];
  #chunk = 0;
  #at = 0;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks;
  }

  read(target: Uint8Array): Promise<number | null> {
    const chunk = this.#chunks[this.#chunk];
    if (chunk === undefined) return Promise.resolve(null);
    const part = chunk.subarray(this.#at, this.#at + target.length);
    target.set(part);
    this.#at += part.length;
    if (this.#at === chunk.length) {
      this.#chunk++;
      this.#at = 0;
    }
    return Promise.resolve(part.length);
  }

  write(source: Uint8Array): Promise<number> {
    // In pieces, as a socket may take them.
    const count = Math.min(source.length, 1_000);
    this.written.push(...source.subarray(0, count));
    return Promise.resolve(count);
  }

  close(): void {}
}

/** All bytes one by one. */
export function singly(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}
