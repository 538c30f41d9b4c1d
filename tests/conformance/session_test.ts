/** Sessions: Clean Session, Session Present, take-over; sections 3.1.2.4, 3.1.4, 3.2.2.2, 4.1, 4.5. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { filter, publishPacket, text, WireClient } from "../support/wire_client.ts";
import { expectNothing } from "./_raw.ts";

const CLEAN = { clientIdentifier: "c", cleanSession: true };
const KEPT = { clientIdentifier: "c", cleanSession: false };

Deno.test("a Session with Clean Session 0 is resumed after DISCONNECT and after a failure [MQTT-3.1.2-4] [MQTT-4.1.0-1]", async () => {
  await using broker = await TestBroker.start();
  const first = await WireClient.connect(broker.port, KEPT);
  await first.subscribe("t", 1);
  await first.disconnect();
  using publisher = await WireClient.connect(broker.port);
  for (const round of ["one", "two", "three"]) {
    const client = await WireClient.open(broker.port);
    assertEquals((await client.sendConnect(KEPT)).sessionPresent, true);
    await publisher.publish("t", round, { qos: 1 });
    assertEquals(text((await client.receiveMessage()).payload), round);
    await expectNothing(client);
    client.close();
  }
});

Deno.test("messages of QoS 1 and 2 wait for a client that is away, in order [MQTT-3.1.2-5] [MQTT-4.5.0-1]", async () => {
  await using broker = await TestBroker.start();
  const first = await WireClient.connect(broker.port, KEPT);
  await first.subscribe("t/#", 2);
  await first.disconnect();
  using publisher = await WireClient.connect(broker.port);
  const sent: [string, number][] = [];
  for (let index = 0; index < 40; index++) {
    const qos = index % 2 === 0 ? 1 : 2;
    sent.push([`m${index}`, qos]);
    await publisher.publish("t/x", `m${index}`, { qos });
  }
  using client = await WireClient.open(broker.port);
  assertEquals((await client.sendConnect(KEPT)).sessionPresent, true);
  const received: [string, number][] = [];
  for (const _ of sent) {
    const { payload, qos, dup, retain } = await client.expect("PUBLISH");
    received.push([text(payload), qos]);
    assertEquals({ dup, retain }, { dup: false, retain: false });
  }
  assertEquals(received, sent);
  await expectNothing(client);
});

Deno.test("a message waits for every absent client that subscribes to it and for no other [MQTT-3.1.2-5] [MQTT-4.5.0-1]", async () => {
  await using broker = await TestBroker.start();
  const filters = { a: "t/1", b: "t/+", c: "u/#", d: "#" };
  for (const [clientIdentifier, topicFilter] of Object.entries(filters)) {
    const client = await WireClient.connect(broker.port, { clientIdentifier, cleanSession: false });
    await client.subscribe(topicFilter, 1);
    await client.disconnect();
  }
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t/1", "x", { qos: 1 });
  const received = [];
  for (const clientIdentifier of Object.keys(filters)) {
    using client = await WireClient.connect(broker.port, { clientIdentifier, cleanSession: false });
    if (clientIdentifier !== "c") received.push(await client.receiveMessage());
    await expectNothing(client);
  }
  assertEquals(received.map(({ payload }) => text(payload)), ["x", "x", "x"]);
});

Deno.test("what was subscribed at the end counts, not what was before [MQTT-3.1.2-5]", async () => {
  await using broker = await TestBroker.start();
  const first = await WireClient.connect(broker.port, KEPT);
  await first.subscribe("stays", 1);
  await first.subscribe("goes", 1);
  await first.send({ type: "UNSUBSCRIBE", packetId: 2, filters: [filter("goes")] });
  await first.expect("UNSUBACK");
  await first.disconnect();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("goes", "no", { qos: 1 });
  await publisher.publish("stays", "yes", { qos: 1 });
  using client = await WireClient.connect(broker.port, KEPT);
  assertEquals(text((await client.receiveMessage()).payload), "yes");
  await expectNothing(client);
});

Deno.test("Clean Session 1 discards the old subscriptions and messages [MQTT-3.1.2-6]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  const first = await WireClient.connect(broker.port, KEPT);
  await first.subscribe("t", 2);
  // In flight, and not acknowledged.
  await publisher.publish("t", "in flight", { qos: 2 });
  await first.expect("PUBLISH");
  await first.disconnect();
  await publisher.publish("t", "queued", { qos: 1 });
  using client = await WireClient.open(broker.port);
  assertEquals((await client.sendConnect(CLEAN)).sessionPresent, false);
  await publisher.publish("t", "unheard", { qos: 1 });
  await expectNothing(client);
  await client.disconnect();
  // The discarded state does not come back either.
  using again = await WireClient.open(broker.port);
  assertEquals((await again.sendConnect(KEPT)).sessionPresent, false);
  await expectNothing(again);
});

Deno.test("Clean Session 1 forgets the QoS 2 messages it was receiving [MQTT-3.1.2-6]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("t", 0);
  const first = await WireClient.connect(broker.port, KEPT);
  await first.send(publishPacket("t", "old", { qos: 2, packetId: 7 }));
  await first.expect("PUBREC");
  await first.disconnect();
  assertEquals(text((await watcher.receiveMessage()).payload), "old");
  using client = await WireClient.connect(broker.port, CLEAN);
  await client.send(publishPacket("t", "new", { qos: 2, packetId: 7 }));
  await client.expect("PUBREC");
  assertEquals(text((await watcher.receiveMessage()).payload), "new");
});

Deno.test("a Session with Clean Session 1 ends with its connection [MQTT-3.1.2-6]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  const first = await WireClient.connect(broker.port, CLEAN);
  await first.subscribe("t", 1);
  await first.disconnect();
  await publisher.publish("t", "unheard", { qos: 1 });
  using client = await WireClient.open(broker.port);
  assertEquals((await client.sendConnect(KEPT)).sessionPresent, false);
  await publisher.publish("t", "unheard", { qos: 1 });
  await expectNothing(client);
});

Deno.test("retained messages outlive the Session that published them [MQTT-3.1.2-7]", async () => {
  await using broker = await TestBroker.start();
  for (const options of [CLEAN, KEPT]) {
    const topic = `retained/${options.cleanSession}`;
    const client = await WireClient.connect(broker.port, options);
    await client.publish(topic, "kept", { qos: 1, retain: true });
    await client.disconnect();
  }
  // The second of them is discarded by this.
  using next = await WireClient.connect(broker.port, CLEAN);
  await next.subscribe("retained/+", 1);
  assertEquals(text((await next.receiveMessage()).payload), "kept");
  assertEquals(text((await next.receiveMessage()).payload), "kept");
});

/** What a client did before, what it asks for now, and what Session Present says. */
const SESSION_PRESENT = [
  { sentence: "Session Present is 0 for a clean start of a new client [MQTT-3.2.2-1]", now: CLEAN },
  {
    sentence: "Session Present is 0 for Clean Session 1 after a clean Session [MQTT-3.2.2-1]",
    before: CLEAN,
    now: CLEAN,
  },
  {
    sentence:
      "Session Present is 0 for Clean Session 1 although a Session is stored [MQTT-3.2.2-1]",
    before: KEPT,
    now: CLEAN,
  },
  {
    sentence: "Session Present is 1 for Clean Session 0 and a stored Session [MQTT-3.2.2-2]",
    before: KEPT,
    now: KEPT,
    present: true,
  },
  {
    sentence: "Session Present is 0 for Clean Session 0 and a new client [MQTT-3.2.2-3]",
    now: KEPT,
  },
  {
    sentence: "Session Present is 0 for Clean Session 0 after a clean Session [MQTT-3.2.2-3]",
    before: CLEAN,
    now: KEPT,
  },
];

