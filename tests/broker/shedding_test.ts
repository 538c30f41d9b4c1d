/** What the core gives up while the memory is short: one stage after the other, and nothing else. */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import type { Pressure } from "../../src/broker/mod.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { concatenate, publishPacket, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import { coreWith } from "./_dead_letters.ts";
import { DelayedStore } from "./_delayed_store.ts";
import type { FakeClient } from "./_fake_client.ts";

const NONE: Pressure = { refuseConnections: false, shedQos0: false, shedQueues: false };
const REFUSE: Pressure = { ...NONE, refuseConnections: true };
const SHED_QOS0: Pressure = { ...REFUSE, shedQos0: true };
const SHED_QUEUES: Pressure = { ...SHED_QOS0, shedQueues: true };
/** Room for as much as a test wants. */
const ROOMY = { queueMessagesMax: 1e6, queueTotalMessagesMax: 1e6, queueBytesMax: 1e9 } as const;
const PLENTY = {
  ...ROOMY,
  queueTotalBytesMax: 1e9,
  deadLettersMessagesMax: 1e6,
  deadLettersBytesMax: 1e9,
};

/** A stored session with its own topic and so many messages. */
function away(core: Core, id: string, messages: number): void {
  const client = core.connect({ clientIdentifier: id, cleanSession: false });
  client.subscribe(id, 1);
  client.lose();
  const publisher = core.connect();
  for (let i = 0; i < messages; i++) publisher.publish(id, `${i}`.padEnd(4), { qos: 1 });
  publisher.disconnect();
}

/** What a session gets when its client comes back. */
function come(core: Core, id: string): string[] {
  const client = core.connect({ clientIdentifier: id, cleanSession: false });
  const contents: string[] = [];
  for (;;) {
    const messages = client.takeMessages();
    if (messages.length === 0) return contents;
    contents.push(...messages.map(({ payload }) => text(payload).trimEnd()));
    client.send(...messages.map(({ packetId }) => ({ type: "PUBACK", packetId }) as const));
  }
}

/** Publishes at QoS 0 until this client is not read any more. */
function publishUntilHeld(publisher: FakeClient): void {
  while (publisher.connection.readable) publisher.publish("t", "x".repeat(1_000));
}

Deno.test("clients without a session are refused, those that are connected live on", () => {
  const core = new Core();
  const there = core.connect();
  core.broker.setPressure(REFUSE);
  const stranger = core.open();
  stranger.sendConnect({ clientIdentifier: "stranger" });
  assertEquals(stranger.take("CONNACK").returnCode, 3);
  assert(stranger.ended);
  assertEquals(core.statistics.sessionsRefused, 1);
  there.subscribe("t", 1);
  there.publish("t", "on", { qos: 0 });
  assertEquals(there.takeMessages().map(({ payload }) => text(payload)), ["on"]);
  core.broker.setPressure(NONE);
  core.connect({ clientIdentifier: "stranger" });
});

Deno.test("a client whose session is here may come and take its messages away", () => {
  const core = new Core();
  away(core, "away", 5);
  const half = core.connect({ clientIdentifier: "half open" });
  core.broker.setPressure(REFUSE);
  assertEquals(come(core, "away"), ["0", "1", "2", "3", "4"]);
  core.connect({ clientIdentifier: "half open" });
  assert(half.ended, "taken over");
});

Deno.test("few connections may be without a client; more are closed at once, and counted", () => {
  const core = new Core();
  away(core, "away", 1);
  core.broker.setPressure(REFUSE);
  const waiting = Array.from({ length: 16 }, () => core.open());
  assertEquals([core.tryOpen(), core.tryOpen()], [null, null]);
  assertEquals(core.statistics.connectionsRefused, 2);
  waiting[0]!.sendConnect({ clientIdentifier: "away", cleanSession: false });
  assertEquals(waiting[0]!.take("CONNACK").returnCode, 0);
  core.open();
  assertEquals(core.tryOpen(), null);
  core.broker.setPressure(NONE);
  core.open();
});

