/** What of the resident memory is free, told from what changes, and garbage collections on demand. */
import { assert, assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { FreedMemory, GarbageCollection } from "../../src/system/mod.ts";

const MIB = 1_048_576;

function assertAbout(actual: number, expected: number, within: number): void {
  assertLessOrEqual(Math.abs(actual - expected), within, `${actual} instead of ${expected}`);
}

/** A process of which the test knows everything, in MiB. */
class Process {
  base = 80;
  accounted = 10;
  free = 0;
  /** What the allocator takes beside what is accounted, for each MiB of it. */
  overhead = 0.5;
  readonly freed = new FreedMemory();

  get rss(): number {
    return this.base + this.accounted * (1 + this.overhead) + this.free;
  }

  /** What the estimate says now, in MiB, rounded. */
  estimate(): number {
    const use = { rssBytes: this.rss * MIB, accountedBytes: this.accounted * MIB };
    return Math.round(this.freed.update(use) / MIB);
  }

  /** Takes memory, from what is free first. */
  take(mebibytes: number): void {
    this.accounted += mebibytes;
    this.free = Math.max(0, this.free - mebibytes * (1 + this.overhead));
  }

  /** Gives memory back, a part of it to the system. */
  give(mebibytes: number, toSystem = 0): void {
    this.accounted -= mebibytes;
    this.free += mebibytes * (1 + this.overhead) - toSystem;
  }
}

Deno.test("memory that was freed and not given back is free, overhead included, until it is used", () => {
  const process = new Process();
  assertEquals(process.estimate(), 0);
  process.take(300);
  assertEquals(process.estimate(), 0);
  process.give(200, 50);
  assertAbout(process.estimate(), 250, 5);
  process.take(100);
  assertAbout(process.estimate(), 100, 5);
  process.free = 0; // the runtime hands it to the system later
  assertAbout(process.estimate(), 0, 5);
});

Deno.test("what a process takes from the system is never free, whatever was freed before", () => {
  const process = new Process();
  process.estimate();
  process.base += 200;
  assertEquals(process.estimate(), 0);
  process.take(100);
  process.estimate();
  process.give(100);
  const free = process.estimate();
  assertGreaterOrEqual(free, 150);
  process.base += 70;
  assertEquals(process.estimate(), free);
  for (let i = 0; i < 1_000; i++) {
    process.base += i % 2 === 0 ? 0.3 : -0.3;
    process.estimate();
  }
  assertAbout(process.estimate(), free, 2);
});

Deno.test("a second peak counts as the first one did", () => {
  const process = new Process();
  process.estimate();
  for (let round = 0; round < 20; round++) {
    process.take(300);
    assertAbout(process.estimate(), 0, 10);
    process.give(300);
    assertAbout(process.estimate(), 450, 20);
  }
});

Deno.test("what it grows beyond its peak is not free, whatever it did before", () => {
  const random = new Random(3);
  for (let round = 0; round < 200; round++) {
    const process = new Process();
    for (let step = 0; step < 100; step++) {
      const mebibytes = 2 + random.below(100);
      if (random.oneIn(2)) process.take(mebibytes);
      else if (process.accounted > mebibytes) process.give(mebibytes, random.below(mebibytes));
      const estimate = process.estimate();
      assertGreaterOrEqual(estimate, 0);
      assertLessOrEqual(estimate, process.rss - process.accounted);
    }
    process.base += 5_000;
    const free = process.estimate();
    process.base += 50;
    assertAbout(process.estimate(), free, 2);
  }
});

Deno.test("garbage is collected when that is due, and what takes long is done less often", () => {
  let nowMs = 1_000;
  const asked: string[] = [];
  const garbage = new GarbageCollection(() => nowMs, ({ type }) => {
    asked.push(type);
    if (type === "major") nowMs += 400;
  });
  const seldom = () => garbage.due("high");
  assert(seldom());
  garbage.run();
  assertEquals([asked, garbage.count], [["major", "minor"], 1]);
  nowMs += 7_999;
  assert(!seldom());
  nowMs += 1;
  assert(seldom());
  garbage.run();
  nowMs += 1_599;
  assert(!garbage.due("highest"));
  nowMs += 1;
  assert(garbage.due("highest") && !seldom());
});

Deno.test("without --expose-gc nothing is collected, and the pauses are kept all the same", () => {
  let nowMs = 0;
  const garbage = new GarbageCollection(() => nowMs, null);
  garbage.run();
  assertEquals([garbage.available, garbage.count], [false, 0]);
  assertEquals(garbage.due("high"), false);
  nowMs = 1_000;
  assert(garbage.due("high"));
});
