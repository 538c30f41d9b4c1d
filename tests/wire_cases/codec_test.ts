/** The table against the generic decoder and the encoder. */
import { assert, assertEquals, assertGreaterOrEqual, assertStrictEquals } from "@std/assert";
import { decodePacket, encodePacket } from "../../src/mqtt/mod.ts";
import { BAD_CASES, GOOD_CASES, WIRE_LIMITS } from "./mod.ts";

Deno.test("The table of wire cases is large and repeats neither names nor bytes", () => {
  assertGreaterOrEqual(GOOD_CASES.length + BAD_CASES.length, 150);
  const all = [...GOOD_CASES, ...BAD_CASES];
  assertEquals(new Set(all.map((c) => c.name)).size, all.length);
  const bytes = all.map((c) => `${c.bytes}`);
  const repeated = all.filter((_, i) => bytes.indexOf(bytes[i]!) !== i).map((c) => c.name);
  assertEquals(repeated, ["a CONNECT of MQTT 3.1 where that is switched off"]);
});

for (const { name, bytes, packet, limits, canonical } of GOOD_CASES) {
  Deno.test(`The decoder reads ${name}`, () => {
    const result = decodePacket(bytes, 0, limits);
    assertEquals(result, { status: "packet", packet, end: bytes.length });
  });

  Deno.test(`No prefix is taken for ${name}`, () => {
    for (let end = 0; end < bytes.length; end += end < 64 ? 1 : 97) {
      const result = decodePacket(bytes.subarray(0, end), 0, limits);
      assert(result.status === "incomplete", `${end} bytes`);
      assert(result.totalBytes === 0 || result.totalBytes === bytes.length, `${end} bytes`);
    }
  });

  Deno.test(`The encoder writes ${canonical ? "the very bytes" : "the short form"} of ${name}`, () => {
    const encoded = encodePacket(packet);
    if (canonical) assertEquals(encoded, bytes);
    else assert(encoded.length < bytes.length);
    assertEquals(decodePacket(encoded, 0, limits), {
      status: "packet",
      packet,
      end: encoded.length,
    });
  });

  Deno.test(`The decoder finds in the middle of a buffer ${name}`, () => {
    const around = new Uint8Array(bytes.length + 10).fill(0xff);
    around.set(bytes, 7);
    const result = decodePacket(around, 7, limits);
    assertEquals(result, { status: "packet", packet, end: 7 + bytes.length });
  });
}

for (const { name, bytes, error } of BAD_CASES) {
  Deno.test(`The decoder refuses ${name}`, () => {
    const result = decodePacket(bytes, 0, WIRE_LIMITS);
    assert(result.status === "error");
    assertStrictEquals(result.error, error);
  });

  Deno.test(`The decoder refuses byte by byte ${name}`, () => {
    for (let end = 0; end <= bytes.length; end++) {
      const result = decodePacket(bytes.slice(0, end), 0, WIRE_LIMITS);
      if (result.status === "incomplete") continue;
      assert(result.status === "error");
      assertStrictEquals(result.error, error);
      return;
    }
    throw new Error("Cannot see an error: all bytes are read");
  });
}
