/** A durable store whose device answers, and whose timers ring, when a rig says so. */
import {
  type DurabilityOptions,
  DurableStore,
  type StoreClock,
  type StoreDevice,
} from "../../../src/store/durable_store.ts";
import { MemoryStore } from "../../../src/store/memory_store.ts";
import { readState } from "../../../src/store/sqlite_state_reader.ts";

/** Time that stands still until it is told to go on. */
export class BenchClock implements StoreClock {
  #nowMs = 1_000;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  /** When the next timer rings; null for never. */
  get nextMs(): number | null {
    return this.#timers.length === 0 ? null : Math.min(...this.#timers.map(({ atMs }) => atMs));
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Goes on to the next timer and lets it ring. */
  ring(): void {
    const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
    if (next === undefined) throw new Error("Cannot ring: there is no timer");
    this.#timers = this.#timers.filter((other) => other !== next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.callback();
  }

  /** Goes on without a timer that rings. */
  pass(ms: number): void {
    this.#nowMs += ms;
    if (this.#timers.some(({ atMs }) => atMs <= this.#nowMs)) {
      throw new Error("Cannot let time pass: a timer is due");
    }
  }
}

/** What is at the device. */
export type DeviceRequest =
  | { readonly kind: "commit"; readonly changes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "sync" }
  | { readonly kind: "close" };

/** Holds requests until a rig answers them. */
export class BenchDevice implements StoreDevice {
  /** What was asked for and not answered. */
  readonly requests: DeviceRequest[] = [];

  commit(changes: Uint8Array<ArrayBuffer>): void {
    this.requests.push({ kind: "commit", changes });
  }

  sync(): void {
    this.requests.push({ kind: "sync" });
  }

  close(): void {
    this.requests.push({ kind: "close" });
  }

  /** The oldest request, which must be of this kind. */
  take<K extends DeviceRequest["kind"]>(kind: K): DeviceRequest & { readonly kind: K } {
    const request = this.requests.shift();
    if (request?.kind !== kind) {
      throw new Error(`Cannot answer ${kind}: asked for ${request?.kind}`);
    }
    return request as DeviceRequest & { readonly kind: K };
  }
}

/** A store, its device, its clock, and what its disk holds. */
export class StoreBench {
  readonly clock = new BenchClock();
  readonly device = new BenchDevice();
  readonly store: DurableStore;

  /** `disk`: changes that were committed before, in order; each must only add something. */
  constructor(disk: readonly Uint8Array[], options: Partial<DurabilityOptions> = {}) {
    const { device, clock } = this;
    this.store = new DurableStore(readState(disk), {
      device,
      clock,
      letterShelf: new MemoryStore(),
      options: {
        durability: "commit",
        syncIntervalMs: 1_000,
        syncsPerSecondMax: 1_000_000,
        ...options,
      },
    });
  }

  /** Answers that the oldest commit has been carried out. */
  committed(): void {
    const { buffer } = this.device.take("commit").changes;
    this.store.receive({ kind: "committed", buffer, commitMs: 1, syncs: 0 });
  }
}
