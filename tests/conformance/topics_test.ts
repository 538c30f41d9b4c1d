/** Topic Names, Topic Filters and how they match: section 4.7. */
import { assert, assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { filter, name, publishPacket, text, WireClient } from "../support/wire_client.ts";
import {
  bytes,
  expectNothing,
  expectRejected,
  expectViolation,
  field,
  packet,
  rawConnect,
  receiveMany,
  uint16,
} from "./_raw.ts";

const TOPICS = [
  ["a", "a/b", "a/b/c", "a/", "a//c", "/a", "/", "//", "b", "A", "a b", "ab", "a/b/", "$", "a/$"],
  ["$data", "$data/b", "$data/b/c", "$SYSTEM", "a/$data/b"],
].flat();

/** Topic Filters and every topic of `TOPICS` that they match. */
const MATCHES: readonly (readonly [string, readonly string[]])[] = [
  ["#", TOPICS.filter((topic) => !topic.startsWith("$"))],
  ["+", ["a", "b", "A", "a b", "ab"]],
  ["+/+", ["a/b", "a/", "/a", "/", "a/$"]],
  ["+/+/+", ["a/b/c", "a//c", "//", "a/b/", "a/$data/b"]],
  ["a", ["a"]],
  ["a/#", ["a", "a/b", "a/b/c", "a/", "a//c", "a/b/", "a/$", "a/$data/b"]],
  ["a/+", ["a/b", "a/", "a/$"]],
  ["a/+/c", ["a/b/c", "a//c"]],
  ["a/b/#", ["a/b", "a/b/c", "a/b/"]],
  ["a/+/#", ["a/b", "a/b/c", "a/", "a//c", "a/b/", "a/$", "a/$data/b"]],
  ["a/", ["a/"]],
  ["a//c", ["a//c"]],
  ["/#", ["/a", "/", "//"]],
  ["/+", ["/a", "/"]],
  ["+/", ["a/", "/"]],
  ["//", ["//"]],
  ["+/#", TOPICS.filter((topic) => !topic.startsWith("$"))],
  ["+/b/#", ["a/b", "a/b/c", "a/b/"]],
  ["$data/#", ["$data", "$data/b", "$data/b/c"]],
  ["$data/+", ["$data/b"]],
  ["+/$data/+", ["a/$data/b"]],
  ["$/#", ["$"]],
  ["$", ["$"]],
  ["A", ["A"]],
  ["a b", ["a b"]],
  ["__proto__", []],
];

for (const [topicFilter, expected] of MATCHES) {
  Deno.test(`${topicFilter} matches live and retained topics as section 4.7 says [MQTT-3.3.2-3] [MQTT-4.7.1-2] [MQTT-4.7.1-3]`, async () => {
    await using broker = await TestBroker.start();
    using client = await WireClient.connect(broker.port);
    assertEquals((await client.subscribe(topicFilter)).returnCodes, [0]);
    await client.send(...TOPICS.map((topic) => publishPacket(topic, "x", { retain: true })));
    assertEquals(await topicsReceived(client), [...expected]);
    using late = await WireClient.connect(broker.port);
    await late.subscribe(topicFilter);
    assertEquals((await topicsReceived(late)).sort(), expected.toSorted());
  });
}

Deno.test("# elsewhere than as the whole last level closes the connection [MQTT-4.7.1-2]", async () => {
  await using broker = await TestBroker.start();
  for (const bad of ["a#", "a/b#", "#/a", "a/#/b", "##", "a/##", "#a", "a/#b", "+#", "#/", "#+"]) {
    await expectBadFilter(broker.port, bad);
  }
});

Deno.test("+ that does not fill a level closes the connection [MQTT-4.7.1-3]", async () => {
  await using broker = await TestBroker.start();
  for (const bad of ["a+", "+a", "a/b+", "a/+b", "++", "a/++/b", "+a/b", "a+/b", "/+a"]) {
    await expectBadFilter(broker.port, bad);
  }
});

Deno.test("wildcards are good in Topic Filters and bad in Topic Names [MQTT-4.7.1-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const wild of ["#", "+", "a/+/b", "a/#", "+/+/#"]) {
    assertEquals((await client.subscribe(wild)).returnCodes, [0]);
    await expectViolation(broker.port, packet(0x30, field(wild)));
  }
  await expectNothing(client);
});

Deno.test("a Topic Filter that begins with a wildcard does not match $-topics [MQTT-4.7.2-1]", async () => {
  await using broker = await TestBroker.start();
  using publisher = await WireClient.connect(broker.port);
  const topics = ["$share", "$data/x", "$data/x/y", "$"];
  for (const topic of topics) await publisher.publish(topic, "x", { qos: 1, retain: true });
  using client = await WireClient.connect(broker.port);
  for (const topicFilter of ["#", "+", "+/x", "+/#", "+/x/#", "+/+", "+/+/y"]) {
    await client.subscribe(topicFilter, 1);
    await expectNothing(client);
  }
  for (const topic of topics) await publisher.publish(topic, "x", { qos: 1 });
  await expectNothing(client);
});

