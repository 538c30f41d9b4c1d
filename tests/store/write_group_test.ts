/** What a write group keeps in memory while the disk is in trouble, and what is left of it. */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { type DeadLetter, makeMessage } from "../../src/broker/mod.ts";
import { ChangeWriter } from "../../src/store/sqlite_change_writer.ts";
import { StoreNames, WriteGroup } from "../../src/store/sqlite_group.ts";
import { readState } from "../../src/store/sqlite_state_reader.ts";
import { payload } from "../support/wire_client.ts";

function letter(id: number): DeadLetter {
  const message = makeMessage("t", payload("x"), 0);
  const who = { publisher: "", session: "" };
  const when = { wallMs: 1, ageS: id };
  return { id, reason: "oversize", ...when, ...who, message, qos: 0, retain: false, bytes: 300 };
}

/** Dead letters of a ring that holds `ring` of them. */
function addLetters(group: WriteGroup, range: { from: number; to: number; ring: number }): void {
  for (let id = range.from; id <= range.to; id++) {
    group.add({ kind: "deadLetterAdded", letter: letter(id) });
    const through = id - range.ring;
    if (through > 0) group.add({ kind: "deadLettersDropped", through });
  }
}

/** The dead letters that are written, oldest first. */
function written(group: WriteGroup): number[] {
  const writer = new ChangeWriter();
  writer.deadLettersDropped = () => {}; // a load has no such changes
  group.writeTo(writer);
  const { state } = readState([writer.take()]);
  return state.deadLetters.map(({ id }) => id);
}

Deno.test("a group that cannot be written holds no more dead letters than two rings of them", () => {
  const group = new WriteGroup(new StoreNames(readState([])));
  for (let from = 1; from < 10_000; from += 100) {
    addLetters(group, { from, to: from + 99, ring: 10 });
    assertLessOrEqual(group.deadLettersHeld, 21);
  }
  assertEquals(written(group), Array.from({ length: 10 }, (_, i) => 9_991 + i));
});

Deno.test("dead letters that come and are taken out again within a group are never written", () => {
  const group = new WriteGroup(new StoreNames(readState([])));
  addLetters(group, { from: 1, to: 30, ring: 10 });
  group.add({ kind: "deadLettersRemoved", ids: [21, 25, 30] });
  assertLessOrEqual(group.deadLettersHeld, 18);
  assertEquals(written(group), [22, 23, 24, 26, 27, 28, 29]);
});

Deno.test("a group goes on with dead letters behind what it has written", () => {
  const group = new WriteGroup(new StoreNames(readState([])));
  addLetters(group, { from: 1, to: 30, ring: 10 });
  assertEquals(written(group), [21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
  addLetters(group, { from: 31, to: 33, ring: 10 });
  assertEquals(written(group), [31, 32, 33]);
  group.add({ kind: "deadLettersDropped", through: 33 });
  addLetters(group, { from: 34, to: 34, ring: 10 });
  assertEquals(written(group), [34]);
});
