/** QoS 0 packets that are handed on as they came: runs, their borders, and what must break them. */
import { assertEquals } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { concatenate, text } from "../support/wire_client.ts";
import { bytes, packet, text as field } from "../wire_cases/wire_case.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

/** A QoS 0 PUBLISH whose Remaining Length takes `lengthBytes` bytes. */
function publish(topic: string, content: string, lengthBytes = 1): Uint8Array {
  const body = bytes(field(topic), new TextEncoder().encode(content));
  const length: number[] = [];
  let rest = body.length;
  for (let i = 1; i < lengthBytes; i++) {
    length.push(0x80 | (rest & 0x7f));
    rest >>= 7;
  }
  return rest > 127 || lengthBytes === 1 ? packet(0x30, body) : bytes(0x30, length, rest, body);
}

function seen(client: FakeClient): string[] {
  return client.takeMessages().map((m) => `${m.topic}=${text(m.payload)}`);
}

/** Two ways to take a run: at once, and one by one because something waits already. */
function subscribers(core: Core): FakeClient[] {
  const open = core.connect({ clientIdentifier: "open" });
  open.subscribe("#", 0);
  const waiting = core.connect({ clientIdentifier: "waiting" });
  waiting.subscribe("#", 1);
  const publisher = core.connect();
  for (let i = 0; i < core.limits.inFlightMessagesMax + 1; i++) {
    publisher.publish("fill", "x", { qos: 1 });
  }
  open.takeAll();
  return [open, waiting];
}

function acknowledge(client: FakeClient): string[] {
  const all: string[] = [];
  while (client.inbox.length > 0) {
    const messages = client.takeMessages();
    for (const message of messages) {
      all.push(`${message.topic}=${text(message.payload)}`);
      if (message.qos === 1) client.send({ type: "PUBACK", packetId: message.packetId });
    }
  }
  return all.filter((line) => line !== "fill=x");
}

function everybodySees(chunk: Uint8Array, expected: readonly string[]): void {
  const core = new Core();
  const [open, waiting] = subscribers(core);
  core.connect().sendBytes(chunk);
  assertEquals(seen(open!), expected);
  assertEquals(acknowledge(waiting!), expected);
}

Deno.test("a run with every length of Remaining Length arrives message by message", () => {
  const contents = ["a", "", "bb", "c".repeat(140), "d", "e".repeat(3), ""];
  const parts = contents.flatMap((content, i) => [
    publish("t", content, 1),
    publish("t", `${content}${i}`, 2),
    publish("t", content, 3),
    publish("t", `${content}.`, 4),
  ]);
  const expected = contents.flatMap((content, i) => [
    `t=${content}`,
    `t=${content}${i}`,
    `t=${content}`,
    `t=${content}.`,
  ]);
  everybodySees(concatenate(parts), expected);
});

Deno.test("a packet with a wasteful Remaining Length is not handed on as it came", () => {
  const core = new Core();
  const [open] = subscribers(core);
  const before = open!.receivedBytes;
  core.connect().sendBytes(concatenate([publish("t", "1", 2), publish("t", "2", 2)]));
  assertEquals(open!.receivedBytes - before, 2 * publish("t", "1").length);
});

Deno.test("topics that are prefixes of each other do not share a run", () => {
  const topics = ["a", "ab", "a", "a/", "a/b", "a", "abc", "ab", "b", "a"];
  everybodySees(
    concatenate(topics.map((topic, i) => publish(topic, `${i}`))),
    topics.map((topic, i) => `${topic}=${i}`),
  );
});

Deno.test("a payload that continues the topic is not taken for one", () => {
  everybodySees(
    concatenate([publish("a", "b"), publish("ab", ""), publish("a", "b/c"), publish("ab", "/c")]),
    ["a=b", "ab=", "a=b/c", "ab=/c"],
  );
});

Deno.test("RETAIN, QoS and other packets end a run and keep their place", () => {
  everybodySees(
    concatenate([
      publish("t", "1"),
      packet(0x31, field("t"), 0x32),
      publish("t", "3"),
      packet(0x32, field("t"), 0, 1, 0x34),
      publish("t", "5"),
      bytes(0xc0, 0),
      publish("t", "6"),
    ]),
    ["t=1", "t=2", "t=3", "t=4", "t=5", "t=6"],
  );
});

Deno.test("a fault behind a run takes nothing from the run, and ends the connection", () => {
  for (
    const fault of [
      bytes(0x30, 0),
      bytes(0x30, 1, 0),
      bytes(0x30, 2, 0, 1, 0x74),
      bytes(0x30, 0x80, 0x00, 0, 0, 0),
      bytes(0x30, 3, 0, 2, 0x74, 0x74, 0x74),
    ]
  ) {
    const core = new Core();
    const [open] = subscribers(core);
    const publisher = core.connect();
    publisher.sendBytes(concatenate([publish("t", "1"), publish("t", "2"), fault]));
    assertEquals(seen(open!), ["t=1", "t=2"]);
    assertEquals(publisher.connection.closed, true);
    assertEquals([...core.statistics.protocolErrors], [["MQTT-4.8.0-1", 1]]);
  }
});

Deno.test("a run is the same wherever the chunk is cut", () => {
  const contents = Array.from({ length: 12 }, (_, i) => "x".repeat(i * 23 % 150) + i);
  const stream = concatenate(contents.map((content, i) => publish("t/u", content, 1 + i % 3)));
  const expected = contents.map((content) => `t/u=${content}`);
  for (let cut = 1; cut < stream.length; cut++) {
    const core = new Core();
    const open = core.connect();
    open.subscribe("t/+");
    const publisher = core.connect();
    publisher.present(stream.slice(0, cut));
    publisher.present(stream.slice(cut));
    core.turn();
    assertEquals(seen(open), expected, `cut at ${cut}`);
  }
});

Deno.test("random runs to random subscribers give what single packets give", () => {
  const random = new Random(21);
  for (let round = 0; round < 200; round++) {
    const parts = Array.from({ length: 1 + random.below(30) }, () => ({
      topic: random.pick(["a", "a", "a", "ab", "b"]),
      content: `${random.bits()}`.padEnd(random.pick([0, 0, 0, 200])),
    }));
    const stream = concatenate(
      parts.map((part) => publish(part.topic, part.content, 1 + random.below(3))),
    );
    everybodySees(stream, parts.map((part) => `${part.topic}=${part.content}`));
  }
});

Deno.test("a run to a client that is away, and one whose outbox is full, is dropped and counted", () => {
  const core = new Core();
  const away = core.connect({ clientIdentifier: "away", cleanSession: false });
  away.subscribe("t");
  away.lose();
  const frozen = core.connect();
  frozen.subscribe("t");
  frozen.frozen = true;
  const publisher = core.connect();
  const chunk = concatenate(Array.from({ length: 100 }, () => publish("t", "x".repeat(100))));
  for (let i = 0; i < 20; i++) {
    publisher.sendBytes(chunk);
    core.advance(1_250); // the frozen client loses the right to hold
  }
  assertEquals(frozen.connection.pendingBytes <= core.limits.outboxBytesMax, true);
  frozen.thaw();
  const { "stalled-consumer": outboxFull } = core.statistics.dropped;
  assertEquals(frozen.takeMessages().length + outboxFull, 2_000);
  assertEquals(core.statistics.queuedMessages, 0);
});
