/** The tables as behaviour: every state of a machine meets every event a client can cause. */
import { assert, assertEquals } from "@std/assert";
import {
  CONNECTION,
  CONNECTION_TABLE,
  QOS_RECEIVER_TABLE,
  QOS_SENDER,
  QOS_SENDER_TABLE,
} from "../../src/broker/mod.ts";
import { type ControlPacket, encodePacket } from "../../src/mqtt/mod.ts";
import { connectPacket, filter, payload, publishPacket } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

const PACKETS: Readonly<Record<string, ControlPacket>> = {
  CONNECT: connectPacket({ clientIdentifier: "again" }),
  CONNACK: { type: "CONNACK", sessionPresent: false, returnCode: 0 },
  PUBLISH: publishPacket("t", "x"),
  PUBACK: { type: "PUBACK", packetId: 1 },
  PUBREC: { type: "PUBREC", packetId: 1 },
  PUBREL: { type: "PUBREL", packetId: 1 },
  PUBCOMP: { type: "PUBCOMP", packetId: 1 },
  SUBSCRIBE: { type: "SUBSCRIBE", packetId: 1, subscriptions: [{ filter: filter("a"), qos: 0 }] },
  SUBACK: { type: "SUBACK", packetId: 1, returnCodes: [0] },
  UNSUBSCRIBE: { type: "UNSUBSCRIBE", packetId: 1, filters: [filter("a")] },
  UNSUBACK: { type: "UNSUBACK", packetId: 1 },
  PINGREQ: { type: "PINGREQ" },
  PINGRESP: { type: "PINGRESP" },
  DISCONNECT: { type: "DISCONNECT" },
};

/** A connection in each state that reads. */
const CONNECTIONS: Readonly<Record<string, (core: Core) => FakeClient>> = {
  awaitConnect: (core) => core.open(),
  connected: (core) => core.connect({ clientIdentifier: "c" }),
};

for (const [state, make] of Object.entries(CONNECTIONS)) {
  const row = (CONNECTION_TABLE as Record<string, Record<string, { to: string }>>)[state]!;
  for (const [type, packet] of Object.entries(PACKETS)) {
    const allowed = row[type] !== undefined;
    Deno.test(`a connection in ${state} ${allowed ? "takes" : "refuses"} ${type}`, () => {
      const core = new Core();
      const client = make(core);
      client.send(packet);
      assertEquals(core.statistics.protocolErrors.size, allowed ? 0 : 1);
      if (!allowed) assert(client.connection.closed);
      else if (type === "DISCONNECT") assert(client.connection.closed);
      else assertEquals(client.connection.state, CONNECTION.states.connected);
    });
  }
}

Deno.test("a closed connection takes nothing [MQTT-3.14.4-3]", () => {
  const core = new Core();
  const client = core.connect();
  const watcher = core.connect();
  watcher.subscribe("#");
  const packetsBefore = core.statistics.packetsReceived;
  client.disconnect();
  for (const packet of Object.values(PACKETS)) client.send(packet);
  assertEquals(core.statistics.packetsReceived, packetsBefore + 1);
  assertEquals(client.takeAll(), []);
  assertEquals(watcher.takeAll(), []);
  assertEquals(core.statistics.protocolErrors.size, 0);
});

/** Brings the server as sender, with identifier 1, to a state of its table. */
const SENDERS: Readonly<Record<string, (core: Core, client: FakeClient) => void>> = {
  idle: () => {},
  awaitPuback: (core) => core.connect().publish("q1", "m", { qos: 1 }),
  awaitPubrec: (core) => core.connect().publish("q2", "m", { qos: 2 }),
  awaitPubcomp: (core, client) => {
    core.connect().publish("q2", "m", { qos: 2 });
    client.send({ type: "PUBREC", packetId: 1 });
  },
};

