/** Topic Names and Topic Filters (section 4.7). */
import { assertEquals, assertStrictEquals } from "@std/assert";
import {
  asTopicFilter,
  asTopicName,
  DecodeError,
  decodeTopicFilter,
  decodeTopicName,
  PROTOCOL_LIMITS,
} from "../../src/mqtt/mod.ts";

const ALPHABET = ["a", "/", "+", "#"];

/** Every string of these characters up to a length, the empty one included. */
function* words(lengthMax: number): Generator<string> {
  let row = [""];
  for (let length = 0; length <= lengthMax; length++) {
    yield* row;
    row = row.flatMap((word) => ALPHABET.map((character) => word + character));
  }
}

/** Section 4.7.1 on whole levels. */
function isFilter(word: string): boolean {
  const levels = word.split("/");
  return word !== "" && levels.every((level, index) => {
    if (level.includes("#")) return level === "#" && index === levels.length - 1;
    return !level.includes("+") || level === "+";
  });
}

Deno.test("of all words of a, /, + and # exactly the valid Topic Filters are taken [MQTT-4.7.1-2] [MQTT-4.7.1-3]", () => {
  for (const word of words(6)) {
    const result = asTopicFilter(word);
    if (isFilter(word)) assertEquals<unknown>(result, word);
    else assertEquals(typeof result, "object", word);
  }
});

Deno.test("of all words of a, /, + and # exactly those without wildcards are Topic Names [MQTT-3.3.2-2]", () => {
  for (const word of words(6)) {
    const result = asTopicName(word);
    if (word === "") assertStrictEquals<unknown>(result, DecodeError.topicEmpty);
    else if (/[+#]/.test(word)) assertStrictEquals<unknown>(result, DecodeError.topicWildcard);
    else assertEquals<unknown>(result, word);
  }
});

Deno.test("a topic may be 65,535 bytes long and no longer [MQTT-4.7.3-3]", () => {
  assertEquals<unknown>(asTopicName("x".repeat(65_535)), "x".repeat(65_535));
  assertStrictEquals<unknown>(asTopicName("x".repeat(65_536)), DecodeError.topicTooLong);
  assertStrictEquals<unknown>(asTopicFilter("x".repeat(65_536)), DecodeError.topicTooLong);
});

Deno.test("limits of bytes and levels are inclusive", () => {
  const limits = { ...PROTOCOL_LIMITS, topicBytesMax: 7, topicLevelsMax: 3 };
  for (const decode of [decodeTopicName, decodeTopicFilter]) {
    const check = (text: string): unknown => {
      const bytes = new TextEncoder().encode(text);
      return decode(bytes, { start: 0, end: bytes.length }, limits);
    };
    assertEquals(check("a/b/cde"), "a/b/cde");
    assertStrictEquals(check("a/b/cdef"), DecodeError.topicTooLong);
    assertStrictEquals(check("a/b/c/d"), DecodeError.topicTooDeep);
    assertStrictEquals(check("///"), DecodeError.topicTooDeep);
  }
});

Deno.test("a topic is read from the middle of a buffer, without its neighbours", () => {
  const bytes = new TextEncoder().encode("#a/b#");
  assertEquals<unknown>(decodeTopicName(bytes, { start: 1, end: 4 }, PROTOCOL_LIMITS), "a/b");
  assertEquals<unknown>(decodeTopicFilter(bytes, { start: 1, end: 4 }, PROTOCOL_LIMITS), "a/b");
  const wild = new TextEncoder().encode("x#x+x");
  assertEquals<unknown>(decodeTopicFilter(wild, { start: 1, end: 2 }, PROTOCOL_LIMITS), "#");
  assertEquals<unknown>(decodeTopicFilter(wild, { start: 3, end: 4 }, PROTOCOL_LIMITS), "+");
});

Deno.test("characters are compared as they are: no normalisation [MQTT-4.7.3-4]", () => {
  const composed = asTopicName("\u00e4");
  const decomposed = asTopicName("a\u0308");
  assertEquals(composed === decomposed, false);
});
