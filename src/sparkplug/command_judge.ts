/** Judges NCMD and DCMD. */
import { REBIRTH_METRIC } from "./birth_book.ts";
import { DataType, dataTypeName, metricField, ValueField } from "./data_type.ts";
import { FIELD_OF_KIND, judgeCommandMetrics, metricLabel } from "./judge_metrics.ts";
import { structureContext } from "./judge_structure.ts";
import { aliasKey, type BornMetric, type MetricTable } from "./metric_table.ts";
import type { EdgeNode, RefereeClient } from "./node_state.ts";
import type { Metric, Payload } from "./payload.ts";
import { decodePayload, type PublishFacts, type RefereeParts } from "./referee_parts.ts";
import { subscribedQos } from "./subscriptions_seen.ts";
import { NAMESPACE } from "./topic.ts";

/** Judges commands, whoever sends them. */
export class CommandJudge {
  readonly #parts: RefereeParts;

  constructor(parts: RefereeParts) {
    this.#parts = parts;
  }

  /** Judges a command and takes down a rebirth request. */
  publish(client: RefereeClient, facts: PublishFacts): void {
    const { judgement, registry } = this.#parts;
    const { topic, qos, retain, nowMs } = facts;
    const ncmd = topic.device === null;
    if (client.host === null && client.node === null && !client.commandJudged) {
      client.commandJudged = true;
      judgement.breach("hostUnannounced", "commands of a client without STATE");
    }
    if (qos !== 0) judgement.breach(ncmd ? "ncmdQos" : "dcmdQos", `QoS ${qos}`);
    if (retain) judgement.breach(ncmd ? "ncmdRetain" : "dcmdRetain", "RETAIN is set");
    const decoded = decodePayload(this.#parts, facts);
    if ("problem" in decoded) {
      judgement.breach(ncmd ? "ncmdEmpty" : "dcmdEmpty", decoded.problem);
      return;
    }
    const { payload } = decoded;
    this.#judgePayload(payload, ncmd, nowMs);
    const node = registry.find(topic.group, topic.node);
    judgeCommandMetrics(payload, {
      ...structureContext(topic.type, node),
      judgement,
      birth: false,
      nowMs,
      windowMs: this.#parts.options.timestampWindowMs,
    });
    if (node !== null) this.#judgeTarget(node, payload, facts);
    const request = this.#rebirthRequest(payload, { ncmd, node });
    if (request && !judgement.refuses && node !== null) this.#noteRequest(client, node, facts);
  }

  #judgePayload(payload: Payload, ncmd: boolean, nowMs: number): void {
    const { judgement, options } = this.#parts;
    const { timestamp, seq, metrics } = payload;
    if (timestamp === null) {
      judgement.breach(ncmd ? "ncmdTimestamp" : "dcmdTimestamp", "there is no timestamp");
    } else if (Math.abs(Number(timestamp) - nowMs) > options.timestampWindowMs) {
      judgement.breach("timestampUtc", `${Number(timestamp) - nowMs} ms from the clock`);
    }
    if (seq !== null) judgement.breach(ncmd ? "ncmdSeq" : "dcmdSeq", `seq is ${seq}`);
    if (metrics.length === 0) {
      judgement.breach(ncmd ? "ncmdEmpty" : "dcmdEmpty", "there is no metric");
    }
  }

  /** Names and values against the birth of the target, as far as it is known. */
  #judgeTarget(node: EdgeNode, payload: Payload, { topic }: PublishFacts): void {
    const { judgement } = this.#parts;
    const ncmd = topic.device === null;
    const scope = ncmd ? node : node.devices.get(topic.device!);
    if (scope === undefined || !scope.born) return;
    const { metrics: table } = scope;
    payload.metrics.forEach((metric, index) => {
      const label = metricLabel(metric, index);
      const born = bornMetric(metric, table);
      if (born === null) {
        if (table.incomplete) return;
        const name = ncmd ? "ncmdMetricName" : "dcmdMetricName";
        judgement.breach(name, `${label} is not in the birth`);
      } else if (!fits(metric, born)) {
        const name = ncmd ? "ncmdMetricValue" : "dcmdMetricValue";
        judgement.breach(name, `${label} is a ${dataTypeName(born.dataType)}`);
      }
    });
  }

  /** Whether this is a rebirth request, well-formed or nearly. */
  #rebirthRequest(
    payload: Payload,
    { ncmd, node }: { ncmd: boolean; node: EdgeNode | null },
  ): boolean {
    const { judgement } = this.#parts;
    for (const metric of payload.metrics) {
      const { name, alias, value } = metric;
      if (name === REBIRTH_METRIC) {
        if (!ncmd) {
          judgement.breach("rebirthVerb", "a rebirth request by DCMD");
          return false;
        }
        if (value?.kind === "boolean" && value.value) return true;
        judgement.breach("rebirthRequestValue", "the value is not the Boolean true");
      } else if (ncmd && name !== null && name.toLowerCase() === REBIRTH_METRIC.toLowerCase()) {
        judgement.breach("rebirthRequestName", `it is written ${name}`);
      } else if (ncmd && name === null && alias !== null) {
        const born = node?.metrics.byAlias(aliasKey(alias)) ?? null;
        if (born?.name === REBIRTH_METRIC) {
          judgement.breach("rebirthRequestName", `it is named by alias ${alias}`);
          return value?.kind === "boolean" && value.value;
        }
      }
    }
    return false;
  }

  /** The request reaches the Edge Node if it is subscribed. */
  #noteRequest(client: RefereeClient, node: EdgeNode, { nowMs }: PublishFacts): void {
    node.rebirthsAsked++;
    node.lastRebirthMs = nowMs;
    node.lastRebirthCause = `NCMD of ${client.clientIdentifier}`;
    const { owner } = node;
    if (owner === null || !node.born || node.rebirthAskedMs > 0) return;
    if (subscribedQos(owner, `${NAMESPACE}/${node.group}/NCMD/${node.name}`) < 0) return;
    node.rebirthAskedMs = nowMs;
    node.rebirthStopJudged = false;
  }
}

function bornMetric({ name, alias }: Metric, table: MetricTable): BornMetric | null {
  if (alias !== null) return table.byAlias(aliasKey(alias));
  return name === null ? null : table.named(name);
}

/** Whether the value stands in the field of the metric's datatype; null fits all. */
function fits({ value, isNull, dataType }: Metric, born: BornMetric): boolean {
  if (dataType !== null && dataType !== born.dataType) return false;
  if (value === null) return isNull;
  const field = FIELD_OF_KIND[value.kind];
  if (field === metricField(born.dataType)) return true;
  return born.dataType === DataType.uint32 && field === ValueField.long;
}
