/** Payloads whose metrics have one timestamp, compared without reading them. */
import { assertEquals } from "@std/assert";
import { Plant } from "./_plant.ts";
import { type Field, message, metric, type MetricParts } from "./_encode.ts";

/** Metrics that fill words in all ways: names and aliases of several lengths, values of all kinds. */
const KINDS: readonly { readonly type: number; readonly value: (n: number) => Field }[] = [
  { type: 3, value: (n) => [10, n % 100] },
  { type: 4, value: (n) => [11, 300 + n % 100] },
  { type: 9, value: (n) => [12, { float: n }] },
  { type: 10, value: (n) => [13, { double: n / 7 }] },
  { type: 11, value: (n) => [14, n % 2 === 0] },
  { type: 12, value: (n) => [15, `text ${n % 10}`] },
];

function parts(timestamp: number, n: number): MetricParts[] {
  return Array.from({ length: 24 }, (_, i): MetricParts => {
    const { value } = KINDS[i % KINDS.length]!;
    const key = i % 3 === 0 ? { name: "n".repeat(1 + i) } : { alias: i < 12 ? i + 1 : 200 + i };
    return { ...key, timestamp, value: value(n + i) };
  });
}

/** A node that has sent the same metrics so often that they are recognised. */
function steady(): Plant {
  const plant = new Plant();
  plant.join();
  const born = parts(plant.nowMs, 0).map((one, i) => {
    const { type } = KINDS[i % KINDS.length]!;
    return metric({ name: `metric ${i}`, ...one, type });
  });
  plant.nbirth({ metrics: [...born, ...plant.rebirthMetric()] });
  for (let i = 0; i < 12; i++) {
    plant.wait(10);
    plant.ndata({ metrics: parts(plant.nowMs, i) });
  }
  assertEquals(plant.referee.violations.latest(), []);
  return plant;
}

Deno.test("every metric whose timestamp differs from the others is judged by its own", () => {
  for (let i = 0; i < 24; i++) {
    const plant = steady();
    const metrics = parts(plant.nowMs, 3);
    // One that is older than those before it, or makes those behind it older.
    metrics[i] = { ...metrics[i]!, timestamp: plant.nowMs + (i === 0 ? 1 : -1) };
    plant.ndata({ metrics });
    const [rule] = plant.referee.violations.latest().map((violation) => violation.rule);
    assertEquals(rule, "ndataOrder", `metric ${i}`);
  }
});

Deno.test("every fixed byte of a payload that is recognised counts", () => {
  const plant = steady();
  const timestamp = plant.nowMs;
  const good = message(
    [1, timestamp],
    ...parts(timestamp, 5).map((one): Field => [2, metric(one)]),
    [3, 13],
  );
  // What is wrong about a changed byte is found whether or not the rest was recognised before.
  for (let at = 0; at < good.length; at++) {
    const bytes = good.slice();
    bytes[at]! ^= 0x80;
    const known = verdict(steady(), bytes);
    const fresh = new Plant({ reportByException: true }); // reads each metric in full
    fresh.join();
    const born = parts(fresh.nowMs, 0).map((one, i) =>
      metric({ name: `metric ${i}`, ...one, type: KINDS[i % KINDS.length]!.type })
    );
    fresh.nbirth({ metrics: [...born, ...fresh.rebirthMetric()] });
    fresh.wait(120);
    assertEquals(known, verdict(fresh, bytes), `byte ${at} of ${good.length}`);
  }
});

function verdict(plant: Plant, bytes: Uint8Array): string[] {
  plant.ndata({ bytes });
  const rules = plant.referee.violations.latest().map(({ rule, detail }) => `${rule} ${detail}`);
  // seq of the one is not that of the other.
  return [...new Set(rules.filter((rule) => !rule.startsWith("ndataSeqNext")))].sort();
}
