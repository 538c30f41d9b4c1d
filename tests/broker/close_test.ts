/** The end of connections: Wills by cause, take-over, and what is left afterwards. */
import { assert, assertEquals } from "@std/assert";
import type { CloseCause } from "../../src/broker/events.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import {
  type ConnectOptions,
  connectPacket,
  name,
  payload,
  publishPacket,
  text,
} from "../support/wire_client.ts";
import { Core, NOTHING_LEFT } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

const WILL: ConnectOptions = {
  clientIdentifier: "dying",
  keepAliveSeconds: 10,
  will: { topic: name("will"), payload: payload("gone"), qos: 1 },
};

interface End {
  readonly cause: CloseCause;
  readonly published: boolean;
  end(core: Core, client: FakeClient): void;
}

const ENDS: readonly End[] = [
  { cause: "disconnect", published: false, end: (_core, client) => client.disconnect() },
  { cause: "peerClosed", published: true, end: (_core, client) => client.lose() },
  {
    cause: "protocolError",
    published: true,
    end: (_core, client) => client.sendBytes(Uint8Array.of(0xff)),
  },
  { cause: "keepAlive", published: true, end: (core) => core.advance(16_000) },
  {
    cause: "stalledWrite",
    published: true,
    end: (core, client) => {
      client.frozen = true;
      client.send({ type: "PINGREQ" });
      for (let i = 0; i < 7; i++) {
        client.send({ type: "PINGREQ" });
        core.advance(5_000);
      }
    },
  },
  {
    cause: "takenOver",
    published: true,
    end: (core) => void core.connect({ clientIdentifier: "dying" }),
  },
  {
    cause: "shutdown",
    published: true,
    end: (core, client) => {
      core.broker.close(client.connection, "shutdown", core.instant());
      core.turn();
    },
  },
];

for (const { cause, published, end } of ENDS) {
  Deno.test(`the end by ${cause} ${published ? "publishes" : "discards"} the Will [MQTT-3.1.2-8]`, () => {
    const core = new Core();
    const watcher = core.connect();
    watcher.subscribe("will", 1);
    const client = core.connect(WILL);
    assertEquals(core.store.load().wills.length, 1);
    end(core, client);
    const causes = core.events.flatMap((e) => e.kind === "closed" ? [e.cause] : []);
    assertEquals(causes, [cause]);
    const wills = watcher.takeMessages().map((m) => [text(m.payload), m.qos, m.retain]);
    assertEquals(wills, published ? [["gone", 1, false]] : []);
    assertEquals(core.statistics.willsPublished, published ? 1 : 0);
    assertEquals(core.store.load().wills, [], "it is not published again after a restart");
    core.advance(2_000);
    client.lose(); // the socket ends as well, and nothing happens
    assertEquals(watcher.takeMessages(), []);
  });
}

Deno.test("a retained Will is retained, one without RETAIN is not [MQTT-3.1.2-16] [MQTT-3.1.2-17]", () => {
  for (const retain of [false, true]) {
    const core = new Core();
    core.connect({ will: { topic: name("will"), retain } }).lose();
    assertEquals(core.statistics.retainedMessages, retain ? 1 : 0);
  }
});

Deno.test("a Will reaches the persistent session of the very client that died", () => {
  const core = new Core();
  const client = core.connect({ ...WILL, cleanSession: false });
  client.subscribe("will", 1);
  client.lose();
  const again = core.connect({ clientIdentifier: "dying", cleanSession: false });
  assertEquals(again.takeMessages().map((m) => text(m.payload)), ["gone"]);
});

Deno.test("a refused CONNECT leaves no Will behind", () => {
  const core = new Core({ limits: { sessionsMax: 1 } });
  const watcher = core.connect();
  watcher.subscribe("#");
  const refused = core.open();
  refused.sendConnect(WILL);
  assertEquals(refused.take("CONNACK").returnCode, 3);
  assert(refused.connection.closed);
  assertEquals(watcher.takeMessages(), []);
  assertEquals(core.store.load().wills, []);
});