Deno.test("the server's own $SYS topics are found by their name only [MQTT-4.7.2-1]", async () => {
  await using broker = await TestBroker.start({ sysTopics: { enabled: true, intervalMs: 50 } });
  using wild = await WireClient.connect(broker.port);
  await wild.subscribe("#", 1);
  await wild.subscribe("+/broker/#", 1);
  using named = await WireClient.connect(broker.port);
  await named.subscribe("$SYS/broker/bytes/received");
  // The first figure may be the retained one; those behind it are live.
  const deadlineMs = performance.now() + 5_000;
  for (let figures = 0; figures < 3;) {
    assert(performance.now() < deadlineMs, "no figures come");
    figures += (await named.drain()).length;
  }
  await expectNothing(wild);
});

Deno.test("an empty Topic Name or Topic Filter closes the connection [MQTT-4.7.3-1]", async () => {
  await using broker = await TestBroker.start();
  await expectViolation(broker.port, packet(0x30, field("")));
  await expectViolation(broker.port, packet(0x32, field(""), uint16(1)));
  await expectViolation(broker.port, packet(0x31, field(""), bytes(0x41)));
  await expectBadFilter(broker.port, "");
  const payload = [field("peer"), field(""), field("gone")];
  await expectRejected(broker.port, rawConnect({ flags: 0x06, payload }));
});

Deno.test("one character is enough for a topic [MQTT-4.7.3-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const topic of ["/", "x", " ", "$", "\u0001"]) {
    await client.subscribe(topic);
    await client.send(publishPacket(topic, "x"));
    assertEquals((await client.receiveMessage()).topic, name(topic));
  }
});

Deno.test("a topic of 65,535 bytes works as name and as filter [MQTT-4.7.3-3]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  const longest = "ä/" + "x".repeat(65_532);
  const almost = longest.slice(0, -1);
  assertEquals(new TextEncoder().encode(longest).length, 65_535);
  await client.subscribe(longest, 1);
  using publisher = await WireClient.connect(broker.port);
  await publisher.publish(longest, "long", { qos: 1, retain: true });
  await publisher.publish(almost, "shorter", { qos: 1 });
  const received = await client.receiveMessage();
  assertEquals(text(received.payload), "long");
  assertEquals(received.topic === longest, true);
  await expectNothing(client);
  await client.subscribe("ä/+", 1);
  assertEquals((await client.receiveMessage()).topic === longest, true);
  await client.send({ type: "UNSUBSCRIBE", packetId: 2, filters: [filter(longest)] });
  await client.expect("UNSUBACK");
});

Deno.test("topics are compared as they are, without normalisation [MQTT-4.7.3-4]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  using publisher = await WireClient.connect(broker.port);
  // Each a pair that some normalisation, case folding or path clean-up would make one.
  const pairs = [
    ["\u00c5", "A\u030a"],
    ["\u212b", "\u00c5"],
    ["\ufb01", "fi"],
    ["\u1e9b\u0323", "\u1e69"],
    ["Straße", "STRASSE"],
    ["Topic", "topic"],
    ["a/b", "a//b"],
    ["a/b", "a/./b"],
    ["a", "a/"],
    ["a", " a"],
    ["%41", "A"],
    ["\uff21", "A"],
  ] as const;
  for (const [one, two] of pairs) {
    for (const [subscribed, published] of [[one, two], [two, one]] as const) {
      await client.subscribe(subscribed);
      await publisher.send(publishPacket(published, "x"), publishPacket(subscribed, "x"));
      const received = await client.receiveMessage();
      assertEquals(encoded(received.topic), encoded(subscribed));
      await publisher.drain();
      await expectNothing(client);
      await client.send({ type: "UNSUBSCRIBE", packetId: 2, filters: [filter(subscribed)] });
      await client.expect("UNSUBACK");
    }
  }
});

Deno.test("unassigned and unusual characters are neither changed nor refused [MQTT-4.7.3-4]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  for (const topic of ["\u0378", "\ufffe", "\ufffd", "\ue000", "\u200b", "\u202e", "\u007f\t"]) {
    await client.subscribe(topic);
    await client.send(publishPacket(topic, "x"));
    const [received] = await receiveMany(client, 1);
    assertEquals(received, publishPacket(topic, "x"));
    await client.send({ type: "UNSUBSCRIBE", packetId: 2, filters: [filter(topic)] });
    await client.expect("UNSUBACK");
  }
});

async function expectBadFilter(port: number, bad: string): Promise<void> {
  await expectViolation(port, packet(0x82, uint16(1), field(bad), bytes(0)));
  await expectViolation(port, packet(0xa2, uint16(1), field(bad)));
}

async function topicsReceived(client: WireClient): Promise<string[]> {
  const packets = await client.drain();
  return packets.map((each) => each.type === "PUBLISH" ? each.topic : each.type);
}

function encoded(topic: string): string {
  return [...new TextEncoder().encode(topic)].join(" ");
}
