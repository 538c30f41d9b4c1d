/** No change of an audit log goes unseen. */
import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import {
  type ChainPoint,
  formatHeadSlot,
  HEAD_SLOT_BYTES,
  parseHead,
} from "../../src/security/mod.ts";
import { kinds, makeChain, verifyBytes } from "./_audit.ts";

const { bytes: BYTES, lines: LINES, head: HEAD } = makeChain(5);

function found(lines: readonly string[], head: ChainPoint | null = HEAD): string[] {
  const text = lines.map((line) => `${line}\n`).join("");
  return kinds(verifyBytes(new TextEncoder().encode(text), head).findings);
}

Deno.test("a log as it was written has no findings, in chunks of any size", () => {
  for (const chunk of [1, 2, 7, 100, BYTES.length]) {
    const { entries, first, last, findings, notes } = verifyBytes(BYTES, HEAD, chunk);
    assertEquals([entries, first, last, findings, notes], [5, 1, HEAD, [], []] as unknown[]);
  }
});

Deno.test("every change of a single byte is found, at every place, to every value", () => {
  let tried = 0;
  for (let at = 0; at < BYTES.length; at++) {
    for (let value = 0; value < 256; value++) {
      if (value === BYTES[at]) continue;
      // All values where it is quick, a few at all others.
      if (at >= 100 && (at + value) % 16 !== 0) continue;
      tried++;
      const report = verifyBytes(BYTES.with(at, value), HEAD);
      if (report.findings.length === 0) throw new Error(`${value} at ${at} is not found`);
    }
  }
  assertGreater(tried, 30_000);
});

Deno.test("every byte that is removed or put in is found", () => {
  for (let at = 0; at < BYTES.length; at++) {
    const removed = Uint8Array.from([...BYTES.subarray(0, at), ...BYTES.subarray(at + 1)]);
    assertGreater(verifyBytes(removed, HEAD).findings.length, 0);
    for (const value of [0, 10, 13, 32, 0x30]) {
      const more = Uint8Array.from([...BYTES.subarray(0, at), value, ...BYTES.subarray(at)]);
      assertGreater(verifyBytes(more, HEAD).findings.length, 0, `${value} at ${at}`);
    }
  }
});

Deno.test("every truncation is found", () => {
  for (let length = 0; length < BYTES.length; length++) {
    assertGreater(verifyBytes(BYTES.subarray(0, length), HEAD).findings.length, 0);
  }
});

Deno.test("what was done is named, with its line", () => {
  const [a, b, c, d, e] = LINES as [string, string, string, string, string];
  const forged = makeChain(6).lines[5]!;
  const cases: [string, string[], string[]][] = [
    ["edited", [a, b.replace("10.0.0.2", "10.0.0.9"), c, d, e], ["edited 3"]],
    ["last one edited", [a, b, c, d, e.replace("10.0.0.5", "10.0.0.9")], ["edited 5"]],
    ["removed", [a, b, d, e], ["gap 3"]],
    ["several removed", [a, e], ["gap 2"]],
    ["removed at the start", [b, c, d, e], []],
    ["removed at the end", [a, b, c], ["truncated 0"]],
    ["all removed", [], ["truncated 0"]],
    ["moved", [a, c, b, d, e], ["gap 2", "order 3", "gap 4"]],
    ["twice", [a, b, b, c, d, e], ["order 3"]],
    ["put in", [a, b, "{}", c, d, e], ["unreadable 3", "order 4"]],
    ["added at the end", [a, b, c, d, e, forged], ["unsealed 0"]],
    ["noise", [a, b, "noise", d, e], ["unreadable 3"]],
    ["renumbered", [a, b, c.replace('"seq":3', '"seq":4'), d, e], ["gap 3", "order 4"]],
    ["first one edited", [a.replace(/"prev":"0/, '"prev":"1'), b, c, d, e], [
      "edited 1",
      "edited 2",
    ]],
  ];
  for (const [name, lines, expected] of cases) assertEquals(found(lines), expected, name);
  const report = verifyBytes(new TextEncoder().encode(`${a}\n${d}\n`), null);
  assertEquals(report.findings[0]!.text, "entries 2 to 3 are missing");
  const tail = verifyBytes(new TextEncoder().encode(`${d}\n${e}\n`), HEAD);
  assertStringIncludes(tail.notes[0]!.text, "begins with entry 4");
});

Deno.test("a log that somebody has written anew from a line on is found by its head", () => {
  const other = makeChain(7);
  for (const from of [0, 2, 4]) {
    const forged = [...LINES.slice(0, from), ...other.lines.slice(from)];
    const altered = forged.map((line) => line.replace("10.0.0.5", "10.0.0.6"));
    assertGreater(found(altered).length, 0);
  }
});

Deno.test("without a head the end is not known, and that is a finding", () => {
  assertEquals(found(LINES, null), ["no-head 0"]);
});

Deno.test("a line without an end, and a line that is too long, are found", () => {
  assertEquals(kinds(verifyBytes(BYTES.subarray(0, -1), HEAD).findings), ["torn 5"]);
  const long = new TextEncoder().encode(`${LINES[0]}\n{"x":"${"y".repeat(70_000)}"}\n`);
  for (const chunk of [1000, long.length]) {
    const { findings } = verifyBytes(long, null, chunk);
    assertEquals(kinds(findings), ["unreadable 2", "no-head 0"]);
  }
});

Deno.test("noise never makes verifying throw, and has a bound on its findings", () => {
  const random = new Random(11);
  for (let round = 0; round < 200; round++) {
    const noise = Uint8Array.from({ length: 2000 }, () => random.oneIn(20) ? 10 : random.bits());
    assert(verifyBytes(noise, HEAD, 1 + random.below(500)).findings.length > 0);
  }
  assertGreater(1001, verifyBytes(new Uint8Array(10_000).fill(10), HEAD).findings.length);
});

Deno.test("of the head one slot is always whole, and a damaged one names nothing", () => {
  const older = formatHeadSlot({ seq: 7, hash: "a".repeat(64) });
  const newer = formatHeadSlot({ seq: 8, hash: "b".repeat(64) });
  assertEquals([older.length, newer.length], [HEAD_SLOT_BYTES, HEAD_SLOT_BYTES]);
  assertEquals(parseHead(newer + older)?.point.seq, 8);
  assertEquals(parseHead(older + newer)?.slot, 1);
  assertEquals(parseHead(""), null);
  for (let at = 0; at < HEAD_SLOT_BYTES; at++) {
    const changed = newer.slice(0, at) + (newer[at] === "3" ? "4" : "3") + newer.slice(at + 1);
    assertEquals(parseHead(older + changed)?.point.seq, 7, `byte ${at}`);
    assertEquals(parseHead(older + newer.slice(0, at))?.point.seq, 7);
    assertEquals(parseHead(changed + changed), null);
  }
});
