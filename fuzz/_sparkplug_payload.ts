/** Random Sparkplug payloads, and what the full decoder says the scan must find in them. */
import { type Field, message, metric, type MetricParts } from "../tests/sparkplug/_encode.ts";
import type { Metric, Payload } from "../src/sparkplug/payload.ts";
import { metricField } from "../src/sparkplug/data_type.ts";
import { Remark, type ScanContext } from "../src/sparkplug/data_scan.ts";
import { FIELD_OF_KIND } from "../src/sparkplug/judge_metrics.ts";
import { aliasKey } from "../src/sparkplug/metric_table.ts";
import type { Random } from "./random.ts";

const NOW_MS = 1_700_000_000_000;
/** Timestamps, one of which the scan is told is too late. */
const TIMES = [NOW_MS, NOW_MS, NOW_MS, NOW_MS + 1, NOW_MS + 2, NOW_MS + 10_000_000, 5, 0];
const NAMES = ["Speed", "Line 1/Motor 1/Speed", "Line 1/Motor 2/Speed", "", "ü", "x".repeat(200)];
const ALIASES = [0, 1, 2, 3, 127, 128, 2n ** 53n, 2n ** 53n + 1n, 2n ** 64n - 1n];
const TYPES = [0, 1, 3, 4, 7, 8, 9, 10, 11, 12, 17, 19, 22, 35, 4_000_000_000];
const NUMBERS = [0, 1, 127, 128, 300, 70_000, 2 ** 31, 2n ** 63n, 2n ** 64n - 1n];

/** A value of some field. */
function value(random: Random): Field {
  switch (random.below(9)) {
    case 0:
      return [10, random.pick(NUMBERS)];
    case 1:
      return [11, random.pick(NUMBERS)];
    case 2:
      return [12, { float: random.below(1000) / 8 }];
    case 3:
      return [13, { double: random.below(1000) / 3 }];
    case 4:
      return [14, random.oneIn(2)];
    case 5:
      return [15, random.pick(NAMES)];
    case 6:
      return [16, Uint8Array.from({ length: random.below(6) }, () => random.bits())];
    case 7:
      return [17, message([1, 1], [2, "a"], [3, 3])];
    default:
      return [18, message([4, "T"])];
  }
}

function parts(random: Random): MetricParts {
  let result: MetricParts = {};
  if (random.oneIn(2)) result = { ...result, name: random.pick(NAMES) };
  if (random.oneIn(2)) result = { ...result, alias: random.pick(ALIASES) };
  if (!random.oneIn(8)) result = { ...result, timestamp: random.pick(TIMES) };
  if (random.oneIn(3)) result = { ...result, type: random.pick(TYPES) };
  if (random.oneIn(8)) result = { ...result, historical: random.oneIn(2) };
  if (random.oneIn(8)) result = { ...result, isNull: random.oneIn(2) };
  if (random.oneIn(16)) result = { ...result, properties: message([1, "a"]) };
  return random.oneIn(8) ? result : { ...result, value: value(random) };
}

/** A plain metric, as Edge Nodes write it: its bytes repeat from message to message. */
function plain(random: Random, index: number): MetricParts {
  const named = index % 2 === 0;
  return {
    ...(named ? { name: NAMES[index % NAMES.length]! } : { alias: ALIASES[index % 4]! }),
    timestamp: NOW_MS + random.below(3),
    value: index % 3 === 0
      ? [12, { float: random.below(100) }]
      : index % 3 === 1
      ? [10, random.pick(NUMBERS)]
      : [15, random.pick(NAMES)],
  };
}

/** A payload of a birth, with names and types for most metrics. */
export function birthPayload(random: Random): Uint8Array {
  const metrics = Array.from({ length: random.below(9) }, () => {
    const name = random.pick(NAMES);
    const alias = random.oneIn(2) ? { alias: random.pick(ALIASES) } : {};
    return metric({ name, ...alias, type: random.pick(TYPES), timestamp: NOW_MS });
  });
  return message([1, NOW_MS], [3, 0], ...metrics.map((bytes): Field => [2, bytes]));
}

/** A payload of data; `steady` ones resemble each other. */
export function dataPayload(random: Random, steady: boolean): Uint8Array {
  const fields: Field[] = [];
  if (!random.oneIn(16)) fields.push([1, steady ? NOW_MS + random.below(5) : random.pick(TIMES)]);
  const count = steady ? 4 : random.below(6);
  for (let i = 0; i < count; i++) {
    fields.push([2, metric(steady ? plain(random, i) : parts(random))]);
  }
  if (!random.oneIn(16)) fields.push([3, steady ? random.below(256) : random.pick(NUMBERS)]);
  if (random.oneIn(32)) fields.push([4, "SPBV1.0_COMPRESSED"]);
  if (random.oneIn(32)) fields.push([77, random.pick(NAMES)]);
  return message(...fields);
}

/** The remarks that a scan must make of a decoded payload. */
export function expectedRemarks({ metrics, uuid }: Payload, context: ScanContext): number {
  let remarks = uuid === null ? 0 : Remark.marked;
  let lastMs = 0;
  for (const one of metrics) {
    remarks |= metricRemarks(one, context);
    if (one.timestamp === null) remarks |= Remark.noTimestamp;
    else if (!one.isHistorical) {
      const ms = Number(one.timestamp);
      if (ms < lastMs) remarks |= Remark.outOfOrder;
      lastMs = ms;
      if (ms < context.earliestMs || ms > context.latestMs) remarks |= Remark.notUtc;
    }
  }
  return remarks;
}

function metricRemarks(one: Metric, { table }: ScanContext): number {
  const { name, alias, dataType, value, isNull, properties } = one;
  let remarks = 0;
  if (dataType !== null) {
    remarks |= Remark.dataTypeGiven;
    if (metricField(dataType) === 0) remarks |= Remark.dataTypeUnknown;
  }
  const structured = value?.kind === "dataSet" || value?.kind === "template";
  if (properties !== null || structured) remarks |= Remark.structured;
  if (name === null && alias === null) return remarks | Remark.nameless;
  if (name !== null && alias !== null) remarks |= Remark.nameAndAlias;
  const born = alias === null ? table.named(name!) : table.byAlias(aliasKey(alias));
  if (born === null) return remarks | Remark.unknown;
  if (dataType !== null && dataType !== born.dataType) remarks |= Remark.wrongField;
  const field = value === null ? 0 : FIELD_OF_KIND[value.kind];
  if (field === 0 || isNull || field === metricField(born.dataType)) return remarks;
  return remarks | (born.dataType === 7 && field === 11 ? Remark.uint32Long : Remark.wrongField);
}