for (const [state, bring] of Object.entries(SENDERS)) {
  for (const event of ["PUBACK", "PUBREC", "PUBCOMP"] as const) {
    const row = QOS_SENDER_TABLE[state as keyof typeof QOS_SENDER_TABLE];
    const entry = (row as Record<string, { to: string; emit?: string }>)[event];
    Deno.test(`the QoS sender in ${state} ${entry ? `goes to ${entry.to}` : "refuses"} on ${event}`, () => {
      const core = new Core();
      const client = core.connect({ clientIdentifier: "c", cleanSession: false });
      client.subscribe("q1", 1);
      client.subscribe("q2", 2);
      bring(core, client);
      client.takeAll();
      const session = client.connection.session!;
      const before = session.inFlight.get(1)?.state ?? QOS_SENDER.states.idle;
      assertEquals(before, (QOS_SENDER.states as Record<string, number>)[state]);
      client.send({ type: event, packetId: 1 });
      const after = session.inFlight.get(1)?.state ?? QOS_SENDER.states.idle;
      assertEquals(client.connection.closed, entry === undefined);
      if (entry === undefined) {
        assertEquals(after, before);
        assertEquals([...core.statistics.protocolErrors.keys()], ["MQTT-4.3.3-1"]);
        return;
      }
      assertEquals(after, (QOS_SENDER.states as Record<string, number>)[entry.to]);
      assertEquals(client.types, entry.emit === "PUBREL" ? ["PUBREL"] : []);
    });
  }
}

const RECEIVER_EVENTS: Readonly<Record<string, ControlPacket>> = {
  publishQos1: publishPacket("t", "1", { qos: 1, packetId: 1 }),
  publishQos2: publishPacket("t", "2", { qos: 2, packetId: 1, dup: true }),
  PUBREL: { type: "PUBREL", packetId: 1 },
};
const ANSWERS: Readonly<Record<string, { types: string[]; routed: number }>> = {
  routeAndPuback: { types: ["PUBACK"], routed: 1 },
  routeAndPubrec: { types: ["PUBREC"], routed: 1 },
  PUBREC: { types: ["PUBREC"], routed: 0 },
  PUBCOMP: { types: ["PUBCOMP"], routed: 0 },
};

for (const state of ["idle", "awaitPubrel"] as const) {
  for (const [event, packet] of Object.entries(RECEIVER_EVENTS)) {
    const row = QOS_RECEIVER_TABLE[state] as Record<string, { to: string; emit: string }>;
    const entry = row[event];
    Deno.test(`the QoS receiver in ${state} ${entry ? `emits ${entry.emit}` : "refuses"} on ${event}`, () => {
      const core = new Core();
      const watcher = core.connect();
      watcher.subscribe("t");
      const client = core.connect();
      if (state === "awaitPubrel") client.send(publishPacket("t", "0", { qos: 2, packetId: 1 }));
      client.takeAll();
      watcher.takeAll();
      const session = client.connection.session!;
      client.send(packet);
      if (entry === undefined) {
        assert(client.connection.closed);
        assertEquals([...core.statistics.protocolErrors.keys()], ["MQTT-4.8.0-1"]);
        assertEquals(watcher.takeAll(), []);
        return;
      }
      assertEquals(client.types, ANSWERS[entry.emit]!.types);
      assertEquals(watcher.takeMessages().length, ANSWERS[entry.emit]!.routed);
      assertEquals(session.receiving?.has(1) ?? false, entry.to === "awaitPubrel");
    });
  }
}

Deno.test("PUBCOMP comes even for an identifier that was never used [MQTT-4.3.3-2]", () => {
  const core = new Core();
  const client = core.connect();
  client.sendBytes(encodePacket({ type: "PUBREL", packetId: 77 }));
  assertEquals(client.take("PUBCOMP").packetId, 77);
});

Deno.test("an own message is not acknowledged away by another client", () => {
  const core = new Core();
  const client = core.connect();
  client.subscribe("t", 1);
  core.connect().send(publishPacket("t", "x", { qos: 1, packetId: 1 }), {
    type: "PUBACK",
    packetId: 1,
  });
  assertEquals(client.take("PUBLISH").payload, payload("x"));
  assertEquals(core.statistics.inFlightMessages, 1);
});
