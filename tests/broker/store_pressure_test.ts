/** Backpressure of the store: whoever publishes what has to be stored waits for it, and nobody else. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { publishPacket, text } from "../support/wire_client.ts";
import { Core, type CoreOptions } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";
import { RecordingStore } from "./_recording_store.ts";

const BACKLOG_BYTES = 10_000;
const SIZE = 1_000;

/** A store that has stopped, and a session whose messages have to go there. */
function slowCore(limits: CoreOptions["limits"] = {}) {
  const store = new RecordingStore();
  const core = new Core({ store, limits: { storeBacklogBytesMax: BACKLOG_BYTES, ...limits } });
  const away = core.connect({ clientIdentifier: "away", cleanSession: false });
  away.subscribe("durable/#", 1);
  away.lose();
  store.slow = true;
  return { core, store };
}

function durable(number: number) {
  const content = `${number}`.padEnd(SIZE);
  return publishPacket("durable/t", content, { qos: 1, packetId: 1 + number });
}

/** Publishes durable messages until the store holds the publisher; gives how many. */
function publishUntilHeld(publisher: FakeClient): number {
  for (let count = 0; count < 1_000; count++) {
    if (!publisher.connection.readable) return count;
    publisher.send(durable(count));
  }
  throw new Error("Cannot see a hold: 1,000 messages were taken");
}

Deno.test("a publisher is held when too much waits for the store, and read again at half of it", () => {
  const { core, store } = slowCore();
  const publisher = core.connect();
  const count = publishUntilHeld(publisher);
  assertGreater(store.journal.backlogBytes, BACKLOG_BYTES);
  assertLessOrEqual(store.journal.backlogBytes, BACKLOG_BYTES + 2 * SIZE);
  assertEquals(core.statistics.storeHolds, 1);
  publisher.send(durable(count), durable(count + 1));
  assertGreater(publisher.unread, 0);
  let left = store.journal.backlogBytes;
  while (!publisher.connection.readable) {
    assertGreater(left, BACKLOG_BYTES / 2);
    const batch = store.progress(1);
    left = store.journal.backlogBytes;
    core.release(batch);
  }
  assertLessOrEqual(left, BACKLOG_BYTES / 2);
  assertEquals(publisher.unread, 0);
  store.slow = false;
  core.release(store.progress());
  assertEquals(publisher.takeAll().length, count + 2);
  const waiting = store.load().sessions[0]!.deliveries;
  assertEquals(
    waiting.map(({ message }) => parseInt(text(message.payload))),
    Array.from({ length: count + 2 }, (_, i) => i),
  );
});

Deno.test("what many publishers have in the backlog is bounded, whatever they send", () => {
  const { core, store } = slowCore();
  const publishers = Array.from({ length: 5 }, () => core.connect());
  for (let round = 0; round < 20; round++) {
    for (const publisher of publishers) {
      publisher.send(...Array.from({ length: 10 }, (_, i) => durable(i)));
    }
  }
  assertLessOrEqual(store.journal.backlogBytes, BACKLOG_BYTES + 5 * 2 * SIZE);
  assertEquals(core.statistics.storeHolds, 5);
});

Deno.test("retained messages at QoS 0 go into the store, and their publisher waits for it, too", () => {
  const { core } = slowCore();
  const publisher = core.connect();
  for (let i = 0; publisher.connection.readable && i < 100; i++) {
    publisher.publish(`r/${i}`, "x".repeat(SIZE), { retain: true });
  }
  assertEquals(publisher.connection.heldByStore, true);
});

Deno.test("others are served while the store holds a publisher", () => {
  const { core } = slowCore();
  publishUntilHeld(core.connect());
  const reader = core.connect();
  reader.subscribe("t", 2);
  const other = core.connect();
  // A wasteful length, and RETAIN on a topic of the server: neither has to be stored.
  const wasteful = Uint8Array.of(0x30, 0x84, 0x00, 0, 1, 0x74, 0x77);
  for (let i = 0; i < 3; i++) {
    other.publish("t", "0");
    other.publish("t", "1", { qos: 1 });
    other.publish("t", "2", { qos: 2 });
    other.sendBytes(wasteful);
  }
  other.send({ type: "PINGREQ" });
  other.take("PINGRESP");
  assertEquals(
    reader.takeMessages().map((m) => text(m.payload)).join(""),
    "012w012w012w",
  );
  assertEquals(other.connection.readable, true);
  assertEquals(core.statistics.storeHolds, 1);
});

Deno.test("a client that is held by the store is not cut off by its keep alive", () => {
  const { core, store } = slowCore();
  const publisher = core.connect({ keepAliveSeconds: 10 });
  publishUntilHeld(publisher);
  core.advance(60_000, 1_000);
  assertEquals(publisher.connection.closed, false);
  core.release(store.progress());
  core.advance(14_000);
  assertEquals(publisher.connection.closed, false, "its keep alive starts anew");
  core.advance(2_000);
  assertEquals(publisher.connection.closed, true);
  assertEquals(core.statistics.keepAliveTimeouts, 1);
});

Deno.test("a client that ends while it is held is forgotten, and stays closed", () => {
  for (const end of ["lose", "takeOver"] as const) {
    const { core, store } = slowCore();
    const publisher = core.connect({ clientIdentifier: "p" });
    publishUntilHeld(publisher);
    if (end === "lose") publisher.lose();
    else core.open().sendConnect({ clientIdentifier: "p" });
    assertEquals(publisher.connection.heldByStore, false);
    assert(publisher.connection.closed);
    core.release(store.progress());
    assertEquals(publisher.connection.readable, false);
  }
});

Deno.test("a store that acknowledges first lets publishers go on when it has written, without any record", () => {
  const { core, store } = slowCore();
  store.acknowledgesFirst = true;
  const publisher = core.connect();
  const count = publishUntilHeld(publisher);
  assertEquals(publisher.takeAll().length, count);
  core.advance(1_000);
  assertEquals(publisher.connection.readable, false);
  store.progress();
  core.advance(250);
  assertEquals(publisher.connection.readable, true);
});

Deno.test("the time a receiver is held by the store is not part of its grace", () => {
  const { core, store } = slowCore();
  const receiver = core.connect();
  receiver.subscribe("t", 1);
  publishUntilHeld(receiver);
  const publisher = core.connect();
  for (let i = 0; i < 100 && publisher.connection.readable; i++) {
    publisher.publish("t", "x", { qos: 1 });
  }
  assertEquals(publisher.connection.holds, 1, "it waits for the receiver");
  core.advance(10 * core.limits.slowConsumerGraceMs);
  assertEquals(core.statistics.slowConsumers, 0);
  core.release(store.progress());
  core.advance(core.limits.slowConsumerGraceMs - 250);
  assertEquals(core.statistics.slowConsumers, 0);
  core.advance(500);
  assertEquals(core.statistics.slowConsumers, 1);
});
