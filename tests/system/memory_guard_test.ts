/** The stages before the memory is gone. */
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import {
  LoopLag,
  MEMORY_STAGES,
  MemoryGuard,
  type MemoryGuardLimits,
  MemoryReader,
  type MemoryReading,
  type MemoryStage,
} from "../../src/system/mod.ts";

const LIMITS: MemoryGuardLimits = {
  thresholds: [0.75, 0.85, 0.92, 0.97],
  hysteresis: 0.05,
  dwellMs: 5000,
  lagMsMax: 500,
};

function reading(share: number, heapShare = 0): MemoryReading {
  return {
    rssBytes: share * 1000 * 1_048_576,
    freeBytes: 0,
    limitBytes: 1000 * 1_048_576,
    limitSource: "test",
    heapUsedBytes: heapShare * 1000,
    heapLimitBytes: 1000,
  };
}

/** Samples of one share, four a second; gives the changes. */
function hold(
  guard: MemoryGuard,
  share: number,
  { fromMs, forMs, lagMs = 0 }: { fromMs: number; forMs: number; lagMs?: number },
): { atMs: number; to: MemoryStage }[] {
  const changes: { atMs: number; to: MemoryStage }[] = [];
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += 250) {
    const change = guard.sample(reading(share), { collected: true, lagMs, nowMs });
    if (change !== null) changes.push({ atMs: nowMs, to: change.to });
  }
  return changes;
}

Deno.test("stages come one by one, the last only when all others had their chance", () => {
  const guard = new MemoryGuard(LIMITS);
  hold(guard, 0.1, { fromMs: -1000, forMs: 250 });
  assertEquals(hold(guard, 0.99, { fromMs: 0, forMs: 10_000 }), [
    { atMs: 0, to: "refuse-connections" },
    { atMs: 250, to: "shed-qos0" },
    { atMs: 500, to: "shed-queues" },
    { atMs: 5500, to: "shut-down" },
  ]);
  assertEquals(hold(guard, 0.1, { fromMs: 10_000, forMs: 60_000 }), [], "and it is not taken back");
  assert(guard.reached("shed-qos0") && guard.reached("shut-down"));
});

Deno.test("a stage ends when the pressure has been low enough for long enough", () => {
  const guard = new MemoryGuard(LIMITS);
  hold(guard, 0.93, { fromMs: 0, forMs: 1000 });
  assertEquals(guard.stage, "shed-queues");
  assertEquals(hold(guard, 0.88, { fromMs: 1000, forMs: 60_000 }), [], "within the hysteresis");
  assertEquals(hold(guard, 0.1, { fromMs: 70_000, forMs: 16_000 }), [
    { atMs: 75_000, to: "shed-qos0" },
    { atMs: 80_250, to: "refuse-connections" },
    { atMs: 85_500, to: "normal" },
  ]);
  assert(!guard.reached("refuse-connections") && guard.reached("normal"));
});

Deno.test("one sample of high pressure begins the time anew", () => {
  const guard = new MemoryGuard(LIMITS);
  hold(guard, 0.8, { fromMs: 0, forMs: 250 });
  hold(guard, 0.1, { fromMs: 250, forMs: 4000 });
  hold(guard, 0.72, { fromMs: 4250, forMs: 250 });
  assertEquals(hold(guard, 0.1, { fromMs: 4500, forMs: 5250 }), [{ atMs: 9500, to: "normal" }]);
});

Deno.test("a busy loop stops new connections, and never more", () => {
  const guard = new MemoryGuard(LIMITS);
  const busy = hold(guard, 0.1, { fromMs: 0, forMs: 60_000, lagMs: 5000 });
  assertEquals(busy, [{ atMs: 500, to: "refuse-connections" }], "one late tick is none");
  assertEquals(hold(guard, 0.1, { fromMs: 60_000, forMs: 20_000, lagMs: 300 }), []);
  assertEquals(hold(guard, 0.1, { fromMs: 80_000, forMs: 6000, lagMs: 0 }).length, 1);
  const off = new MemoryGuard({ ...LIMITS, lagMsMax: 0 });
  assertEquals(hold(off, 0.1, { fromMs: 0, forMs: 60_000, lagMs: 5000 }), []);
});

Deno.test("the heap counts as the process does, and the reason names what was too much", () => {
  const guard = new MemoryGuard(LIMITS);
  const first = guard.sample(reading(0.76, 0.1), { collected: true, lagMs: 0, nowMs: 0 });
  assertEquals(first, {
    from: "normal",
    to: "refuse-connections",
    reason: "760 MiB resident, 76 % of 1000 MiB (test)",
  });
  assertMatch(
    guard.sample(reading(0.1, 0.9), { collected: true, lagMs: 0, nowMs: 1 })!.reason,
    /of heap, 90 % of/,
  );
});

Deno.test("what is free inside the process does not count, but at the edge", () => {
  const guard = new MemoryGuard(LIMITS);
  const large = { ...reading(0.95), freeBytes: 400 * 1_048_576 };
  assertEquals([guard.pressure(large), guard.presses(large)], [0.55, false]);
  assertEquals(guard.sample(large, { collected: true, lagMs: 0, nowMs: 0 }), null);
  const full = { ...reading(0.98), freeBytes: 400 * 1_048_576 };
  assertEquals([guard.pressure(full), guard.presses(full)], [0.98, true]);
  const { to, reason } = guard.sample(full, { collected: true, lagMs: 0, nowMs: 1 })!;
  assertEquals(to, "refuse-connections");
  assertMatch(reason, /^980 MiB resident, 98 % of 1000 MiB \(test\), 400 MiB of it free$/);
});

