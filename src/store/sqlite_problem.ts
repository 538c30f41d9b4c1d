/** What can be wrong with a database, and what SQLite says about it. */

/** Why a store cannot be opened. */
export interface StoreProblem {
  /** For people: what is wrong. */
  readonly problem: string;
  /**
   * `damaged`: the content is broken; the file may be set aside. `foreign`: a newer version of this
   * program, or another program, wrote it; it must not be touched. `locked`: another process has it
   * open. `unusable`: the world does not let us: permissions, full disk, wrong path.
   */
  readonly kind: "damaged" | "foreign" | "locked" | "unusable";
}

/** A fault of a database while it is opened. */
export class StoreError extends Error {
  readonly kind: StoreProblem["kind"];

  constructor(kind: StoreProblem["kind"], reason: string) {
    super(reason);
    this.name = "StoreError";
    this.kind = kind;
  }
}

// Primary result codes: https://sqlite.org/rescode.html
const SQLITE_PERM = 3;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_NOMEM = 7;
const SQLITE_READONLY = 8;
const SQLITE_IOERR = 10;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;

/** `exec` and the constructor of the runtime leave the code out: the text has to do. */
const CODES_BY_TEXT: ReadonlyMap<string, number> = new Map([
  ["access permission denied", SQLITE_PERM],
  ["database is locked", SQLITE_BUSY],
  ["database table is locked", SQLITE_LOCKED],
  ["out of memory", SQLITE_NOMEM],
  ["attempt to write a readonly database", SQLITE_READONLY],
  ["disk I/O error", SQLITE_IOERR],
  ["database or disk is full", SQLITE_FULL],
  ["unable to open database file", SQLITE_CANTOPEN],
]);

/** Faults of the world that may pass: a commit that fails with one of them is tried again. */
const PASSING: ReadonlySet<number> = new Set([
  SQLITE_PERM,
  SQLITE_BUSY,
  SQLITE_LOCKED,
  SQLITE_NOMEM,
  SQLITE_READONLY,
  SQLITE_IOERR,
  SQLITE_FULL,
  SQLITE_CANTOPEN,
]);

/** Further codes that say nothing about the content: a race, a misuse, a limit of the system. */
const OTHER_WORLD: ReadonlySet<number> = new Set([
  2, // SQLITE_INTERNAL
  4, // SQLITE_ABORT
  9, // SQLITE_INTERRUPT
  15, // SQLITE_PROTOCOL
  21, // SQLITE_MISUSE
  22, // SQLITE_NOLFS
  23, // SQLITE_AUTH
]);
/** The file system says that the content is not there, or not what it was. */
const CONTENT_IOERR: ReadonlySet<number> = new Set([
  522, // SQLITE_IOERR_SHORT_READ
  8458, // SQLITE_IOERR_CORRUPTFS
]);

/**
 * The problem that an error at open stands for. What SQLite says and what is neither a decision of
 * ours nor a fault of the world comes from what the file says. An error that is not of SQLite is a
 * fault of ours, and no reason to set a file aside.
 */
export function problemOf(error: unknown): StoreProblem {
  const problem = reasonOf(error);
  if (error instanceof StoreError) return { problem, kind: error.kind };
  const code = resultCode(error);
  if (code === SQLITE_BUSY || code === SQLITE_LOCKED) {
    return { problem: "another process has it open", kind: "locked" };
  }
  if (CONTENT_IOERR.has(field(error, "errcode") ?? 0)) return { problem, kind: "damaged" };
  const isWorld = isPassing(error) || OTHER_WORLD.has(code ?? 0) || !isOfSqlite(error);
  return { problem, kind: isWorld ? "unusable" : "damaged" };
}

/** Numbers beyond 2^53 are refused by the runtime, and none of ours is that large. */
function isOfSqlite(error: unknown): boolean {
  if (!(error instanceof Error) || !("code" in error)) return false;
  return error.code === "ERR_SQLITE_ERROR" || error.code === "ERR_OUT_OF_RANGE";
}

/** Whether SQLite could not read the file, for whatever reason. */
export function isReadFault(error: unknown): boolean {
  return resultCode(error) === SQLITE_IOERR;
}

/** Whether it makes sense to try again later. */
export function isPassing(error: unknown): boolean {
  const code = resultCode(error);
  return code !== null && PASSING.has(code);
}

/** What happened, for people. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const extended = field(error, "errcode");
  return extended === null ? error.message : `${error.message} (SQLite ${extended})`;
}

/** The primary result code of an error of SQLite; null for other errors. */
function resultCode(error: unknown): number | null {
  const extended = field(error, "errcode");
  if (extended !== null) return extended & 0xff;
  if (!(error instanceof Error)) return null;
  for (const [text, code] of CODES_BY_TEXT) if (error.message.startsWith(text)) return code;
  return null;
}

function field(error: unknown, name: string): number | null {
  if (!(error instanceof Error) || !(name in error)) return null;
  const value: unknown = Reflect.get(error, name);
  return typeof value === "number" ? value : null;
}
