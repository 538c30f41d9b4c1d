/**
 * Which page of a database is where in its write-ahead log. SQLite ends its recovery at the first
 * frame that is broken; this goes on behind it, because the checksum of a frame needs only that of
 * the frame in front. Format: https://sqlite.org/fileformat2.html#the_write_ahead_log
 */

const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const MAGIC_BIG_ENDIAN = 0x377f0683;
const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/** What a write-ahead log says. */
export interface WalIndex {
  /** From its header; null if that is broken. */
  readonly pageBytes: number | null;
  /** Where the last committed version of a page begins in the log. */
  readonly pages: ReadonlyMap<number, number>;
  /** Pages whose last committed version is in a frame that is broken. */
  readonly stale: ReadonlySet<number>;
  /** Pages of the database after the last commit; 0 if there is none. */
  readonly pageCount: number;
  /**
   * Commits behind a broken frame. One may be what a crash has left of a commit that was never
   * confirmed. Two cannot: each commit is on the disk before the next begins, so the frame that is
   * broken now was whole once.
   */
  readonly lateCommits: number;
}

/** A log that says nothing. */
export const EMPTY_WAL: WalIndex = {
  pageBytes: null,
  pages: new Map(),
  stale: new Set(),
  pageCount: 0,
  lateCommits: 0,
};

/** Reads bytes of a file; what cannot be read is zero. */
export type ReadBytes = (at: number, length: number) => Uint8Array;

/** Reads a log of `size` bytes; `guess` is the size of a page if the log does not say it. */
export function readWal(
  read: ReadBytes,
  { size, guess }: { size: number; guess: number },
): WalIndex {
  if (size <= HEADER_BYTES) return EMPTY_WAL;
  const header = view(read(0, HEADER_BYTES));
  const magic = header.getUint32(0);
  const littleEndian = magic !== MAGIC_BIG_ENDIAN;
  const checksum = new Checksum(littleEndian);
  checksum.start(0, 0);
  checksum.add(header, 24);
  const isWhole = (magic === MAGIC_LITTLE_ENDIAN || magic === MAGIC_BIG_ENDIAN) &&
    isPageSize(header.getUint32(8)) && checksum.equals(header, 24);
  const pageBytes = isWhole ? header.getUint32(8) : guess;
  const reader = new FrameReader(checksum, isWhole ? header : null);
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  for (let at = HEADER_BYTES; at + frameBytes <= size; at += frameBytes) {
    reader.frame(view(read(at, frameBytes)), at + FRAME_HEADER_BYTES);
  }
  const { pages, stale, pageCount, lateCommits } = reader;
  return { pageBytes: isWhole ? pageBytes : null, pages, stale, pageCount, lateCommits };
}

/** Whether SQLite knows pages of that size. */
export function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
}

/** Takes the frames in their order. */
class FrameReader {
  readonly pages = new Map<number, number>();
  readonly stale = new Set<number>();
  pageCount = 0;
  lateCommits = 0;
  readonly #checksum: Checksum;
  /** Frames of a commit that has not ended yet; null for one that is broken. */
  #pending = new Map<number, number | null>();
  /** The two salts of this generation of the log; null until a frame of it is known. */
  #salts: readonly [number, number] | null = null;
  /** The checksum in front: of the header, or of the last frame. */
  #seed: readonly [number, number] | null = null;
  #lastSalts: readonly [number, number] | null = null;
  #broken: boolean;

  constructor(checksum: Checksum, header: DataView | null) {
    this.#checksum = checksum;
    this.#broken = header === null;
    if (header === null) return;
    this.#salts = [header.getUint32(16), header.getUint32(20)];
    this.#seed = [header.getUint32(24), header.getUint32(28)];
  }

  frame(frame: DataView, pageAt: number): void {
    const salts = [frame.getUint32(8), frame.getUint32(12)] as const;
    const known = this.#salts ?? this.#lastSalts;
    const isOurs = known !== null && salts[0] === known[0] && salts[1] === known[1];
    const isWhole = isOurs && this.#isWhole(frame);
    this.#seed = [frame.getUint32(16), frame.getUint32(20)];
    this.#lastSalts = salts;
    if (!isWhole) {
      this.#broken = true;
      if (isOurs) this.#pending.set(frame.getUint32(0), null);
      return;
    }
    this.#salts = salts;
    this.#pending.set(frame.getUint32(0), pageAt);
    const pageCount = frame.getUint32(4);
    if (pageCount === 0) return;
    for (const [page, at] of this.#pending) {
      if (at === null) this.stale.add(page);
      else {
        this.pages.set(page, at);
        this.stale.delete(page);
      }
    }
    this.#pending = new Map();
    this.pageCount = pageCount;
    if (this.#broken) this.lateCommits++;
  }

  #isWhole(frame: DataView): boolean {
    if (this.#seed === null || frame.getUint32(0) === 0) return false;
    const checksum = this.#checksum;
    checksum.start(...this.#seed);
    checksum.add(frame, 8);
    const page = new DataView(frame.buffer, frame.byteOffset + FRAME_HEADER_BYTES);
    checksum.add(page, frame.byteLength - FRAME_HEADER_BYTES);
    return checksum.equals(frame, 16);
  }
}

/** The checksum of the log: two sums that depend on each other. */
class Checksum {
  readonly #littleEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(littleEndian: boolean) {
    this.#littleEndian = littleEndian;
  }

  start(first: number, second: number): void {
    this.#first = first;
    this.#second = second;
  }

  add(bytes: DataView, length: number): void {
    for (let at = 0; at < length; at += 8) {
      this.#first = (this.#first + bytes.getUint32(at, this.#littleEndian) + this.#second) >>> 0;
      this.#second = (this.#second + bytes.getUint32(at + 4, this.#littleEndian) + this.#first) >>>
        0;
    }
  }

  /** Whether the sums stand at `at`; they are big-endian always. */
  equals(bytes: DataView, at: number): boolean {
    return bytes.getUint32(at) === this.#first && bytes.getUint32(at + 4) === this.#second;
  }
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
