/** Hosts check `seq` over all topics of an Edge Node: what overtakes looks like loss to them. */
import { assertEquals } from "@std/assert";
import type { ControlPacket, Qos } from "../../../src/mqtt/mod.ts";
import { TestBroker } from "../../support/test_broker.ts";
import {
  connectPacket,
  filter,
  name,
  publishPacket,
  text,
  WireClient,
} from "../../support/wire_client.ts";
import { birth, CERTIFICATES, death, splitTimestamp } from "./_traffic.ts";

const TOPICS = ["NBIRTH/E", "DBIRTH/E/D", "NDATA/E", "DDATA/E/D", "NCMD/E"]
  .map((end) => `spBv1.0/G/${end}`);

/** Messages 0 to `count - 1` over all topics and levels of QoS, as a publisher sends them. */
function numbered(count: number, qosOf: (i: number) => Qos): ControlPacket[] {
  return Array.from({ length: count }, (_, i) => {
    const qos = qosOf(i);
    const packetId = qos === 0 ? 0 : i + 1;
    return publishPacket(TOPICS[i % TOPICS.length]!, String(i), { qos, packetId });
  });
}

/** Takes `count` messages as slowly as the window lets it; gives their contents in order. */
async function takeAll(client: WireClient, count: number): Promise<number[]> {
  const contents: number[] = [];
  while (contents.length < count) {
    const packet = await client.receive(20_000);
    const { type } = packet;
    if (type === "PUBREL") {
      await client.send({ type: "PUBCOMP", packetId: packet.packetId });
      continue;
    }
    if (type !== "PUBLISH") throw new Error(`Cannot take messages: got ${type}`);
    const { qos, packetId, topic, payload } = packet;
    if (qos > 0) await client.send({ type: qos === 1 ? "PUBACK" : "PUBREC", packetId });
    if (topic.startsWith("spBv1.0/")) contents.push(Number(text(payload)));
  }
  return contents;
}

const MIXES: readonly (readonly [string, (i: number) => Qos])[] = [
  ["QoS 0 behind QoS 1", (i) => (i % 2 === 0 ? 1 : 0)],
  ["QoS 0 behind QoS 2", (i) => (i % 2 === 0 ? 2 : 0)],
  ["all levels of QoS", (i) => (i % 7 % 3) as Qos],
];

for (const cleanSession of [true, false]) {
  for (const [mix, qosOf] of MIXES) {
    Deno.test(`${mix} waits its turn at a narrow window, ${cleanSession ? "clean" : "stored"} session`, async () => {
      await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 1 } });
      const options = { clientIdentifier: "host", cleanSession };
      using host = await WireClient.connect(broker.port, options);
      await host.subscribe("spBv1.0/#", 2);
      await host.subscribe(`${CERTIFICATES}#`, 1);
      using node = await WireClient.connect(broker.port);
      await node.send(...numbered(200, qosOf));
      const expected = Array.from({ length: 200 }, (_, i) => i);
      assertEquals(await takeAll(host, 200), expected);
    });
  }
}

Deno.test("what comes while a client is away and what comes behind it keep their order", async () => {
  await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 2 } });
  const options = { clientIdentifier: "host", cleanSession: false };
  const away = await WireClient.connect(broker.port, options);
  await away.subscribe("spBv1.0/#", 1);
  await away.disconnect();
  using node = await WireClient.connect(broker.port);
  const messages = numbered(20, (i) => (i < 10 ? 1 : (i % 2) as Qos));
  await node.send(...messages.slice(0, 10));
  for (let i = 0; i < 10; i++) await node.expect("PUBACK");
  using host = await WireClient.connect(broker.port, options);
  await node.send(...messages.slice(10));
  assertEquals(await takeAll(host, 20), Array.from({ length: 20 }, (_, i) => i));
});

Deno.test("the Will of the older connection goes out before the births of the newer one", async () => {
  await using broker = await TestBroker.start();
  using host = await WireClient.connect(broker.port);
  await host.subscribe("spBv1.0/#", 1);
  const will = { topic: name("spBv1.0/G/NDEATH/E"), qos: 1 as const };
  using older = await WireClient.connect(broker.port, {
    clientIdentifier: "E",
    will: { ...will, payload: death(1) },
  });
  await older.drain();
  using newer = await WireClient.open(broker.port);
  const born = birth(2);
  await newer.send( // in one piece
    connectPacket({ clientIdentifier: "E", will: { ...will, payload: death(2) } }),
    {
      type: "SUBSCRIBE",
      packetId: 1,
      subscriptions: [{ filter: filter("spBv1.0/G/NCMD/E"), qos: 1 }],
    },
    { ...publishPacket("spBv1.0/G/NBIRTH/E", ""), payload: born },
  );
  await older.expectClosed();
  const first = await host.receiveMessage();
  assertEquals(first.topic, will.topic);
  assertEquals(splitTimestamp(first.payload).rest, death(1));
  const second = await host.receiveMessage();
  assertEquals([second.topic, second.payload], [name("spBv1.0/G/NBIRTH/E"), born]);
});
