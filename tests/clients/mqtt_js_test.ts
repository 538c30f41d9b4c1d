/** MQTT.js, the client that most JavaScript programs use, against a real broker. */
import { assertEquals } from "@std/assert";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { TestBroker } from "../support/test_broker.ts";

interface Received {
  readonly topic: string;
  readonly content: string;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
}

const PATIENCE_MS = 10_000;

function connect(broker: TestBroker, options: IClientOptions = {}): Promise<MqttClient> {
  const url = `mqtt://127.0.0.1:${broker.port}`;
  return mqtt.connectAsync(url, { reconnectPeriod: 0, protocolVersion: 4, ...options });
}

/** The next `count` messages of a client. */
function messages(client: MqttClient, count: number): Promise<Received[]> {
  return new Promise((resolve, reject) => {
    const received: Received[] = [];
    const timer = setTimeout(() => {
      reject(new Error(`Cannot receive ${count} messages: got ${JSON.stringify(received)}`));
    }, PATIENCE_MS);
    client.on("message", function take(topic, content, { qos, retain, dup }) {
      received.push({ topic, content: content.toString(), qos, retain, dup });
      if (received.length < count) return;
      clearTimeout(timer);
      client.off("message", take);
      resolve(received);
    });
  });
}

for (const qos of [0, 1, 2] as const) {
  Deno.test(`MQTT.js publishes and receives 500 messages at QoS ${qos} in order`, async () => {
    await using broker = await TestBroker.start();
    const subscriber = await connect(broker);
    const publisher = await connect(broker);
    const [grant] = await subscriber.subscribeAsync("line/+/value", { qos });
    assertEquals(grant?.qos, qos);
    const arrived = messages(subscriber, 500);
    const sent = Array.from({ length: 500 }, (_, i) => `value ${i}`);
    await Promise.all(
      sent.map((content) => publisher.publishAsync("line/1/value", content, { qos })),
    );
    const received = await arrived;
    assertEquals(received.map(({ content }) => content), sent);
    assertEquals(new Set(received.map((message) => message.qos)), new Set([qos]));
    await publisher.endAsync();
    await subscriber.endAsync();
  });
}

Deno.test("MQTT.js gets a retained message, and none after it was cleared", async () => {
  await using broker = await TestBroker.start();
  const publisher = await connect(broker);
  await publisher.publishAsync("state", "on", { qos: 1, retain: true });
  const first = await connect(broker);
  const arrived = messages(first, 1);
  await first.subscribeAsync("state", { qos: 1 });
  assertEquals(await arrived, [
    { topic: "state", content: "on", qos: 1, retain: true, dup: false },
  ]);
  await publisher.publishAsync("state", "", { qos: 1, retain: true });
  const second = await connect(broker);
  const live = messages(second, 1);
  await second.subscribeAsync("state", { qos: 1 });
  await publisher.publishAsync("state", "live", { qos: 1 });
  assertEquals((await live).map(({ content, retain }) => ({ content, retain })), [
    { content: "live", retain: false },
  ]);
  for (const client of [publisher, first, second]) await client.endAsync();
});

Deno.test("MQTT.js has its Will published when its connection breaks, not when it leaves", async () => {
  await using broker = await TestBroker.start();
  const watcher = await connect(broker);
  await watcher.subscribeAsync("will/#", { qos: 1 });
  const arrived = messages(watcher, 1);
  const will = { payload: Buffer.from("dead"), qos: 1 as const, retain: false };
  const polite = await connect(broker, { will: { ...will, topic: "will/polite" } });
  await polite.endAsync();
  const broken = await connect(broker, { will: { ...will, topic: "will/broken" } });
  broken.stream.destroy();
  assertEquals((await arrived).map(({ topic, content }) => ({ topic, content })), [
    { topic: "will/broken", content: "dead" },
  ]);
  await broken.endAsync(true);
  await watcher.endAsync();
});

Deno.test("MQTT.js resumes a persistent session and gets what it missed, in order", async () => {
  await using broker = await TestBroker.start();
  const options = { clientId: "historian", clean: false };
  const before = await connect(broker, options);
  await before.subscribeAsync("data/#", { qos: 2 });
  await before.endAsync();
  const publisher = await connect(broker);
  const sent = Array.from({ length: 200 }, (_, i) => `sample ${i}`);
  for (const [i, content] of sent.entries()) {
    await publisher.publishAsync(`data/${i % 3}`, content, { qos: i % 2 === 0 ? 1 : 2 });
  }
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const after = mqtt.connect(url, { ...options, reconnectPeriod: 0, protocolVersion: 4 });
  const present = new Promise<boolean>((resolve) => {
    after.on("connect", (connack) => resolve(connack.sessionPresent));
  });
  const received = await messages(after, sent.length);
  assertEquals(await present, true);
  // MQTT.js shows a QoS 2 message when its PUBREL comes, so order is only visible for each QoS.
  for (const qos of [1, 2]) {
    const arrived = received.filter((message) => message.qos === qos);
    assertEquals(
      arrived.map(({ content }) => content),
      sent.filter((_, i) => i % 2 === qos - 1),
    );
  }
  await after.endAsync();
  await publisher.endAsync();
});

Deno.test("MQTT.js is told that MQTT 5 is not supported", async () => {
  await using broker = await TestBroker.start();
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.port}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  const error = await new Promise<Error>((resolve) => client.on("error", resolve));
  assertEquals((error as Error & { code: number }).code, 0x84);
  await client.endAsync(true);
});
