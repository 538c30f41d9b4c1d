/**
 * The durable state in a file: everything that touches SQLite, without threads and without time.
 * The store worker drives it; tests and simulations may drive it themselves.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { readChanges } from "./sqlite_change_reader.ts";
import { ChangeWriter } from "./sqlite_change_writer.ts";
import type { LetterPage, LetterQuery } from "./dead_letter_look.ts";
import { lookAtRows } from "./dead_letter_rows.ts";
import { verdictOn } from "./file_verdict.ts";
import { reasonOf, StoreError } from "./sqlite_problem.ts";
import { writeState } from "./sqlite_rows.ts";
import { foreignReason, inconsistency, migrate, pageDamage } from "./sqlite_schema.ts";
import { RowWriter } from "./sqlite_writer.ts";

/** A load is given in chunks of about this size. */
const CHUNK_BYTES = 262_144;
/** Free pages are given back to the file system in steps of so many, when a quarter is free. */
const RECLAIM_PAGES = 1024;
/** Memory for pages of the file. */
const CACHE_KIB = 8192;

/** How a database is kept. */
export interface DatabaseOptions {
  /** The write-ahead log is moved to the database file when it is larger than this. */
  readonly walBytesMax: number;
  /** `commit`: every transaction goes through fsync; `interval`: only with `sync`. */
  readonly durability: "commit" | "interval";
}

