/** UTF-8 encoded strings in every field that holds one: section 1.5.3. */
import { assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { concatenate, name, publishPacket, text, WireClient } from "../support/wire_client.ts";
import {
  bytes,
  expectNothing,
  expectRejected,
  expectViolation,
  field,
  hex,
  packet,
  rawConnect,
  uint16,
} from "./_raw.ts";

/** Byte sequences that are not UTF-8, each inside otherwise harmless characters. */
const ILL_FORMED: readonly (readonly [string, string])[] = [
  ["the surrogate U+D800", "61 eda080 62"],
  ["the surrogate U+DFFF", "61 edbfbf 62"],
  ["a surrogate pair", "61 eda080 edb080 62"],
  ["an overlong U+0000", "61 c080 62"],
  ["an overlong solidus", "61 c0af 62"],
  ["an overlong three-byte form", "61 e08080 62"],
  ["a code point above U+10FFFF", "61 f4908080 62"],
  ["a lone continuation byte", "61 80 62"],
  ["a sequence cut off by the end", "61 e282"],
  ["the byte FF", "61 ff 62"],
];
const NULL_CHARACTER = hex("61 00 62");

/** Every field that is a string: its name with the tags of its own, and a packet around it. */
const FIELDS: readonly {
  readonly sentence: string;
  readonly send: (port: number, content: Uint8Array) => Promise<void>;
}[] = [
  { sentence: "the Client Identifier [MQTT-3.1.3-4]", send: asClientIdentifier },
  { sentence: "the Will Topic [MQTT-3.1.3-10]", send: asWillTopic },
  { sentence: "the User Name [MQTT-3.1.3-11]", send: asUserName },
  { sentence: "the Topic Name of PUBLISH [MQTT-3.3.2-1]", send: asTopicName },
  { sentence: "the Topic Filter of SUBSCRIBE [MQTT-3.8.3-1]", send: asSubscribeFilter },
  { sentence: "the Topic Filter of UNSUBSCRIBE [MQTT-3.10.3-1]", send: asUnsubscribeFilter },
];

for (const { sentence, send } of FIELDS) {
  Deno.test(`ill-formed UTF-8 is refused in ${sentence} [MQTT-1.5.3-1]`, async () => {
    await using broker = await TestBroker.start();
    for (const [, digits] of ILL_FORMED) await send(broker.port, hex(digits));
  });

  Deno.test(`U+0000 is refused in ${sentence} [MQTT-1.5.3-2]`, async () => {
    await using broker = await TestBroker.start();
    await send(broker.port, NULL_CHARACTER);
    await send(broker.port, bytes(0));
  });
}

Deno.test("U+0000 is refused in Topic Names and Topic Filters [MQTT-4.7.3-2]", async () => {
  await using broker = await TestBroker.start();
  for (const send of [asTopicName, asSubscribeFilter, asUnsubscribeFilter, asWillTopic]) {
    await send(broker.port, hex("61 2f 00"));
  }
});

Deno.test("ill-formed UTF-8 is found behind a long stretch of ASCII [MQTT-1.5.3-1]", async () => {
  await using broker = await TestBroker.start();
  const long = concatenate([new Uint8Array(300).fill(0x61), hex("eda080")]);
  await asTopicName(broker.port, long);
  await asSubscribeFilter(broker.port, long);
  await asTopicName(broker.port, concatenate([new Uint8Array(300).fill(0x61), bytes(0)]));
});

Deno.test("the last filter of several is looked at like the first [MQTT-3.8.3-1] [MQTT-3.10.3-1]", async () => {
  await using broker = await TestBroker.start();
  const bad = field(hex("eda080"));
  await expectViolation(
    broker.port,
    packet(0x82, uint16(1), field("good"), bytes(0), bad, bytes(0)),
  );
  await expectViolation(broker.port, packet(0xa2, uint16(1), field("good"), bad));
});

/** Well-formed strings at the edges of every length of encoding. */
const WELL_FORMED = ["\u007f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff"]
  .concat(["\u{10000}", "\u{10ffff}", "日本語/温度", "𝔐𝔔𝔗𝔗"]);

Deno.test("every well-formed string is a good topic [MQTT-3.3.2-1] [MQTT-3.8.3-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const topic of WELL_FORMED) {
    await client.subscribe(topic);
    await client.send(publishPacket(topic, "x"));
    assertEquals((await client.receiveMessage()).topic, name(topic));
    await client.sendBytes(packet(0xa2, uint16(1), field(topic)));
    await client.expect("UNSUBACK");
  }
});

