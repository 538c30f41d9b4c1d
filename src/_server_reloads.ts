/** Reads files again while the broker runs: all of them when asked to, or those that have changed. */
import type { AuditTrail } from "./_server_audit.ts";
import type { Listeners } from "./_server_listeners.ts";
import type { Reception } from "./_server_reception.ts";
import type { Turns } from "./_server_turns.ts";
import type { FileOutcome, Gatekeeper } from "./security/mod.ts";
import type { ReloadFigures } from "./admin/mod.ts";
import { type FileMarks, fileMarks, FileWatch } from "./system/mod.ts";

/** How long the end of the broker waits for files that are being read. */
const STOP_MS = 1_000;

/** What reloads work on. */
export interface ReloadParts {
  readonly gatekeeper: Gatekeeper;
  readonly listeners: Listeners;
  readonly reception: Reception;
  readonly trail: AuditTrail;
  /** Files that no connection of a client depends on. */
  readonly others: (paths: ReadonlySet<string> | null) => Promise<readonly FileOutcome[]>;
}

/** What is to be read next: null is everything. */
type Request = Set<string> | null;

/** Carries out one reload after the other. */
export class Reloads {
  readonly #turns: Turns;
  readonly #parts: ReloadParts;
  /** What is not as its file says, and since when. */
  readonly #staleSinceMs = new Map<string, number>();
  #ok = 0;
  #failed = 0;
  /** The reload that has not begun yet; others join it. */
  #next: { request: Request; readonly done: Promise<void> } | null = null;
  /** When passwords and rules have been read, when the listeners' files have, and the others. */
  #rulesRead: Promise<void> = Promise.resolve();
  #listenersRead: Promise<void> = Promise.resolve();
  #othersRead: Promise<void> = Promise.resolve();
  #watch: FileWatch | null = null;
  #isOver = false;

  constructor(turns: Turns, parts: ReloadParts) {
    this.#turns = turns;
    this.#parts = parts;
  }

  /** Looks every so often whether files are not what `marks` says any more. */
  watch(marks: FileMarks, intervalMs: number): void {
    if (intervalMs === 0 || marks.size === 0) return;
    const changed = (paths: ReadonlySet<string>) => void this.reload(paths);
    this.#watch = new FileWatch({ paths: [...marks.keys()], intervalMs, changed }, marks);
  }

  /** Looks at other files, or in other intervals; what they say now has just been read. */
  async rewatch(paths: readonly string[], intervalMs: number): Promise<void> {
    const before = this.#watch;
    this.#watch = null;
    await before?.stop();
    const marks = await fileMarks(paths);
    if (!this.#isOver) this.watch(marks, intervalMs);
  }

  /**
   * Reads all files, or those of these paths; one with a mistake leaves what it is about as it is.
   * One after the other: what was read first must not be put in the place of what was read later.
   * But a listener's file that takes for ever, on a dead network drive, holds up no password.
   */
  reload(paths: ReadonlySet<string> | null = null): Promise<void> {
    const waiting = this.#next;
    if (waiting !== null) {
      waiting.request = waiting.request === null || paths === null
        ? null
        : waiting.request.union(paths);
      return waiting.done;
    }
    const taken = this.#rulesRead.then(() => this.#readRules());
    this.#rulesRead = taken.then(() => {});
    const done = taken.then((request) => {
      this.#listenersRead = this.#listenersRead.then(() => this.#readListeners(request));
      this.#othersRead = this.#othersRead.then(() => this.#readOthers(request));
      return Promise.all([this.#listenersRead, this.#othersRead]).then(() => {});
    });
    this.#next = { request: paths === null ? null : new Set(paths), done };
    return done;
  }

  /** Figures as numbers. */
  get figures(): ReloadFigures {
    const stale = this.#staleSinceMs.size;
    const staleSinceMs = stale === 0 ? 0 : Math.min(...this.#staleSinceMs.values());
    return { ok: this.#ok, failed: this.#failed, stale, staleSinceMs };
  }

  /** Figures, by the end of their topic. */
  facts(): Readonly<Record<string, number | string>> {
    const since = Math.min(...this.#staleSinceMs.values());
    return {
      "reload/ok": this.#ok,
      "reload/failed": this.#failed,
      "reload/stale": this.#staleSinceMs.size,
      "reload/stale-since": Number.isFinite(since) ? new Date(since).toISOString() : "",
    };
  }

  /** Resolves when no file is read any more, or not in time: on a dead network drive. */
  async stop(): Promise<void> {
    this.#isOver = true;
    const ended = Promise.all([this.#watch?.stop(), this.#rulesRead]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, STOP_MS));
    await Promise.race([ended, late]);
    clearTimeout(timer);
  }

  /** Gives what is to be read. */
  async #readRules(): Promise<Request> {
    const { gatekeeper, reception } = this.#parts;
    const { request } = this.#next!;
    this.#next = null;
    if (request === null) await this.#watch?.note();
    const outcomes = await gatekeeper.reload(request);
    this.#turns.broker.setPolicy(gatekeeper.policy);
    reception.revoke();
    this.#tell(outcomes);
    return request;
  }

  async #readListeners(request: Request): Promise<void> {
    const { listeners, reception } = this.#parts;
    const outcomes = await listeners.reload(request);
    await reception.recheckCertificates(listeners);
    this.#tell(outcomes);
  }

  async #readOthers(request: Request): Promise<void> {
    this.#tell(await this.#parts.others(request));
  }

  #tell(outcomes: readonly FileOutcome[]): void {
    const { log } = this.#turns;
    for (const { name: what, problem } of outcomes) {
      const result = problem === null ? "ok" : "failed";
      this.#parts.trail.record({ event: "reload", what, result, problem: problem ?? undefined });
    }
    for (const { name, problem } of outcomes) {
      if (problem === null) {
        this.#ok++;
        this.#staleSinceMs.delete(name);
        continue;
      }
      this.#failed++;
      if (!this.#staleSinceMs.has(name)) this.#staleSinceMs.set(name, Date.now());
      log.line("error", `reload failed, this is as it was: ${problem}`);
    }
    const done = outcomes.filter(({ problem }) => problem === null).map(({ name }) => name);
    if (done.length > 0) log.line("info", `reload done: ${done.join(", ")}`);
    this.#turns.requestTurn();
  }
}
