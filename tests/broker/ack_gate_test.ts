/** Nothing that promises durability leaves before its batch is committed; the rest passes by. */
import { assertEquals } from "@std/assert";
import { connectPacket, filter, name, publishPacket } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import { DelayedStore } from "./_delayed_store.ts";
import type { FakeClient } from "./_fake_client.ts";

/** A core whose batches wait, and a way to commit all of them. */
function delayed(): { core: Core; store: DelayedStore; commitAll: () => void } {
  const store = new DelayedStore();
  const core = new Core({ store });
  return { core, store, commitAll: () => core.release(store.sealed) };
}

/** A client with Clean Session 0 whose CONNACK has been released. */
function persistent(core: Core, store: DelayedStore, id: string): FakeClient {
  const client = core.open();
  client.sendConnect({ clientIdentifier: id, cleanSession: false });
  core.release(store.sealed);
  client.take("CONNACK");
  return client;
}

function subscribed(core: Core, store: DelayedStore, id: string, qos: 0 | 1 | 2): FakeClient {
  const client = persistent(core, store, id);
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions: [{ filter: filter("t"), qos }] });
  core.release(store.sealed);
  client.take("SUBACK");
  return client;
}

Deno.test("CONNACK of a persistent session waits for its commit", () => {
  const { core, commitAll } = delayed();
  const client = core.open();
  client.sendConnect({ clientIdentifier: "c", cleanSession: false });
  assertEquals(client.types, []);
  commitAll();
  assertEquals(client.types, ["CONNACK"]);
});

Deno.test("CONNACK with a Will waits for its commit, without one it does not", () => {
  const { core, commitAll } = delayed();
  const plain = core.open();
  plain.sendConnect();
  assertEquals(plain.types, ["CONNACK"]);
  const dying = core.open();
  dying.sendConnect({ will: { topic: name("will") } });
  assertEquals(dying.types, []);
  commitAll();
  assertEquals(dying.types, ["CONNACK"]);
});

Deno.test("SUBACK and UNSUBACK of a persistent session wait for their commits", () => {
  const { core, store, commitAll } = delayed();
  const client = persistent(core, store, "c");
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions: [{ filter: filter("t"), qos: 1 }] });
  assertEquals(client.types, []);
  commitAll();
  assertEquals(client.types, ["SUBACK"]);
  client.send({ type: "UNSUBSCRIBE", packetId: 2, filters: [filter("t")] });
  assertEquals(client.types, ["SUBACK"]);
  commitAll();
  assertEquals(client.types, ["SUBACK", "UNSUBACK"]);
});

Deno.test("PUBACK waits while the message is on its way to a persistent session", () => {
  const { core, store, commitAll } = delayed();
  const subscriber = subscribed(core, store, "s", 1);
  const publisher = core.connect();
  publisher.send(publishPacket("t", "x", { qos: 1, packetId: 1 }));
  assertEquals(publisher.types, []);
  assertEquals(subscriber.types, ["PUBLISH"], "QoS 1 may come twice and need not wait");
  commitAll();
  assertEquals(publisher.types, ["PUBACK"]);
});

Deno.test("PUBACK waits for a retained message and does not wait without any record", () => {
  const { core, commitAll } = delayed();
  const publisher = core.connect();
  publisher.send(publishPacket("t", "x", { qos: 1, packetId: 1 }));
  assertEquals(publisher.types, ["PUBACK"]);
  publisher.send(publishPacket("t", "x", { qos: 1, packetId: 2, retain: true }));
  assertEquals(publisher.types, ["PUBACK"]);
  commitAll();
  assertEquals(publisher.types, ["PUBACK", "PUBACK"]);
});

Deno.test("PUBREC and PUBCOMP of a persistent publisher wait for their commits", () => {
  const { core, store, commitAll } = delayed();
  const publisher = persistent(core, store, "p");
  publisher.send(publishPacket("t", "x", { qos: 2, packetId: 1 }));
  assertEquals(publisher.types, []);
  commitAll();
  assertEquals(publisher.types, ["PUBREC"]);
  publisher.send({ type: "PUBREL", packetId: 1 });
  assertEquals(publisher.types, ["PUBREC"]);
  commitAll();
  assertEquals(publisher.types, ["PUBREC", "PUBCOMP"]);
});

Deno.test("a QoS 2 delivery and its PUBREL wait for their commits", () => {
  const { core, store, commitAll } = delayed();
  const subscriber = subscribed(core, store, "s", 2);
  core.connect().send(publishPacket("t", "x", { qos: 2, packetId: 1 }));
  assertEquals(subscriber.types, []);
  commitAll();
  const { packetId } = subscriber.take("PUBLISH");
  subscriber.send({ type: "PUBREC", packetId });
  assertEquals(subscriber.types, []);
  commitAll();
  assertEquals(subscriber.types, ["PUBREL"]);
});