Deno.test("every well-formed string is a good Client Identifier, Will Topic and User Name [MQTT-3.1.3-4] [MQTT-3.1.3-10] [MQTT-3.1.3-11]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  for (const each of WELL_FORMED) {
    await watcher.subscribe(each);
    const options = { clientIdentifier: each, userName: each, will: { topic: name(each) } };
    const client = await WireClient.connect(broker.port, options);
    client.close();
    assertEquals((await watcher.receiveMessage()).topic, name(each));
  }
});

Deno.test("U+FEFF at the start of a topic is a character like any other [MQTT-1.5.3-3]", async () => {
  await using broker = await TestBroker.start();
  using marked = await WireClient.connect(broker.port);
  await marked.subscribe("\ufeffa");
  using plain = await WireClient.connect(broker.port);
  await plain.subscribe("a");
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish("\ufeffa", "marked", { qos: 1 });
  await publisher.publish("a", "plain", { qos: 1 });
  assertEquals((await marked.receiveMessage()).topic, name("\ufeffa"));
  await expectNothing(marked);
  assertEquals(text((await plain.receiveMessage()).payload), "plain");
  await expectNothing(plain);
});

Deno.test("U+FEFF inside a topic and in a retained one stays [MQTT-1.5.3-3]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.publish("\ufeff/x\ufeff", "kept", { qos: 1, retain: true });
  await client.subscribe("+/x\ufeff");
  assertEquals((await client.receiveMessage()).topic, name("\ufeff/x\ufeff"));
  await client.subscribe("/x");
  await client.subscribe("+/x");
  await expectNothing(client);
});

Deno.test("Client Identifiers that differ by U+FEFF are two clients [MQTT-1.5.3-3]", async () => {
  await using broker = await TestBroker.start();
  using plain = await WireClient.connect(broker.port, { clientIdentifier: "x" });
  using marked = await WireClient.connect(broker.port, { clientIdentifier: "\ufeffx" });
  await plain.drain();
  await marked.drain();
});

async function asClientIdentifier(port: number, content: Uint8Array): Promise<void> {
  await expectRejected(port, rawConnect({ payload: [field(content)] }));
}

async function asWillTopic(port: number, content: Uint8Array): Promise<void> {
  const payload = [field("peer"), field(content), field("gone")];
  await expectRejected(port, rawConnect({ flags: 0x06, payload }));
}

async function asUserName(port: number, content: Uint8Array): Promise<void> {
  await expectRejected(
    port,
    rawConnect({ flags: 0x82, payload: [field("peer"), field(content)] }),
  );
}

async function asTopicName(port: number, content: Uint8Array): Promise<void> {
  await expectViolation(port, packet(0x30, field(content)));
  await expectViolation(port, packet(0x32, field(content), uint16(1)));
  await expectViolation(port, packet(0x35, field(content), uint16(1), bytes(0x41)));
}

async function asSubscribeFilter(port: number, content: Uint8Array): Promise<void> {
  await expectViolation(port, packet(0x82, uint16(1), field(content), bytes(0)));
}

async function asUnsubscribeFilter(port: number, content: Uint8Array): Promise<void> {
  await expectViolation(port, packet(0xa2, uint16(1), field(content)));
}