/** An open database; no other process can open it at the same time. */
export class SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #rows: RowWriter;
  readonly #walBytesMax: number;
  readonly #pageBytes: number;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #checkpoint: StatementSync;
  readonly #walState: StatementSync;
  readonly #freePages: StatementSync;
  readonly #allPages: StatementSync;
  readonly #vacuum: StatementSync;
  /** Our own handle of the log, to sync it. */
  readonly #wal: Deno.FsFile;
  readonly #syncsCommits: boolean;
  #walRestarts = false;
  /**
   * Calls of fsync, at most: one for each commit (none if it rewrites what was there), and three for
   * each checkpoint and the log that begins anew.
   */
  syncs = 0;

  private constructor(database: DatabaseSync, path: string, options: DatabaseOptions) {
    this.#database = database;
    this.#syncsCommits = options.durability === "commit";
    this.#rows = new RowWriter(database);
    this.#walBytesMax = options.walBytesMax;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#checkpoint = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#walState = database.prepare("PRAGMA wal_checkpoint(NOOP)");
    this.#freePages = database.prepare("PRAGMA freelist_count");
    this.#allPages = database.prepare("PRAGMA page_count");
    this.#vacuum = database.prepare(`PRAGMA incremental_vacuum(${RECLAIM_PAGES})`);
    this.#pageBytes = Number(database.prepare("PRAGMA page_size").get()?.page_size);
    this.#wal = Deno.openSync(`${path}-wal`, { read: true, write: true });
  }

  /**
   * Opens a database or makes a new one (mode 0600), checks it and brings it to the present schema.
   * Throws StoreError or an error of SQLite: see `problemOf`; and see `openDatabase`.
   */
  static open(
    path: string,
    options: DatabaseOptions,
    beforeClose: BeforeClose = nothing,
  ): SqliteDatabase {
    const database = openDatabase(path, { ...options, mayCreate: true }, beforeClose);
    try {
      const synchronous = options.durability === "commit" ? "FULL" : "NORMAL";
      database.exec(
        `PRAGMA synchronous = ${synchronous}; PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = ${options.walBytesMax}`,
      );
      return new SqliteDatabase(database, path, options);
    } catch (error) {
      closeAfter(error, database, beforeClose);
    }
  }

  /** Applies changes and commits them, all or nothing; see `DatabaseOptions.durability`. */
  commit(changes: Uint8Array): void {
    const database = this.#database;
    try {
      this.#begin.run();
      readChanges(changes, this.#rows);
      this.#rows.finish();
      this.#commit.run();
    } catch (error) {
      this.#rows.rolledBack();
      if (database.isTransaction) database.exec("ROLLBACK");
      this.#relieve();
      throw error;
    }
    this.#rows.committed();
    if (this.#syncsCommits) this.syncs++;
    if (this.#walRestarts) this.syncs++;
    this.#walRestarts = false;
  }

  /** Brings what is committed to the disk. */
  sync(): void {
    this.#wal.syncDataSync();
    this.syncs++;
  }

  /** Bytes in the write-ahead log that are not in the database file yet. */
  get walBytes(): number {
    const row = this.#walState.get();
    return (Number(row?.log) - Number(row?.checkpointed)) * this.#pageBytes;
  }

  /** Moves the log to the database file if it is large enough; gives whether it did. */
  checkpointIfDue(): boolean {
    if (this.walBytes < this.#walBytesMax) return false;
    this.#checkpoint.get();
    this.syncs += 2;
    this.#walRestarts = true;
    this.#reclaim();
    return true;
  }

  /**
   * Hands out everything that is committed, as changes that would make it. Throws StoreError, kind
   * damaged, on rows that make no sense.
   */
  load(takeChunk: (chunk: Uint8Array<ArrayBuffer>) => void): void {
    const writer = new ChangeWriter();
    for (const _row of writeState(this.#database, writer)) {
      if (writer.length >= CHUNK_BYTES) takeChunk(writer.take());
    }
    if (writer.length > 0) takeChunk(writer.take());
  }

  /** Looks at the dead letters that are committed. */
  look(query: LetterQuery): LetterPage {
    return lookAtRows(this.#database, query);
  }

  /** Closes the file; the log is moved to the database file and removed. */
  close(): void {
    this.#wal.close();
    this.#database.close();
  }

  /** Makes the file shorter, a little at a time, when much of it is free. */
  #reclaim(): void {
    const free = Number(this.#freePages.get()?.freelist_count);
    const pages = Number(this.#allPages.get()?.page_count);
    if (free < RECLAIM_PAGES || free * 4 < pages) return;
    this.#vacuum.all(); // every step of it frees a page
    this.syncs += this.#syncsCommits ? 2 : 1;
    this.#walRestarts = false;
  }

  /** A full disk may have room in the log: what is in it moves to the database, if that can be. */
  #relieve(): void {
    try {
      this.#checkpoint.get();
    } catch {
      // Then not: the transaction that failed is reported.
    }
  }
}

/**
 * Opens a file for this process alone, checks it and brings it to the present schema. Throws
 * StoreError or an error of SQLite: see `problemOf`. `beforeClose` gets the error first: files that it
 * moves away stay as they are, others may be changed by SQLite as it closes them.
 */
export function openDatabase(
  path: string,
  options: { readonly durability?: DatabaseOptions["durability"]; readonly mayCreate?: boolean } =
    {},
  beforeClose: BeforeClose = nothing,
): DatabaseSync {
  const verdict = verdictOn(path, { syncsCommits: options.durability !== "interval" });
  if (verdict !== null) {
    beforeClose(verdict);
    throw verdict;
  }
  if (options.mayCreate === true) createFile(path);
  const database = new DatabaseSync(path);
  try {
    // Exclusive: no second process, and no shared memory file beside the log.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF");
    const foreign = foreignReason(database);
    if (foreign !== null) throw new StoreError("foreign", foreign);
    if (Deno.statSync(path).size === 0) database.exec("PRAGMA auto_vacuum = INCREMENTAL");
    const mode = database.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
    if (mode !== "wal") throw new StoreError("unusable", `journal mode is ${mode}, not wal`);
    database.exec(
      `PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;
       PRAGMA cache_size = -${CACHE_KIB}`,
    );
    database.exec("BEGIN EXCLUSIVE; COMMIT"); // takes the lock, which stays
    refuse(pageDamage(database)); // before the first write
    migrate(database);
    refuse(inconsistency(database));
    return database;
  } catch (error) {
    closeAfter(error, database, beforeClose);
  }
}

/** Gets the error for which a database is closed again, while it is still open. */
export type BeforeClose = (error: unknown) => void;

/** Closes a database for an error, and throws that. */
export function closeAfter(
  error: unknown,
  database: { close(): void },
  beforeClose: BeforeClose,
): never {
  try {
    beforeClose(error);
  } finally {
    database.close();
  }
  throw error;
}

function nothing(): void {}

function refuse(damage: string | null): void {
  if (damage !== null) throw new StoreError("damaged", damage);
}

/** SQLite would make it readable for others; and the directory must know it after a power cut. */
function createFile(path: string): void {
  try {
    Deno.openSync(path, { write: true, createNew: true, mode: 0o600 }).close();
    const cut = path.lastIndexOf("/");
    const directory = Deno.openSync(cut < 0 ? "." : path.slice(0, cut + 1), { read: true });
    directory.syncSync();
    directory.close();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    throw new StoreError("unusable", reasonOf(error));
  }
}
