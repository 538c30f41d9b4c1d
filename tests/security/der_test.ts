/** The DER reader: what is sound is read, everything else is a fault that sticks. */
import { assertEquals } from "@std/assert";
import { DerReader, TAG } from "../../src/security/der.ts";

function readerOf(hex: string): DerReader {
  return new DerReader(Uint8Array.fromHex(hex.replaceAll(" ", "")));
}

Deno.test("lengths: short, long, and none that DER does not allow", () => {
  const long = new Uint8Array(3 + 200).fill(0x05);
  long.set([0x04, 0x81, 200]);
  assertEquals(new DerReader(long).content(TAG.octetString).length, 200);
  for (
    const hex of [
      "04 81 01 00", // longer than needed
      "04 82 00 80" + "00".repeat(128), // likewise
      "04 80 00 00", // indefinite
      "04 85 00 00 00 00 01 00", // more than four bytes
      "04 ff", // reserved
      "04 02 00", // cut off
      "04 82 01", // length cut off
      "04", // no length
      "", // nothing
      "1f 01 00", // tag of more than one byte
    ]
  ) {
    const reader = readerOf(hex);
    if (hex.startsWith("1f")) reader.skip();
    else reader.content(TAG.octetString);
    assertEquals(reader.problem === null, false, hex);
  }
});

Deno.test("an element cannot be longer than the one that holds it", () => {
  const reader = readerOf("30 04 04 03 00 00 00");
  reader.inside(TAG.sequence).content(TAG.octetString);
  assertEquals(reader.problem, "element longer than what holds it at byte 2");
});

Deno.test("the first fault sticks, and nothing is read after it", () => {
  const reader = readerOf("02 01 05 01 01 01 02 01 07");
  assertEquals(reader.smallInteger(), 5);
  reader.boolean();
  assertEquals(reader.problem, "invalid BOOLEAN");
  assertEquals(reader.integer().length, 0);
  assertEquals(reader.more, false);
  assertEquals(reader.problem, "invalid BOOLEAN");
});

Deno.test("integers have one encoding", () => {
  for (
    const [hex, value] of [
      ["02 01 00", 0],
      ["02 01 7f", 127],
      ["02 02 00 80", 128],
      ["02 02 7f ff", 32_767],
      ["02 00", null],
      ["02 02 00 7f", null],
      ["02 02 ff 80", null],
      ["02 01 80", null],
      ["02 03 00 80 00", null],
    ] as const
  ) {
    const reader = readerOf(hex);
    const read = reader.smallInteger();
    assertEquals(reader.problem === null ? read : null, value, hex);
  }
});

Deno.test("object identifiers are written with dots", () => {
  for (
    const [hex, text] of [
      ["06 03 55 04 03", "2.5.4.3"],
      ["06 09 2a 86 48 86 f7 0d 01 01 0b", "1.2.840.113549.1.1.11"],
      ["06 03 88 37 03", "2.999.3"],
      ["06 01 27", "0.39"],
      ["06 00", null],
      ["06 02 55 84", null],
      ["06 03 55 80 01", null],
      ["06 0a 2a ff ff ff ff ff ff ff ff 7f", null],
    ] as const
  ) {
    const reader = readerOf(hex);
    const read = reader.oid();
    assertEquals(reader.problem === null ? read : null, text, hex);
  }
});

Deno.test("times: both forms, and no date that does not exist [RFC 5280 section 4.1.2.5]", () => {
  for (
    const [text, iso] of [
      ["260228235959Z", "2026-02-28T23:59:59.000Z"],
      ["490101000000Z", "2049-01-01T00:00:00.000Z"],
      ["500101000000Z", "1950-01-01T00:00:00.000Z"],
      ["240229120000Z", "2024-02-29T12:00:00.000Z"],
      ["20500101000000Z", "2050-01-01T00:00:00.000Z"],
      ["99991231235959Z", "9999-12-31T23:59:59.000Z"],
      ["260229000000Z", null],
      ["261301000000Z", null],
      ["260100000000Z", null],
      ["260101240000Z", null],
      ["260101006000Z", null],
      ["2601010000Z", null],
      ["260101000000+0100", null],
      ["20260101000000.5Z", null],
      ["2601010000x0Z", null],
    ] as const
  ) {
    const content = new TextEncoder().encode(text);
    // Four digits of a year make it a GeneralizedTime.
    const tag = text.length === 15 && text.endsWith("Z") ? TAG.generalizedTime : TAG.utcTime;
    const reader = new DerReader(Uint8Array.of(tag, content.length, ...content));
    const ms = reader.time();
    assertEquals(reader.problem === null ? new Date(ms).toISOString() : null, iso, text);
  }
});
