/** How much of a flood is written down. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { AuditSampler, type AuditSamplerLimits } from "../../src/security/mod.ts";

const LIMITS: AuditSamplerLimits = { perKeyMax: 3, windowMs: 1000, perSecondMax: 10, keysMax: 100 };

function sampler(limits: Partial<AuditSamplerLimits> = {}): AuditSampler<string> {
  return new AuditSampler({ ...LIMITS, ...limits });
}

Deno.test("of one key a few are written, and the next one tells how many were not", () => {
  const samples = sampler();
  const first = Array.from({ length: 10 }, (_, i) => samples.admit("k", `${i}`, 1 + i));
  assertEquals(first, [0, 0, 0, null, null, null, null, null, null, null]);
  assertEquals(samples.admit("k", "x", 1001), 7);
  assertEquals(samples.admit("k", "y", 1002), 0);
});

Deno.test("what nothing comes to carry is drained when its window is over", () => {
  const samples = sampler();
  for (let i = 0; i < 5; i++) samples.admit("k", `${i}`, 1);
  assertEquals(samples.drain(1000), { items: [], others: 0 });
  assertEquals(samples.drain(1001), { items: [{ item: "4", suppressed: 2 }], others: 0 });
  assertEquals([samples.drain(9000), samples.keys], [{ items: [], others: 0 }, 0] as unknown[]);
});

Deno.test("many keys together write no more than the rate, and everything is counted once", () => {
  const random = new Random(13);
  for (let round = 0; round < 30; round++) {
    const samples = sampler({ keysMax: 1 + random.below(50) });
    const keys = 1 + random.below(500);
    let asked = 0;
    let written = 0;
    let accounted = 0;
    let nowMs = 1;
    for (let step = 0; step < 2000; step++) {
      nowMs += random.below(20);
      asked++;
      const suppressed = samples.admit(`${random.below(keys)}`, "x", nowMs);
      if (suppressed !== null) {
        written++;
        accounted += 1 + suppressed;
      }
      if (random.oneIn(50)) {
        const drained = drain(samples, nowMs);
        written += drained.written;
        accounted += drained.accounted;
      }
      assert(samples.keys <= 50);
    }
    assert(written <= 10 + nowMs / 1000 * 10);
    nowMs += 100_000;
    accounted += drain(samples, nowMs).accounted;
    assertEquals([accounted, samples.keys], [asked, 0]);
  }
});

function drain(
  samples: AuditSampler<string>,
  nowMs: number,
): { written: number; accounted: number } {
  const { items, others } = samples.drain(nowMs);
  const accounted = items.reduce((sum, { suppressed }) => sum + suppressed, others);
  return { written: items.length, accounted };
}

Deno.test("limits that let nothing pass are refused", () => {
  for (const bad of [{ perKeyMax: 0 }, { windowMs: 0 }, { perSecondMax: 0 }, { keysMax: 0 }]) {
    assertThrows(() => sampler(bad), RangeError);
  }
});

Deno.test("a burst of its own lets a slow rate take what comes at once", () => {
  const samples = sampler({ perSecondMax: 1, burstMax: 30, perKeyMax: 1 });
  const written = Array.from({ length: 50 }, (_, i) => samples.admit(`${i}`, "x", 1));
  assertEquals(written.filter((count) => count === 0).length, 30);
  assertEquals(samples.admit("later", "x", 2_001), 0);
});
