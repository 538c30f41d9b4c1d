/** NDATA and DDATA as they come one after the other: what was recognised is judged like what is read. */
import { assertEquals } from "@std/assert";
import { type Field, message, type MetricParts } from "./_encode.ts";
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

Deno.test("what stands behind a recognised value counts", () => {
  const plant = steady();
  const [first, second] = two(plant);
  const float: Field = [12, { float: 1 }];
  const behind = message([1, first!.name!], [3, plant.nowMs], float, [15, "text"]);
  plant.ndata({ metrics: [behind, second!] });
  assertEquals(found(plant), ["valueField"]);
});

Deno.test("an NBIRTH unbears all devices", () => {
  const plant = new Plant().bornDevice();
  plant.nbirth();
  plant.ddata();
  assertEquals(found(plant), ["ddataBeforeBirth"]);
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

/** Pairs that lead FNV-1a from the hash of what stands before them to one and the same. */
const PAIRS = [["1e56rtr", "0f94688"], ["100l7js", "0may6i3"], ["1ddo14d", "0krgalb"], [
  "10z6tws",
  "150knqy",
]];

/** Names with the same hash: one of each pair, in their order. */
function collidingNames(count: number): string[] {
  let names = [""];
  for (const pair of PAIRS) names = names.flatMap((head) => pair.map((part) => head + part));
  return names.slice(0, count);
}
