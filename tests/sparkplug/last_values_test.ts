/** The last known values: what changes them, what makes them stale, how many there may be. */
import { assert, assertEquals } from "@std/assert";
import { deflateSync } from "node:zlib";
import {
  LastValues,
  type LastValuesBounds,
  PayloadCodec,
  type ValuePage,
  type ValueScope,
  valuesOf,
} from "../../src/sparkplug/judging.ts";
import {
  type Json,
  type Metric,
  parseTopic,
  type SparkplugTopic,
} from "../../src/sparkplug/mod.ts";
import { message, metric, type MetricParts, payload } from "./_encode.ts";

const CODEC = await PayloadCodec.load();
const EDGE = { name: "the client of E" };
const BOUNDS = { metricsMax: 1000, bytesMax: 1_000_000 };

/** Values that are told of messages as a broker would. */
class Plant {
  readonly values: LastValues;
  nowMs = 1_700_000_000_000;
  client: object = EDGE;
  /** As the broker keeps them with the topics. */
  readonly #scopes = new Map<string, ValueScope | null>();

  constructor(bounds: Partial<LastValuesBounds> = {}) {
    const inflate = (body: Uint8Array) => new Uint8Array(inflateOnce(body));
    this.values = new LastValues(CODEC, { ...BOUNDS, inflate, ...bounds });
  }

  /** A message on `spBv1.0/G/<topic>`. */
  send(topic: string, content: Uint8Array | readonly MetricParts[]): this {
    const bytes = content instanceof Uint8Array
      ? content
      : payload({ timestamp: this.nowMs, metrics: content.map(metric) });
    const parsed = parseTopic(`spBv1.0/G/${topic}`) as SparkplugTopic;
    assertEquals(parsed.kind, "topic");
    // As in a chunk of a socket: something stands before and behind it.
    const chunk = new Uint8Array(bytes.length + 7).fill(0xff);
    chunk.set(bytes, 3);
    const range = { bytes: chunk, start: 3, end: 3 + bytes.length, nowMs: this.nowMs };
    const scope = this.#scopes.get(topic) ?? null;
    this.#scopes.set(topic, this.values.published(this.client, parsed, { ...range, scope }));
    chunk.fill(0); // the transport uses it again
    return this;
  }

  nbirth(metrics: readonly MetricParts[] = [TEMPERATURE], bdSeq = 0, node = "E"): this {
    return this.send(`NBIRTH/${node}`, [
      { name: "bdSeq", type: 4, value: [11, bdSeq] },
      ...metrics,
    ]);
  }

  death(bdSeq: number): Uint8Array {
    return payload({ metrics: [metric({ name: "bdSeq", type: 4, value: [11, bdSeq] })] });
  }

  page(where = "E", search = ""): ValuePage | null {
    const [node = "", device = null] = where.split("/");
    const scope = this.values.find("G", node, device);
    return scope === null ? null : valuesOf(scope, CODEC, { search, from: 0, limit: 100 });
  }

  /** Name, value and staleness. */
  brief(where = "E"): unknown[] {
    const page = this.page(where);
    if (page === null) return [];
    return page.items.filter(({ name }) => name !== "bdSeq")
      .map(({ name, value, stale }) => [name, value, stale]);
  }
}

function inflateOnce(body: Uint8Array): Uint8Array {
  return body.length === 0 ? body : INFLATED;
}

let INFLATED: Uint8Array = new Uint8Array(0);

const TEMPERATURE = {
  name: "Temperature",
  alias: 1,
  type: 9,
  value: [12, { float: 20.5 }],
} as const;
const COUNT = { name: "Count", alias: 2n ** 60n, type: 8, value: [11, 2n ** 64n - 1n] } as const;

Deno.test("a birth gives every metric its value, type and time; data changes it by alias or name", () => {
  const plant = new Plant();
  plant.nbirth([{ ...TEMPERATURE, timestamp: 5 }, COUNT]);
  const temperature = {
    name: "Temperature",
    alias: "1",
    dataType: "Float",
    value: 20.5,
    timestampMs: 5n,
    cameMs: plant.nowMs,
    quality: null,
    stale: false,
  };
  const count = {
    ...temperature,
    name: "Count",
    alias: String(2n ** 60n),
    dataType: "UInt64",
    value: "18446744073709551615",
    timestampMs: BigInt(plant.nowMs), // of its message
  };
  const page = plant.page()!;
  assertEquals(page.items.slice(1), [temperature, count]);
  assertEquals([page.online, page.cause, page.total, page.next], [true, "", 3, null]);
  plant.nowMs += 1000;
  plant.send("NDATA/E", [{ alias: 1, timestamp: 7, value: [12, { float: -1.25 }] }]);
  plant.send("NDATA/E", [{ name: "Count", value: [11, 6] }]);
  const cameMs = plant.nowMs;
  assertEquals(plant.page()!.items.slice(1), [
    { ...temperature, value: -1.25, timestampMs: 7n, cameMs },
    { ...count, value: "6", timestampMs: BigInt(cameMs), cameMs },
  ]);
});