for (const { sentence, before, now, present = false } of SESSION_PRESENT) {
  Deno.test(`${sentence}, after a DISCONNECT and in a take-over`, async () => {
    for (const end of ["disconnect", "take-over"]) {
      await using broker = await TestBroker.start();
      using older = await WireClient.open(broker.port);
      if (before !== undefined) {
        await older.sendConnect(before);
        await older.subscribe("t", 1);
        if (end === "disconnect") await older.disconnect();
      }
      using client = await WireClient.open(broker.port);
      assertEquals(await client.sendConnect(now), {
        type: "CONNACK",
        sessionPresent: present,
        returnCode: 0,
      });
      // The state is what Session Present says.
      using publisher = await WireClient.connect(broker.port);
      await publisher.publish("t", "x", { qos: 1 });
      if (present) await client.receiveMessage();
      await expectNothing(client);
    }
  });
}

Deno.test("an empty Session is a stored Session [MQTT-3.2.2-2]", async () => {
  await using broker = await TestBroker.start();
  const first = await WireClient.connect(broker.port, KEPT);
  await first.disconnect();
  using client = await WireClient.open(broker.port);
  assertEquals((await client.sendConnect(KEPT)).sessionPresent, true);
});

for (const before of [CLEAN, KEPT]) {
  for (const now of [CLEAN, KEPT]) {
    const change = `Clean Session ${Number(before.cleanSession)} to ${Number(now.cleanSession)}`;
    Deno.test(`a CONNECT with its Client Identifier ends the older connection, ${change} [MQTT-3.1.4-2] [MQTT-3.1.4-3]`, async () => {
      await using broker = await TestBroker.start();
      using older = await WireClient.connect(broker.port, before);
      await older.subscribe("t", 1);
      using client = await WireClient.open(broker.port);
      const { sessionPresent } = await client.sendConnect(now);
      assertEquals(sessionPresent, !before.cleanSession && !now.cleanSession);
      assertEquals(await older.expectClosed(), []);
      // The new connection is not harmed by the end of the old one.
      await client.subscribe("u", 1);
      using publisher = await WireClient.connect(broker.port);
      await publisher.publish("u", "x", { qos: 1 });
      assertEquals(text((await client.receiveMessage()).payload), "x");
    });
  }
}