Deno.test("QoS 0 is dropped for a receiver with a backlog, and for no other; QoS 1 waits", () => {
  const { core, store } = coreWith();
  const frozen = core.connect();
  frozen.subscribe("t", 1);
  const healthy = core.connect();
  healthy.subscribe("t", 1);
  const publisher = core.connect();
  frozen.frozen = true;
  publishUntilHeld(publisher);
  core.advance(core.limits.slowConsumerGraceMs + 1, 1);
  healthy.takeAll();
  const pendingBytes = frozen.connection.pendingBytes;
  core.broker.setPressure(SHED_QOS0);
  const run = Array.from({ length: 50 }, (_, i) => publishPacket("t", `${i}`));
  publisher.send(...run); // one chunk: handed on as it came
  publisher.publish("t", "single");
  assertEquals(frozen.connection.pendingBytes, pendingBytes);
  assertEquals(healthy.takeMessages().length, 51);
  publisher.publish("t", "kept", { qos: 1 });
  const { dropped, deadLettersNotKept } = core.statistics;
  assertEquals([dropped["shed-qos0"], deadLettersNotKept, store.letters.length], [51, 51, 0]);
  frozen.thaw();
  assertEquals(text(frozen.takeMessages().at(-1)!.payload), "kept");
  publisher.publish("t", "again");
  assertEquals(text(frozen.take("PUBLISH").payload), "again", "it has caught up");
  assertEquals(dropped["shed-qos0"], 51);
});

Deno.test("QoS 0 is dropped behind QoS 1 that waits for the window", () => {
  const core = new Core({ limits: { inFlightMessagesMax: 1 } });
  const receiver = core.connect();
  receiver.subscribe("t", 1);
  const publisher = core.connect();
  for (const content of ["in flight", "waits"]) publisher.publish("t", content, { qos: 1 });
  core.broker.setPressure(SHED_QOS0);
  publisher.publish("t", "dropped");
  core.broker.setPressure(REFUSE);
  publisher.publish("t", "waits, too");
  assertEquals(core.statistics.queuedMessages, 2);
  assertEquals(core.statistics.dropped["shed-qos0"], 1);
});

Deno.test("the largest queue gives its oldest messages for new ones, with the acknowledgement", () => {
  const { core, store } = coreWith(PLENTY);
  away(core, "large", 60);
  away(core, "small", 5);
  core.broker.setPressure({ ...SHED_QUEUES, refuseConnections: false });
  const ceiling = core.statistics.queuedBytes;
  const client = core.connect({ clientIdentifier: "p" });
  store.slow = true;
  client.send(publishPacket("small", "5", { qos: 1, packetId: 7 }));
  assertEquals(client.inbox, [], "the PUBACK waits for the transaction with the dead letter");
  const { letters } = store;
  assertEquals(store.reasons, ["shed-queue"]);
  const [letter] = letters;
  assertEquals([text(letter!.message.payload).trimEnd(), letter!.session], ["0", "large"]);
  assertEquals([letter!.publisher, letter!.qos], ["", 1]);
  core.release(store.progress(1));
  assertEquals(client.take("PUBACK").packetId, 7);
  store.slow = false;
  core.release(store.progress());
  assertLessOrEqual(core.statistics.queuedBytes, ceiling);
  assertEquals(come(core, "small"), ["0", "1", "2", "3", "4", "5"]);
  assertEquals(come(core, "large"), Array.from({ length: 59 }, (_, i) => `${i + 1}`));
});

Deno.test("more is shed when it was not enough, down to the floor, and none when it is over", () => {
  const { core, store } = coreWith(PLENTY);
  away(core, "a", 100);
  const { queuedBytes } = core.statistics;
  core.broker.shedMore({ share: 0.5, floorBytes: 0 });
  core.turn();
  assertEquals(store.letters.length, 0, "queues are not shed yet");
  core.broker.setPressure(SHED_QUEUES);
  core.turn();
  assertEquals(store.letters.length, 0, "nothing has to go for what is there");
  core.broker.shedMore({ share: 0.25, floorBytes: 0 });
  core.turn();
  assertEquals(store.letters.length, 25);
  core.broker.shedMore({ share: 0.5, floorBytes: queuedBytes * 0.6 });
  core.turn();
  assertEquals(core.statistics.queuedMessages, 60);
  core.broker.setPressure(NONE);
  away(core, "b", 1);
  core.broker.shedMore({ share: 1, floorBytes: 0 });
  core.turn();
  assertEquals(core.statistics.queuedMessages, 61);
  assertEquals(new Set(store.reasons), new Set(["shed-queue"]));
  assertEquals(core.statistics.dropped["shed-queue"], 40);
});