Deno.test("values of all kinds come out as they went in", () => {
  const text = "x".repeat(500);
  const table = message([1, 1], [2, "c"], [3, 3], [4, message([1, message([1, 7])])]);
  const quality = message([1, "Quality"], [2, message([1, 3], [3, 500])]);
  const kinds: readonly (readonly [MetricParts, unknown])[] = [
    [{ type: 1, value: [10, 0xffffffff] }, -1],
    [{ type: 4, value: [11, -2n] }, "-2"],
    [{ type: 10, value: [13, { double: 0.1 }] }, 0.1],
    [{ type: 11, value: [14, true] }, true],
    [{ type: 12, value: [15, "hot"] }, "hot"],
    [{ type: 12, value: [15, text] }, text],
    [{ type: 17, value: [16, Uint8Array.of(1, 2)] }, "AQI="],
    [{ type: 22, value: [16, Uint8Array.of(0xe9, 0x7b)] }, [-23, 123]],
    [{ type: 16, value: [17, table] }, {
      columns: [{ name: "c", dataType: "Int32" }],
      rows: [[7]],
    }],
    [{ type: 3, isNull: true }, null],
    [{ type: 3, value: [10, 1], properties: quality }, 1],
  ];
  const names = kinds.map(([parts], i) => ({ name: `m${i}`, alias: i + 1, ...parts }));
  const plant = new Plant().nbirth(names);
  for (const round of [1, 2]) {
    const items = plant.page()!.items.slice(1);
    assertEquals(items.map(({ value }) => value), kinds.map(([, value]) => value), `${round}`);
    assertEquals(items.at(-1)!.quality, "stale");
    plant.send("NDATA/E", kinds.map(([{ type: _, ...parts }], i) => ({ alias: i + 1, ...parts })));
  }
});

Deno.test("what is historical, unknown or not well-formed changes nothing", () => {
  const plant = new Plant().nbirth();
  const before = plant.page();
  plant.nowMs++;
  plant.send("NDATA/E", [{ alias: 1, historical: true, value: [12, { float: 1 }] }]);
  plant.send("NDATA/E", [{ alias: 9, value: [10, 1] }, { name: "Nobody", value: [10, 1] }]);
  const good = payload({ metrics: [metric({ alias: 1, value: [12, { float: 1 }] })] });
  plant.send("NDATA/E", Uint8Array.of(...good, 0x12, 0x7f, 0x00));
  assertEquals(plant.page(), before);
  const { unknown, unread } = plant.values.figures;
  assertEquals([unknown, unread], [2, 1]);
});

Deno.test("NDEATH, DDEATH, the end of a connection and a new birth make values stale", () => {
  const plant = new Plant();
  const device = [{ ...TEMPERATURE, alias: 3 }];
  const alive = ["Temperature", 20.5, false];
  const stale = ["Temperature", 20.5, true];
  function states(): unknown[] {
    return [plant.brief()[0], plant.brief("E/D")[0], plant.page("E/D")?.cause];
  }
  function reborn(): void {
    plant.nbirth().send("DBIRTH/E/D", device);
    assertEquals(states(), [alive, alive, ""]);
  }
  reborn();
  plant.send("DDEATH/E/D", []);
  assertEquals(states(), [alive, stale, "DDEATH"]);
  plant.send("DDATA/E/D", [{ alias: 3, value: [12, { float: 1 }] }]); // not born
  assertEquals([states()[1], plant.values.figures.unborn], [stale, 1]);
  reborn();
  plant.nbirth();
  assertEquals(states(), [alive, stale, "NBIRTH"]); // until its DBIRTH comes
  reborn();
  plant.send("NDEATH/E", plant.death(0));
  assertEquals(states(), [stale, stale, "NDEATH"]);
  reborn();
  plant.values.closed({}, 0); // somebody else
  assertEquals(states(), [alive, alive, ""]);
  plant.values.closed(EDGE, plant.nowMs + 5);
  assertEquals(states(), [stale, stale, "connection closed"]);
  assertEquals(plant.page()!.sinceMs, plant.nowMs + 5);
  reborn();
  plant.values.willPublished("spBv1.0/G/NDEATH/E", plant.death(0), plant.nowMs);
  assertEquals(states(), [stale, stale, "NDEATH"]);
  reborn();
  plant.send("NBIRTH/E", Uint8Array.of(0xff));
  assertEquals(states(), [stale, stale, "a birth that could not be read"]);
});

