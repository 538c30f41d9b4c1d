/**
 * A damaged database does not stop the start: it is set aside, untouched, and what can be rescued of
 * it is in the new database that takes its place. The order of the steps is such that a start that
 * is killed between any two of them is followed by one that rescues as much.
 */
import { DatabaseSync } from "node:sqlite";
import { type OnStep, QuarantineFiles } from "./quarantine_files.ts";
import { PageSource } from "./salvage/page_source.ts";
import { type Budget, type Salvage, salvage } from "./salvage/salvage.ts";
import {
  type BeforeClose,
  closeAfter,
  type DatabaseOptions,
  SqliteDatabase,
} from "./sqlite_database.ts";
import { isPassing, isReadFault, problemOf, reasonOf, StoreError } from "./sqlite_problem.ts";
import { damageReason, migrate } from "./sqlite_schema.ts";

/** Where even less room than this is left, nothing is rescued. */
const RESCUE_BYTES_MIN = 65_536;
const READ_BYTES = 1_048_576;
const CACHE_KIB = 16_384;
/** A new database that is damaged, too, is replaced by an empty one; then it is not the file. */
const ATTEMPTS_MAX = 2;

/** What happened to a damaged database; may be sent from a worker. */
export interface QuarantineReport extends Salvage {
  /** Where the damaged database is now; its log, if it had one, is at the same path and `-wal`. */
  readonly movedTo: string;
  /** What is wrong with it, for people. */
  readonly reason: string;
  /** Why not everything was rescued that could be read, for people; null if it was. */
  readonly trouble: string | null;
  /** Databases that have been set aside so far, this one included. They are never deleted. */
  readonly setAside: number;
  /** Time it took to set the old database aside and make the new one. */
  readonly tookMs: number;
}

/** A database that is open, checked and loaded. */
export interface OpenedDatabase {
  readonly database: SqliteDatabase;
  /** What it holds, as `SqliteDatabase.load` gives it. */
  readonly chunks: Uint8Array<ArrayBuffer>[];
  /** Null if nothing was wrong. */
  readonly quarantine: QuarantineReport | null;
}

/** How a database is kept, and what a test does between two steps. */
export type OpenOptions = DatabaseOptions & { readonly onStep?: OnStep };

const NOTHING: Salvage = { tables: {}, pagesLost: 0, orphans: [], orphansLeftOut: 0 };

/**
 * Opens the database at `path`; sets it aside if it is damaged, and opens one with what could be
 * rescued. `nowMs` (since 1970) is for its new name. Throws what `problemOf` calls foreign, locked or
 * unusable, and leaves the files as they are then.
 */
export function openOrQuarantine(
  path: string,
  options: OpenOptions,
  nowMs: number,
): OpenedDatabase {
  const files = new QuarantineFiles(path, options.onStep ?? nothing);
  let quarantine: QuarantineReport | null = null;
  const interrupted = files.interrupted();
  if (interrupted !== null) {
    const reason = "the last start ended while a damaged database was set aside";
    quarantine = replace(files, { time: interrupted, reason, withRows: true });
  }
  for (let attempt = 1;; attempt++) {
    let time: string | null = null;
    const beforeClose: BeforeClose = (error) => {
      if (attempt > ATTEMPTS_MAX || !isDamage(error, files.path)) return;
      time = files.mark(nowMs);
      files.setAside(time);
    };
    try {
      return { ...openWhole(files.path, options, beforeClose), quarantine };
    } catch (error) {
      if (time === null) throw error;
      quarantine = replace(files, { time, reason: reasonOf(error), withRows: attempt === 1 });
    }
  }
}

function openWhole(
  path: string,
  options: DatabaseOptions,
  beforeClose: BeforeClose,
): Pick<OpenedDatabase, "database" | "chunks"> {
  const database = SqliteDatabase.open(path, options, beforeClose);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  try {
    database.load((chunk) => chunks.push(chunk));
    return { database, chunks };
  } catch (error) {
    closeAfter(error, database, beforeClose);
  }
}

/** Makes the new database from the one that is set aside, and puts it in its place. */
function replace(
  files: QuarantineFiles,
  { time, reason, withRows }: { time: string; reason: string; withRows: boolean },
): QuarantineReport {
  const startedMs = performance.now();
  files.setAside(time);
  let trouble: string | null = withRows ? null : "what was rescued before was damaged, too";
  let bytesMax = withRows ? Infinity : 0;
  let salvaged: Salvage | null = null;
  while (salvaged === null) {
    const budget = { bytesMax, bytesTaken: 0 };
    try {
      files.restart(time);
      salvaged = rebuild(files.rescue(time), files.damaged(time), budget);
    } catch (error) {
      if (error instanceof StoreError && error.kind === "unusable") throw error;
      if (bytesMax === 0) {
        const where = `the damaged one, set aside as ${files.damaged(time)}`;
        const message = `Cannot make a new database in the place of ${where}: ${reasonOf(error)}`;
        throw new StoreError("unusable", message);
      }
      trouble = reasonOf(error);
      // A disk that is full: as much as there is room for. The rest waits where it is.
      bytesMax = isPassing(error) ? Math.floor(budget.bytesTaken / 2) : 0;
      if (bytesMax < RESCUE_BYTES_MIN) bytesMax = 0;
    }
  }
  files.finish(time);
  const tookMs = performance.now() - startedMs;
  const movedTo = files.damaged(time);
  return { ...salvaged, movedTo, reason, trouble, setAside: files.count(), tookMs };
}

/** Writes the new database. It counts only when it has its name, so it needs no journal. */
function rebuild(path: string, damaged: string, budget: Budget): Salvage {
  const database = new DatabaseSync(path);
  try {
    database.exec(
      `PRAGMA auto_vacuum = INCREMENTAL;
       PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;
       PRAGMA temp_store = MEMORY; PRAGMA cache_size = -${CACHE_KIB}`,
    );
    migrate(database);
    if (budget.bytesMax === 0) return NOTHING;
    const source = PageSource.open(damaged);
    try {
      database.exec("BEGIN");
      const salvaged = salvage(source, database, budget);
      database.exec("COMMIT");
      const damage = damageReason(database);
      if (damage !== null) throw new StoreError("damaged", `Cannot rescue: ${damage}`);
      return salvaged;
    } finally {
      source.close();
    }
  } finally {
    database.close();
  }
}

/** Whether an error is the fault of what the file holds, or of the medium that holds it. */
function isDamage(error: unknown, path: string): boolean {
  if (problemOf(error).kind === "damaged") return true;
  return isReadFault(error) && (isUnreadable(path) || isUnreadable(`${path}-wal`));
}

/** Whether a file is there, and a part of it cannot be read. */
function isUnreadable(path: string): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true });
  } catch {
    return false;
  }
  const bytes = new Uint8Array(READ_BYTES);
  try {
    if (!file.statSync().isFile) return false;
    while (file.readSync(bytes) !== null);
    return false;
  } catch {
    return true;
  } finally {
    file.close();
  }
}

function nothing(): void {}
