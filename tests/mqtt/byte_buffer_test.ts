/** Growable buffers and the pool they share. */
import { assert, assertEquals, assertNotEquals, assertStrictEquals } from "@std/assert";
import {
  appendAcknowledgement,
  BlockPool,
  ByteBuffer,
  copyBytes,
  writeFixedHeader,
} from "../../src/mqtt/mod.ts";

function sequence(length: number, from = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) & 0xff);
}

Deno.test("BlockPool gives blocks of powers of two, at least as large as asked for", () => {
  const pool = new BlockPool(1_000_000);
  const sizes = [0, 1, 511, 512, 513, 1024, 1025, 65_536, 65_537].map((n) => pool.take(n).length);
  assertEquals(sizes, [512, 512, 512, 512, 1024, 1024, 2048, 65_536, 131_072]);
});

Deno.test("BlockPool gives a block again, to one taker only", () => {
  const pool = new BlockPool(1_000_000);
  const block = pool.take(1000);
  pool.give(block);
  assertStrictEquals(pool.take(600), block);
  assert(pool.take(600) !== block);
});

Deno.test("BlockPool gives no block of another size", () => {
  const pool = new BlockPool(1_000_000);
  pool.give(pool.take(512));
  assertEquals(pool.take(513).length, 1024);
});

Deno.test("BlockPool keeps no more bytes than its bound", () => {
  const pool = new BlockPool(2048);
  const blocks = [pool.take(1024), pool.take(1024), pool.take(1024)];
  for (const block of blocks) pool.give(block);
  const again = [pool.take(1024), pool.take(1024), pool.take(1024)];
  assertEquals(again.filter((block) => blocks.includes(block)).length, 2);
  for (const block of again) pool.give(block);
  assert(blocks.includes(pool.take(1024)), "taking made room for giving");
});

Deno.test("BlockPool ignores the empty block of a buffer that was never used", () => {
  const pool = new BlockPool(2048);
  new ByteBuffer(pool).clear();
  assertEquals(pool.take(1).length, 512);
});

Deno.test("ByteBuffer keeps its bytes while it grows", () => {
  const buffer = new ByteBuffer(new BlockPool(1_000_000));
  const expected: number[] = [];
  for (let length = 0; length < 400; length += 13) {
    const part = sequence(length, length);
    buffer.append(part, 0, length);
    expected.push(...part);
  }
  assertEquals([...buffer.bytes.subarray(0, buffer.length)], expected);
});

Deno.test("ByteBuffer appends a part of a source, short or long", () => {
  for (const length of [0, 1, 95, 96, 97, 98, 500]) {
    const buffer = new ByteBuffer(new BlockPool(1_000_000));
    buffer.append(sequence(600), 3, 3 + length);
    assertEquals(buffer.length, length);
    assertEquals(buffer.bytes.slice(0, length), sequence(length, 3));
  }
});

Deno.test("ByteBuffer gives its old block back when it grows, and holds none when empty", () => {
  const pool = new BlockPool(1_000_000);
  const buffer = new ByteBuffer(pool);
  assertEquals(buffer.bytes.length, 0);
  buffer.extend(10);
  const first = buffer.bytes;
  buffer.extend(1000);
  assertStrictEquals(pool.take(512), first);
  const second = buffer.bytes;
  buffer.clear();
  assertEquals([buffer.length, buffer.bytes.length], [0, 0]);
  assertStrictEquals(pool.take(second.length), second);
});

Deno.test("ByteBuffer hands its block over and starts anew", () => {
  const buffer = new ByteBuffer(new BlockPool(1_000_000));
  buffer.append(sequence(5), 0, 5);
  const block = buffer.detach();
  buffer.append(sequence(5, 100), 0, 5);
  assertEquals(block.slice(0, 5), sequence(5));
  assertNotEquals(buffer.bytes, block);
});

Deno.test("copyBytes copies exactly its range", () => {
  for (const length of [0, 1, 96, 97]) {
    const target = new Uint8Array(120).fill(0xaa);
    copyBytes(sequence(200), 7, 7 + length, target, 5);
    assertEquals(target.slice(5, 5 + length), sequence(length, 7));
    assertEquals([target[4], target[5 + length]], [0xaa, 0xaa]);
  }
});

Deno.test("an acknowledgement is four bytes behind what is there", () => {
  const buffer = new ByteBuffer(new BlockPool(1_000_000));
  appendAcknowledgement(buffer, 0x40, 1);
  appendAcknowledgement(buffer, 0x62, 65_534);
  assertEquals([...buffer.bytes.slice(0, buffer.length)], [0x40, 2, 0, 1, 0x62, 2, 0xff, 0xfe]);
});

Deno.test("a fixed header is written with the shortest Remaining Length", () => {
  const cases: [number, number[]][] = [
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 1]],
    [16_383, [0xff, 0x7f]],
    [16_384, [0x80, 0x80, 1]],
    [2_097_151, [0xff, 0xff, 0x7f]],
    [2_097_152, [0x80, 0x80, 0x80, 1]],
    [268_435_455, [0xff, 0xff, 0xff, 0x7f]],
  ];
  for (const [remaining, length] of cases) {
    const target = new Uint8Array(8);
    const next = writeFixedHeader(target, 1, 0x30, remaining);
    assertEquals([...target.slice(0, next)], [0, 0x30, ...length]);
  }
});
