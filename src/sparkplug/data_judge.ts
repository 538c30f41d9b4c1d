/** Judges NDATA, DDATA and DDEATH: the path that nearly all messages take. */
import { DataScan, Remark, type ScanContext } from "./data_scan.ts";
import { EARLIEST_TIMESTAMP_MS, judgeInside, metricLabel } from "./judge_metrics.ts";
import { structureContext } from "./judge_structure.ts";
import { aliasKey, MetricTable } from "./metric_table.ts";
import type { Device, EdgeNode, RefereeClient } from "./node_state.ts";
import { decodePayload, type PublishFacts, type RefereeParts } from "./referee_parts.ts";
import type { RuleName } from "./rules.ts";

/** How long data may still come after a rebirth request. */
const REBIRTH_GRACE_MS = 1000;
const NO_METRICS = new MetricTable();

/** Rules that are called differently for Edge Nodes and Devices. */
interface DataRules {
  readonly qos: RuleName;
  readonly retain: RuleName;
  readonly absent: RuleName;
  readonly gap: RuleName;
  readonly timestamp: RuleName;
  readonly empty: RuleName;
  readonly known: RuleName;
  readonly order: RuleName;
  readonly unchanged: RuleName;
}

const NODE_RULES: DataRules = {
  qos: "ndataQos",
  retain: "ndataRetain",
  absent: "ndataSeq",
  gap: "ndataSeqNext",
  timestamp: "ndataTimestamp",
  empty: "ndataEmpty",
  known: "ndataKnown",
  order: "ndataOrder",
  unchanged: "ndataUnchanged",
};

const DEVICE_RULES: DataRules = {
  qos: "ddataQos",
  retain: "ddataRetain",
  absent: "ddataSeq",
  gap: "ddataSeqNext",
  timestamp: "ddataTimestamp",
  empty: "ddataEmpty",
  known: "ddataKnown",
  order: "ddataOrder",
  unchanged: "ddataUnchanged",
};

/** What remarks mean. */
const REMARK_RULES: readonly (readonly [number, RuleName | keyof DataRules, string])[] = [
  [Remark.nameless, "metricName", "neither name nor alias"],
  [Remark.unknown, "known", "not in the birth"],
  [Remark.nameAndAlias, "aliasOnly", "a name beside its alias"],
  [Remark.dataTypeGiven, "dataTypeSuperfluous", "a datatype"],
  [Remark.dataTypeUnknown, "dataTypeKnown", "an unknown datatype"],
  [Remark.wrongField, "valueField", "its value does not fit its datatype"],
  [Remark.uint32Long, "uint32Long", "a UInt32 in long_value"],
  [Remark.noTimestamp, "metricTimestamp", "no timestamp"],
  [Remark.outOfOrder, "order", "older than the metric before it"],
  [Remark.notUtc, "metricTimestampUtc", "a timestamp far from the clock"],
  [Remark.unchanged, "unchanged", "the same value as before"],
];

/** What a scan is told, filled in for each message. */
class Context implements ScanContext {
  table = NO_METRICS;
  watchChanges = false;
  readonly earliestMs = EARLIEST_TIMESTAMP_MS;
  latestMs = 0;
}

/** Judges messages of the owner of an Edge Node. */
export class DataJudge {
  readonly #parts: RefereeParts;
  readonly #scan = new DataScan();
  readonly #context = new Context();
  readonly #windowMs: number;

  constructor(parts: RefereeParts) {
    this.#parts = parts;
    this.#windowMs = parts.options.timestampWindowMs;
    this.#context.watchChanges = parts.options.reportByException;
  }

