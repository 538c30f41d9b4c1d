/** A change that an operator makes: in a turn of its own, and done when it is committed. */
import { assertEquals } from "@std/assert";
import { Turns } from "../../src/_server_turns.ts";
import { Broker, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { BatchJournal, MemoryStore, type Store } from "../../src/store/mod.ts";
import { TEST_LIMITS } from "../broker/_limits.ts";
import { eventually } from "../support/waiting.ts";
import { name, payload } from "../support/wire_client.ts";

/** Commits when the test says so. */
class WaitingStore implements Store {
  readonly journal = new BatchJournal();
  readonly letterShelf = new MemoryStore();
  readonly trouble = null;
  readonly statistics = null;
  /** Commits that have not been answered. */
  readonly waiting: (() => void)[] = [];
  /** Whether somebody waits for what was handed over last. */
  awaited = false;

  get dirty(): boolean {
    return this.journal.dirty;
  }

  load(): ReturnType<Store["load"]> {
    return new MemoryStore().load();
  }

  commit(): Promise<number> {
    const { batch, bytes, awaited } = this.journal.seal();
    this.awaited = awaited;
    return new Promise((resolve) =>
      this.waiting.push(() => {
        this.journal.settled(bytes);
        resolve(batch);
      })
    );
  }

  close(): void {}
}

function start() {
  const store = new WaitingStore();
  const turns = new Turns(
    (pool) =>
      new Broker({
        limits: TEST_LIMITS,
        policy: OPEN_ACCESS,
        sparkplug: null,
        journal: store.journal,
        randomId: () => "id",
        pool,
      }),
    {
      store,
      witness: { happened() {}, denied() {}, missed() {} },
      logOptions: {
        level: "info",
        levels: {},
        format: "text",
        repeatsPerSecondMax: 0,
        priorities: false,
      },
      writeLog: () => {},
      lineSeen: () => {},
    },
  );
  return { store, turns };
}

const RETAINED = { topic: name("t"), payload: payload("x"), qos: 0 as const, retain: true };

Deno.test("a change counts as committed when its batch is, and not before", async () => {
  const { store, turns } = start();
  const order: string[] = [];
  const publish = (what: string) => {
    const change = turns.change((oversight, instant) => oversight.publish(RETAINED, instant));
    void change.committed.then((done) => order.push(`${what} ${done}`));
    return change;
  };
  assertEquals(publish("first").result, 0);
  await eventually("the first commit", () => store.waiting.length === 1);
  assertEquals(store.awaited, true, "the store does not wait for more");
  publish("second");
  await eventually("the second commit", () => store.waiting.length === 2);
  assertEquals(order, []);
  store.waiting[0]!();
  await eventually("the end of the first", () => order.length === 1);
  store.waiting[1]!();
  await eventually("the end of both", () => order.length === 2);
  assertEquals(order, ["first true", "second true"]);
});

Deno.test("a change that writes nothing waits for nothing", async () => {
  const { store, turns } = start();
  const { result, committed } = turns.change((oversight, instant) =>
    oversight.removeRetained(name("none"), instant)
  );
  assertEquals([result, await committed, store.waiting.length], [false, true, 0]);
});

Deno.test("whoever removes what another one is removing waits for the same commit", async () => {
  const { store, turns } = start();
  turns.change((oversight, instant) => oversight.publish(RETAINED, instant));
  await eventually("the publish", () => store.waiting.length === 1);
  const remove = () =>
    turns.change((oversight, instant) => oversight.removeRetained(name("t"), instant));
  const first = remove();
  await eventually("the removal", () => store.waiting.length === 2);
  const second = remove();
  assertEquals([first.result, second.result], [true, false]);
  let done = 0;
  for (const { committed } of [first, second]) void committed.then(() => done++);
  store.waiting[0]!();
  await eventually("the second removal", () => store.waiting.length === 3);
  assertEquals(done, 0);
  store.waiting[1]!();
  store.waiting[2]!();
  await eventually("both", () => done === 2);
});

Deno.test("a change that the store does not write down in time is told as such", async () => {
  const { store, turns } = start();
  const { committed } = turns.change(
    (oversight, instant) => oversight.publish(RETAINED, instant),
    { withinMs: 10 },
  );
  assertEquals(await committed, false);
  assertEquals(store.waiting.length, 1);
});
