import { assert, assertEquals } from "@std/assert";
import { deflateSync, gzipSync, inflateSync } from "node:zlib";
import { PAYLOAD_LIMITS, PayloadCodec, payloadJson } from "../../src/sparkplug/judging.ts";
import type { Inflate, Metric, Payload } from "../../src/sparkplug/judging.ts";
import { message, metric, payload, varint } from "./_encode.ts";
import { CODEC, Plant } from "./_plant.ts";

function decode(bytes: Uint8Array, codec = CODEC): Payload {
  const decoded = codec.decode(bytes);
  if ("problem" in decoded) throw new Error(decoded.problem);
  return decoded.payload;
}

function problemOf(bytes: Uint8Array, codec = CODEC): string {
  const decoded = codec.decode(bytes);
  return "problem" in decoded ? decoded.problem : "decoded";
}

function firstMetric(bytes: Uint8Array): Metric {
  return decode(payload({ metrics: [bytes] })).metrics[0]!;
}

Deno.test("uint64 keeps all of its bits", () => {
  const most = 0xffff_ffff_ffff_ffffn;
  const decoded = decode(payload({ timestamp: most, seq: 2n ** 63n + 1n }));
  assertEquals([decoded.timestamp, decoded.seq], [most, 2n ** 63n + 1n]);
  const { alias, value } = firstMetric(metric({ alias: most - 1n, value: [11, most - 2n] }));
  assertEquals([alias, value?.value], [most - 1n, most - 2n]);
});

Deno.test("what is absent is not what is zero", () => {
  const absent = decode(new Uint8Array(0));
  assertEquals([absent.timestamp, absent.seq, absent.uuid, absent.body], [null, null, null, null]);
  const zero = decode(payload({ timestamp: 0, seq: 0, uuid: "" }));
  assertEquals([zero.timestamp, zero.seq, zero.uuid], [0n, 0n, ""]);
  const empty = firstMetric(metric({}));
  assertEquals([empty.name, empty.alias, empty.dataType, empty.value], [null, null, null, null]);
  const given = firstMetric(metric({ name: "", alias: 0, type: 0, value: [10, 0] }));
  assertEquals([given.name, given.alias, given.dataType, given.value?.value], ["", 0n, 0, 0]);
});

Deno.test("of several values the last one counts", () => {
  const { value } = firstMetric(message([10, 1], [15, "x"], [10, 2], [13, { double: 0.5 }]));
  assertEquals(value, { kind: "double", value: 0.5 });
});

Deno.test("fields that the schema does not know are tolerated, and known ones of another wire type", () => {
  const bytes = message([99, "later"], [1, "text, no number"], [3, 7], [1000, 5]);
  const decoded = decode(bytes);
  assertEquals([decoded.timestamp, decoded.seq], [null, 7n]);
});

Deno.test("hostile payloads end at their caps", async () => {
  const { metricsMax, depthMax, stringBytesMax } = PAYLOAD_LIMITS;
  let deep = message([1, "leaf"]);
  for (let i = 0; i < depthMax; i++) deep = message([18, message([2, deep])]);
  const cases: readonly (readonly [Uint8Array, RegExp])[] = [
    [payload({ metrics: [deep] }), /levels/],
    [new Uint8Array((metricsMax + 1) * 2).map((_, i) => i % 2 === 0 ? 0x12 : 0), /metrics/],
    [payload({ metrics: [metric({ name: "x".repeat(stringBytesMax + 1) })] }), /more than/],
    [Uint8Array.of(0x12, 0xff, 0xff, 0xff, 0xff, 0x7f, 1), /not well-formed/],
    [Uint8Array.of(0x12, 5, 1), /not well-formed/],
    [message([2, message([17, Uint8Array.of(0x1a, 2, 0x80)])]), /not well-formed/],
  ];
  for (const [bytes, expected] of cases) {
    assert(expected.test(problemOf(bytes)), `${expected}: ${problemOf(bytes)}`);
  }
  const few = await PayloadCodec.load({ ...PAYLOAD_LIMITS, fieldsMax: 5 });
  assertEquals(problemOf(message([1, 1], [3, 1], [50, 1], [51, 1], [52, 1]), few), "decoded");
  const many = message([1, 1], [3, 1], [50, 1], [51, 1], [52, 1], [53, 1]);
  assert(/fields/.test(problemOf(many, few)));
  const packed = Uint8Array.of(0x1a, 9, ...varint(1), ...new Array(8).fill(1));
  assert(/elements|fields/.test(problemOf(message([2, message([17, packed])]), few)));
});

const inflate: Inflate = (body, algorithm, bytesMax) => {
  try {
    if (algorithm === "GZIP") return null;
    return new Uint8Array(inflateSync(body, { maxOutputLength: bytesMax }));
  } catch {
    return null;
  }
};

