/** A publisher that waits for the store is read again when the store has caught up. */
import { assertEquals } from "@std/assert";
import type { Journal, StoredState } from "../../src/broker/mod.ts";
import { BatchJournal, MemoryStore, type Store } from "../../src/store/mod.ts";
import { Core } from "./_core.ts";

/** Acknowledges at once and writes later, as the durable store does with `interval`. */
class LateStore implements Store {
  readonly #journal = new BatchJournal();
  readonly letterShelf = new MemoryStore();
  readonly trouble = null;
  readonly statistics = null;
  #unwritten = 0;

  get journal(): Journal {
    return this.#journal;
  }

  get dirty(): boolean {
    return this.#journal.dirty;
  }

  load(): StoredState {
    return new MemoryStore().load();
  }

  commit(): number {
    const { batch, bytes } = this.#journal.seal();
    this.#unwritten += bytes;
    return batch;
  }

  /** The disk has caught up. */
  write(): void {
    this.#journal.settled(this.#unwritten);
    this.#unwritten = 0;
  }

  close(): void {}
}

Deno.test("a publisher held by the store goes on although its batch was acknowledged first", () => {
  const store = new LateStore();
  const core = new Core({ store, limits: { storeBacklogBytesMax: 500 } });
  const subscriber = core.connect({ clientIdentifier: "s", cleanSession: false });
  subscriber.subscribe("t", 1);
  store.write();
  const publisher = core.connect({ clientIdentifier: "p" });
  publisher.publish("t", "x".repeat(1_000), { qos: 1 });
  assertEquals(publisher.connection.readable, false);
  store.write();
  core.advance(250);
  assertEquals(publisher.connection.readable, true);
});

Deno.test("another bound on what waits for the store holds at once, but no wider one while queues are shed", () => {
  const pressure = { refuseConnections: true, shedQos0: true, shedQueues: true };
  for (
    const [shed, wider, isReadable] of [[false, 1e8, true], [false, 500, false], [
      true,
      1e8,
      false,
    ]] as const
  ) {
    const store = new LateStore();
    const core = new Core({ store, limits: { storeBacklogBytesMax: 400, packetBytesMax: 1e6 } });
    core.connect({ clientIdentifier: "s", cleanSession: false }).subscribe("t", 1);
    const publisher = core.connect({ clientIdentifier: "p" });
    store.write();
    if (shed) core.broker.setPressure(pressure);
    core.broker.prepareLimits({ ...core.limits, storeBacklogBytesMax: wider })();
    publisher.publish("t", "x".repeat(300_000), { qos: 1 });
    assertEquals(publisher.connection.readable, isReadable, `${shed} ${wider}`);
  }
});
