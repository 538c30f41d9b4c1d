/** Growable byte buffers whose memory is shared between connections through a pool. */

const SMALLEST_BYTES = 512;
const EMPTY = new Uint8Array(0);

/**
 * Keeps released blocks for reuse, in classes of powers of two, up to a bound in bytes: with
 * thousands of idle connections only those that have something to send hold memory.
 */
export class BlockPool {
  readonly #bytesMax: number;
  readonly #free: Uint8Array[][] = [];
  #bytes = 0;

  /** `bytesMax` bounds the memory that waits for reuse. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A block of at least `bytes` bytes, with unspecified content. */
  take(bytes: number): Uint8Array {
    const size = bytes <= SMALLEST_BYTES ? SMALLEST_BYTES : powerOfTwoFrom(bytes);
    const block = this.#free[classOf(size)]?.pop();
    if (block === undefined) return new Uint8Array(size);
    this.#bytes -= size;
    return block;
  }

  /** Gives a block of `take` back; nobody may touch it afterwards. */
  give(block: Uint8Array): void {
    const size = block.length;
    if (size === 0 || this.#bytes + size > this.#bytesMax) return;
    this.#bytes += size;
    const list = this.#free[classOf(size)] ??= [];
    list.push(block);
  }
}

/** Bytes on their way out: appended at the end, taken all at once. */
export class ByteBuffer {
  /** The block; only `[0, length)` counts. */
  bytes: Uint8Array = EMPTY;
  length = 0;
  readonly #pool: BlockPool;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  /** Makes room for `count` more bytes, counts them as written, and gives the offset of the first. */
  extend(count: number): number {
    const start = this.length;
    const needed = start + count;
    if (needed > this.bytes.length) this.#grow(needed);
    this.length = needed;
    return start;
  }

  /** Appends `source[start, end)`. */
  append(source: Uint8Array, start: number, end: number): void {
    const at = this.extend(end - start);
    copyBytes(source, start, end, this.bytes, at);
  }

  /** Empties the buffer and hands its block over; the caller gives it back to the pool. */
  detach(): Uint8Array {
    const block = this.bytes;
    this.bytes = EMPTY;
    this.length = 0;
    return block;
  }

  /** Empties the buffer and gives its block back. */
  clear(): void {
    this.#pool.give(this.detach());
  }

  #grow(needed: number): void {
    const block = this.#pool.take(needed);
    if (this.length > 0) block.set(this.bytes.subarray(0, this.length));
    this.#pool.give(this.bytes);
    this.bytes = block;
  }
}

/**
 * Copies `source[start, end)` to `target` at `at`; short ranges without the cost of a view.
 * Positional, because it runs several times for each message.
 */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > 96) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let i = start, j = at; i < end; i++, j++) target[j] = source[i]!;
}

function powerOfTwoFrom(bytes: number): number {
  return 2 ** (32 - Math.clz32(bytes - 1));
}

function classOf(size: number): number {
  return 31 - Math.clz32(size);
}
