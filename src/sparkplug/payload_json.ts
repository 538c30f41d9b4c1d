/** Payloads as JSON for people (7.6): names for aliases, names of datatypes, arrays, tables, trees. */
import { arrayValues } from "./array_values.ts";
import { dataTypeName } from "./data_type.ts";
import type { DataSet, Metric, Payload, PropertySet, Template, Value } from "./payload.ts";

/** What JSON can hold; uint64 are strings of digits, so that no bit is lost. */
export type Json = string | number | boolean | null | readonly Json[] | {
  readonly [key: string]: Json;
};

/** Gives a metric's name and datatype by its alias or name; null where it is not known. */
export type ResolveMetric = (
  metric: Metric,
) => { readonly name: string; readonly dataType: number } | null;

/** A payload; `resolve` knows the current birth. */
export function payloadJson(payload: Payload, resolve: ResolveMetric = noBirth): Json {
  const { timestamp, seq, uuid, body, metrics } = payload;
  return record({
    timestamp: text(timestamp),
    seq: seq === null ? null : seq <= 255n ? Number(seq) : String(seq),
    uuid,
    body: body === null ? null : body.toBase64(),
    metrics: metrics.map((metric) => metricJson(metric, resolve)),
  });
}

function noBirth(): null {
  return null;
}

function metricJson(metric: Metric, resolve: ResolveMetric): Json {
  const born = metric.name === null || metric.dataType === null ? resolve(metric) : null;
  const dataType = metric.dataType ?? born?.dataType ?? null;
  const { metadata, properties } = metric;
  return record({
    name: metric.name ?? born?.name ?? null,
    alias: text(metric.alias),
    timestamp: text(metric.timestamp),
    dataType: dataType === null ? null : dataTypeName(dataType),
    value: metric.isNull ? null : valueJson(metric.value, dataType, resolve),
    isNull: metric.isNull || null,
    isHistorical: metric.isHistorical || null,
    isTransient: metric.isTransient || null,
    quality: qualityOf(properties),
    metadata: metadata === null ? null : record({
      ...metadata,
      size: text(metadata.size),
      seq: text(metadata.seq),
    }),
    properties: properties === null ? null : propertiesJson(properties, resolve),
  }, ["value"]);
}

/** A value of this datatype. */
export function valueJson(
  value: Value | null,
  dataType: number | null,
  resolve: ResolveMetric = noBirth,
): Json {
  if (value === null) return null;
  switch (value.kind) {
    case "int":
      return signed32(value.value, dataType);
    case "long":
      // Int64 is the two's complement of what is on the wire.
      return String(dataType === 4 ? BigInt.asIntN(64, value.value) : value.value);
    case "float":
    case "double":
      return Number.isFinite(value.value) ? value.value : String(value.value);
    case "bytes":
      return arrayValues(dataType ?? 0, value.value) ?? value.value.toBase64();
    case "dataSet":
      return dataSetJson(value.value, resolve);
    case "template":
      return templateJson(value.value, resolve);
    case "propertySet":
      return propertiesJson(value.value, resolve);
    case "propertySetList":
      return value.value.map((set) => propertiesJson(set, resolve));
    default:
      return value.value;
  }
}

/** Int8, Int16 and Int32: the low bits, as two's complement. */
function signed32(value: number, dataType: number | null): number {
  if (dataType === 1) return (value << 24) >> 24;
  if (dataType === 2) return (value << 16) >> 16;
  return dataType === 3 ? value | 0 : value;
}

function dataSetJson({ columns, types, rows }: DataSet, resolve: ResolveMetric): Json {
  return {
    columns: columns.map((name, i) => record({ name, dataType: typeName(types[i]) })),
    rows: rows.map((row) => row.map((cell, i) => valueJson(cell, types[i] ?? null, resolve))),
  };
}

function typeName(type: number | undefined): string | null {
  return type === undefined ? null : dataTypeName(type);
}

function templateJson(template: Template, resolve: ResolveMetric): Json {
  const { version, templateRef, isDefinition, metrics, parameters } = template;
  return record({
    version,
    templateRef,
    isDefinition,
    metrics: metrics.map((metric) => metricJson(metric, noBirth)),
    parameters: parameters.map(({ name, type, value }) =>
      record({
        name,
        dataType: type === null ? null : dataTypeName(type),
        value: valueJson(value, type, resolve),
      })
    ),
  });
}

function propertiesJson({ keys, values }: PropertySet, resolve: ResolveMetric): Json {
  // A list, since keys come from the wire and may stand there twice.
  return values.map(({ type, isNull, value }, i) =>
    record({
      key: keys[i] ?? null,
      dataType: type === null ? null : dataTypeName(type),
      value: isNull ? null : valueJson(value, type, resolve),
    }, ["value"])
  );
}

/** What the property Quality says; null where there is none. */
export function qualityOf(properties: PropertySet | null): string | null {
  const index = properties?.keys.indexOf("Quality") ?? -1;
  const value = properties?.values[index]?.value;
  if (value?.kind !== "int") return null;
  const names: Readonly<Record<number, string>> = { 0: "bad", 192: "good", 500: "stale" };
  return names[value.value] ?? String(value.value);
}

function text(value: bigint | null): string | null {
  return value === null ? null : String(value);
}

/** An object without what is null, but for the keys named. */
function record(fields: Record<string, Json | undefined>, kept: readonly string[] = []): Json {
  const present: [string, Json][] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined && (value !== null || kept.includes(key))) present.push([key, value]);
  }
  return Object.fromEntries(present);
}
