/** What people see of a payload: tables, trees and integers as they are meant, not as they are sent. */
import { assertEquals } from "@std/assert";
import type { Metric, PropertySet, Value } from "../../src/sparkplug/payload.ts";
import { payloadJson, valueJson } from "../../src/sparkplug/payload_json.ts";

const INT8 = 1;
const INT16 = 2;
const INT32 = 3;
const INT64 = 4;
const BOOLEAN = 11;
const STRING = 12;

const PLAIN: Metric = {
  name: null,
  alias: null,
  timestamp: null,
  dataType: null,
  isHistorical: false,
  isTransient: false,
  isNull: false,
  metadata: null,
  properties: null,
  value: null,
};

function text(value: string): Value {
  return { kind: "string", value };
}

Deno.test("integers with a sign are told with it, and all bits of a long stay", () => {
  const minusOne: Value = { kind: "int", value: 0xffff_ffff };
  for (const type of [INT8, INT16, INT32]) assertEquals(valueJson(minusOne, type), -1);
  assertEquals(valueJson(minusOne, null), 0xffff_ffff);
  const long: Value = { kind: "long", value: 2n ** 64n - 1n };
  assertEquals(valueJson(long, INT64), "-1");
  assertEquals(valueJson(long, null), "18446744073709551615");
});

Deno.test("what is no number is told by its name, and bytes are base64", () => {
  assertEquals(valueJson({ kind: "double", value: NaN }, null), "NaN");
  assertEquals(valueJson({ kind: "float", value: -Infinity }, null), "-Infinity");
  assertEquals(valueJson({ kind: "bytes", value: Uint8Array.of(0, 255) }, null), "AP8=");
  assertEquals(valueJson({ kind: "extension", value: null }, null), null);
});

Deno.test("a table has the names and types of its columns; cells without a value are null", () => {
  const value: Value = {
    kind: "dataSet",
    value: {
      numOfColumns: 3n,
      columns: ["on", "text", "more"],
      types: [BOOLEAN, STRING],
      rows: [[{ kind: "boolean", value: true }, text("a"), null]],
    },
  };
  assertEquals(valueJson(value, null), {
    columns: [
      { name: "on", dataType: "Boolean" },
      { name: "text", dataType: "String" },
      { name: "more" },
    ],
    rows: [[true, "a", null]],
  });
});

Deno.test("a template tells its metrics and parameters, by its own names and not by those of a birth", () => {
  const metric = {
    ...PLAIN,
    alias: 7n,
    dataType: INT8,
    value: { kind: "int", value: 255 },
  } as const;
  const template: Value = {
    kind: "template",
    value: {
      version: "1",
      templateRef: "Pump",
      isDefinition: false,
      metrics: [metric],
      parameters: [
        { name: "size", type: STRING, value: text("big") },
        { name: null, type: null, value: null },
      ],
    },
  };
  const payload = {
    timestamp: 1n,
    seq: 255n,
    uuid: "id",
    body: Uint8Array.of(1),
    metrics: [{ ...PLAIN, alias: 7n, value: template }],
  };
  const json = payloadJson(payload, () => ({ name: "born", dataType: 19 }));
  assertEquals(json, {
    timestamp: "1",
    seq: 255,
    uuid: "id",
    body: "AQ==",
    metrics: [{
      name: "born",
      alias: "7",
      dataType: "Template",
      value: {
        version: "1",
        templateRef: "Pump",
        isDefinition: false,
        metrics: [{ alias: "7", dataType: "Int8", value: -1 }],
        parameters: [{ name: "size", dataType: "String", value: "big" }, {}],
      },
    }],
  });
});

Deno.test("properties are a list, since a key may stand there twice; sets of them are lists of lists", () => {
  const set: PropertySet = {
    keys: ["a", "a"],
    values: [
      { type: STRING, isNull: false, value: text("x") },
      { type: STRING, isNull: true, value: null },
      { type: null, isNull: false, value: null },
    ],
  };
  const expected = [
    { key: "a", dataType: "String", value: "x" },
    { key: "a", dataType: "String", value: null },
    { value: null },
  ];
  assertEquals(valueJson({ kind: "propertySet", value: set }, null), expected);
  assertEquals(valueJson({ kind: "propertySetList", value: [set, set] }, null), [
    expected,
    expected,
  ]);
});

Deno.test("a sequence number beyond its range is told whole", () => {
  const payload = { timestamp: null, seq: 2n ** 60n, uuid: null, body: null, metrics: [] };
  assertEquals(payloadJson(payload), { seq: "1152921504606846976", metrics: [] });
});
