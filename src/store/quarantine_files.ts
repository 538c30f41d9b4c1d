/**
 * The files of a quarantine. A database `d` that is set aside is called `d.damaged-<time>`, its log
 * `d.damaged-<time>-wal`, so that the pair can be opened. The database that takes its place is made
 * as `d.rescue-<time>`, and this file stands as a mark from before the first file is moved until it
 * is renamed to `d`: a start that finds it goes on where the last one ended.
 */
import { reasonOf, StoreError } from "./sqlite_problem.ts";

/** Besides the database itself, in the order in which they are moved: it is the last. */
const SIDE_FILES = ["-journal", "-shm", "-wal"] as const;

/** Names what is done next; a test ends the process there. */
export type OnStep = (step: string) => void;

/** The files at the path of a database. */
export class QuarantineFiles {
  /** The path of the database itself, not of a link to it: the log stands beside the file. */
  readonly path: string;
  readonly #directory: string;
  readonly #base: string;
  readonly #onStep: OnStep;

  constructor(path: string, onStep: OnStep) {
    this.path = realPath(path);
    const cut = this.path.lastIndexOf("/");
    this.#directory = cut < 0 ? "." : this.path.slice(0, cut + 1);
    this.#base = this.path.slice(cut + 1);
    this.#onStep = onStep;
  }

  /** The time in the name of a quarantine that was not finished; null if there is none. */
  interrupted(): string | null {
    const [oldest] = this.#times("rescue");
    if (oldest === undefined) return null;
    const isMoved = exists(this.damaged(oldest)) && exists(this.path);
    // The mark goes when the new database comes: somebody else has put a database there.
    if (isMoved) this.#discard(oldest);
    return isMoved ? null : oldest;
  }

  /** How many databases have been set aside. */
  count(): number {
    return this.#times("damaged").length;
  }

  /** Where a database that is set aside is. */
  damaged(time: string): string {
    return `${this.path}.damaged-${time}`;
  }

  /** Where the new database is made. */
  rescue(time: string): string {
    return `${this.path}.rescue-${time}`;
  }

  /** Begins a quarantine; gives the time in its name, with a number if the name is taken. */
  mark(nowMs: number): string {
    const date = new Date(Math.abs(nowMs) <= 8.64e15 ? nowMs : 0);
    const stamp = date.toISOString().replace(/[-:]|\.\d+/g, "");
    let time = stamp;
    for (let number = 2; this.#isTaken(time); number++) time = `${stamp}-${number}`;
    this.#onStep("mark");
    attempt("set the damaged database aside", () => {
      Deno.openSync(this.rescue(time), { write: true, createNew: true, mode: 0o600 }).close();
      this.#sync();
    });
    return time;
  }

  /** Moves the files of the database away, or what an earlier start has left of them. */
  setAside(time: string): void {
    attempt("set the damaged database aside", () => {
      for (const suffix of [...SIDE_FILES, ""]) {
        const target = this.damaged(time) + suffix;
        if (!exists(this.path + suffix) || exists(target)) continue;
        this.#onStep(`move ${suffix}`);
        Deno.renameSync(this.path + suffix, target);
        this.#sync();
      }
    });
  }

  /** Empties the new database. */
  restart(time: string): void {
    this.#onStep("restart");
    attempt("make a new database", () => {
      for (const suffix of SIDE_FILES) removeIfThere(this.rescue(time) + suffix);
      Deno.truncateSync(this.rescue(time), 0);
    });
  }

  /** Puts the new database in the place of the old one, and so ends the quarantine. */
  finish(time: string): void {
    this.#onStep("finish");
    attempt("put the new database in its place", () => {
      const file = Deno.openSync(this.rescue(time), { read: true, write: true });
      file.syncSync();
      file.close();
      Deno.renameSync(this.rescue(time), this.path);
      this.#sync();
    });
    this.#onStep("finished");
  }

  #discard(time: string): void {
    attempt("remove an unfinished database", () => {
      for (const suffix of [...SIDE_FILES, ""]) removeIfThere(this.rescue(time) + suffix);
    });
  }

  #isTaken(time: string): boolean {
    return ["", ...SIDE_FILES].some((suffix) => exists(this.damaged(time) + suffix)) ||
      exists(this.rescue(time));
  }

  /** The times in names of a kind, the oldest first. */
  #times(kind: "damaged" | "rescue"): string[] {
    const start = `${this.#base}.${kind}-`;
    const times: string[] = [];
    try {
      for (const { name } of Deno.readDirSync(this.#directory)) {
        const time = name.startsWith(start) ? name.slice(start.length) : "";
        if (/^[+\d]?\d+T\d{6}Z(-\d+)?$/.test(time)) times.push(time);
      }
    } catch {
      return []; // opening the database says what is wrong with the directory
    }
    return times.sort();
  }

  #sync(): void {
    const directory = Deno.openSync(this.#directory, { read: true });
    directory.syncSync();
    directory.close();
  }
}

/** What the world refuses here is no damage. */
function attempt(action: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound) && !isFaultOfFiles(error)) throw error;
    throw new StoreError("unusable", `Cannot ${action}: ${reasonOf(error)}`);
  }
}

function isFaultOfFiles(error: unknown): boolean {
  return error instanceof Error && ("code" in error || error.constructor.name in Deno.errors);
}

/** Follows a link also where the database it leads to has been moved away. */
function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    const cut = path.lastIndexOf("/") + 1;
    try {
      const target = Deno.readLinkSync(path);
      return target.startsWith("/") ? target : path.slice(0, cut) + target;
    } catch {
      return path;
    }
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
