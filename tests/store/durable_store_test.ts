/** Group commit, durability, the rate of fsyncs and trouble, on a virtual clock and a scripted device. */
import { assert, assertEquals } from "@std/assert";
import {
  type DurabilityOptions,
  DurableStore,
  type StoreClock,
  type StoreDevice,
} from "../../src/store/durable_store.ts";
import { MemoryStore } from "../../src/store/memory_store.ts";
import { readState } from "../../src/store/sqlite_state_reader.ts";

class VirtualClock implements StoreClock {
  #nowMs = 1_000;
  #timers: { atMs: number; callback: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs);
      const first = due.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (first === undefined) break;
      this.#timers = this.#timers.filter((other) => other !== first);
      this.#nowMs = Math.max(this.#nowMs, first.atMs);
      first.callback();
    }
    this.#nowMs = endMs;
    await settle();
  }
}

/** Lets promises that are resolved run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

/** Answers when the test says so. */
class ScriptedDevice implements StoreDevice {
  readonly requests: string[] = [];
  #changes: Uint8Array<ArrayBuffer> | null = null;
  #syncs = 0;
  /** Whether it has a request to answer. */
  busy = false;
  store!: DurableStore;

  commit(changes: Uint8Array<ArrayBuffer>): void {
    this.requests.push("commit");
    this.busy = true;
    this.#changes = changes;
  }

  sync(): void {
    this.requests.push("sync");
    this.busy = true;
  }

  close(): void {
    this.requests.push("close");
    this.store.receive({ kind: "closed" });
  }

