/** The watch over the memory: what the guard decides becomes what the broker gives up. */
import type { AuditTrail } from "./_server_audit.ts";
import type { Turns } from "./_server_turns.ts";
import type { MemoryConfig } from "./config/mod.ts";
import type { MemoryFigures } from "./admin/mod.ts";
import {
  GarbageCollection,
  LoopLag,
  MEMORY_STAGES,
  MemoryGuard,
  MemoryReader,
  type MemoryReading,
  type MemoryStageChange,
  type Urgency,
} from "./system/mod.ts";

/** How often the memory is looked at: 0.1 % of the time. */
const WATCH_MS = 100;
/** So far below its threshold the pressure has to be for a stage to end. */
const HYSTERESIS = 0.05;
/** What of the queues goes at a time while they are shed and that is not enough. */
const SHED_SHARE = 0.1;
/** The same where the end is near. */
const SHED_SHARE_LAST = 0.3;
/** Queues that take less than this share of the limit are not shed: that would change nothing. */
const SHED_FLOOR = 1 / 64;

/** Looks at the memory as long as it is not closed. */
export class MemoryWatch {
  /** Resolves to the reason when the broker has to end before the memory does. */
  readonly exhausted: Promise<string>;
  readonly #exhaust: (reason: string) => void;
  readonly #turns: Turns;
  readonly #trail: AuditTrail;
  #reader: MemoryReader;
  #guard: MemoryGuard;
  readonly #lag = new LoopLag(WATCH_MS);
  readonly #garbage = new GarbageCollection(() => performance.now());
  #lastThreshold: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #reading: MemoryReading;
  #changes = 0;

  constructor(config: MemoryConfig, { turns, trail }: { turns: Turns; trail: AuditTrail }) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.exhausted = promise;
    this.#exhaust = resolve;
    this.#turns = turns;
    this.#trail = trail;
    this.#reader = new MemoryReader({ limitBytes: config.limitBytes });
    this.#lastThreshold = config.shutDownPercent / 100;
    this.#guard = makeGuard(config);
    this.#garbage.run(); // what the start has left behind is not what the process needs
    this.#reading = this.#reader.read();
    const { limitBytes, limitSource, heapLimitBytes } = this.#reading;
    const limit = limitBytes === Infinity ? "" : `${mebibytes(limitBytes)} MiB, `;
    const text = `memory: ${limit}${limitSource}; heap ${mebibytes(heapLimitBytes)} MiB`;
    turns.log.line("info", text, { room: "system" });
    this.#timer = setInterval(() => this.#look(), WATCH_MS);
    this.#look();
  }

  /**
   * Makes ready what another configuration asks for; who calls what it gives puts it in place. The
   * stage begins at normal and is what it has to be at the next look.
   */
  prepare(config: MemoryConfig): () => void {
    const guard = makeGuard(config);
    return () => {
      const wasNormal = this.#guard.stage === "normal";
      this.#guard = guard;
      this.#reader = new MemoryReader({ limitBytes: config.limitBytes });
      this.#lastThreshold = config.shutDownPercent / 100;
      if (wasNormal) return;
      const pressure = { refuseConnections: false, shedQos0: false, shedQueues: false };
      this.#turns.broker.setPressure(pressure);
    };
  }

  /** Its figures, by the end of their topic under `$SYS/broker/memory/`. */
  get facts(): Readonly<Record<string, string | number>> {
    const { rssBytes, freeBytes, limitBytes, limitSource, heapLimitBytes } = this.#reading;
    const { dropped } = this.#turns.broker.statistics;
    return {
      stage: this.#guard.stage,
      changes: this.#changes,
      pressure: this.#guard.pressure(this.#reading).toFixed(3),
      resident: rssBytes,
      "resident/free": freeBytes,
      limit: limitBytes === Infinity ? 0 : limitBytes,
      "limit/source": limitSource,
      "limit/heap": heapLimitBytes,
      collections: this.#garbage.count,
      shed: dropped["shed-qos0"] + dropped["shed-queue"],
    };
  }

  /** Its figures as numbers. */
  get figures(): MemoryFigures {
    const { freeBytes, limitBytes, heapLimitBytes } = this.#reading;
    return {
      stage: MEMORY_STAGES.indexOf(this.#guard.stage),
      changes: this.#changes,
      pressure: this.#guard.pressure(this.#reading),
      freeBytes,
      limitBytes: limitBytes === Infinity ? 0 : limitBytes,
      heapLimitBytes,
      collections: this.#garbage.count,
    };
  }

  /** Ends the watch. */
  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const lagMs = this.#lag.ticked(performance.now());
    this.#reading = this.#reader.read();
    const urgency = this.#urgency();
    const collects = urgency !== null && this.#garbage.due(urgency);
    if (collects) {
      this.#garbage.run();
      this.#reading = this.#reader.read();
    }
    const collected = collects || !this.#garbage.available;
    const facts = { lagMs, nowMs: performance.now(), collected };
    const change = this.#guard.sample(this.#reading, facts);
    if (change !== null) this.#changed(change);
    else if (collects && this.#guard.presses(this.#reading)) this.#shedMore();
  }

  /** What a collection would be worth now; null if nothing depends on it. */
  #urgency(): Urgency | null {
    if (this.#guard.presses(this.#reading)) {
      return this.#guard.reached("shed-queues") ? "highest" : "high";
    }
    // Who has nothing to do collects nothing: a stage would last for the sake of garbage.
    return this.#guard.reached("refuse-connections") ? "low" : null;
  }

  #changed({ from, to, reason }: MemoryStageChange): void {
    const { broker, log } = this.#turns;
    const { connectionsRefused, sessionsRefused, dropped } = broker.statistics;
    this.#changes++;
    this.#trail.record({ event: "memory-stage", from, to, reason });
    broker.setPressure({
      refuseConnections: this.#guard.reached("refuse-connections"),
      shedQos0: this.#guard.reached("shed-qos0"),
      shedQueues: this.#guard.reached("shed-queues"),
    });
    log.line(
      to === "normal" ? "info" : to === "shut-down" ? "error" : "warn",
      `memory: ${from} -> ${to}: ${reason}; refused so far: ` +
        `${connectionsRefused + sessionsRefused}, shed: ` +
        `${dropped["shed-qos0"]} at QoS 0, ${dropped["shed-queue"]} of queues`,
      { room: "system", fields: { event: "memory-stage", from, to } },
    );
    if (to === "shut-down") this.#exhaust(reason);
    this.#turns.requestTurn();
  }

  /** Paced by the collections: what was shed last has to be gone before it can be judged. */
  #shedMore(): void {
    if (!this.#guard.reached("shed-queues")) return;
    const { limitBytes, heapLimitBytes } = this.#reading;
    const last = this.#guard.pressure(this.#reading) >= this.#lastThreshold;
    this.#turns.broker.shedMore({
      share: last ? SHED_SHARE_LAST : SHED_SHARE,
      floorBytes: Math.min(limitBytes, heapLimitBytes) * SHED_FLOOR,
    });
    this.#turns.requestTurn();
  }
}

function makeGuard(config: MemoryConfig): MemoryGuard {
  return new MemoryGuard({
    thresholds: [
      config.refuseConnectionsPercent / 100,
      config.shedQos0Percent / 100,
      config.shedQueuesPercent / 100,
      config.shutDownPercent / 100,
    ],
    hysteresis: HYSTERESIS,
    dwellMs: config.dwellMs,
    lagMsMax: config.loopLagMsMax,
  });
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}
