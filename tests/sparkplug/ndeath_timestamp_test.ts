import { assertEquals } from "@std/assert";
import { withTimestamp } from "../../src/sparkplug/mod.ts";

const NOW_MS = 1_700_000_000_000;
/** `NOW_MS` as field 1. */
const STAMP = [0x08, 0x80, 0xd0, 0x95, 0xff, 0xbc, 0x31];
/** A metric bdSeq, Int64, 3. */
const BD_SEQ = [0x12, 0x0c, 0x0a, 6, 0x62, 0x64, 0x53, 0x65, 0x71, 0x31, 0x20, 4, 0x58, 3];

function rewrite(...bytes: number[]): number[] | null {
  const result = withTimestamp(Uint8Array.from(bytes), NOW_MS);
  return result === null ? null : [...result];
}

Deno.test("the time stamp of an NDEATH is replaced [tck-id-conformance-mqtt-aware-ndeath-timestamp]", () => {
  assertEquals(rewrite(0x08, 5, ...BD_SEQ), [...STAMP, ...BD_SEQ]);
  assertEquals(rewrite(...BD_SEQ, 0x08, 5), [...STAMP, ...BD_SEQ]);
  assertEquals(rewrite(0x08, 5, ...BD_SEQ, 0x08, 0x80, 1), [...STAMP, ...BD_SEQ]);
});

Deno.test("a missing time stamp is added, to nothing as well", () => {
  assertEquals(rewrite(...BD_SEQ), [...STAMP, ...BD_SEQ]);
  assertEquals(rewrite(), STAMP);
});

Deno.test("fields that no schema knows keep their bytes, groups included", () => {
  const varint = [0xf8, 0x07, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
  const group = [0x43, 0x08, 1, 0x53, 0x54, 0x44];
  const fixed = [0x51, 1, 2, 3, 4, 5, 6, 7, 8, 0x5d, 1, 2, 3, 4];
  // Longer than it need be, as some encoders write it.
  const padded = [0x92, 0x80, 0x00, 0x81, 0x00, 9];
  for (const field of [varint, group, fixed, padded]) {
    assertEquals(rewrite(...field, 0x08, 5), [...STAMP, ...field]);
  }
});

Deno.test("what is not Protocol Buffers is left alone", () => {
  const cases: readonly (readonly number[])[] = [
    [0x08],
    [0x08, 0x80],
    [0x12, 5, 1],
    [0x12, 0xff, 0xff, 0xff, 0xff, 0x0f],
    [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0x00, 1],
    [0x0f, 1],
    [0x44],
    [0x43, 0x08, 1],
    [0x43, 0x4c],
    [0x09, 1, 2, 3],
    [0x0d, 1],
    [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
    [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
    Array.from({ length: 40 }, () => 0x43),
  ];
  for (const bytes of cases) assertEquals(rewrite(...bytes), null, bytes.join(" "));
});