  async done({ syncs = 1 } = {}): Promise<void> {
    this.#syncs += syncs;
    this.busy = false;
    const what = this.requests.at(-1);
    if (what === "sync") this.store.receive({ kind: "synced", syncs: this.#syncs });
    else {
      const { buffer } = this.#changes!;
      this.store.receive({ kind: "committed", buffer, commitMs: 1, syncs: this.#syncs });
    }
    await settle();
  }

  async fails({ passing = true } = {}): Promise<void> {
    const changes = this.requests.at(-1) === "sync" ? null : this.#changes;
    this.store.receive({ kind: "failed", reason: "disk is full", passing, changes });
    await settle();
  }
}

class Rig {
  readonly clock = new VirtualClock();
  readonly device = new ScriptedDevice();
  readonly store: DurableStore;
  /** Batches that are durable, in the order in which that was said. */
  readonly durable: number[] = [];
  #topics = 0;

  constructor(options: Partial<DurabilityOptions> = {}) {
    const { clock, device } = this;
    this.store = new DurableStore(readState([]), {
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
    device.store = this.store;
  }

  /** Commits a batch with one change; gives its number. */
  commit({ awaited = true } = {}): number {
    const { journal } = this.store;
    const { batch } = journal;
    journal.sessionCreated(`c${this.#topics++}`);
    if (awaited) journal.awaitCommit();
    const committed = this.store.commit();
    if (typeof committed === "number") this.durable.push(committed);
    else void committed.then((last) => this.durable.push(last), () => this.durable.push(NaN));
    return batch;
  }
}

Deno.test("batches that come while the device writes become one transaction", async () => {
  const { store, device, durable, commit } = bound(new Rig());
  commit();
  commit();
  commit();
  assertEquals(device.requests, ["commit"]);
  await device.done();
  assertEquals(durable, [1]);
  assertEquals(device.requests, ["commit", "commit"]);
  await device.done();
  assertEquals(durable, [1, 3, 3]);
  assertEquals(store.journal.backlogBytes, 0);
  assertEquals(store.statistics.recordsWaiting, 0);
});

Deno.test("a batch that nobody waits for is written with the next one, or after a moment", async () => {
  const { clock, device, durable, commit } = bound(new Rig());
  commit({ awaited: false });
  commit({ awaited: false });
  assertEquals(device.requests, []);
  commit();
  assertEquals(device.requests, ["commit"]);
  await device.done();
  assertEquals(durable, [3, 3, 3]);
  commit({ awaited: false });
  await clock.advance(49);
  assertEquals(device.requests.length, 1);
  await clock.advance(1);
  assertEquals(device.requests.length, 2);
  await device.done();
  assertEquals(durable, [3, 3, 3, 4]);
});

Deno.test("much that nobody waits for is written at once", () => {
  const { store, device } = bound(new Rig());
  for (let i = 0; i < 3_000; i++) store.journal.sessionCreated(`c${i}`);
  void store.commit();
  assertEquals(device.requests, ["commit"]);
});

Deno.test("fsyncs keep to their rate, and what waits shares them", async () => {
  const { clock, device, durable, commit } = bound(new Rig({ syncsPerSecondMax: 10 }));
  commit();
  await device.done();
  commit();
  commit();
  assertEquals(device.requests.length, 1, "the allowance of this moment is used up");
  await clock.advance(99);
  assertEquals(device.requests.length, 1);
  await clock.advance(1);
  assertEquals(device.requests.length, 2);
  await device.done();
  assertEquals(durable, [1, 3, 3]);
  for (let i = 0; i < 400; i++) {
    commit();
    await clock.advance(25);
    if (device.busy) await device.done();
  }
  assertEquals(device.requests.length, 2 + 10 * 10);
});

Deno.test("with interval a batch is acknowledged first, and synced within half of the window", async () => {
  const { clock, device, durable, commit } = bound(new Rig({ durability: "interval" }));
  commit();
  assertEquals(durable, [1]);
  await device.done({ syncs: 0 });
  await clock.advance(499);
  assertEquals(device.requests, ["commit"]);
  await clock.advance(1);
  assertEquals(device.requests, ["commit", "sync"]);
  await device.done();
  await clock.advance(5_000);
  assertEquals(device.requests, ["commit", "sync"], "nothing to sync, no sync");
});

Deno.test("with interval nothing more is acknowledged while what was is older than the window", async () => {
  const { clock, device, durable, commit } = bound(new Rig({ durability: "interval" }));
  commit();
  await device.done({ syncs: 0 });
  await clock.advance(500);
  assertEquals(device.requests.at(-1), "sync");
  await clock.advance(499);
  commit();
  assertEquals(durable, [1, 2], "still within the window");
  await clock.advance(1);
  commit();
  assertEquals(durable, [1, 2], "the disk is too slow: this one waits");
  await device.done();
  assertEquals(durable, [1, 2]);
  await device.done({ syncs: 0 });
  assertEquals(durable, [1, 2], "written, and not on the disk");
  await clock.advance(500);
  assertEquals(device.requests.at(-1), "sync");
  await device.done();
  assertEquals(durable, [1, 2, 3]);
});

Deno.test("a disk in trouble is tried again, less and less often, with the same changes", async () => {
  const { store, clock, device, durable, commit } = bound(new Rig());
  commit();
  let waitMs = 50;
  for (let attempt = 1; attempt < 12; attempt++) {
    await device.fails();
    assertEquals(store.trouble, "Cannot commit: disk is full");
    await clock.advance(waitMs - 1);
    assertEquals(device.requests.length, attempt);
    await clock.advance(1);
    assertEquals(device.requests.length, attempt + 1);
    waitMs = Math.min(5_000, waitMs * 2);
  }
  commit();
  assertEquals(durable, []);
  assert(store.journal.backlogBytes > 0);
  await device.done();
  assertEquals(store.trouble, null);
  await device.done();
  assertEquals(durable, [1, 2]);
  assertEquals(store.statistics.failures, 11);
});

Deno.test("what can never be written fails whoever waits, and everything behind it", async () => {
  const { device, durable, commit } = bound(new Rig());
  commit();
  commit();
  await device.fails({ passing: false });
  commit();
  await settle();
  assertEquals(durable, [NaN, NaN, NaN]);
});

Deno.test("close writes and syncs what was handed over, without waiting for the rate", async () => {
  for (const durability of ["commit", "interval"] as const) {
    const { store, device, commit } = bound(new Rig({ durability, syncsPerSecondMax: 1 }));
    commit();
    await device.done();
    commit();
    void store.close();
    while (device.requests.at(-1) !== "close") await device.done();
    const expected = ["commit", "commit", ...durability === "interval" ? ["sync"] : [], "close"];
    assertEquals(device.requests, expected);
  }
});

Deno.test("close tries a disk in trouble once more, and then ends", async () => {
  for (const passing of [true, false]) {
    const { store, device, commit } = bound(new Rig());
    commit();
    await device.fails();
    const closed = store.close();
    assertEquals(device.requests, ["commit", "commit"]);
    await device.fails({ passing });
    await closed;
    assertEquals(device.requests, ["commit", "commit", "close"]);
  }
});

Deno.test("close ends a store that has failed", async () => {
  const { store, device, commit } = bound(new Rig());
  commit();
  await device.fails({ passing: false });
  await store.close();
  assertEquals(device.requests, ["commit", "close"]);
});

Deno.test("a first failure while the store closes is tried once more", async () => {
  const { store, device, durable, commit } = bound(new Rig());
  commit();
  const closed = store.close();
  await device.fails();
  await device.done();
  await closed;
  assertEquals(durable, [1]);
  assertEquals(device.requests, ["commit", "commit", "close"]);
});

Deno.test("a batch that amounts to nothing is acknowledged behind what the device writes", async () => {
  const { store, device, durable, commit } = bound(new Rig());
  commit();
  store.journal.sessionCreated("x");
  store.journal.sessionDiscarded("x");
  store.journal.awaitCommit();
  void Promise.resolve(store.commit()).then((batch) => durable.push(batch));
  await settle();
  assertEquals(durable, []);
  await device.done();
  assertEquals(durable, [1, 2]);
  assertEquals(device.requests, ["commit"]);
  assertEquals(store.journal.backlogBytes, 0);
});

Deno.test("a sync that fails is tried again, and what waits for it waits on", async () => {
  const { store, clock, device, durable, commit } = bound(new Rig({ durability: "interval" }));
  commit();
  await device.done({ syncs: 0 });
  await clock.advance(500);
  await device.fails();
  assertEquals(store.trouble, "Cannot sync: disk is full");
  await clock.advance(600);
  commit();
  assertEquals(durable, [1], "the window is over");
  await device.fails();
  await clock.advance(100);
  assertEquals(device.requests, ["commit", "sync", "sync", "sync"]);
  await device.done();
  assertEquals(store.trouble, null);
  await device.done({ syncs: 0 });
  await clock.advance(500);
  await device.done();
  assertEquals(durable, [1, 2]);
});

Deno.test("a checkpoint that fails is trouble until something is written again", async () => {
  const { store, device, commit } = bound(new Rig());
  commit();
  await device.done();
  store.receive({ kind: "checkpointed", checkpointMs: 5, syncs: 3, problem: "Cannot checkpoint" });
  assertEquals(store.trouble, "Cannot checkpoint");
  assertEquals([store.statistics.checkpoints, store.statistics.syncs], [1, 3]);
  commit();
  await device.done();
  assertEquals(store.trouble, null);
});

function bound(rig: Rig) {
  const { store, clock, device, durable } = rig;
  return { store, clock, device, durable, commit: rig.commit.bind(rig) };
}
