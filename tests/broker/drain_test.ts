/** The end of the server: what has begun is brought to its end, and nothing begins any more. */
import { assertEquals } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { concatenate, filter, name, payload, publishPacket } from "../support/wire_client.ts";
import { Core } from "./_core.ts";

const WILL = { topic: name("will"), payload: payload("gone"), qos: 1, retain: true } as const;

Deno.test("a server that ends passes over what begins, without an answer, and closes nobody for it", () => {
  const core = new Core();
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  core.broker.drain();
  client.send(
    publishPacket("t", "0", { retain: true }),
    publishPacket("t", "1", { qos: 1, packetId: 1, retain: true }),
    publishPacket("t", "2", { qos: 2, packetId: 2, retain: true }),
    { type: "SUBSCRIBE", packetId: 3, subscriptions: [{ filter: filter("#"), qos: 1 }] },
    { type: "UNSUBSCRIBE", packetId: 4, filters: [filter("#")] },
    { type: "PINGREQ" },
  );
  assertEquals(client.types, ["PINGRESP"]);
  assertEquals(client.connection.closed, false);
  const { retainedMessages, subscriptions } = core.statistics;
  assertEquals([retainedMessages, subscriptions], [0, 0]);
  const late = core.open();
  late.sendConnect({ clientIdentifier: "late" });
  assertEquals([late.inbox.length, late.connection.closed], [0, false]);
});

Deno.test("acknowledgements in both directions still count when the server ends", () => {
  const core = new Core();
  const subscriber = core.connect({ clientIdentifier: "s", cleanSession: false });
  subscriber.subscribe("t", 2);
  const publisher = core.connect({ clientIdentifier: "p", cleanSession: false });
  publisher.send(
    publishPacket("t", "1", { qos: 1, packetId: 1 }),
    publishPacket("t", "2", { qos: 2, packetId: 2 }),
  );
  assertEquals(publisher.takeAll().length, 2);
  publisher.send({ type: "PUBREL", packetId: 2 });
  publisher.take("PUBCOMP");
  const [first, second] = subscriber.takeMessages();
  publisher.send(publishPacket("t", "3", { qos: 2, packetId: 3 }));
  publisher.take("PUBREC");
  core.broker.drain();
  publisher.send({ type: "PUBREL", packetId: 3 });
  assertEquals(publisher.take("PUBCOMP").packetId, 3);
  subscriber.send(
    { type: "PUBACK", packetId: first!.packetId! },
    { type: "PUBREC", packetId: second!.packetId! },
  );
  assertEquals(subscriber.takeMessages().length, 1, "the third message, which was in the queue");
  subscriber.send({ type: "PUBCOMP", packetId: second!.packetId! });
  assertEquals(core.statistics.inFlightMessages, 1);
});

Deno.test("a DISCONNECT behind messages that are passed over discards the Will [MQTT-3.14.4-3]", () => {
  for (const goodbye of [true, false]) {
    const core = new Core();
    const client = core.connect({ clientIdentifier: "c", will: WILL });
    core.broker.drain();
    const packets = [publishPacket("t", "x".repeat(1_000), { qos: 1, packetId: 1 })];
    const bytes = packets.map((packet) => encodePacket(packet));
    client.sendBytes(
      concatenate(goodbye ? [...bytes, encodePacket({ type: "DISCONNECT" })] : bytes),
    );
    core.broker.close(client.connection, "shutdown", core.instant());
    assertEquals(core.statistics.retainedMessages, goodbye ? 0 : 1);
  }
});

Deno.test("a protocol error is one until the end", () => {
  const core = new Core();
  const client = core.connect();
  core.broker.drain();
  client.sendBytes(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff));
  assertEquals(client.connection.closed, true);
});