Deno.test("QoS 0, PINGRESP and what is not durable pass by acknowledgements that wait", () => {
  const { core, store, commitAll } = delayed();
  const client = subscribed(core, store, "c", 1);
  client.send(publishPacket("r", "x", { qos: 1, packetId: 7, retain: true }));
  core.connect().send(publishPacket("t", "0"));
  client.send({ type: "PINGREQ" });
  assertEquals(client.types.toSorted(), ["PINGRESP", "PUBLISH"]);
  commitAll();
  assertEquals(client.types.at(-1), "PUBACK");
});

Deno.test("acknowledgements keep the order of their packets [MQTT-4.6.0-2] [MQTT-4.6.0-3]", () => {
  const { core, store, commitAll } = delayed();
  const client = core.connect();
  client.send(
    publishPacket("t", "x", { qos: 1, packetId: 1, retain: true }),
    publishPacket("u", "x", { qos: 1, packetId: 2 }),
    publishPacket("u", "x", { qos: 2, packetId: 3 }),
    { type: "UNSUBSCRIBE", packetId: 4, filters: [filter("none")] },
  );
  const first = store.sealed;
  client.send(publishPacket("t", "y", { qos: 1, packetId: 5, retain: true }));
  client.send(publishPacket("u", "y", { qos: 1, packetId: 6 }));
  assertEquals(client.types, []);
  core.release(first);
  assertEquals(client.types, ["PUBACK", "PUBACK", "PUBREC", "UNSUBACK"]);
  commitAll();
  const ids = client.takeAll().map((packet) => "packetId" in packet ? packet.packetId : 0);
  assertEquals(ids, [1, 2, 3, 4, 5, 6]);
});

Deno.test("deliveries keep their order behind a QoS 2 delivery that waits [MQTT-4.6.0-6]", () => {
  const { core, store, commitAll } = delayed();
  const subscriber = subscribed(core, store, "s", 2);
  const publisher = core.connect();
  publisher.send(publishPacket("t", "0"));
  publisher.send(publishPacket("t", "1", { qos: 2, packetId: 1 }));
  publisher.send(publishPacket("t", "2"));
  publisher.send(publishPacket("t", "3", { qos: 1, packetId: 2 }));
  publisher.send(publishPacket("t", "4"), publishPacket("t", "5"));
  assertEquals(subscriber.inbox.length, 1);
  commitAll();
  const got = subscriber.takeMessages().map((m) => String.fromCharCode(m.payload[0]!)).join("");
  assertEquals(got, "012345");
});

Deno.test("nothing overtakes the CONNACK of a resumed session [MQTT-3.2.0-1]", () => {
  const { core, store, commitAll } = delayed();
  const first = subscribed(core, store, "c", 2);
  first.lose();
  core.connect().send(
    publishPacket("t", "1", { qos: 1, packetId: 1 }),
    publishPacket("t", "2", { qos: 2, packetId: 2 }),
  );
  const again = core.open();
  again.send(
    connectPacket({ clientIdentifier: "c", cleanSession: false }),
    { type: "SUBSCRIBE", packetId: 1, subscriptions: [{ filter: filter("u"), qos: 0 }] },
    publishPacket("u", "0"),
    { type: "PUBREL", packetId: 99 },
    { type: "PUBREC", packetId: 98 },
  );
  core.connect().send(publishPacket("u", "3"));
  assertEquals(again.types, []);
  commitAll();
  assertEquals(again.types[0], "CONNACK");
  assertEquals(again.types.toSorted(), [
    "CONNACK",
    "PUBCOMP",
    "PUBLISH",
    "PUBLISH",
    "PUBLISH",
    "PUBLISH",
    "PUBREL",
    "SUBACK",
  ]);
});

Deno.test("a connection that is lost before the commit gets nothing, and nothing breaks", () => {
  const { core, store, commitAll } = delayed();
  const client = subscribed(core, store, "c", 2);
  client.send(publishPacket("r", "x", { qos: 1, packetId: 1, retain: true }));
  client.lose();
  commitAll();
  assertEquals(client.types, []);
  assertEquals(core.statistics.connectionsOpen, 0);
  const again = persistent(core, store, "c");
  core.connect().publish("t", "y");
  assertEquals(again.takeMessages().length, 1);
});

Deno.test("a batch that is committed late releases what it covers and no more", () => {
  const { core, store } = delayed();
  const clients = Array.from({ length: 6 }, () => core.connect());
  const batches = clients.map((client) => {
    client.send(publishPacket("t", "x", { qos: 1, packetId: 1, retain: true }));
    return store.sealed;
  });
  batches.forEach((batch, released) => {
    core.release(batch);
    assertEquals(clients.map((c) => c.inbox.length), clients.map((_, i) => i <= released ? 1 : 0));
  });
});

Deno.test("bytes behind the gate count against the outbox and are bounded by it", () => {
  const { core, store, commitAll } = delayed();
  const client = persistent(core, store, "c");
  let packetId = 0;
  while (client.unread === 0 && packetId < 60_000) {
    packetId++;
    client.send(publishPacket("t", "x", { qos: 1, packetId, retain: true }));
  }
  assertEquals(client.connection.pendingBytes <= core.limits.outboxBytesMax + 4, true);
  commitAll();
  commitAll();
  assertEquals(client.inbox.length, packetId);
  assertEquals(client.unread, 0);
});
