/** Metrics of payloads that are decoded in full (4.9): births, commands, and data with structures. */
import { DataType, dataTypeName, isPropertyType, metricField, ValueField } from "./data_type.ts";
import type { Judgement } from "./judgement.ts";
import { judgeDataSet, judgeTemplate, type StructureContext } from "./judge_structure.ts";
import type { Metric, Payload, PropertySet, Value } from "./payload.ts";

/** What metrics are judged against. */
export interface MetricContext extends StructureContext {
  readonly judgement: Judgement;
  /** A birth has to say more than data and commands. */
  readonly birth: boolean;
  readonly nowMs: number;
  readonly windowMs: number;
}

/** Timestamps before 1990 are not milliseconds since 1970. */
export const EARLIEST_TIMESTAMP_MS = 631_152_000_000;

const QUALITY_CODES: readonly number[] = [0, 192, 500];

/** The field of Metric of a value. */
export const FIELD_OF_KIND: Readonly<Record<Value["kind"], number>> = {
  int: ValueField.int,
  long: ValueField.long,
  float: ValueField.float,
  double: ValueField.double,
  boolean: ValueField.boolean,
  string: ValueField.string,
  bytes: ValueField.bytes,
  dataSet: ValueField.dataSet,
  template: ValueField.template,
  extension: ValueField.extension,
  propertySet: ValueField.none,
  propertySetList: ValueField.none,
};

/** A metric as people find it: by its name, else by its alias, else by its place. */
export function metricLabel(metric: Metric, index: number): string {
  if (metric.name !== null) return metric.name;
  return metric.alias === null ? `metric ${index + 1}` : `alias ${metric.alias}`;
}

/** Rules of births: each metric says what it is. */
export function judgeBirthMetrics(metrics: readonly Metric[], context: MetricContext): void {
  const { judgement, type } = context;
  const incomplete = type === "NBIRTH" ? "nbirthMetrics" : "dbirthMetrics";
  let lastMs = 0n;
  metrics.forEach((metric, index) => {
    const label = metricLabel(metric, index);
    const { name, alias, dataType, value, isNull } = metric;
    if (name === null) {
      judgement.breach(alias === null ? "metricName" : "aliasNamed", `${label} has no name`);
      judgement.breach(incomplete, `${label} has no name`);
    }
    if (dataType === null) {
      judgement.breach("dataTypeMissing", `${label} has no datatype`);
      judgement.breach(incomplete, `${label} has no datatype`);
    } else judgeValueField(label, { dataType, value }, context);
    if (value === null && !isNull) judgement.breach(incomplete, `${label} has no value`);
    else if (value !== null && isNull) {
      judgement.breach(incomplete, `${label} is null with a value`);
    }
    lastMs = judgeTime(label, metric, { ...context, lastMs });
    judgeInside(label, metric, context);
  });
}

function judgeValueField(
  label: string,
  metric: { readonly dataType: number; readonly value: Value | null },
  { judgement }: MetricContext,
): void {
  const { dataType, value } = metric;
  const expected = metricField(dataType);
  if (expected === 0) {
    judgement.breach("dataTypeKnown", `${label}: datatype ${dataType}`);
    return;
  }
  const field = value === null ? 0 : FIELD_OF_KIND[value.kind];
  if (field === 0 || field === expected) return;
  const detail = `${label}: ${dataTypeName(dataType)} in ${value!.kind}_value`;
  const tolerated = dataType === DataType.uint32 && field === ValueField.long;
  judgement.breach(tolerated ? "uint32Long" : "valueField", detail);
}

function judgeTime(
  label: string,
  { timestamp, isHistorical }: Metric,
  context: MetricContext & { readonly lastMs: bigint },
): bigint {
  const { judgement, lastMs, nowMs, windowMs, type } = context;
  if (timestamp === null) {
    judgement.breach("metricTimestamp", `${label} has no timestamp`);
    return lastMs;
  }
  if (isHistorical) return lastMs;
  if (timestamp < lastMs) {
    const name = type === "NBIRTH" ? "ndataOrder" : "ddataOrder";
    judgement.breach(name, `${label} is older than the metric before it`);
  }
  const ms = Number(timestamp);
  if (ms < EARLIEST_TIMESTAMP_MS || ms > nowMs + windowMs) {
    judgement.breach("metricTimestampUtc", `${label}: timestamp ${timestamp}`);
  }
  return timestamp;
}

/** Rules of commands: they name what they write. */
export function judgeCommandMetrics(payload: Payload, context: MetricContext): void {
  const { judgement } = context;
  payload.metrics.forEach((metric, index) => {
    const label = metricLabel(metric, index);
    const { name, alias, dataType } = metric;
    if (name === null && alias === null) {
      judgement.breach("metricName", `${label} has neither name nor alias`);
    }
    if (name !== null && alias !== null) {
      judgement.breach("aliasOnly", `${label} has a name beside its alias`);
    }
    if (dataType !== null) {
      judgement.breach("dataTypeSuperfluous", `${label} has a datatype`);
      if (metricField(dataType) === 0) {
        judgement.breach("dataTypeKnown", `${label}: datatype ${dataType}`);
      }
    }
    judgeInside(label, metric, context);
  });
}

/** Properties, DataSets and Templates of a metric. */
export function judgeInside(label: string, metric: Metric, context: MetricContext): void {
  if (metric.properties !== null) judgeProperties(label, metric.properties, context);
  const { value } = metric;
  if (value?.kind === "dataSet") judgeDataSet(label, value.value, context.judgement);
  else if (value?.kind === "template") judgeTemplate(label, value.value, context);
}

function judgeProperties(label: string, set: PropertySet, context: MetricContext): void {
  const { judgement, birth } = context;
  const { keys, values } = set;
  if (keys.length !== values.length) {
    const detail = `${label}: ${keys.length} keys for ${values.length} values`;
    judgement.breach("propertySetSize", detail);
  }
  values.forEach(({ type, value }, index) => {
    const key = keys[index] ?? `property ${index + 1}`;
    const where = `${label}: ${key}`;
    if (type === null) {
      if (birth) judgement.breach("propertyType", `${where} has no type`);
    } else if (!isPropertyType(type)) {
      judgement.breach("propertyTypeKnown", `${where} has type ${type}`);
    }
    if (key === "Quality") judgeQuality(where, { type, value }, judgement);
    if (value?.kind === "propertySet") judgeProperties(where, value.value, context);
    else if (value?.kind === "propertySetList") {
      for (const inner of value.value) judgeProperties(where, inner, context);
    }
  });
}

function judgeQuality(
  where: string,
  quality: { readonly type: number | null; readonly value: Value | null },
  judgement: Judgement,
): void {
  const { type, value } = quality;
  if (type !== null && type !== DataType.int32) {
    judgement.breach("qualityType", `${where} is a ${dataTypeName(type)}`);
  }
  const code = value?.kind === "int" ? value.value : null;
  if (code === null || !QUALITY_CODES.includes(code)) {
    judgement.breach("qualityValue", `${where} is ${code ?? "no int_value"}`);
  }
}