  /** NDATA and DDATA. */
  data(client: RefereeClient, node: EdgeNode, facts: PublishFacts): void {
    const { judgement } = this.#parts;
    const { topic, nowMs } = facts;
    const rules = topic.device === null ? NODE_RULES : DEVICE_RULES;
    if (facts.qos !== 0) judgement.breach(rules.qos, `QoS ${facts.qos}`);
    if (facts.retain) judgement.breach(rules.retain, "RETAIN is set");
    const scope = this.#scope(client, node, facts);
    if (!node.born) {
      const name = topic.device === null ? "ndataBeforeBirth" : "ddataBeforeBirth";
      judgement.breach(name, "there was no NBIRTH");
      this.judgeFirst(client, node, topic.type);
      return;
    }
    if (node.rebirthAskedMs > 0) this.#judgeRebirthStop(node, nowMs);
    const scan = this.#scan;
    const context = this.#context;
    context.table = scope?.metrics ?? NO_METRICS;
    context.latestMs = nowMs + this.#windowMs;
    if (facts.start === facts.end || !scan.scan(facts.bytes, facts, context)) {
      judgement.breach(rules.absent, "the payload does not decode");
      return;
    }
    this.judgeSeq(node, this.#seqOf(facts), rules);
    node.dataSeen = true;
    if (scope === null || !scope.born) {
      judgement.breach("ddataBeforeBirth", `there was no DBIRTH of ${topic.device}`);
      return;
    }
    if (topic.device !== null) {
      (scope as Device).messages++;
      (scope as Device).lastMessageMs = nowMs;
    }
    const { remarks } = scan;
    if ((remarks & Remark.marked) !== 0 && this.#compressed(scope, facts, rules)) return;
    this.judgeTimestamp(scan.timestamp, rules.timestamp, nowMs);
    if (scan.timestamp >= 0) node.clockSkewMs = scan.timestamp - nowMs;
    if (scan.metrics === 0) judgement.breach(rules.empty, "there is no metric");
    if (remarks !== 0) this.#remarks(node, facts, rules);
  }

  /** DDEATH. */
  ddeath(client: RefereeClient, node: EdgeNode, facts: PublishFacts): void {
    const { judgement } = this.#parts;
    if (facts.qos !== 0) judgement.breach("ddeathQos", `QoS ${facts.qos}`);
    if (facts.retain) judgement.breach("ddeathRetain", "RETAIN is set");
    if (!node.born) {
      this.judgeFirst(client, node, facts.topic.type);
      return;
    }
    this.#context.table = NO_METRICS;
    const scan = this.#scan;
    if (facts.start === facts.end || !scan.scan(facts.bytes, facts, this.#context)) {
      judgement.breach("ddeathSeq", "the payload does not decode");
      return;
    }
    this.judgeSeq(node, scan.seq, { absent: "ddeathSeq", gap: "ddeathSeq" });
    this.judgeTimestamp(scan.timestamp, "ddeathTimestamp", facts.nowMs);
    const device = node.devices.get(facts.topic.device!);
    if (device === undefined || judgement.refuses) return;
    if (device.born) {
      device.deaths++;
      device.lastDeathMs = facts.nowMs;
      device.lastDeathCause = "DDEATH";
    }
    device.born = false;
  }

  /** seq counts on over all messages of an Edge Node. */
  judgeSeq(
    node: EdgeNode,
    seq: number,
    rules: { readonly absent: RuleName; readonly gap: RuleName },
  ): void {
    if (seq < 0 || seq > 255) {
      const detail = seq < 0 ? "seq is missing or not from 0 to 255" : `seq is ${seq}`;
      this.#parts.judgement.breach(rules.absent, detail);
      return;
    }
    const expected = (node.seq + 1) & 0xff;
    if (seq !== expected && node.seq >= 0 && node.born) {
      node.seqGaps++;
      this.#parts.judgement.breach(rules.gap, `${seq} instead of ${expected}`);
    }
    node.seq = seq;
  }

  /** A timestamp is there and of now; -1 stands for none. */
  judgeTimestamp(ms: number, missing: RuleName, nowMs: number): void {
    if (ms < 0) {
      this.#parts.judgement.breach(missing, "there is no timestamp");
      return;
    }
    const offMs = ms - nowMs;
    if (offMs > this.#windowMs || offMs < -this.#windowMs) {
      this.#parts.judgement.breach("timestampUtc", `${offMs} ms from the clock`);
    }
  }

  /** The first message of a session that is no birth. */
  judgeFirst(client: RefereeClient, node: EdgeNode, type: string): void {
    if (client.firstJudged || node.born) return;
    client.firstJudged = true;
    this.#parts.judgement.breach("birthFirst", `the first message is ${type}`);
  }

  /** seq of the payload that was scanned; of a compressed one it may stand within. */
  #seqOf(facts: PublishFacts): number {
    const { seq, remarks } = this.#scan;
    if (seq >= 0 || (remarks & Remark.marked) === 0) return seq;
    const decoded = decodePayload(this.#parts, facts);
    const within = "problem" in decoded ? null : decoded.payload.seq;
    return within === null || within > 255n ? -1 : Number(within);
  }

  #scope(client: RefereeClient, node: EdgeNode, facts: PublishFacts): EdgeNode | Device | null {
    const { place, topic } = facts;
    if (place !== undefined) {
      if (place.client === client) return place.scope;
      const scope = topic.device === null ? node : node.devices.get(topic.device) ?? null;
      // A Device that is made later must be found then.
      if (scope === null) return null;
      place.client = client;
      place.scope = scope;
      return scope;
    }
    if (client.lastTopic === topic) return client.lastScope;
    client.lastTopic = topic;
    client.lastScope = topic.device === null ? node : node.devices.get(topic.device) ?? null;
    // A Device that is made later must be found then.
    if (client.lastScope === null) client.lastTopic = null;
    return client.lastScope;
  }

  #judgeRebirthStop(node: EdgeNode, nowMs: number): void {
    const sinceMs = nowMs - node.rebirthAskedMs;
    if (node.rebirthStopJudged || sinceMs <= REBIRTH_GRACE_MS) return;
    node.rebirthStopJudged = true;
    this.#parts.judgement.breach("rebirthStops", `data ${sinceMs} ms after the request`);
  }

  #remarks(node: EdgeNode, facts: PublishFacts, rules: DataRules): void {
    const { judgement } = this.#parts;
    const { remarks, metrics } = this.#scan;
    const incomplete = this.#context.table.incomplete;
    for (const [remark, rule, what] of REMARK_RULES) {
      if ((remarks & remark) === 0) continue;
      // What found no room in the table is not unknown.
      if (remark === Remark.unknown && incomplete) continue;
      const name = rule in rules ? rules[rule as keyof DataRules] : rule as RuleName;
      const at = this.#scan.firstWith(remark);
      judgement.breach(name, () => `metric ${at} of ${metrics}: ${what}`);
    }
    if ((remarks & Remark.structured) !== 0) this.#structured(node, facts);
  }

