/** Timeouts on the virtual clock: CONNECT, keep alive, stalled writes, session expiry. */
import { assert, assertEquals } from "@std/assert";
import { type AccessPolicy, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { connectPacket, publishPacket } from "../support/wire_client.ts";
import { Core, NOTHING_LEFT } from "./_core.ts";

Deno.test("a connection without CONNECT is closed after the timeout and not before", () => {
  const core = new Core();
  const silent = core.open();
  core.advance(core.limits.connectTimeoutMs);
  assertEquals(silent.connection.closed, false);
  core.advance(1, 1);
  assertEquals(silent.connection.closed, true);
  assertEquals(core.statistics.connectTimeouts, 1);
  assertEquals(core.gauges(), NOTHING_LEFT);
});

Deno.test("bytes without a whole CONNECT do not put the timeout off", () => {
  const core = new Core();
  const slow = core.open();
  const connect = encodePacket(connectPacket({ clientIdentifier: "slow" }));
  for (let i = 0; i < connect.length - 1 && !slow.connection.closed; i++) {
    slow.sendBytes(connect.slice(i, i + 1));
    core.advance(1_000);
  }
  assertEquals(core.statistics.connectTimeouts, 1);
});

Deno.test("one and a half keep alives of silence end a connection, not less [MQTT-3.1.2-24]", () => {
  const core = new Core();
  const client = core.connect({ keepAliveSeconds: 10 });
  core.advance(15_000);
  assertEquals(client.connection.closed, false);
  core.advance(1, 1);
  assertEquals(client.connection.closed, true);
  assertEquals(core.statistics.keepAliveTimeouts, 1);
});

Deno.test("any packet of the client keeps it alive, packets to it do not", () => {
  const core = new Core();
  const client = core.connect({ keepAliveSeconds: 10 });
  client.subscribe("t");
  const publisher = core.connect();
  for (let i = 0; i < 5; i++) {
    core.advance(14_000);
    client.send({ type: "PINGREQ" });
  }
  for (let i = 0; i < 15; i++) {
    publisher.publish("t", "x");
    core.advance(1_000);
  }
  assertEquals(client.connection.closed, false);
  publisher.publish("t", "x");
  core.advance(1, 1);
  assertEquals(client.connection.closed, true);
});

Deno.test("half a packet does not keep a client alive", () => {
  const core = new Core();
  const client = core.connect({ keepAliveSeconds: 10 });
  const packet = encodePacket(publishPacket("t", "x".repeat(40)));
  for (let i = 0; i < 20; i++) {
    client.sendBytes(packet.slice(i, i + 1));
    core.advance(1_000);
  }
  assertEquals(core.statistics.keepAliveTimeouts, 1);
});

Deno.test("keep alive 0 is for ever, unless the broker has a longest one", () => {
  const core = new Core();
  const free = core.connect();
  core.advance(100_000_000, 10_000_000);
  assertEquals(free.connection.closed, false);
  const strict = new Core({ limits: { keepAliveMaxMs: 20_000 } });
  const clients = [0, 60, 10].map((keepAliveSeconds) => strict.connect({ keepAliveSeconds }));
  strict.advance(15_250);
  assertEquals(clients.map((c) => c.connection.closed), [false, false, true]);
  strict.advance(15_000);
  assertEquals(clients.map((c) => c.connection.closed), [true, true, true]);
});

Deno.test("a client that is held is not blamed for its silence", () => {
  const core = new Core({ limits: { slowConsumerGraceMs: 60_000 } });
  const frozen = core.connect();
  frozen.subscribe("t", 1);
  const publisher = core.connect({ keepAliveSeconds: 1 });
  for (let i = 1; publisher.connection.holds === 0; i++) publisher.publish("t", "x", { qos: 1 });
  core.advance(10_000);
  assertEquals(publisher.connection.closed, false);
  frozen.lose();
  core.advance(1_250);
  assertEquals(publisher.connection.closed, false, "its keep alive starts anew");
  core.advance(500);
  assertEquals(publisher.connection.closed, true);
});

Deno.test("a socket that takes nothing is given up after the timeout, and its Will goes out", () => {
  const core = new Core();
  const watcher = core.connect();
  watcher.subscribe("will");
  const client = core.connect({ will: { topic: publishPacket("will", "").topic } });
  client.frozen = true;
  client.send({ type: "PINGREQ" });
  core.advance(core.limits.stalledWriteTimeoutMs);
  assertEquals(client.connection.closed, false);
  core.advance(1, 1);
  assert(client.connection.aborted && client.ended);
  assertEquals(core.statistics.stalledWrites, 1);
  assertEquals(watcher.takeMessages().length, 1);
});

Deno.test("a socket that takes a byte now and then is not given up", () => {
  const core = new Core();
  const client = core.connect();
  client.frozen = true;
  client.sendBytes(new Uint8Array(400).map((_, i) => i % 2 === 0 ? 0xc0 : 0));
  for (let i = 0; i < 100; i++) {
    core.advance(20_000, 1_000);
    client.drain(1);
  }
  assertEquals(client.connection.closed, false);
});

Deno.test("a stored session expires when its client stayed away for too long", () => {
  const core = new Core({ limits: { sessionExpiryMs: 100_000 } });
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  client.subscribe("t", 1);
  core.advance(1_000_000, 10_000);
  assertEquals(core.statistics.sessions, 1, "it is connected");
  client.lose();
  core.connect().publish("t", "x", { qos: 1 });
  core.advance(90_000, 10_000);
  assertEquals(core.statistics.sessionsExpired, 0);
  core.advance(20_000, 10_000);
  assertEquals(core.statistics.sessionsExpired, 1);
  assertEquals(core.statistics.dropped["session-expired"], 1);
  assertEquals(core.store.load().sessions, []);
  const { queuedMessages, queuedBytes, subscriptions } = core.statistics;
  assertEquals([queuedMessages, queuedBytes, subscriptions], [0, 0, 0]);
  assertEquals(core.connect({ clientIdentifier: "c", cleanSession: false }).sessionPresent, false);
});

Deno.test("a client that comes back in time starts the expiry of its session anew", () => {
  const core = new Core({ limits: { sessionExpiryMs: 100_000 } });
  for (let i = 0; i < 5; i++) {
    const client = core.connect({ clientIdentifier: "c", cleanSession: false });
    assertEquals(client.sessionPresent, i > 0);
    client.disconnect();
    core.advance(80_000, 10_000);
  }
  assertEquals(core.statistics.sessionsExpired, 0);
});

Deno.test("an expiry of 0 keeps a session for ever", () => {
  const core = new Core({ limits: { sessionExpiryMs: 0 } });
  core.connect({ clientIdentifier: "c", cleanSession: false }).disconnect();
  core.advance(1e12, 1e11);
  assertEquals(core.statistics.sessions, 1);
});

Deno.test("the time that a verdict on a password takes is no silence of the client", () => {
  const policy: AccessPolicy = { ...OPEN_ACCESS, connect: () => ({ kind: "pending" }) };
  const core = new Core({ policy });
  const client = core.open();
  client.sendConnect({ keepAliveSeconds: 1 });
  const [pending] = core.broker.takeAuthentications();
  core.advance(2_000);
  core.broker.authenticated(pending!, null, core.instant());
  core.turn();
  assertEquals(client.take("CONNACK").returnCode, 0);
  core.advance(1_250);
  assertEquals(client.connection.closed, false);
  core.advance(500);
  assertEquals(client.connection.closed, true);
});