Deno.test("a take-over ends the older connection before the newer is accepted [MQTT-3.1.4-2]", () => {
  const core = new Core();
  const older = core.connect({ clientIdentifier: "c", cleanSession: false });
  older.subscribe("t", 1);
  const newer = core.connect({ clientIdentifier: "c", cleanSession: false });
  assertEquals(newer.sessionPresent, true);
  const order = core.events.map((e) => `${e.kind} ${e.connection.handle}`);
  assertEquals(order, [
    `connected ${older.connection.handle}`,
    `takenOver ${newer.connection.handle}`,
    `closed ${older.connection.handle}`,
    `connected ${newer.connection.handle}`,
  ]);
  older.send(publishPacket("t", "too late"));
  core.connect().publish("t", "x", { qos: 1 });
  assertEquals(newer.takeMessages().map((m) => text(m.payload)), ["x"]);
  assertEquals(older.takeAll(), []);
  assertEquals(core.statistics.takeOvers, 1);
  assertEquals(core.statistics.clientsConnected, 2);
});

Deno.test("a connection that takes over what another took over wins, any number of times", () => {
  const core = new Core();
  const clients = Array.from(
    { length: 20 },
    (_, i) => core.connect({ clientIdentifier: "c", cleanSession: i % 3 === 0 }),
  );
  assertEquals(clients.filter((c) => !c.connection.closed).length, 1);
  clients.at(-1)!.disconnect();
  core.connect({ clientIdentifier: "c" }).disconnect();
  assertEquals(core.gauges(), NOTHING_LEFT);
});

Deno.test("CONNECT of the same client in one chunk behind its own CONNECT is a fault, no take-over", () => {
  const core = new Core();
  const client = core.open();
  const connect = connectPacket({ clientIdentifier: "c" });
  client.send(connect, connect);
  assertEquals(client.types, ["CONNACK"]);
  assertEquals([...core.statistics.protocolErrors.keys()], ["MQTT-3.1.0-2"]);
  assertEquals(core.statistics.takeOvers, 0);
  assertEquals(core.gauges(), NOTHING_LEFT);
});

Deno.test("a clean CONNECT forgets the stored session, a later one finds none [MQTT-3.1.2-6]", () => {
  const core = new Core();
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  client.subscribe("t", 1);
  client.disconnect();
  core.connect().publish("t", "x", { qos: 1 });
  const clean = core.connect({ clientIdentifier: "c" });
  assertEquals(clean.sessionPresent, false); // [MQTT-3.2.2-1]
  core.connect().publish("t", "y", { qos: 1 });
  assertEquals(clean.takeMessages(), []);
  clean.disconnect();
  assertEquals(core.connect({ clientIdentifier: "c", cleanSession: false }).sessionPresent, false);
});

Deno.test("packets behind DISCONNECT in its chunk are not processed [MQTT-3.14.4-3]", () => {
  const core = new Core();
  const watcher = core.connect();
  watcher.subscribe("t");
  core.connect().send({ type: "DISCONNECT" }, publishPacket("t", "x"), publishPacket("t", "y"));
  assertEquals(watcher.takeMessages(), []);
});

Deno.test("closing twice, and closing what is forgotten, changes nothing", () => {
  const core = new Core();
  const client = core.connect(WILL);
  for (let i = 0; i < 3; i++) client.lose();
  core.broker.close(client.connection, "shutdown", core.instant());
  core.broker.drained(client.connection, 0, core.instant());
  const bytes = encodePacket({ type: "PINGREQ" });
  const range = { start: 0, end: 2, instant: core.instant() };
  assertEquals(core.broker.receive(client.connection, bytes, range), 2);
  core.advance(1_000);
  assertEquals(core.gauges(), NOTHING_LEFT);
  assertEquals(core.statistics.willsPublished, 1);
});

Deno.test("connections above the limit are refused until one has gone", () => {
  const core = new Core({ limits: { connectionsMax: 2 } });
  const first = core.connect();
  core.connect();
  assertEquals(core.tryOpen(), null);
  first.disconnect();
  assert(core.tryOpen() !== null);
});

Deno.test("sessions above the limit are refused with code 3, known ones are not", () => {
  const core = new Core({ limits: { sessionsMax: 2 } });
  core.connect({ clientIdentifier: "a", cleanSession: false }).disconnect();
  core.connect({ clientIdentifier: "b" });
  const third = core.open();
  third.sendConnect({ clientIdentifier: "c" });
  assertEquals(third.take("CONNACK").returnCode, 3);
  assertEquals(core.connect({ clientIdentifier: "a", cleanSession: false }).sessionPresent, true);
  core.connect({ clientIdentifier: "b" });
});