Deno.test("a compressed birth is judged by what is in it, and a bomb is none", () => {
  const plant = new Plant({ inflate });
  plant.join();
  const inner = payload({
    timestamp: plant.nowMs,
    metrics: [...plant.usual(), ...plant.rebirthMetric()],
  });
  const uuid = "SPBV1.0_COMPRESSED";
  plant.nbirth({ bytes: payload({ seq: 0, uuid, body: new Uint8Array(deflateSync(inner)) }) });
  plant.seq = 1;
  plant.ndata();
  const data = payload({ timestamp: plant.nowMs, metrics: [plant.temperature()] });
  plant.ndata({ bytes: payload({ seq: 2, uuid, body: new Uint8Array(deflateSync(data)) }) });
  // sparkplug-client compresses seq, too.
  const whole = payload({ timestamp: plant.nowMs, seq: 3, metrics: [plant.temperature()] });
  plant.ndata({ bytes: payload({ uuid, body: new Uint8Array(deflateSync(whole)) }) });
  assertEquals(plant.referee.violations.latest(), []);
  const gap = payload({ timestamp: plant.nowMs, seq: 9, metrics: [plant.temperature()] });
  plant.ndata({ bytes: payload({ uuid, body: new Uint8Array(deflateSync(gap)) }) });
  const last = plant.referee.violations.latest().at(-1);
  assertEquals([last?.rule, last?.detail], ["ndataSeqNext", "9 instead of 4"]);

  const bomb = new Uint8Array(deflateSync(new Uint8Array(PAYLOAD_LIMITS.inflatedBytesMax + 1)));
  plant.nbirth({ bytes: payload({ seq: 0, uuid, body: bomb }) });
  const zipped = new Uint8Array(gzipSync(inner));
  const algorithm = metric({ name: "algorithm", type: 12, value: [15, "GZIP"] });
  plant.nbirth({ bytes: payload({ seq: 0, uuid, body: zipped, metrics: [algorithm] }) });
  const found = plant.referee.violations.countsOf("G/E");
  assertEquals(found.get("tck-id-message-flow-edge-node-birth-publish-nbirth-payload"), 2);
});

Deno.test("the arrays of the corrected specification, as JSON", () => {
  const cases: readonly (readonly [number, readonly number[], unknown])[] = [
    [22, [0xe9, 0x7b], [-23, 123]],
    [30, [0xa4, 0x70, 0x9d, 0x3f, 0x98, 0xae, 0xb2, 0x42], [
      Math.fround(1.23),
      Math.fround(89.341),
    ]],
    [
      31,
      [
        0xd7,
        0xa2,
        0x05,
        0x68,
        0x5b,
        0xb5,
        0x28,
        0x40,
        0x8e,
        0x17,
        0x1c,
        0x6f,
        0x4c,
        0xf7,
        0x8f,
        0x40,
      ],
      [12.354213, 1022.9123213],
    ],
    [
      34,
      [0xc7, 0xd0, 0x90, 0x75, 0x24, 1, 0, 0, 0xb8, 0xba, 0xb8, 0x97, 0x81, 1, 0, 0],
      ["1256102875335", "1656107875000"],
    ],
    [32, [12, 0, 0, 0, 0x34, 0xd0], [..."FFTTFTFFTTFT"].map((letter) => letter === "T")],
    [33, [0x41, 0x42, 0, 0xc3, 0xbc, 0], ["AB", "ü"]],
    [24, [1, 2, 3], "AQID"],
    [32, [13, 0, 0, 0, 0x34], "DQAAADQ="],
  ];
  for (const [type, bytes, expected] of cases) {
    const one = metric({ name: "a", type, value: [16, Uint8Array.from(bytes)] });
    const json = payloadJson(decode(payload({ metrics: [one] }))) as {
      metrics: { value: unknown }[];
    };
    assertEquals(json.metrics[0]!.value, expected, `DataType ${type}`);
  }
});

Deno.test("JSON has names for aliases, signs for signed numbers, and digits for uint64", () => {
  const bytes = payload({
    timestamp: 2n ** 60n + 1n,
    seq: 3,
    metrics: [
      metric({ alias: 2n ** 63n, value: [10, 0xffff_fffe] }),
      metric({ name: "long", type: 4, value: [11, 2n ** 64n - 5n] }),
      metric({ name: "none", type: 4, isNull: true }),
      metric({
        name: "good",
        type: 10,
        value: [13, { double: Number.NaN }],
        properties: message([1, "Quality"], [2, message([1, 3], [3, 192])]),
      }),
    ],
  });
  const born = { name: "signed", dataType: 3 };
  const json = payloadJson(decode(bytes), ({ alias }) => alias === 2n ** 63n ? born : null);
  assertEquals(json, {
    timestamp: "1152921504606846977",
    seq: 3,
    metrics: [
      { name: "signed", alias: "9223372036854775808", dataType: "Int32", value: -2 },
      { name: "long", dataType: "Int64", value: "-5" },
      { name: "none", dataType: "Int64", value: null, isNull: true },
      {
        name: "good",
        dataType: "Double",
        value: "NaN",
        quality: "good",
        properties: [{ key: "Quality", dataType: "Int32", value: 192 }],
      },
    ],
  });
});
