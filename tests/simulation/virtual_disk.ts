/**
 * The disk under the store: real files, of which it is known what the last fsync has covered. At a
 * power cut every sector that was written since then holds either its old or its new bytes.
 */
import { type DatabaseOptions, SqliteDatabase } from "../../src/store/sqlite_database.ts";
import type { Dice } from "./dice.ts";

const SECTOR_BYTES = 512;
const WAL_HEADER_BYTES = 32;
const NOTHING = new Uint8Array(0);

/** What one process sees of the disk, and what the next one will find. */
export class VirtualDisk {
  readonly #path: string;
  readonly #options: DatabaseOptions;
  #database: SqliteDatabase | null = null;
  /** Whether a power cut may come: if not, there is no need to know what is safe from one. */
  expectsPowerCut: boolean;
  /** What is safe from a power cut. */
  #durable = { database: NOTHING as Uint8Array, wal: NOTHING as Uint8Array };

  constructor(directory: string, options: DatabaseOptions & { expectsPowerCut: boolean }) {
    this.#path = `${directory}/relayq.db`;
    this.#options = options;
    this.expectsPowerCut = options.expectsPowerCut;
    removeIfThere(this.#path);
    removeIfThere(`${this.#path}-wal`);
  }

  /** Opens the database as a new process does. Throws what the store throws. */
  open(): SqliteDatabase {
    this.#database = SqliteDatabase.open(this.#path, this.#options);
    this.synced();
    return this.#database;
  }

  /** An fsync of all that was written has returned. */
  synced(): void {
    if (!this.expectsPowerCut) return;
    this.#durable = { database: this.#read(""), wal: this.#read("-wal") };
  }

  /** An fsync of the log has returned. */
  logSynced(): void {
    if (!this.expectsPowerCut) return;
    this.#durable.wal = this.#read("-wal");
  }

  /**
   * The log was moved to the database: it is synced, the database is only as soon as something else
   * is in the log.
   */
  checkpointed(): void {
    if (!this.expectsPowerCut) return;
    const wal = this.#read("-wal");
    if (beginsAnew(this.#durable.wal, wal)) this.synced();
    else this.#durable.wal = wal;
  }

  /** The process ends without a word. What it wrote stays, or, in a power cut, a part of it. */
  crash(powerCut: Dice | null): void {
    const database = this.#read("");
    const wal = this.#read("-wal");
    this.#database?.close();
    this.#database = null;
    removeIfThere(`${this.#path}-wal`);
    const durable = this.#durable;
    Deno.writeFileSync(
      this.#path,
      powerCut === null ? database : tear(durable.database, database, powerCut),
    );
    const log = powerCut === null ? wal : tearLog(durable.wal, wal, powerCut);
    Deno.writeFileSync(`${this.#path}-wal`, log);
  }

  /** Ends the process in good order. */
  close(): void {
    this.#database?.close();
    this.#database = null;
  }

  #read(suffix: string): Uint8Array {
    try {
      return Deno.readFileSync(this.#path + suffix);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return NOTHING;
      throw error;
    }
  }
}

/**
 * A log that begins anew gets its header first, and that is synced before any frame is written: so
 * frames that are new stand behind a header that is new.
 */
function tearLog(durable: Uint8Array, present: Uint8Array, dice: Dice): Uint8Array {
  if (!beginsAnew(durable, present)) return tear(durable, present, dice);
  const header = present.subarray(0, WAL_HEADER_BYTES);
  const withHeader = durable.slice();
  withHeader.set(header);
  const headerSynced = dice.chance(0.7);
  if (!headerSynced) return tear(durable, withHeader, dice);
  return tear(withHeader, present, dice);
}

/** Whether the log was begun anew since. */
function beginsAnew(durable: Uint8Array, present: Uint8Array): boolean {
  const header = durable.subarray(0, WAL_HEADER_BYTES);
  return durable.length > 0 && !isSame(header, present.subarray(0, WAL_HEADER_BYTES));
}

/** Old or new bytes for every sector that differs, and for the length. */
function tear(durable: Uint8Array, present: Uint8Array, dice: Dice): Uint8Array {
  const kept = dice.pick(["none", "all", "some", "some", "some"]);
  if (kept === "none") return durable;
  if (kept === "all") return present;
  const isLong = dice.chance(0.8);
  const longer = Math.max(durable.length, present.length);
  const shorter = Math.min(durable.length, present.length);
  const length = isLong ? longer : shorter;
  const torn = new Uint8Array(length);
  torn.set(durable.subarray(0, length));
  const share = dice.between(0, 1);
  for (let at = 0; at < length; at += SECTOR_BYTES) {
    const old = durable.subarray(at, at + SECTOR_BYTES);
    const now = present.subarray(at, Math.min(at + SECTOR_BYTES, length));
    if (now.length === 0 || isSame(old, now) || !dice.chance(share)) continue;
    torn.set(now, at);
  }
  return torn;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
