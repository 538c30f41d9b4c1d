import { assertEquals } from "@std/assert";
import { parseState } from "../../src/sparkplug/judging.ts";

function read(text: string): unknown {
  return parseState(new TextEncoder().encode(text));
}

Deno.test("STATE is JSON with online and an integer timestamp; more is tolerated", () => {
  const state = { online: true, timestamp: 1700000000000 };
  assertEquals(read('{"online":true,"timestamp":1700000000000}'), state);
  assertEquals(read('{ "timestamp" : 1700000000000, "x": {"y": 1}, "online" : true }'), state);
  assertEquals(read('{"online":false,"timestamp":-1}'), { online: false, timestamp: -1 });
});

Deno.test("what is wrong with a STATE is said", () => {
  const online = { problem: "online is not true or false" };
  const timestamp = { problem: "timestamp is not an integer" };
  for (
    const [text, expected] of [
      ["OFFLINE", { problem: "it is not JSON" }],
      ["[]", { problem: "it is not a JSON object" }],
      ["null", { problem: "it is not a JSON object" }],
      ['{"online":"true","timestamp":1}', online],
      ['{"timestamp":1}', online],
      ['{"__proto__":{"online":true},"timestamp":1}', online],
      ['{"online":true}', timestamp],
      ['{"online":true,"timestamp":"1"}', timestamp],
      ['{"online":true,"timestamp":1.0}', timestamp],
      ['{"online":true,"timestamp":1e3}', timestamp],
      ['{"online":true,"timestamp":1.5}', timestamp],
      ['{"online":true,"timestamp":9007199254740993}', timestamp],
      [" ".repeat(5000), { problem: "it is longer than 4096 bytes" }],
    ] as const
  ) assertEquals(read(text), expected, text.slice(0, 60));
  assertEquals(parseState(Uint8Array.of(0xff)), { problem: "it is not UTF-8" });
});