Deno.test("no more is given up than the store can write meanwhile, and then it goes on", () => {
  const store = new DelayedStore();
  store.delays = false;
  const core = new Core({ store, limits: PLENTY });
  const client = core.connect({ clientIdentifier: "a", cleanSession: false });
  client.subscribe("a", 1);
  client.lose();
  const publisher = core.connect();
  const batch = Array.from(
    { length: 1_000 },
    (_, i) => publishPacket("a", "x", { qos: 1, packetId: i + 1 }),
  );
  const bytes = concatenate(batch.map(encodePacket));
  for (let round = 0; round < 20; round++) publisher.sendBytes(bytes);
  const { statistics } = core;
  assertEquals(statistics.queuedMessages, 20_000);
  store.delays = true;
  core.broker.setPressure(SHED_QUEUES);
  core.broker.shedMore({ share: 1, floorBytes: 0 });
  for (let turn = 0; turn < 3; turn++) core.turn();
  assertEquals(statistics.queuedMessages, 20_000 - 4_096);
  core.release(store.sealed);
  assertEquals(statistics.queuedMessages, 20_000 - 2 * 4_096);
  store.delays = false;
  core.release(store.sealed);
  for (let turn = 0; turn < 8; turn++) core.turn();
  assertEquals([statistics.queuedMessages, statistics.deadLetters], [0, 20_000]);
});

Deno.test("publishers are not faster than what is given up can be written", () => {
  const { core, store } = coreWith(PLENTY);
  away(core, "a", 10);
  const publisher = core.connect();
  store.slow = true;
  core.broker.setPressure(SHED_QUEUES);
  let sent = 0;
  for (; publisher.connection.readable && sent < 1_000; sent++) {
    publisher.send(publishPacket("a", "x".repeat(10_000), { qos: 1, packetId: sent + 1 }));
  }
  assert(sent > 20 && sent < 28, `${sent}: some 262,144 bytes may wait for the store`);
  store.slow = false;
  core.release(store.progress());
  assert(publisher.connection.readable);
});

Deno.test("large messages count by their size", () => {
  const { core, store } = coreWith({ ...PLENTY, packetBytesMax: 1_048_576 });
  const client = core.connect({ clientIdentifier: "a", cleanSession: false });
  client.subscribe("a", 1);
  client.lose();
  const publisher = core.connect();
  for (let i = 0; i < 10; i++) publisher.publish("a", "x".repeat(1_000_000), { qos: 1 });
  store.slow = true;
  core.broker.setPressure(SHED_QUEUES);
  core.broker.shedMore({ share: 1, floorBytes: 0 });
  for (let turn = 0; turn < 3; turn++) core.turn();
  assertEquals(core.statistics.queuedMessages, 5, "a little above 4 MiB");
});

Deno.test("what is shed is level: no queue loses anything while a much larger one is there", () => {
  const random = new Random(4);
  for (let round = 0; round < 50; round++) {
    const core = new Core({ limits: PLENTY });
    const sizes = new Map<string, number>();
    for (let i = 0; i < 8; i++) {
      const count = random.below(60);
      sizes.set(`s${i}`, count);
      away(core, `s${i}`, count);
    }
    const all = core.statistics.queuedMessages;
    core.broker.setPressure(SHED_QUEUES);
    const share = random.below(100) / 100;
    core.broker.shedMore({ share, floorBytes: 0 });
    core.turn();
    const kept = core.statistics.queuedMessages;
    assertLessOrEqual(kept, Math.ceil(all * (1 - share)) + 1);
    assert(kept >= Math.floor(all * (1 - share)) - 8, "not much more than asked for");
    core.broker.setPressure(NONE);
    const left = [...sizes].map(([id, before]) => ({ before, after: come(core, id).length }));
    const largest = Math.max(...left.map(({ after }) => after));
    for (const { before, after } of left) {
      // Each queue gives whole messages: the last ones may be spared a few.
      if (after < before) assertGreater(after, largest - left.length - 1);
    }
  }
});
