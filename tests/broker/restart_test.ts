/** The process ends and another one starts with what the store held. */
import { assertEquals } from "@std/assert";
import { name, payload, publishPacket, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

/** A new broker over the store of the old one, which ended without a word to anybody. */
function restart(core: Core): Core {
  core.commit();
  return new Core({ store: core.store, limits: core.limits });
}

function resume(core: Core, clientIdentifier = "c"): FakeClient {
  const client = core.connect({ clientIdentifier, cleanSession: false });
  assertEquals(client.sessionPresent, true); // [MQTT-3.2.2-2]
  return client;
}

function persistent(core: Core, topicFilter: string, qos: 0 | 1 | 2): FakeClient {
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  client.subscribe(topicFilter, qos);
  return client;
}

Deno.test("unacknowledged QoS 1 messages come again with DUP and the same identifiers [MQTT-4.4.0-1]", () => {
  const core = new Core();
  const client = persistent(core, "t", 1);
  const publisher = core.connect();
  for (let i = 0; i < 5; i++) publisher.publish("t", `${i}`, { qos: 1 });
  const before = client.takeMessages();
  client.send({ type: "PUBACK", packetId: before[1]!.packetId });
  const again = resume(restart(core)).takeMessages();
  const expected = before.filter((_, i) => i !== 1).map((m) => ({ ...m, dup: true }));
  assertEquals(again, expected);
});

Deno.test("a QoS 2 message comes again with DUP before PUBREC, as PUBREL after it", () => {
  const core = new Core();
  const client = persistent(core, "t", 2);
  const publisher = core.connect();
  for (const content of ["a", "b", "c"]) publisher.publish("t", content, { qos: 2 });
  const [a, b, c] = client.takeMessages();
  client.send({ type: "PUBREC", packetId: b!.packetId });
  client.send({ type: "PUBREC", packetId: c!.packetId });
  client.send({ type: "PUBCOMP", packetId: c!.packetId });
  const second = restart(core);
  const again = resume(second);
  assertEquals(again.takeAll(), [
    { ...a!, dup: true },
    { type: "PUBREL", packetId: b!.packetId },
  ]);
  again.send({ type: "PUBREC", packetId: a!.packetId });
  again.send({ type: "PUBCOMP", packetId: a!.packetId });
  again.send({ type: "PUBCOMP", packetId: b!.packetId });
  assertEquals(second.statistics.inFlightMessages, 0);
  assertEquals(second.store.load().sessions[0]!.deliveries, []);
});

Deno.test("the queue follows in its order, behind what was in flight", () => {
  const core = new Core();
  const client = persistent(core, "#", 2);
  const publisher = core.connect();
  const count = 40;
  for (let i = 0; i < count; i++) {
    publisher.publish(i % 2 === 0 ? "a" : "b", `${i}`, { qos: i % 3 === 0 ? 2 : 1 });
  }
  client.takeAll();
  const second = restart(core);
  const { queuedMessages, inFlightMessages, subscriptions, sessions } = second.statistics;
  const window = core.limits.inFlightMessagesMax;
  assertEquals([inFlightMessages, queuedMessages], [window, count - window]);
  assertEquals([subscriptions, sessions], [1, 1]);
  const again = resume(second);
  const numbers: number[] = [];
  while (again.inbox.length > 0) {
    for (const packet of again.takeAll()) {
      if (packet.type === "PUBREL") again.send({ type: "PUBCOMP", packetId: packet.packetId });
      if (packet.type !== "PUBLISH") continue;
      numbers.push(Number(text(packet.payload)));
      assertEquals(packet.dup, numbers.length <= window);
      const type = packet.qos === 1 ? "PUBACK" : "PUBREC";
      again.send({ type, packetId: packet.packetId });
    }
  }
  assertEquals(numbers, Array.from({ length: count }, (_, i) => i));
  assertEquals(second.statistics.queuedBytes, 0);
});

Deno.test("new messages behind a restart get identifiers that are not in use, and keep the order", () => {
  const core = new Core();
  const client = persistent(core, "t", 1);
  for (const content of ["1", "2"]) core.connect().publish("t", content, { qos: 1 });
  const before = client.takeMessages();
  const second = restart(core);
  const again = resume(second);
  second.connect().publish("t", "3", { qos: 1 });
  const messages = again.takeMessages();
  assertEquals(messages.map((m) => text(m.payload)), ["1", "2", "3"]);
  assertEquals(messages.slice(0, 2).map((m) => m.packetId), before.map((m) => m.packetId));
  assertEquals(new Set(messages.map((m) => m.packetId)).size, 3);
  const third = resume(restart(second));
  assertEquals(third.takeMessages().map((m) => text(m.payload)), ["1", "2", "3"]);
});

Deno.test("a QoS 2 message of a client is not handed on twice across a restart [MQTT-4.3.3-2]", () => {
  const core = new Core();
  const publisher = core.connect({ clientIdentifier: "c", cleanSession: false });
  publisher.send(publishPacket("t", "x", { qos: 2, packetId: 7 }));
  publisher.take("PUBREC");
  const second = restart(core);
  const watcher = second.connect();
  watcher.subscribe("t");
  const again = resume(second);
  again.send(publishPacket("t", "x", { qos: 2, packetId: 7, dup: true }));
  again.take("PUBREC");
  assertEquals(watcher.takeMessages(), []);
  again.send({ type: "PUBREL", packetId: 7 });
  again.take("PUBCOMP");
  again.publish("t", "new", { qos: 2, packetId: 7 });
  assertEquals(watcher.takeMessages().map((m) => text(m.payload)), ["new"]);
  assertEquals(second.store.load().sessions[0]!.receiving, []);
});

Deno.test("subscriptions work without the client, and what it missed waits for it", () => {
  const core = new Core();
  persistent(core, "a/+", 1);
  const second = restart(core);
  const publisher = second.connect();
  publisher.publish("a/b", "missed", { qos: 1 });
  publisher.publish("a/b", "QoS 0");
  assertEquals(resume(restart(second)).takeMessages().map((m) => text(m.payload)), ["missed"]);
});

Deno.test("Wills of connections that died with the process are published, once [MQTT-3.1.2-8]", () => {
  const core = new Core();
  persistent(core, "will/#", 1);
  core.connect({ clientIdentifier: "w", will: { topic: name("will/1"), qos: 1, retain: true } });
  core.connect({ clientIdentifier: "v", will: { topic: name("will/2"), qos: 1 } }).disconnect();
  const second = restart(core);
  assertEquals(second.statistics.willsPublished, 1);
  assertEquals(second.statistics.retainedMessages, 1);
  const third = restart(second);
  assertEquals(third.statistics.willsPublished, 0);
  assertEquals(resume(third).takeMessages().map((m) => m.topic as string), ["will/1"]);
});

Deno.test("retained messages survive with their QoS, deleted ones do not", () => {
  const core = new Core();
  const publisher = core.connect();
  publisher.publish("a", "1", { qos: 1, retain: true });
  publisher.publish("b", "2", { qos: 2, retain: true });
  publisher.publish("b", "", { retain: true });
  publisher.publish("c", "x".repeat(5_000), { retain: true });
  const { retainedMessages, retainedBytes } = core.statistics;
  const second = restart(core);
  assertEquals(second.statistics.retainedMessages, retainedMessages);
  assertEquals(second.statistics.retainedBytes, retainedBytes);
  const client = second.connect();
  client.subscribe("#", 2);
  const got = client.takeMessages().map((
    m,
  ) => [m.topic as string, m.qos, m.payload.length, m.retain]);
  assertEquals(got, [["a", 1, 1, true], ["c", 0, 5_000, true]]);
});

Deno.test("a session that was connected when the process ended expires from the restart on", () => {
  const core = new Core({ limits: { sessionExpiryMs: 60_000 } });
  persistent(core, "t", 1);
  const second = restart(core);
  second.advance(50_000, 10_000);
  assertEquals(second.statistics.sessionsExpired, 0);
  second.advance(20_000, 10_000);
  assertEquals(second.statistics.sessionsExpired, 1);
});

Deno.test("sessions with Clean Session 1 leave nothing to a restart", () => {
  const core = new Core();
  const client = core.connect({ clientIdentifier: "c" });
  client.subscribe("t", 2);
  core.connect().publish("t", "x", { qos: 2 });
  client.send(publishPacket("u", "x", { qos: 2, packetId: 1 }));
  const { sessions, retained, wills, deadLetters } = restart(core).store.load();
  assertEquals([sessions, retained, wills, deadLetters], [[], [], [], []]);
});

Deno.test("a Client Identifier in use by a Will of another session keeps both apart", () => {
  const core = new Core();
  const will = { topic: name("w"), payload: payload("first"), qos: 1 as const };
  core.connect({ clientIdentifier: "x", will });
  core.connect({ clientIdentifier: "x", will: { ...will, payload: payload("second") } });
  const watcher = persistent(core, "w", 1);
  watcher.lose();
  const again = resume(restart(core));
  assertEquals(again.takeMessages().map((m) => text(m.payload)), ["second"]);
});
