/**
 * Where the memory guard gets its facts. `/proc` and `/sys` would need all permissions; what is
 * used here needs none, but for the limit of the control group and the size of the memory, which
 * need `--allow-sys=systemMemoryInfo` and are left out without it.
 */
import process from "node:process";
import { getHeapStatistics } from "node:v8";
import { FreedMemory } from "./freed_memory.ts";
import type { MemoryReading } from "./memory_guard.ts";

/** Control groups without a limit report about 2^63 (version 1: rounded down to pages). */
const NO_LIMIT_BYTES = 2 ** 60;

/** What the young generation may take: three semi-spaces of the size that the serve task sets. */
const YOUNG_BYTES = 3 * 4_194_304;

/** Reads memory facts of this process. One reading costs some 30 µs. */
export class MemoryReader {
  readonly #configuredBytes: number;
  readonly #systemAllowed: boolean;
  readonly #heapLimitBytes: number;
  readonly #freed = new FreedMemory();

  /** `limitBytes` is the operator's own limit; 0 for none. */
  constructor({ limitBytes }: { limitBytes: number }) {
    this.#configuredBytes = limitBytes > 0 ? limitBytes : Infinity;
    // The heap is full when its old generation is; the young one is the rest.
    this.#heapLimitBytes = getHeapStatistics().heap_size_limit - YOUNG_BYTES;
    const permission = { name: "sys", kind: "systemMemoryInfo" } as const;
    this.#systemAllowed = Deno.permissions.querySync(permission).state === "granted";
  }

  /** The facts of this moment. */
  read(): MemoryReading {
    const { rss, heapUsed, external } = Deno.memoryUsage();
    const { limitBytes, limitSource } = this.#limit(rss);
    return {
      rssBytes: rss,
      freeBytes: this.#freed.update({ rssBytes: rss, accountedBytes: heapUsed + external }),
      limitBytes,
      limitSource,
      heapUsedBytes: heapUsed,
      heapLimitBytes: this.#heapLimitBytes,
    };
  }

  /** The lowest of the limits that are known. That of a control group may change at any time. */
  #limit(rssBytes: number): { limitBytes: number; limitSource: string } {
    const groupBytes = this.#systemAllowed ? process.constrainedMemory() : 0;
    let limitBytes = this.#configuredBytes;
    let limitSource = limitBytes === Infinity ? "no limit known" : "configured limit";
    if (groupBytes > 0 && groupBytes < NO_LIMIT_BYTES && groupBytes < limitBytes) {
      limitBytes = groupBytes;
      limitSource = "limit of the control group";
    }
    if (!this.#systemAllowed) return { limitBytes, limitSource };
    // What others have taken is not there for us, and they may come and go.
    const { total, available } = Deno.systemMemoryInfo();
    const machineBytes = Math.min(total, rssBytes + available);
    if (machineBytes < limitBytes) {
      limitBytes = machineBytes;
      limitSource = "memory of the machine";
    }
    return { limitBytes, limitSource };
  }
}

/** How late a timer comes that should come every so often: the event loop was busy for so long. */
export class LoopLag {
  readonly #everyMs: number;
  #lastMs: number | null = null;

  /** `everyMs` is the interval of the timer. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** The timer has come; gives by how many ms too late. */
  ticked(nowMs: number): number {
    const lagMs = this.#lastMs === null ? 0 : nowMs - this.#lastMs - this.#everyMs;
    this.#lastMs = nowMs;
    return Math.max(0, lagMs);
  }
}
