/** UTF-8 encoded strings (section 1.5.3). */
import { assertEquals, assertStrictEquals } from "@std/assert";
import { DecodeError, decodeUtf8, encodeUtf8 } from "../../src/mqtt/mod.ts";

function decode(bytes: ArrayLike<number>) {
  return decodeUtf8(Uint8Array.from(bytes), 0, bytes.length);
}

Deno.test("every Unicode scalar value but U+0000 survives the way there and back [MQTT-1.5.3-1]", () => {
  for (let point = 1; point <= 0x10ffff; point++) {
    if (point === 0xd800) point = 0xe000;
    const text = String.fromCodePoint(point);
    const bytes = encodeUtf8(text);
    if (decodeUtf8(bytes, 0, bytes.length) !== text) throw new Error(`U+${point.toString(16)}`);
  }
});

Deno.test("every surrogate in UTF-8 is ill-formed [MQTT-1.5.3-1]", () => {
  for (let point = 0xd800; point <= 0xdfff; point++) {
    const bytes = [0xed, 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f)];
    assertStrictEquals(decode(bytes), DecodeError.illFormedUtf8);
  }
});

Deno.test("every lone byte above 7F is ill-formed, alone and behind text", () => {
  for (let byte = 0x80; byte <= 0xff; byte++) {
    assertStrictEquals(decode([byte]), DecodeError.illFormedUtf8);
    assertStrictEquals(decode([0x61, byte]), DecodeError.illFormedUtf8);
    assertStrictEquals(decode([byte, 0x61]), DecodeError.illFormedUtf8);
  }
});

Deno.test("overlong forms are ill-formed", () => {
  for (let byte = 0; byte < 0x80; byte++) {
    const low = 0x80 | (byte & 0x3f);
    assertStrictEquals(decode([0xc0 | (byte >> 6), low]), DecodeError.illFormedUtf8);
    assertStrictEquals(decode([0xe0, 0x80 | (byte >> 6), low]), DecodeError.illFormedUtf8);
    assertStrictEquals(decode([0xf0, 0x80, 0x80 | (byte >> 6), low]), DecodeError.illFormedUtf8);
  }
});

Deno.test("U+0000 is refused wherever it stands [MQTT-1.5.3-2]", () => {
  for (const length of [1, 2, 63, 64, 65, 200]) {
    for (const at of [0, length >> 1, length - 1]) {
      const bytes = new Uint8Array(length).fill(0x61);
      bytes[at] = 0;
      assertStrictEquals(decode(bytes), DecodeError.nullCharacter);
    }
  }
});

Deno.test("a byte order mark is a character like any other [MQTT-1.5.3-3]", () => {
  assertEquals(decode([0xef, 0xbb, 0xbf]), "\ufeff");
  assertEquals(decode([0xef, 0xbb, 0xbf, 0x61, 0xef, 0xbb, 0xbf]), "\ufeffa\ufeff");
});

Deno.test("text is decoded alike below and above the length of the short way", () => {
  for (const length of [0, 1, 63, 64, 65, 66, 1000]) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(1 + i % 127)).join("");
    assertEquals(decode(encodeUtf8(text)), text);
    assertEquals(decode(encodeUtf8(`ä${text}`)), `ä${text}`);
  }
});

Deno.test("an ill-formed string does not spoil the next one", () => {
  assertStrictEquals(decode([0xe6, 0xb8]), DecodeError.illFormedUtf8);
  assertEquals(decode([0xe6, 0xb8, 0xa9]), "温");
});

Deno.test("only the range asked for is decoded", () => {
  const bytes = Uint8Array.of(0xff, 0x61, 0x62, 0x00);
  assertEquals(decodeUtf8(bytes, 1, 3), "ab");
});

Deno.test("a lone surrogate in a string is encoded as U+FFFD", () => {
  assertEquals(encodeUtf8("\ud800"), Uint8Array.of(0xef, 0xbf, 0xbd));
});
