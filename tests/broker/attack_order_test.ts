/** What a hostile client may try in order to break order, $SYS, timeouts or the process. */
import { assert, assertEquals } from "@std/assert";
import { OPEN_ACCESS } from "../../src/broker/mod.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import {
  concatenate,
  connectPacket,
  filter,
  name,
  payload,
  publishPacket,
} from "../support/wire_client.ts";
import { Core } from "./_core.ts";

Deno.test("PINGRESP does not overtake the CONNACK of a persistent session [MQTT-3.2.0-1]", () => {
  const core = new Core();
  const client = core.open();
  client.send(
    connectPacket({ clientIdentifier: "a", cleanSession: false }),
    { type: "PINGREQ" },
  );
  assertEquals(client.types, ["CONNACK", "PINGRESP"]);
});

Deno.test("A Will cannot forge a topic of $SYS", () => {
  const core = new Core();
  const watcher = core.connect();
  watcher.subscribe("$SYS/#");
  const liar = core.connect({
    will: { topic: name("$SYS/broker/version"), payload: payload("forged"), retain: true },
  });
  liar.lose();
  assertEquals(watcher.takeMessages(), []);
  assertEquals(core.statistics.retainedMessages, 0);
});

Deno.test("A Will goes out only where the client may publish", () => {
  const core = new Core({
    policy: {
      ...OPEN_ACCESS,
      generation: 1,
      connect: () => ({ kind: "accept" }),
      publish: (_client, topic) => topic === "secret" ? "drop" : "allow",
      subscribe: (_client, { qos }) => qos,
      read: null,
    },
  });
  const watcher = core.connect();
  watcher.subscribe("#");
  core.connect({ will: { topic: name("secret") } }).lose();
  assertEquals(watcher.takeMessages(), []);
});

Deno.test("The first packet of an unconnected client is judged before its Remaining Length", () => {
  const wrong = Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x01);
  const tags = [[wrong], [...wrong].map((byte) => Uint8Array.of(byte))].map((chunks) => {
    const core = new Core();
    const client = core.open();
    for (const chunk of chunks) client.sendBytes(chunk);
    return [...core.statistics.protocolErrors.keys()];
  });
  assertEquals(tags[0], tags[1]);
});

Deno.test("A topic with as many levels as the configuration can allow is routed, not an exception", () => {
  const core = new Core({
    limits: { topicLevelsMax: 1_000, topicBytesMax: 65_535, packetBytesMax: 1_048_576 },
  });
  const deep = Array(1_000).fill("a").join("/");
  const client = core.connect();
  client.send({
    type: "SUBSCRIBE",
    packetId: 1,
    subscriptions: [{ filter: filter(deep), qos: 0 }],
  });
  client.take("SUBACK");
  client.publish(deep, "x");
  assertEquals(client.takeMessages().length, 1);
});

Deno.test("A retained topic with as many levels as the configuration can allow is replayed", () => {
  const core = new Core({
    limits: { topicLevelsMax: 1_000, topicBytesMax: 65_535, packetBytesMax: 1_048_576 },
  });
  const deep = Array(1_000).fill("a").join("/");
  const client = core.connect();
  client.publish(deep, "x", { retain: true });
  client.subscribe("#");
  assertEquals(client.takeMessages().length, 1);
});

Deno.test("A subscriber that acknowledges one message a second does not hold publishers for ever", () => {
  const core = new Core();
  const subscriber = core.connect();
  subscriber.subscribe("t", 1);
  const publisher = core.connect();
  let packetId = 1;
  while (publisher.unread === 0 && packetId < 1_000) {
    publisher.send(publishPacket("t", "x", { qos: 1, packetId: packetId++ }));
  }
  const before = core.statistics.publishReceived;
  for (let second = 0; second < 60; second++) {
    const [message] = subscriber.inbox.splice(0, 1);
    if (message?.type === "PUBLISH") {
      subscriber.send({ type: "PUBACK", packetId: message.packetId });
    }
    for (let i = 0; i < 10 && publisher.unread === 0; i++) {
      publisher.send(publishPacket("t", "x", { qos: 1, packetId: 1 + (packetId++ % 60_000) }));
    }
    core.advance(900);
  }
  const rate = (core.statistics.publishReceived - before) / 54;
  assert(rate > 5, `${rate} messages a second are read from the publisher`);
});

Deno.test("A client that was held while a slow consumer had its grace is not called slow itself", () => {
  const core = new Core();
  const frozen = core.connect({ clientIdentifier: "frozen" });
  frozen.subscribe("a", 1);
  const both = core.connect({ clientIdentifier: "both" });
  both.subscribe("b", 1);
  const publisher = core.connect({ clientIdentifier: "publisher" });
  frozen.frozen = true;
  for (let i = 1; both.connection.holds === 0; i++) {
    both.send(publishPacket("a", "x", { qos: 1, packetId: i }));
  }
  core.advance(1, 1);
  for (let i = 1; publisher.connection.holds === 0; i++) {
    publisher.send(publishPacket("b", "x", { qos: 1, packetId: i }));
  }
  // It acknowledges at once, but the broker does not read what it sends.
  for (const { packetId } of both.takeMessages()) both.send({ type: "PUBACK", packetId });
  core.advance(1_250, 250);
  assertEquals(frozen.connection.slow, true);
  assertEquals(both.connection.slow, false);
});

Deno.test("Two clients that publish to each other at QoS 1 neither wait for each other nor lose", () => {
  const core = new Core({ limits: { queueMessagesMax: 400 } });
  const pair = ["a", "b"].map((id) => core.connect({ clientIdentifier: id }));
  pair.forEach((client, index) => client.subscribe(`to/${index}`, 1));
  const count = 400;
  // Everything a client sends stands in its socket before it reads its first message.
  pair.forEach((client, index) => {
    const packets = Array.from(
      { length: count },
      (_, i) => encodePacket(publishPacket(`to/${1 - index}`, `${i}`, { qos: 1, packetId: i + 1 })),
    );
    for (let i = 0; i < count; i += 20) client.sendBytes(concatenate(packets.slice(i, i + 20)));
  });
  const got = [0, 0];
  for (let round = 0; round < 200; round++) {
    pair.forEach((client, index) => {
      for (const message of client.takeMessages()) {
        got[index]!++;
        client.send({ type: "PUBACK", packetId: message.packetId });
      }
    });
    core.advance(1, 1);
  }
  assertEquals(core.statistics.dropped["queue-full-newest"], 0);
  assertEquals(got, [count, count]);
});
