/** What a hostile client may try in order to make the broker hold memory without bound. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import type { SubscriptionRequest } from "../../src/mqtt/mod.ts";
import { concatenate, connectPacket, filter, publishPacket } from "../support/wire_client.ts";
import { OPEN_ACCESS } from "../../src/broker/mod.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

/** Sends `bytes` again and again as long as the broker reads them; gives how often. */
function flood(client: FakeClient, bytes: Uint8Array, rounds: number): number {
  for (let round = 0; round < rounds; round++) {
    client.sendBytes(bytes);
    if (client.unread > 0) return round;
  }
  return rounds;
}

function outboxStaysBounded(core: Core, client: FakeClient, packet: Uint8Array): void {
  client.frozen = true;
  flood(client, concatenate(Array(1000).fill(packet)), 200);
  // The answers to one chunk more than the bound may be there: the bound stops the reading.
  assertLessOrEqual(client.connection.pendingBytes, core.limits.outboxBytesMax + 5 * 1000);
  client.thaw();
  assertEquals(client.connection.pendingBytes, 0);
  assertEquals(client.unread, 0);
}

Deno.test("A client that floods PINGREQ and reads nothing holds a bounded outbox", () => {
  const core = new Core();
  outboxStaysBounded(core, core.connect(), encodePacket({ type: "PINGREQ" }));
});

Deno.test("A client that floods QoS 1 PUBLISH and reads nothing holds a bounded outbox", () => {
  const core = new Core();
  const packet = publishPacket("a", "", { qos: 1, packetId: 1 });
  outboxStaysBounded(core, core.connect(), encodePacket(packet));
});

Deno.test("A client that repeats one QoS 2 PUBLISH and reads nothing holds a bounded outbox", () => {
  const core = new Core();
  const packet = publishPacket("a", "", { qos: 2, packetId: 1 });
  outboxStaysBounded(core, core.connect(), encodePacket(packet));
});

Deno.test("A client that floods PUBREL and reads nothing holds a bounded outbox", () => {
  const core = new Core();
  outboxStaysBounded(core, core.connect(), encodePacket({ type: "PUBREL", packetId: 1 }));
});

Deno.test("A client that floods PUBREC and reads nothing holds a bounded outbox", () => {
  const core = new Core();
  outboxStaysBounded(core, core.connect(), encodePacket({ type: "PUBREC", packetId: 1 }));
});

Deno.test("A client that floods UNSUBSCRIBE and reads nothing holds a bounded outbox", () => {
  const core = new Core();
  const packet = encodePacket({ type: "UNSUBSCRIBE", packetId: 1, filters: [filter("a")] });
  outboxStaysBounded(core, core.connect(), packet);
});

Deno.test("A client that floods SUBSCRIBE and reads nothing holds a bounded outbox", () => {
  const core = new Core();
  const subscriptions = [{ filter: filter("a"), qos: 0 as const }];
  const packet = encodePacket({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  outboxStaysBounded(core, core.connect(), packet);
});

function retain(core: Core, count: number, qos: 0 | 1): void {
  const publisher = core.connect();
  for (let i = 0; i < count; i++) {
    publisher.publish(`r/${i}`, "x".repeat(100), { qos, retain: true });
  }
  publisher.disconnect();
  assertEquals(core.statistics.retainedMessages, count);
}

Deno.test("One SUBSCRIBE that names a filter many times replays retained messages a bounded number of times", () => {
  const core = new Core();
  retain(core, 100, 0);
  const client = core.connect();
  client.frozen = true;
  const subscriptions: SubscriptionRequest[] = Array(1000).fill({ filter: filter("#"), qos: 0 });
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  const { queueMessagesMax } = core.limits;
  assertLessOrEqual(core.statistics.queuedMessages, queueMessagesMax + 2 * 100);
});

Deno.test("One SUBSCRIBE with many filters that match everything replays a bounded number of retained messages", () => {
  const core = new Core();
  const publisher = core.connect();
  for (let i = 0; i < 100; i++) publisher.publish(`a/b/c/d/e/f/${i}`, "x", { retain: true });
  const client = core.connect();
  client.frozen = true;
  const subscriptions = Array.from({ length: 64 }, (_, mask) => {
    const levels = [..."abcdef"].map((level, bit) => (mask >> bit) & 1 ? "+" : level);
    return { filter: filter([...levels, "#"].join("/")), qos: 0 as const };
  });
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  assertLessOrEqual(core.statistics.queuedMessages, core.limits.queueMessagesMax + 2 * 100);
});

Deno.test("A full total of queued bytes does not cut off a connected client that keeps up", () => {
  const core = new Core({ limits: { queueBytesMax: 65_536, queueTotalBytesMax: 65_536 } });
  const absent = core.connect({ clientIdentifier: "absent", cleanSession: false });
  absent.subscribe("load", 1);
  absent.lose();
  const subscriber = core.connect();
  subscriber.subscribe("alarm", 1);
  const publisher = core.connect();
  for (let i = 0; i < 20; i++) publisher.publish("load", "x".repeat(10_000), { qos: 1 });
  assertEquals(core.statistics.dropped["queue-full-newest"] > 0, true);
  const dropped = core.statistics.dropped["queue-full-newest"];
  for (let i = 0; i < 20; i++) {
    publisher.publish("alarm", `${i}`, { qos: 1 });
    const { packetId } = subscriber.take("PUBLISH");
    subscriber.send({ type: "PUBACK", packetId });
  }
  assertEquals(core.statistics.dropped["queue-full-newest"], dropped);
});

Deno.test("A client that has too many retained messages to acknowledge is still read", () => {
  const core = new Core({ limits: { retainedMessagesMax: 1000 } });
  retain(core, 300, 1);
  const client = core.connect();
  client.subscribe("#", 1);
  const seen: string[] = [];
  for (let round = 0; round < 300 && seen.length < 300; round++) {
    for (const message of client.takeMessages()) {
      seen.push(message.topic);
      client.send({ type: "PUBACK", packetId: message.packetId });
    }
    core.advance(250);
  }
  assertEquals(seen.length, 300);
});

Deno.test("A connection with CONNECT still pending holds no more than its CONNECT", () => {
  const core = new Core({
    policy: {
      ...OPEN_ACCESS,
      generation: 1,
      connect: () => ({ kind: "pending" }),
      publish: () => "allow",
      subscribe: (_client, { qos }) => qos,
      read: null,
    },
  });
  const client = core.open();
  const connect = encodePacket(connectPacket({ clientIdentifier: "p" }));
  client.sendBytes(concatenate([connect, Uint8Array.of(0xc0, 0, 0xc0, 0)]));
  assertEquals(client.unread, 4);
  assertEquals(core.broker.takeAuthentications().length, 1);
});