Deno.test("take-over resumes what was in flight on the older connection [MQTT-3.1.4-2] [MQTT-3.1.4-3]", async () => {
  await using broker = await TestBroker.start();
  using older = await WireClient.connect(broker.port, KEPT);
  await older.subscribe("t", 1);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "x", { qos: 1 });
  const original = await older.expect("PUBLISH");
  using client = await WireClient.connect(broker.port, KEPT);
  assertEquals(await client.receiveMessage(), { ...original, dup: true });
});

Deno.test("a Session lasts as long as its connection, whatever the expiry [MQTT-4.1.0-2]", async () => {
  await using broker = await TestBroker.start({ session: { expiryMs: 1 } });
  using active = await WireClient.connect(broker.port, KEPT);
  await active.subscribe("t", 1);
  using clean = await WireClient.connect(broker.port, { clientIdentifier: "clean" });
  await clean.subscribe("t", 1);
  const away = { clientIdentifier: "away", cleanSession: false };
  await (await WireClient.connect(broker.port, away)).disconnect();
  // Wait until expiry has been at work.
  const { statistics } = broker.server.broker;
  while (statistics.sessionsExpired === 0) await active.drain();
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "x", { qos: 1 });
  assertEquals(text((await active.receiveMessage()).payload), "x");
  assertEquals(text((await clean.receiveMessage()).payload), "x");
});

Deno.test("a message goes to every matching Session, connected or not [MQTT-4.5.0-1]", async () => {
  await using broker = await TestBroker.start();
  const away = { clientIdentifier: "away", cleanSession: false };
  const before = await WireClient.connect(broker.port, away);
  await before.subscribe("t", 1);
  await before.disconnect();
  using one = await WireClient.connect(broker.port);
  await one.subscribe("t", 1);
  using two = await WireClient.connect(broker.port);
  await two.subscribe("+", 2);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("t", "x", { qos: 2 });
  using back = await WireClient.connect(broker.port, away);
  const qos = [];
  for (const client of [one, two, back]) qos.push((await client.receiveMessage()).qos);
  assertEquals(qos, [1, 2, 1]);
});
