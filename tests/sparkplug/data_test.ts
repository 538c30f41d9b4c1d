/** NDATA and DDATA as they come one after the other: what was recognised is judged like what is read. */
import { assertEquals } from "@std/assert";
import type { MetricParts } from "./_encode.ts";
import { Plant } from "./_plant.ts";

function found(plant: Plant): string[] {
  return [...new Set(plant.referee.violations.latest().map(({ rule }) => rule))];
}

/** A plant whose node has published the same two metrics several times. */
function steady(): Plant {
  const plant = new Plant().bornNode();
  for (let i = 0; i < 5; i++) {
    plant.wait(100);
    plant.ndata({ metrics: two(plant) });
  }
  return plant;
}

function two(plant: Plant, second: MetricParts = {}): MetricParts[] {
  const timestamp = plant.nowMs;
  return [
    { name: "Temperature", timestamp, value: [12, { float: 1 }] },
    { alias: 1, timestamp, value: [10, timestamp % 1000], ...second },
  ];
}

Deno.test("a metric older than the one before it is seen whatever way each of them was read", () => {
  // The first and the third are recognised by their shape, the second one is new.
  const plant = steady();
  const timestamp = plant.nowMs;
  const [first, second] = two(plant);
  const more = { ...first!, timestamp: timestamp + 1, type: 9 };
  plant.ndata({ metrics: [first!, more, { ...second!, timestamp }] });
  assertEquals(found(plant).includes("ndataOrder"), true);
});

Deno.test("a recognised metric does not hide a wrong value, time or field", () => {
  const cases: readonly (readonly [MetricParts, string[]])[] = [
    [{ value: [10, 4_000_000_000] }, []],
    [{ value: [15, "text"] }, ["valueField"]],
    [{ value: [11, 5] }, ["uint32Long"]],
    [{ timestamp: 1_700_000_000_000 + 1_000_000 }, ["metricTimestampUtc"]],
    [{ timestamp: 1_700_000_000_000 - 1_000_000 }, ["ndataOrder"]],
    [{ timestamp: 5 }, ["ndataOrder", "metricTimestampUtc"]],
    [{ alias: 7 }, ["ndataKnown"]],
    [{ type: 7 }, ["dataTypeSuperfluous"]],
  ];
  for (const [parts, expected] of cases) {
    const plant = steady();
    plant.ndata({ metrics: two(plant, parts) });
    assertEquals(found(plant), expected, JSON.stringify(parts, (_, v) => `${v}`));
    // And it is found again when this shape, too, is known.
    const before = plant.referee.violations.total;
    plant.ndata({ metrics: two(plant, parts) });
    assertEquals(plant.referee.violations.total > before, expected.length > 0);
  }
});

Deno.test("a name that stands in a birth twice means the first metric of that name", () => {
  const plant = new Plant();
  plant.join();
  const timestamp = plant.nowMs;
  const twice: MetricParts[] = [
    { name: "A", timestamp, type: 3, value: [10, 1] },
    { name: "A", timestamp, type: 12, value: [15, "x"] },
    { name: "B", alias: 5, timestamp, type: 3, value: [10, 1] },
    { name: "C", alias: 5, timestamp, type: 12, value: [15, "x"] },
  ];
  plant.nbirth({ metrics: [...twice, ...plant.rebirthMetric()] });
  assertEquals(found(plant), ["aliasUnique"]);
  for (let i = 0; i < 4; i++) {
    plant.ndata({
      metrics: [
        { name: "A", timestamp, value: [10, 1] },
        { name: "A", timestamp, value: [10, 1] },
        { alias: 5, timestamp, value: [10, 1] },
        { alias: 5, timestamp, value: [10, 1] },
      ],
    });
  }
  assertEquals(found(plant), ["aliasUnique"]);
});

Deno.test("names of one hash cannot make a birth slow", () => {
  const names = collidingNames(12);
  const plant = new Plant();
  plant.join();
  const timestamp = plant.nowMs;
  const metrics = names.map((name): MetricParts => ({
    name,
    timestamp,
    type: 3,
    value: [10, 1],
  }));
  plant.nbirth({ metrics: [...metrics, ...plant.rebirthMetric()] });
  const [node] = plant.referee.topology().nodes;
  assertEquals(node!.metrics.length, 10);
  // What was left out is not called unknown.
  plant.ndata({ metrics: names.map((name) => ({ name, timestamp, value: [10, 1] as const })) });
  assertEquals(found(plant), []);
});

/** Names with the same FNV-1a hash: found by meeting in the middle. */
function collidingNames(count: number): string[] {
  const byHash = new Map<number, string[]>();
  for (let i = 0;; i++) {
    const name = i.toString(36).padStart(5, "0");
    let hash = 0x811c9dc5;
    for (const letter of name) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
    // Two names that collide stay so with whatever stands behind them.
    const same = byHash.get(hash) ?? [];
    byHash.set(hash, [...same, name]);
    if (same.length === 0) continue;
    const pair = [same[0]!, name];
    let names = [""];
    while (names.length < count) names = names.flatMap((head) => pair.map((part) => head + part));
    const first = hashOf(names[0]!);
    const all = names.filter((one) => hashOf(one) === first);
    if (all.length >= count) return all.slice(0, count);
  }
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const letter of text) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}
