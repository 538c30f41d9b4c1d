/**
 * Notices that files have changed. It looks at them again and again instead of asking the kernel to
 * be told: that works on every file system, and for files that are replaced by renaming or by setting
 * a link of their path elsewhere, as Kubernetes does.
 */

/** How long files have to be left alone before they count as changed, unless less is between looks. */
const SETTLED_MS = 1_000;
/** So often it waits for that; a file that never comes to rest is read nevertheless. */
const UNSETTLED_MAX = 10;
/** How long a look waits for a file; on a dead network drive even to ask for its size takes for ever. */
const LATE_MS = 1_000;

/** What to look at. */
export interface FileWatchOptions {
  readonly paths: readonly string[];
  /** Time between two looks. */
  readonly intervalMs: number;
  /** Files have changed, together as far as they have been changed together. */
  changed(paths: ReadonlySet<string>): void;
  /** What a file is known by; the file system's own facts unless a test says otherwise. */
  readonly markOf?: (path: string) => Promise<string>;
}

/** What tells a file from what it was before, by path. */
export type FileMarks = ReadonlyMap<string, string>;

/** Looks at files until it is stopped. */
export class FileWatch {
  readonly #options: FileWatchOptions;
  /** What the files were when they were last told of, or when the watch began. */
  #known: FileMarks;
  /** What they were at the last look. */
  #seen: FileMarks;
  /** Files that have been asked for, and have not answered yet: no second question is put. */
  readonly #asked = new Map<string, Promise<string>>();
  #unsettled = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #look: Promise<void> = Promise.resolve();
  #stopped = false;

  /** `known`: what `fileMarks` gave before the files were read for the first time. */
  constructor(options: FileWatchOptions, known: FileMarks) {
    this.#options = options;
    this.#known = known;
    this.#seen = known;
    this.#schedule(options.intervalMs);
  }

  /** All files are about to be read: only what changes from now on is told. */
  async note(): Promise<void> {
    const marks = await this.#marks();
    this.#known = marks;
    this.#seen = marks;
  }

  /** Resolves when nothing is called any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#look;
  }

  #schedule(waitMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#look = this.#compare();
    }, waitMs);
  }

  /** The files as they are now; one that does not answer holds up no other, and has not changed. */
  async #marks(): Promise<FileMarks> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => timer = setTimeout(() => resolve(null), LATE_MS));
    const all = await Promise.all(this.#options.paths.map(async (path) => {
      const mark = await Promise.race([this.#ask(path), late]);
      return [path, mark ?? this.#known.get(path) ?? ""] as const;
    }));
    clearTimeout(timer);
    return new Map(all);
  }

  #ask(path: string): Promise<string> {
    const { markOf = marksOf } = this.#options;
    let asked = this.#asked.get(path);
    if (asked === undefined) {
      asked = markOf(path).finally(() => this.#asked.delete(path));
      this.#asked.set(path, asked);
    }
    return asked;
  }

  async #compare(): Promise<void> {
    const { paths, intervalMs } = this.#options;
    const before = this.#seen;
    this.#seen = await this.#marks();
    if (this.#stopped) return;
    const changed = paths.filter((path) => this.#seen.get(path) !== this.#known.get(path));
    const restless = paths.some((path) => this.#seen.get(path) !== before.get(path));
    if (changed.length === 0) {
      this.#unsettled = 0;
      this.#schedule(intervalMs);
    } else if (restless && ++this.#unsettled <= UNSETTLED_MAX) {
      this.#schedule(Math.min(intervalMs, SETTLED_MS));
    } else {
      this.#unsettled = 0;
      this.#known = this.#seen;
      this.#schedule(intervalMs);
      this.#options.changed(new Set(changed));
    }
  }
}

/** The files as they are now. */
export async function fileMarks(paths: readonly string[]): Promise<FileMarks> {
  const all = await Promise.all(paths.map(async (path) => [path, await marksOf(path)] as const));
  return new Map(all);
}

/** What is different when a file is another one, or its content is. */
async function marksOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
    return [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join(" ");
  } catch (error) {
    return error instanceof Error ? error.name : "unreadable";
  }
}
