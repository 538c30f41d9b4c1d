/** Takes down what a birth says, and what in it contradicts itself or other births. */
import { DataType } from "./data_type.ts";
import type { Judgement } from "./judgement.ts";
import { aliasKey, BornMetric, MetricTable } from "./metric_table.ts";
import type { Device, EdgeNode } from "./node_state.ts";
import type { Metric, Payload } from "./payload.ts";

/** The metric by which an Edge Node is asked to be born again. */
export const REBIRTH_METRIC = "Node Control/Rebirth";
/** The metric that counts the sessions of an Edge Node. */
export const BD_SEQ_METRIC = "bdSeq";

/** Metrics of a birth, up to `room` of them. */
export function tableOf(metrics: readonly Metric[], room: number): MetricTable {
  const table = new MetricTable();
  for (const metric of metrics) {
    if (metric.name === null) continue;
    if (table.metrics.length >= room) {
      table.incomplete = true;
      break;
    }
    table.add(new BornMetric(metric));
  }
  return table;
}

/** Aliases that stand for two metrics, within the birth or with the node's other births. */
export function judgeAliases(
  metrics: readonly Metric[],
  others: readonly MetricTable[],
  judgement: Judgement,
): void {
  const seen = new Map<number | bigint, string>();
  for (const { alias, name } of metrics) {
    if (alias === null) continue;
    const key = aliasKey(alias);
    const first = seen.get(key) ??
      others.find((table) => table.byAlias(key) !== null)?.byAlias(key)?.name;
    if (first !== undefined) {
      judgement.breach("aliasUnique", `alias ${alias}: ${first} and ${name ?? ""}`);
      return;
    }
    seen.set(key, name ?? "");
  }
}

/** Names that differ by case alone. */
export function judgeNames(metrics: readonly Metric[], judgement: Judgement): void {
  if (!judgement.watches("metricNamesCase")) return;
  const seen = new Map<string, string>();
  for (const { name } of metrics) {
    if (name === null) continue;
    const lower = name.toLowerCase();
    const first = seen.get(lower);
    if (first !== undefined && first !== name) {
      judgement.breach("metricNamesCase", `${first} and ${name}`);
      return;
    }
    seen.set(lower, name);
  }
}

/** Order-free hash of the names of a table. */
export function signatureOf(table: MetricTable): number {
  let sum = table.metrics.length;
  for (const { name } of table.metrics) {
    let hash = 7;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash, 31) + name.charCodeAt(i) | 0;
    sum = (sum + hash) | 0;
  }
  return sum;
}

/** bdSeq of an NBIRTH or NDEATH; null if there is none from 0 to 255. */
export function bdSeqOf(payload: Payload): { value: number; int64: boolean } | null {
  const metric = payload.metrics.find(({ name }) => name === BD_SEQ_METRIC);
  const value = metric?.value;
  if (value?.kind !== "long" && value?.kind !== "int") return null;
  const number = Number(value.value);
  if (number < 0 || number > 255) return null;
  return { value: number, int64: metric!.dataType === DataType.int64 && value.kind === "long" };
}

/** Rules of the metric Node Control/Rebirth in an NBIRTH. */
export function judgeRebirthMetric(payload: Payload, judgement: Judgement): void {
  const metric = payload.metrics.find(({ name }) => name === REBIRTH_METRIC);
  if (metric === undefined) {
    judgement.breach("rebirthMetric", `no metric ${REBIRTH_METRIC}`);
    return;
  }
  const { dataType, value, alias } = metric;
  if (dataType !== DataType.boolean) judgement.breach("rebirthDataType", `datatype ${dataType}`);
  if (value?.kind !== "boolean" || value.value) {
    judgement.breach("rebirthValue", "the value is not false");
  }
  if (alias !== null) judgement.breach("rebirthAlias", `alias ${alias}`);
}

/** Puts a table in the place of the old one of a scope, in the node's count as well. */
export function replaceTable(node: EdgeNode, scope: EdgeNode | Device, table: MetricTable): void {
  node.metricCount += table.metrics.length - scope.metrics.metrics.length;
  scope.metrics = table;
}
