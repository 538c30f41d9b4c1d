/** Limits of queues, subscriptions and identifiers, what is counted, and that nothing leaks. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { OPEN_ACCESS } from "../../src/broker/mod.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { concatenate, filter, publishPacket, text } from "../support/wire_client.ts";
import { Core, type CoreOptions, NOTHING_LEFT } from "./_core.ts";
import { RecordingStore } from "./_recording_store.ts";

/** Publishes numbered messages to a session that is away; gives the core. */
function flood(count: number, limits: CoreOptions["limits"] & object, size = 1): Core {
  const core = new Core({ limits });
  const away = core.connect({ clientIdentifier: "away", cleanSession: false });
  away.subscribe("t", 1);
  away.lose();
  const publisher = core.connect();
  for (let i = 0; i < count; i++) publisher.publish("t", `${i}`.padEnd(size), { qos: 1 });
  return core;
}

/** What the session that was away gets. */
function delivered(core: Core): number[] {
  const client = core.connect({ clientIdentifier: "away", cleanSession: false });
  const numbers: number[] = [];
  while (client.inbox.length > 0) {
    for (const message of client.takeMessages()) {
      numbers.push(Number(text(message.payload)));
      client.send({ type: "PUBACK", packetId: message.packetId });
    }
  }
  client.disconnect();
  return numbers;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

Deno.test("drop_newest keeps the oldest messages of a full queue and counts the others", () => {
  const core = flood(150, { queueMessagesMax: 100, queueFull: "drop_newest" });
  assertEquals([core.statistics.queuedMessages, core.statistics.dropped["queue-full-newest"]], [
    100,
    50,
  ]);
  assertEquals(delivered(core), range(0, 100));
});

Deno.test("drop_oldest keeps the newest messages of a full queue and counts the others", () => {
  const core = flood(150, { queueMessagesMax: 100, queueFull: "drop_oldest" });
  assertEquals([core.statistics.queuedMessages, core.statistics.dropped["queue-full-oldest"]], [
    100,
    50,
  ]);
  assertEquals(core.store.load().sessions[0]!.deliveries.length, 100);
  assertEquals(delivered(core), range(50, 150));
});

Deno.test("the bytes of a queue are bounded by both policies", () => {
  for (const queueFull of ["drop_newest", "drop_oldest"] as const) {
    const core = flood(50, { queueBytesMax: 20_000, queueFull }, 1_000);
    assertLessOrEqual(core.statistics.queuedBytes, 20_000);
    const { dropped } = core.statistics;
    const lost = dropped["queue-full-newest"] + dropped["queue-full-oldest"];
    assertEquals(core.statistics.queuedMessages + lost, 50);
    assertEquals(delivered(core).length, 50 - lost);
  }
});

Deno.test("the bytes of all queues are bounded together", () => {
  const core = new Core({ limits: { queueTotalBytesMax: 30_000 } });
  for (const id of ["a", "b", "c", "d"]) {
    const away = core.connect({ clientIdentifier: id, cleanSession: false });
    away.subscribe("t", 1);
    away.lose();
  }
  const publisher = core.connect();
  for (let i = 0; i < 50; i++) publisher.publish("t", "x".repeat(500), { qos: 1 });
  assertLessOrEqual(core.statistics.queuedBytes, 30_000);
});

Deno.test("drop_oldest gives nothing up for a message that cannot fit anyway", () => {
  const core = flood(5, { queueBytesMax: 2_000, queueFull: "drop_oldest" });
  core.connect().publish("t", "x".repeat(5_000), { qos: 1 });
  assertEquals(delivered(core), range(0, 5));
});

Deno.test("drop_oldest gives no queue up for the memory that other queues take", () => {
  const core = new Core({ limits: { queueTotalBytesMax: 20_000, queueFull: "drop_oldest" } });
  for (const id of ["away", "greedy"]) {
    const client = core.connect({ clientIdentifier: id, cleanSession: false });
    client.subscribe(id === "away" ? "t" : "flood", 1);
    client.lose();
  }
  const publisher = core.connect();
  for (let i = 0; i < 5; i++) publisher.publish("t", `${i}`, { qos: 1 });
  for (let i = 0; i < 40; i++) publisher.publish("flood", "x".repeat(1_000), { qos: 1 });
  publisher.publish("t", "5".padEnd(3_000), { qos: 1 });
  assertEquals(delivered(core).slice(0, 5), range(0, 5));
});

Deno.test("drop_oldest gives no queue up for the places that other queues take", () => {
  const store = new RecordingStore();
  const first = new Core({ store });
  for (const id of ["away", "greedy"]) {
    const client = first.connect({ clientIdentifier: id, cleanSession: false });
    client.subscribe(id === "away" ? "t" : "flood", 1);
    client.lose();
  }
  const before = first.connect();
  for (let i = 0; i < 5; i++) before.publish("t", `${i}`, { qos: 1 });
  for (let i = 0; i < 40; i++) before.publish("flood", "x", { qos: 1 });
  const limits = { queueTotalMessagesMax: 20, queueFull: "drop_oldest" } as const;
  const core = new Core({ store: store.afterCrash(), limits });
  core.connect().publish("t", "5", { qos: 1 });
  assertEquals(delivered(core), range(0, 5));
  assertEquals(core.statistics.dropped["queue-full-newest"], 1);
});

Deno.test("a queue whose oldest messages are given up all the time does not grow in memory", () => {
  for (const full of [true, false]) {
    const limits = full
      ? { queueMessagesMax: 10, queueFull: "drop_oldest" as const }
      : { queueMessageExpiryMs: 1_000 };
    const core = new Core({ limits: { ...limits, deadLettersMessagesMax: 0 } });
    const client = core.connect({ clientIdentifier: "away", cleanSession: false });
    client.subscribe("t", 1);
    const { queue } = client.connection.session!;
    client.lose();
    const publisher = core.connect();
    for (let i = 0; i < 8_000; i++) {
      publisher.publish("t", "x", { qos: 1 });
      if (!full) core.advance(250);
    }
    assertLessOrEqual(queue.slots, 2_100);
  }
});

Deno.test("QoS 0 is not kept for a client that is away [MQTT-3.1.2-5]", () => {
  const core = new Core();
  const away = core.connect({ clientIdentifier: "away", cleanSession: false });
  away.subscribe("t", 1);
  away.lose();
  core.connect().publish("t", "0");
  assertEquals(core.statistics.queuedMessages, 0);
  assertEquals(delivered(core), []);
});

Deno.test("subscriptions above the limits are refused with 0x80, known ones are not [MQTT-3.9.3-2]", () => {
  const core = new Core({ limits: { subscriptionsPerSessionMax: 2, subscriptionsMax: 3 } });
  const a = core.connect();
  assertEquals(["1", "2", "3", "1"].map((t) => a.subscribe(t, 1).returnCodes[0]), [1, 1, 128, 1]);
  const b = core.connect();
  assertEquals(["1", "2"].map((t) => b.subscribe(t, 2).returnCodes[0]), [2, 128]);
  a.disconnect();
  assertEquals(b.subscribe("2", 2).returnCodes, [2]);
  assertEquals(core.statistics.subscriptions, 2);
});

Deno.test("one SUBSCRIBE gets a return code for every filter, in order [MQTT-3.8.4-5]", () => {
  const core = new Core({ limits: { subscriptionsPerSessionMax: 2 } });
  const client = core.connect();
  const subscriptions = (["a", "b", "a", "c"] as const).map((t, i) => ({
    filter: filter(t),
    qos: (i % 3) as 0 | 1 | 2,
  }));
  client.send({ type: "SUBSCRIBE", packetId: 9, subscriptions });
  assertEquals(client.take("SUBACK"), {
    type: "SUBACK",
    packetId: 9,
    returnCodes: [0, 1, 2, 128],
  });
});

Deno.test("open QoS 2 identifiers are bounded, and free again after PUBREL", () => {
  const core = new Core({ limits: { receiveInFlightMax: 4 } });
  const client = core.connect();
  for (let packetId = 1; packetId <= 4; packetId++) {
    client.send(publishPacket("t", "x", { qos: 2, packetId }));
  }
  client.send(publishPacket("t", "x", { qos: 2, packetId: 1, dup: true }));
  client.send({ type: "PUBREL", packetId: 1 });
  client.send(publishPacket("t", "x", { qos: 2, packetId: 5 }));
  assertEquals(client.connection.closed, false);
  client.send(publishPacket("t", "x", { qos: 2, packetId: 6 }));
  assert(client.connection.closed);
  assertEquals([...core.statistics.protocolErrors.keys()], ["limit:receive_in_flight_max"]);
});

Deno.test("a refused publish is acknowledged and dropped, or ends the connection, as the policy says", () => {
  for (const verdict of ["drop", "close"] as const) {
    const core = new Core({
      policy: {
        ...OPEN_ACCESS,
        generation: 1,
        connect: () => ({ kind: "accept" }),
        publish: (_client, topic) => topic === "no" ? verdict : "allow",
        subscribe: (_client, request) => request.qos,
        read: null,
      },
    });
    const watcher = core.connect();
    watcher.subscribe("#", 2);
    const client = core.connect();
    const packets = [
      publishPacket("no", "1"),
      publishPacket("no", "2"),
      publishPacket("no", "3", { qos: 1, packetId: 1 }),
      publishPacket("yes", "4"),
    ];
    client.sendBytes(concatenate(packets.map(encodePacket)));
    const closed = verdict === "close";
    assertEquals(watcher.takeMessages().map((m) => m.topic as string), closed ? [] : ["yes"]);
    assertEquals(client.types, closed ? [] : ["PUBACK"]);
    assertEquals(core.statistics.dropped["publish-refused"], closed ? 1 : 3);
    assertEquals(client.connection.closed, closed);
  }
});

Deno.test("a new policy holds for the next message of a topic that was allowed", () => {
  const core = new Core();
  const watcher = core.connect();
  watcher.subscribe("t");
  const client = core.connect();
  client.publish("t", "1");
  core.broker.setPolicy({
    ...OPEN_ACCESS,
    generation: 2,
    connect: () => ({ kind: "accept" }),
    publish: () => "drop",
    subscribe: () => null,
    read: null,
  });
  client.publish("t", "2");
  assertEquals(watcher.takeMessages().length, 1);
  assertEquals(watcher.subscribe("u").returnCodes, [0x80]);
});

Deno.test("every gauge is 0 when everybody has left and every topic is cleared", () => {
  const core = new Core();
  const ids = ["a", "b", "c"];
  const clients = ids.map((id) => core.connect({ clientIdentifier: id, cleanSession: false }));
  for (const client of clients) client.subscribe("#", 2);
  clients[1]!.frozen = true;
  clients[2]!.lose();
  for (let i = 1; i < 60; i++) {
    const packet = publishPacket("t", `${i}`, {
      qos: (i % 3) as 0,
      packetId: i % 3 && i,
      retain: true,
    });
    clients[0]!.send(packet);
    core.advance(1_250);
  }
  for (const client of clients) client.lose();
  for (const id of ids) core.connect({ clientIdentifier: id }).disconnect();
  core.connect().publish("t", "", { retain: true });
  for (const connection of core.broker.connections()) {
    core.broker.close(connection, "shutdown", core.instant());
  }
  core.turn();
  assertEquals(core.gauges(), NOTHING_LEFT);
  assertEquals([core.statistics.retainedMessages, core.statistics.retainedBytes], [0, 0]);
  const { sessions, retained, wills } = core.store.load();
  assertEquals([sessions, retained, wills], [[], [], []]);
});