Deno.test("the death of a session that another one has followed means nothing", () => {
  const plant = new Plant().nbirth([TEMPERATURE], 4);
  plant.client = { name: "another connection" };
  plant.nbirth([TEMPERATURE], 5);
  plant.values.closed(EDGE, plant.nowMs);
  plant.values.willPublished("spBv1.0/G/NDEATH/E", plant.death(4), plant.nowMs);
  assertEquals(plant.brief(), [["Temperature", 20.5, false]]);
  plant.values.willPublished("spBv1.0/G/NDEATH/E", plant.death(5), plant.nowMs);
  assertEquals(plant.brief(), [["Temperature", 20.5, true]]);
});

Deno.test("aliases are those of the current birth", () => {
  const plant = new Plant().nbirth([{ ...TEMPERATURE, alias: 1 }, { ...COUNT, alias: 2 }]);
  plant.nbirth([{ ...TEMPERATURE, alias: 2 }, { name: "New", alias: 1, type: 3, value: [10, 1] }]);
  plant.send("NDATA/E", [{ alias: 2, value: [12, { float: 3 }] }, { alias: 1, value: [10, 4] }]);
  assertEquals(plant.brief(), [["Temperature", 3, false], ["New", 4, false]]);
});

Deno.test("a compressed payload is looked into", () => {
  const plant = new Plant().nbirth();
  INFLATED = payload({ metrics: [metric({ alias: 1, value: [12, { float: 8 }] })] });
  const body = new Uint8Array(deflateSync(INFLATED));
  plant.send("NDATA/E", payload({ uuid: "SPBV1.0_COMPRESSED", body }));
  assertEquals(plant.brief(), [["Temperature", 8, false]]);
  // A uuid of somebody's own says nothing.
  const metrics = [metric({ alias: 1, value: [12, { float: 9 }] })];
  plant.send("NDATA/E", payload({ uuid: "schema", metrics }));
  assertEquals(plant.brief(), [["Temperature", 9, false]]);
  INFLATED = new Uint8Array(0);
  plant.send("NDATA/E", payload({ uuid: "SPBV1.0_COMPRESSED" }));
  assertEquals(plant.values.figures.unread, 1);
});

Deno.test("search and parts", () => {
  const names = Array.from(
    { length: 25 },
    (_, i) => ({ ...TEMPERATURE, name: `T/${i}`, alias: i + 1 }),
  );
  const plant = new Plant().nbirth(names);
  const scope = plant.values.find("G", "E")!;
  const seen: string[] = [];
  for (let from: number | null = 0; from !== null;) {
    const page: ValuePage = valuesOf(scope, CODEC, { search: "t/", from, limit: 10 });
    assertEquals(page.total, 25);
    seen.push(...page.items.map(({ name }) => name));
    from = page.next;
  }
  assertEquals(seen, names.map(({ name }) => name));
  assertEquals(plant.page("E", "t/2")!.items.length, 6);
  assertEquals([plant.page("F"), plant.page("E/D")], [null, null]);
});

Deno.test("beyond the bounds who has been away for longest goes, then what is new; both are counted", () => {
  const plant = new Plant({ metricsMax: 6 });
  for (const node of ["A", "B", "C"]) {
    plant.client = { node };
    plant.nbirth([TEMPERATURE], 0, node);
    plant.values.closed(plant.client, plant.nowMs);
  }
  plant.client = EDGE;
  plant.nbirth([TEMPERATURE], 0, "D"); // two metrics, and six are there
  assertEquals(["A", "B", "C", "D"].map((node) => plant.page(node) !== null), [
    false,
    true,
    true,
    true,
  ]);
  for (const node of ["B", "C"]) plant.nbirth([TEMPERATURE], 0, node);
  plant.nbirth([TEMPERATURE], 0, "F"); // everybody is there
  assertEquals(plant.page("F")!.total, 0);
  const { metrics, evicted, unkept } = plant.values.figures;
  assertEquals([metrics, evicted, unkept], [6, 1, 2]);
});