  /** Properties, DataSets and Templates are worth a full decoding. */
  #structured(node: EdgeNode, facts: PublishFacts): void {
    const { judgement } = this.#parts;
    const decoded = decodePayload(this.#parts, facts);
    if ("problem" in decoded) {
      judgement.breach(facts.topic.device === null ? "ndataSeq" : "ddataSeq", decoded.problem);
      return;
    }
    if (decoded.illFormedVersion) judgement.breach("templateVersion", "it is not UTF-8");
    const context = {
      ...structureContext(facts.topic.type, node),
      judgement,
      birth: false,
      nowMs: facts.nowMs,
      windowMs: this.#windowMs,
    };
    decoded.payload.metrics.forEach((metric, index) =>
      judgeInside(metricLabel(metric, index), metric, context)
    );
  }

  /** A payload that is marked as compressed: only what stands outside is judged. */
  #compressed(scope: EdgeNode | Device, facts: PublishFacts, rules: DataRules): boolean {
    const { judgement, options } = this.#parts;
    const outer = this.#parts.codec.decode(facts.bytes, facts.start, facts.end);
    if ("problem" in outer || outer.payload.uuid !== "SPBV1.0_COMPRESSED") return false;
    if (options.inflate === null) return true;
    const decoded = decodePayload(this.#parts, facts);
    if ("problem" in decoded) {
      judgement.breach(rules.absent, decoded.problem);
      return true;
    }
    const { metrics, timestamp } = decoded.payload;
    this.judgeTimestamp(timestamp === null ? -1 : Number(timestamp), rules.timestamp, facts.nowMs);
    if (metrics.length === 0) judgement.breach(rules.empty, "there is no metric");
    const stranger = metrics.find(({ name, alias }) =>
      alias === null
        ? scope.metrics.named(name ?? "") === null
        : scope.metrics.byAlias(aliasKey(alias)) === null
    );
    if (stranger !== undefined && !scope.metrics.incomplete) {
      judgement.breach(rules.known, `${metricLabel(stranger, 0)}: not in the birth`);
    }
    return true;
  }
}
