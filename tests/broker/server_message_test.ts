/** Messages that the server makes itself: topics of every length. */
import { assertEquals } from "@std/assert";
import { makeMessage } from "../../src/broker/mod.ts";
import { name, payload, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";

Deno.test("a message of the server has its whole topic and payload", () => {
  for (const length of [1, 127, 128, 255, 256, 257, 700, 65_535]) {
    const topic = "t".repeat(length);
    const message = makeMessage(topic, payload("content"), 1);
    assertEquals(message.topic, topic);
    assertEquals(text(message.payload), "content");
    assertEquals([...message.bytes.subarray(0, 2)], [length >> 8, length & 0xff]);
  }
});

Deno.test("a Will on a topic of more than 255 bytes arrives there", () => {
  const core = new Core();
  const reader = core.connect({ clientIdentifier: "reader" });
  reader.subscribe("#", 1);
  const topic = "w".repeat(600);
  const will = { topic: name(topic), payload: payload("gone"), qos: 1 as const, retain: false };
  core.connect({ clientIdentifier: "dying", will }).lose();
  const [message] = reader.takeMessages();
  assertEquals([message!.topic, text(message!.payload)], [topic, "gone"]);
});