Deno.test("a value that finds no room is not shown as if it were the last one", () => {
  const plant = new Plant({ bytesMax: 4000 });
  plant.nbirth([{ name: "Text", alias: 1, type: 12, value: [15, "short"] }]);
  plant.send("NDATA/E", [{ alias: 1, value: [15, "x".repeat(5000)] }]);
  assertEquals(plant.brief(), [["Text", null, true]]);
  assertEquals(plant.values.figures.unkept, 1);
  plant.send("NDATA/E", [{ alias: 1, value: [15, "short"] }]);
  assertEquals(plant.brief(), [["Text", "short", false]]);
});

Deno.test("what is given up gives its room back, however often", () => {
  const plant = new Plant({ metricsMax: 50, bytesMax: 60_000 });
  const size = (i: number) => "x".repeat(1 + (i * 37) % 900);
  let most = 0;
  for (let i = 0; i < 3000; i++) {
    plant.client = { i };
    const metrics = [1, 2, 3].map((alias) => ({ name: `m${alias}`, alias, type: 12 }));
    plant.nbirth(metrics, i % 256, `E${i % 23}`);
    plant.send(`DBIRTH/E${i % 23}/D${i % 5}`, metrics);
    plant.send(`NDATA/E${i % 23}`, [{ alias: 1 + i % 3, value: [15, size(i)] }]);
    if (i % 3 !== 0) plant.values.closed(plant.client, plant.nowMs++);
    const { bytes, metrics: count } = plant.values.figures;
    assert(bytes <= 60_000 && bytes >= 0 && count <= 50 && count >= 0, `${bytes} ${count}`);
    most = Math.max(most, bytes);
  }
  assert(most > 20_000);
  // All go: nothing may be left on the account.
  for (let i = 0; i < 23; i++) {
    plant.values.willPublished(`spBv1.0/G/NDEATH/E${i}`, new Uint8Array(0), 1);
  }
  plant.client = EDGE;
  const many = Array.from({ length: 50 }, (_, i) => ({ name: `n${i}`, type: 3 }));
  plant.send("NBIRTH/last", many);
  const { bytes, metrics } = plant.values.figures;
  assertEquals(metrics, 50);
  assert(bytes < 50 * 900, `${bytes}`);
});

Deno.test("no bytes break it: what it keeps is what the full decoder finds", () => {
  let state = 7;
  const below = (bound: number) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 | 0;
    return (state >>> 8) % bound;
  };
  const plant = new Plant({ metricsMax: 100, bytesMax: 200_000 });
  const metrics = Array.from({ length: 8 }, (_, i) => ({
    name: `m${i}`,
    type: 8,
    ...(i % 2 === 0 ? { alias: i + 1 } : {}),
  }));
  const expected = new Map<string, Json>();
  let compared = 0;
  for (let round = 0; round < 1500; round++) {
    if (round % 50 === 0) {
      plant.send("NBIRTH/E", metrics.map((parts) => ({ ...parts, value: [11, round] as const })));
      for (const { name } of metrics) expected.set(name, String(round));
    }
    const parts = Array.from({ length: 1 + below(5) }, () => {
      const { name, alias } = metrics[below(8)]!;
      const who = alias === undefined || below(3) === 0 ? { name } : { alias };
      return { ...who, historical: below(4) === 0, value: [11, below(1e6)] as const };
    });
    const bytes = payload({ timestamp: 1, metrics: parts.map(metric) });
    // Every other one is damaged.
    if (round % 2 === 1) bytes[below(bytes.length)] = below(256);
    plant.send("NDATA/E", bytes);
    const decoded = CODEC.decode(bytes);
    if (round % 2 === 1) {
      // What it makes of it may differ where the wire is odd; it is there, and readable, all the same.
      for (const { name, value } of plant.page()!.items) {
        expected.set(name, value);
      }
      continue;
    }
    for (const one of (decoded as { payload: { metrics: readonly Metric[] } }).payload.metrics) {
      const name = one.name ?? `m${Number(one.alias) - 1}`;
      if (!one.isHistorical) expected.set(name, String(one.value!.value));
    }
    const found = plant.page()!.items.map(({ name, value }) => [name, value]);
    assertEquals(found, metrics.map(({ name }) => [name, expected.get(name)!]), `round ${round}`);
    compared++;
  }
  assertEquals(compared, 750);
  const { unread, unknown } = plant.values.figures;
  assert(unread > 20 && unknown > 20, `${unread} ${unknown}`);
});
