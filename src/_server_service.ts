/** What the supervisor of the process is told, and when its watchdog is fed. */
import type { Turns } from "./_server_turns.ts";
import { monotonicUs, ServiceManager } from "./system/mod.ts";

/** How often the supervisor hears how many clients there are. */
const STATUS_MS = 5_000;
/** What the end of the process takes at most besides its drain. */
export const STOP_MS_MAX = 20_000;

/** A broker as its supervisor sees it; without a supervisor nobody is told anything. */
export class Service {
  readonly #manager: ServiceManager | null;
  #problem: string | null = null;
  #reloads = 0;
  #status = "";
  #watchedTurns = 0;
  /** Why the watchdog is not fed; null while it is. */
  #ailment: string | null = null;
  readonly #timers: ReturnType<typeof setInterval>[] = [];

  private constructor(manager: ServiceManager | null) {
    this.#manager = manager;
  }

  /** Finds the supervisor, if there is one. */
  static open(): Service {
    const opened = ServiceManager.open();
    const service = new Service(opened !== null && "manager" in opened ? opened.manager : null);
    if (opened !== null && "problem" in opened) service.#problem = opened.problem;
    return service;
  }

  /** The broker serves: the supervisor is told, and its watchdog fed from now on. */
  ready(turns: Turns, limits: { readonly storeStuckMsMax: number }): void {
    const { log } = turns;
    if (this.#problem !== null) {
      log.line("warn", `systemd: it cannot be told anything: ${this.#problem}`, SYSTEM);
    }
    const manager = this.#manager;
    if (manager === null) return;
    this.#status = statusOf(turns);
    manager.notify("READY=1", this.#status);
    this.#every(STATUS_MS, () => this.#tellStatus(turns));
    const { watchdogMs } = manager;
    if (watchdogMs === null) return;
    manager.notify("WATCHDOG=1");
    this.#watchedTurns = turns.ended;
    turns.requestTurn();
    this.#every(watchdogMs / 2, () => this.#feed(turns, limits.storeStuckMsMax));
    log.line("info", `systemd: watchdog, ${Math.round(watchdogMs)} ms`, SYSTEM);
  }

  /** Files are read again until `done`. */
  reloading(done: Promise<unknown>): void {
    const manager = this.#manager;
    if (manager === null) return;
    const us = monotonicUs();
    this.#reloads++;
    manager.notify("RELOADING=1", ...us === null ? [] : [`MONOTONIC_USEC=${us}`]);
    void done.finally(() => {
      if (--this.#reloads === 0) manager.notify("READY=1");
    });
  }

  /** The broker ends, within its drain and a little more. */
  stopping(reason: string, { drainMs }: { drainMs: number }): void {
    this.#reloads = Infinity; // one that is at work ends nothing any more
    const us = (drainMs + STOP_MS_MAX) * 1000;
    this.#manager?.notify("STOPPING=1", `EXTEND_TIMEOUT_USEC=${us}`, `STATUS=Stopping: ${reason}`);
  }

  /** Tells what was not told yet. */
  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#manager?.close();
  }

  #every(intervalMs: number, act: () => void): void {
    this.#timers.push(setInterval(act, Math.max(1, intervalMs)));
  }

  #tellStatus(turns: Turns): void {
    const status = statusOf(turns);
    if (status !== this.#status) this.#manager?.notify(status);
    this.#status = status;
    const problem = this.#manager?.problem ?? null;
    if (problem === this.#problem) return;
    this.#problem = problem;
    const text = problem === null
      ? "systemd: it can be told again"
      : `systemd: it cannot be told anything: ${problem}`;
    turns.log.line("warn", text, SYSTEM);
  }

  /** Fed by a timer of the loop that has turned meanwhile, as long as the store answers. */
  #feed(turns: Turns, storeStuckMsMax: number): void {
    const ailment = this.#ailmentOf(turns, storeStuckMsMax);
    this.#watchedTurns = turns.ended;
    turns.requestTurn();
    if (ailment === null) this.#manager?.notify("WATCHDOG=1");
    if ((ailment === null) === (this.#ailment === null)) return;
    this.#ailment = ailment;
    if (ailment === null) turns.log.line("warn", "systemd: the watchdog is fed again", SYSTEM);
    else turns.log.line("error", `systemd: the watchdog is not fed: ${ailment}`, SYSTEM);
  }

  #ailmentOf(turns: Turns, storeStuckMsMax: number): string | null {
    if (turns.ended === this.#watchedTurns) return "no turn of the broker has ended";
    const silentMs = turns.storeSilentMs;
    if (storeStuckMsMax === 0 || silentMs < storeStuckMsMax) return null;
    return `the store has stored nothing for ${Math.floor(silentMs / 1000)} s`;
  }
}

const SYSTEM = { room: "system" } as const;

function statusOf({ broker, storeSilentMs }: Turns): string {
  const { clientsConnected } = broker.statistics;
  const clients = clientsConnected === 1 ? "1 client" : `${clientsConnected} clients`;
  const waits = storeSilentMs > STATUS_MS ? ", acknowledgements wait for the store" : "";
  return `STATUS=Serving ${clients}${waits}`;
}
