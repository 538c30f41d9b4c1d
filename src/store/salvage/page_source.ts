/**
 * The pages of a database file and its write-ahead log as they were after the last commit, read
 * without SQLite: nothing is locked, nothing is written, and nothing is too broken to be read.
 */
import { parsePage } from "./btree_page.ts";
import { EMPTY_WAL, isPageSize, readWal, type WalIndex } from "./wal_index.ts";

/** The size SQLite chooses, and so that of every database of ours. */
const PAGE_BYTES = 4096;
const MAGIC = "SQLite format 3\0";
const CHUNK_BYTES = 65_536;
const CHUNKS_MAX = 64;
/** Pages looked at to learn what size they have. */
const SAMPLE_PAGES = 256;

/** A database that is only read; throws only at open, and only if the world does not let us. */
export class PageSource {
  readonly wal: WalIndex;
  readonly pageBytes: number;
  /** Pages are numbered from 1 to this. */
  readonly pageCount: number;
  /** Bytes of the database file; 0 if there is none. */
  readonly fileBytes: number;
  readonly #main: ChunkedFile | null;
  readonly #log: ChunkedFile | null;

  private constructor(main: ChunkedFile | null, log: ChunkedFile | null) {
    this.#main = main;
    this.#log = log;
    this.fileBytes = main?.size ?? 0;
    const stated = main === null ? PAGE_BYTES : statedPageBytes(main);
    this.wal = log === null
      ? EMPTY_WAL
      : readWal((at, length) => log.read(at, length), { size: log.size, guess: stated });
    this.pageBytes = this.wal.pageBytes ?? likelyPageBytes(main, stated);
    // Of a page that is cut off nobody can say which of its rows are whole. What the last commit has
    // given back is in the file until the log is moved there, and holds nothing that is alive.
    const inFile = Math.floor(this.fileBytes / this.pageBytes);
    this.pageCount = this.wal.pageCount > 0 ? this.wal.pageCount : inFile;
  }

  /** Opens `path` and `path`-wal; either may be missing. */
  static open(path: string): PageSource {
    const main = ChunkedFile.open(path);
    try {
      return new PageSource(main, ChunkedFile.open(`${path}-wal`));
    } catch (error) {
      main?.close();
      throw error;
    }
  }

  /** Whether a page is anywhere: a file that is cut off lacks pages that its log has not got. */
  has(number: number): boolean {
    return number >= 1 && number <= this.pageCount &&
      (number * this.pageBytes <= this.fileBytes || this.wal.pages.has(number));
  }

  /** Whether all that is left of a page is older than what was committed last. */
  isStale(number: number): boolean {
    return this.wal.stale.has(number);
  }

  /** The bytes of a page; zeros for what cannot be read. */
  page(number: number): Uint8Array {
    const inLog = this.wal.pages.get(number);
    if (inLog !== undefined) return this.#log!.read(inLog, this.pageBytes);
    if (this.#main === null || !this.has(number)) return new Uint8Array(this.pageBytes);
    return this.#main.read((number - 1) * this.pageBytes, this.pageBytes);
  }

  /** Whether the first page begins as that of a database. */
  get hasHeader(): boolean {
    return this.pageCount > 0 && beginsAsDatabase(this.page(1));
  }

  close(): void {
    this.#main?.close();
    this.#log?.close();
  }
}

function beginsAsDatabase(page: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(page.subarray(0, MAGIC.length)) === MAGIC;
}

/** What the header of the file says, if it says anything that can be. */
function statedPageBytes(main: ChunkedFile): number {
  const header = main.read(0, 100);
  const stated = (header[16]! << 8) | header[17]!;
  const bytes = stated === 1 ? 65_536 : stated;
  return beginsAsDatabase(header) && isPageSize(bytes) ? bytes : PAGE_BYTES;
}

/** Headers lie when they are damaged: the size by which most pages make sense. */
function likelyPageBytes(main: ChunkedFile | null, stated: number): number {
  if (main === null || stated === PAGE_BYTES) return stated;
  return soundPages(main, PAGE_BYTES) > soundPages(main, stated) ? PAGE_BYTES : stated;
}

function soundPages(main: ChunkedFile, pageBytes: number): number {
  let sound = 0;
  const pages = Math.min(SAMPLE_PAGES, Math.floor(main.size / pageBytes));
  for (let number = 2; number <= pages; number++) {
    const page = parsePage(main.read((number - 1) * pageBytes, pageBytes), number);
    if (page !== null && page.badCells === 0 && page.cells.length > 0) sound++;
  }
  return sound;
}

/** A file that is read in chunks, of which some are kept. */
class ChunkedFile {
  readonly size: number;
  readonly #file: Deno.FsFile;
  readonly #chunks = new Map<number, Uint8Array>();

  private constructor(file: Deno.FsFile) {
    this.#file = file;
    this.size = file.statSync().size;
  }

  /** Null if there is no such file. */
  static open(path: string): ChunkedFile | null {
    try {
      return new ChunkedFile(Deno.openSync(path, { read: true }));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return null;
      throw error;
    }
  }

  /** `length` bytes from `at`; a view where that is possible, zeros behind the end. */
  read(at: number, length: number): Uint8Array {
    const first = Math.floor(at / CHUNK_BYTES);
    const start = at - first * CHUNK_BYTES;
    if (start + length <= CHUNK_BYTES) return this.#chunk(first).subarray(start, start + length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const index = Math.floor((at + done) / CHUNK_BYTES);
      const from = at + done - index * CHUNK_BYTES;
      const part = this.#chunk(index).subarray(from, from + length - done);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  close(): void {
    this.#file.close();
  }

  #chunk(index: number): Uint8Array {
    const known = this.#chunks.get(index);
    if (known !== undefined) return known;
    const chunk = new Uint8Array(CHUNK_BYTES);
    this.#fill(chunk, index * CHUNK_BYTES);
    const oldest = this.#chunks.keys().next();
    if (this.#chunks.size >= CHUNKS_MAX && !oldest.done) this.#chunks.delete(oldest.value);
    this.#chunks.set(index, chunk);
    return chunk;
  }

  #fill(chunk: Uint8Array, at: number): void {
    if (at >= this.size) return;
    try {
      this.#readInto(chunk, at);
    } catch {
      // A sector that is dead: the others of the chunk may live.
      for (let start = 0; start < chunk.length; start += PAGE_BYTES) {
        try {
          this.#readInto(chunk.subarray(start, start + PAGE_BYTES), at + start);
        } catch {
          chunk.fill(0, start, start + PAGE_BYTES);
        }
      }
    }
  }

  #readInto(bytes: Uint8Array, at: number): void {
    this.#file.seekSync(at, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) {
      const count = this.#file.readSync(bytes.subarray(done));
      if (count === null) return;
      done += count;
    }
  }
}