Deno.test("a broker that stood at the edge when it started does not shut down for that", () => {
  const guard = new MemoryGuard(LIMITS);
  hold(guard, 0.9, { fromMs: 0, forMs: 1000 });
  hold(guard, 0.99, { fromMs: 1000, forMs: 60_000 });
  assertEquals(guard.stage, "shed-queues");
  const grown = new MemoryGuard(LIMITS);
  hold(grown, 0.85, { fromMs: 0, forMs: 1000 });
  hold(grown, 0.99, { fromMs: 1000, forMs: 60_000 });
  assertEquals(grown.stage, "shut-down");
});

Deno.test("garbage that was not collected is no reason to shut down", () => {
  const guard = new MemoryGuard(LIMITS);
  hold(guard, 0.1, { fromMs: 0, forMs: 250 });
  hold(guard, 0.99, { fromMs: 250, forMs: 750 });
  const late = { lagMs: 0, nowMs: 60_000 };
  assertEquals(guard.sample(reading(0.99), { ...late, collected: false }), null);
  assertEquals(guard.sample(reading(0.99), { ...late, collected: true })?.to, "shut-down");
});

Deno.test("while queues are shed, it presses as long as that is not enough", () => {
  const guard = new MemoryGuard(LIMITS);
  hold(guard, 0.93, { fromMs: 0, forMs: 1000 });
  assertEquals(guard.stage, "shed-queues");
  assertEquals([0.91, 0.92, 0.99].map((share) => guard.presses(reading(share))), [
    false,
    true,
    true,
  ]);
});

Deno.test("without any limit only the heap decides", () => {
  const guard = new MemoryGuard(LIMITS);
  const unlimited = { ...reading(0.99), limitBytes: Infinity };
  assertEquals(guard.sample(unlimited, { collected: true, lagMs: 0, nowMs: 0 }), null);
});

Deno.test("any history of samples keeps to the rules", () => {
  const random = new Random(10);
  for (let round = 0; round < 300; round++) {
    const guard = new MemoryGuard(LIMITS);
    let nowMs = 0;
    hold(guard, 0.1, { fromMs: -1000, forMs: 250 });
    let stage = 0;
    let changedMs = -Infinity;
    let lowSinceMs = 0;
    let worst = 0;
    for (let step = 0; step < 400; step++) {
      nowMs += 250;
      const share = random.oneIn(10) ? random.below(110) / 100 : worst;
      worst = share;
      const threshold = LIMITS.thresholds[stage - 1] ?? 0;
      if (share >= threshold - LIMITS.hysteresis) lowSinceMs = nowMs + 250;
      const change = guard.sample(reading(share), { collected: true, lagMs: 0, nowMs });
      if (change === null) continue;
      const next = MEMORY_STAGES.indexOf(change.to);
      assertEquals(change.from, MEMORY_STAGES[stage]!);
      assertEquals(Math.abs(next - stage), 1);
      if (next > stage) assert(share >= LIMITS.thresholds[stage]!);
      else assert(nowMs - lowSinceMs >= LIMITS.dwellMs && nowMs - changedMs >= LIMITS.dwellMs);
      if (next === 4) assert(nowMs - changedMs >= LIMITS.dwellMs);
      assert(stage < 4);
      stage = next;
      changedMs = nowMs;
      lowSinceMs = nowMs + 250;
    }
  }
});

Deno.test("thresholds that make no sense are refused", () => {
  for (
    const bad of [
      { thresholds: [0.5, 0.5, 0.9, 0.95] },
      { thresholds: [0.5, 0.6, 0.9, 1.1] },
      { hysteresis: 0.75 },
      { dwellMs: -1 },
    ] as Partial<MemoryGuardLimits>[]
  ) assertThrows(() => new MemoryGuard({ ...LIMITS, ...bad }), RangeError);
});

Deno.test("the lag is how late a timer comes", () => {
  const lag = new LoopLag(250);
  assertEquals([1000, 1250, 1490, 2500].map((nowMs) => lag.ticked(nowMs)), [0, 0, 0, 760]);
});

Deno.test({
  name: "the facts of this process can be read with one permission, and the limit is the lowest",
  permissions: { sys: ["systemMemoryInfo"] },
  fn() {
    const reader = new MemoryReader({ limitBytes: 1000 });
    const facts = reader.read();
    assert(facts.rssBytes > 1_000_000 && facts.heapUsedBytes > 100_000);
    assert(facts.heapLimitBytes > facts.heapUsedBytes);
    assertEquals([facts.limitBytes, facts.limitSource], [1000, "configured limit"]);
    const { limitBytes } = new MemoryReader({ limitBytes: 0 }).read();
    assert(limitBytes > 1_000_000 && limitBytes < 2 ** 60);
  },
});

Deno.test({
  name: "without any permission the configured limit is what there is",
  permissions: "none",
  fn() {
    const reader = new MemoryReader({ limitBytes: 0 });
    const { limitBytes, limitSource, rssBytes } = reader.read();
    assertEquals([limitSource, limitBytes], ["no limit known", Infinity]);
    assert(rssBytes > 0);
    assertEquals(new MemoryReader({ limitBytes: 5 }).read().limitBytes, 5);
  },
});
