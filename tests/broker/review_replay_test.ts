/** Regressions: retained messages that answer a SUBSCRIBE, in bounded steps and completely. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { PublishPacket, Qos } from "../../src/mqtt/mod.ts";
import { concatenate, filter, publishPacket, text } from "../support/wire_client.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

const ROOTS = 5_000;
/** Every hundredth root has a message below `x`, the others below `y`. */
const MATCHING = Array.from({ length: ROOTS / 100 }, (_, i) => `r${i * 100}/x`);

function wideTree(): Core {
  const core = new Core({
    limits: { retainedMessagesMax: ROOTS, retainedBytesMax: 1 << 28 },
  });
  const publisher = core.connect();
  for (let i = 0; i < ROOTS; i++) {
    const topic = i % 100 === 0 ? `r${i}/x` : `r${i}/y`;
    publisher.present(encodePacket(publishPacket(topic, "v", { retain: true })));
  }
  publisher.disconnect();
  assertEquals(core.statistics.retainedMessages, ROOTS);
  return core;
}

/** Filters that walk the whole tree and match nothing, and one that matches behind them. */
function subscribeWidely(client: FakeClient): void {
  const filters = Array.from({ length: 90 }, (_, i) => `+/none${i}`);
  filters.push("+/x", "+/none0", "+/x");
  const subscriptions = filters.map((f) => ({ filter: filter(f), qos: 0 as Qos }));
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  client.take("SUBACK");
}

/** Acknowledges until nothing more comes; gives all messages. */
function receiveAll(client: FakeClient): PublishPacket[] {
  const messages: PublishPacket[] = [];
  while (client.inbox.length > 0) {
    for (const packet of client.takeMessages()) {
      messages.push(packet);
      if (packet.qos > 0) client.send({ type: "PUBACK", packetId: packet.packetId });
    }
  }
  return messages;
}

function values(messages: readonly PublishPacket[]): string[] {
  return messages.map((m) => text(m.payload));
}

/** A client whose window is full of `block`, so that its replay of `r/#` waits behind. */
function withPendingReplay(core: Core): FakeClient {
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  client.subscribe("block", 1);
  const publisher = core.connect();
  for (let i = 0; i < core.limits.inFlightMessagesMax; i++) {
    publisher.publish("block", "x", { qos: 1 });
  }
  publisher.disconnect();
  const subscriptions = [{ filter: filter("r/#"), qos: 1 as const }];
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  client.takeAll();
  return client;
}

function comeBack(core: Core): FakeClient {
  return core.connect({ clientIdentifier: "c", cleanSession: false });
}

/** Everything that is not the block. */
function replayed(client: FakeClient): PublishPacket[] {
  return receiveAll(client).filter((m) => m.topic !== "block");
}

Deno.test("one SUBSCRIBE with filters that match nothing walks in bounded steps, and others are served between", () => {
  const core = wideTree();
  const client = core.connect();
  const other = core.connect();
  subscribeWidely(client);
  let turns = 0;
  while (core.broker.replaysWait) {
    other.send({ type: "PINGREQ" });
    other.take("PINGRESP");
    assert(core.broker.replaysWait, "the turn of another client walked on");
    core.broker.continueReplays(core.instant());
    core.turn();
    turns++;
  }
  assertGreater(turns, 20);
  assertLess(turns, 200);
});

Deno.test("retained messages behind a long walk arrive all, once each [MQTT-3.3.1-6]", () => {
  const core = wideTree();
  const client = core.connect();
  subscribeWidely(client);
  assertEquals(core.broker.replaysWait, true);
  assertEquals(client.inbox, []);
  for (let ticks = 0; core.broker.replaysWait && ticks < 200; ticks++) core.advance(250);
  assertEquals(core.broker.replaysWait, false);
  const messages = client.takeMessages();
  assertEquals(messages.map((m) => m.topic as string).toSorted(), MATCHING.toSorted());
  assertEquals(messages.every((m) => m.retain), true);
});

Deno.test("a client that leaves during a long walk leaves no walk behind", () => {
  const core = wideTree();
  const client = core.connect();
  subscribeWidely(client);
  client.lose();
  core.broker.continueReplays(core.instant());
  core.turn();
  assertEquals(core.broker.replaysWait, false);
});

Deno.test("a long walk goes on when its client is back", () => {
  const core = wideTree();
  subscribeWidely(core.connect({ clientIdentifier: "c", cleanSession: false }));
  const again = comeBack(core);
  for (let ticks = 0; core.broker.replaysWait && ticks < 200; ticks++) core.advance(250);
  const topics = again.takeMessages().map((m) => m.topic as string);
  assertEquals(topics.toSorted(), MATCHING.toSorted());
});

Deno.test("a filter that stands twice in one SUBSCRIBE is replayed once, at its last QoS [MQTT-3.8.4-3]", () => {
  const core = new Core();
  core.connect().publish("r", "v", { qos: 1, retain: true });
  const client = core.connect();
  const subscriptions = ([0, 1, 0, 1] as const).map((qos) => ({ filter: filter("r"), qos }));
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  assertEquals(client.takeMessages().map((m) => [m.qos, text(m.payload)]), [[1, "v"]]);
});

Deno.test("a topic updated at QoS 0 while its replay waits for an absent client is replayed", () => {
  const core = new Core();
  const publisher = core.connect();
  for (let i = 0; i < 4; i++) publisher.publish(`r/${i}`, "old", { qos: 1, retain: true });
  withPendingReplay(core).lose();
  publisher.publish("r/3", "new", { retain: true });
  const got = replayed(comeBack(core)).map((m) => `${m.topic} ${text(m.payload)}`);
  assertEquals(got, ["r/0 old", "r/1 old", "r/2 old", "r/3 new"]);
});

Deno.test("the message that a replay would send next is replayed as it is when the client is back", () => {
  const core = new Core();
  const publisher = core.connect();
  for (let i = 0; i < 10; i++) publisher.publish(`r/${i}`, "old", { qos: 1, retain: true });
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  const subscriptions = [{ filter: filter("r/#"), qos: 1 as const }];
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  const sent = client.takeMessages().length;
  assertEquals(sent, core.limits.inFlightMessagesMax);
  client.lose();
  for (let i = sent; i < 10; i++) publisher.publish(`r/${i}`, "new", { retain: true });
  const got = receiveAll(comeBack(core)).filter((m) => !m.dup);
  assertEquals(values(got), ["new", "new"]);
});

Deno.test("messages kept for an absent client are not overtaken by its replay [MQTT-4.6.0-6]", () => {
  const core = new Core();
  const publisher = core.connect();
  for (const topic of ["r/0", "r/1"]) publisher.publish(topic, "0", { qos: 1, retain: true });
  withPendingReplay(core).lose();
  for (const value of ["1", "2", "3"]) publisher.publish("r/1", value, { qos: 1, retain: true });
  const got = values(replayed(comeBack(core)));
  assertEquals(got, got.toSorted());
});

Deno.test("messages that come when an absent client is back are not overtaken by its replay [MQTT-4.6.0-6]", () => {
  const core = new Core();
  const publisher = core.connect();
  for (const topic of ["r/0", "r/1"]) publisher.publish(topic, "0", { qos: 1, retain: true });
  withPendingReplay(core).lose();
  const again = comeBack(core); // its window is full of what it did not acknowledge
  for (const value of ["1", "2", "3"]) publisher.publish("r/1", value, { qos: 1, retain: true });
  const got = values(replayed(again));
  assertEquals(got, got.toSorted());
});

Deno.test("drop_oldest drops the oldest delivery behind a replay, not the newest", () => {
  const core = new Core({ limits: { queueFull: "drop_oldest", queueMessagesMax: 5 } });
  const publisher = core.connect();
  publisher.publish("r/0", "kept", { qos: 1, retain: true });
  const client = withPendingReplay(core);
  client.subscribe("t", 1);
  client.lose();
  const burst = Array.from(
    { length: 10 },
    (_, i) => encodePacket(publishPacket("t", `m${i}`, { qos: 1, packetId: 1 })),
  );
  publisher.sendBytes(concatenate(burst));
  assertEquals(core.statistics.dropped["queue-full-oldest"], 5);
  assertEquals(values(replayed(comeBack(core))), ["kept", "m5", "m6", "m7", "m8", "m9"]);
  assertEquals([core.statistics.queuedMessages, core.statistics.queuedBytes], [0, 0]);
});
