/** Judges what an Edge Node publishes for itself and its Devices. */
import {
  bdSeqOf,
  judgeAliases,
  judgeNames,
  judgeRebirthMetric,
  replaceTable,
  signatureOf,
  tableOf,
} from "./birth_book.ts";
import { DataJudge } from "./data_judge.ts";
import { judgeBirthMetrics } from "./judge_metrics.ts";
import { definitionsOf } from "./judge_structure.ts";
import type { RuleName } from "./rules.ts";
import type { Device, EdgeNode, RefereeClient } from "./node_state.ts";
import type { Payload } from "./payload.ts";
import { decodePayload, type PublishFacts, type RefereeParts } from "./referee_parts.ts";
import { watchedHost } from "./subscriptions_seen.ts";
import {
  judgeSubscriptionsAtBirth,
  judgeSubscriptionsAtDeviceBirth,
} from "./subscriptions_seen.ts";

/** How long an Edge Node has for its DBIRTHs after a rebirth, and for the rebirth itself. */
export const REBIRTH_PATIENCE_MS = 10_000;

/** Judges messages of the owner of an Edge Node. */
export class EdgeJudge {
  readonly #parts: RefereeParts;
  readonly #data: DataJudge;

  constructor(parts: RefereeParts) {
    this.#parts = parts;
    this.#data = new DataJudge(parts);
  }

  /** Judges a message and takes down what it changes. */
  publish(client: RefereeClient, node: EdgeNode, facts: PublishFacts): void {
    const { judgement } = this.#parts;
    node.messages++;
    node.bytes += facts.end - facts.start;
    node.lastMessageMs = facts.nowMs;
    switch (facts.topic.type) {
      case "NDATA":
      case "DDATA":
        this.#data.data(client, node, facts);
        break;
      case "NBIRTH":
        this.#nbirth(client, node, facts);
        return;
      case "DBIRTH":
        this.#dbirth(client, node, facts);
        break;
      case "DDEATH":
        this.#data.ddeath(client, node, facts);
        break;
      default:
        this.#ndeath(client, node, facts);
        return;
    }
    // What is withheld leaves a gap that only a birth closes.
    if (judgement.refuses) node.needsRebirth = node.born;
  }

  #nbirth(client: RefereeClient, node: EdgeNode, facts: PublishFacts): void {
    const { judgement, registry, options } = this.#parts;
    const { topic, qos, retain, nowMs } = facts;
    if (qos !== 0) judgement.breach("nbirthQos", `QoS ${qos}`);
    if (retain) judgement.breach("nbirthRetain", "RETAIN is set");
    judgeSubscriptionsAtBirth(client, topic, judgement);
    this.#judgePrimaryWait(client);
    const other = registry.sameButCase(topic);
    if (other !== null) judgement.breach("idsCase", `${other} and ${node.key}`);
    const decoded = decodePayload(this.#parts, facts);
    if ("problem" in decoded) {
      judgement.breach("nbirthPayload", decoded.problem);
      return;
    }
    const { payload } = decoded;
    const seq = seqOf(payload);
    if (seq < 0) judgement.breach("nbirthSeq", `seq is ${payload.seq ?? "missing"}`);
    else if (seq !== 0) judgement.breach("nbirthSeqZero", `seq is ${seq}`);
    this.#judgeTimestamp(payload, "nbirthTimestamp", nowMs);
    this.#judgeBdSeq(client, node, payload);
    judgeRebirthMetric(payload, judgement);
    if (decoded.illFormedVersion) judgement.breach("templateVersion", "it is not UTF-8");
    const templates = definitionsOf(payload.metrics);
    const windowMs = options.timestampWindowMs;
    const common = { judgement, birth: true, nowMs, windowMs };
    judgeBirthMetrics(payload.metrics, { ...common, type: "NBIRTH", templates });
    judgeAliases(payload.metrics, [], judgement);
    judgeNames(payload.metrics, judgement);
    if (judgement.refuses) return;
    client.saidGoodbye = false;
    this.#takeNbirth(node, payload, nowMs);
    node.seq = seq;
    node.templates = templates;
  }

  /** The Edge Node begins anew: none of its Devices is born. */
  #takeNbirth(node: EdgeNode, payload: Payload, nowMs: number): void {
    const { registry, options } = this.#parts;
    const awaited = [...node.devices.values()].filter((device) => device.born);
    node.awaitedDevices = node.rebirthAskedMs > 0 && awaited.length > 0
      ? new Set(awaited.map((device) => device.name))
      : null;
    node.awaitedUntilMs = nowMs + REBIRTH_PATIENCE_MS;
    for (const device of node.devices.values()) {
      device.born = false;
      device.bornSinceNbirth = false;
    }
    node.born = true;
    node.births++;
    node.lastBirthMs = nowMs;
    node.needsRebirth = false;
    node.dataSeen = false;
    node.rebirthAskedMs = 0;
    node.rebirthStopJudged = false;
    node.bdSeq = bdSeqOf(payload)?.value ?? node.bdSeq;
    const room = options.metricsPerNodeMax - node.metricCount + node.metrics.metrics.length;
    const table = tableOf(payload.metrics, room);
    if (table.incomplete) registry.unfit.metrics++;
    replaceTable(node, node, table);
  }

  #judgeBdSeq(client: RefereeClient, node: EdgeNode, payload: Payload): void {
    const { judgement } = this.#parts;
    const bdSeq = bdSeqOf(payload);
    if (bdSeq === null) {
      judgement.breach("nbirthBdSeq", "no metric bdSeq from 0 to 255");
      return;
    }
    const { willBdSeq } = client;
    if (willBdSeq !== null && bdSeq.value !== willBdSeq) {
      judgement.breach("nbirthBdSeqMatch", `${bdSeq.value}, in the Will ${willBdSeq}`);
    }
    if (node.born && node.bdSeq !== null && node.bdSeq !== bdSeq.value) {
      judgement.breach("rebirthBdSeq", `${bdSeq.value}, before ${node.bdSeq}`);
    }
  }

  #judgePrimaryWait(client: RefereeClient): void {
    const host = watchedHost(client);
    if (host === null) return;
    const state = this.#parts.registry.hosts.get(host)?.state ?? null;
    if (state?.online === true) return;
    const what = state === null ? "has no STATE" : "is offline";
    this.#parts.judgement.breach("primaryWait", `${host} ${what}`);
  }

  #dbirth(client: RefereeClient, node: EdgeNode, facts: PublishFacts): void {
    const { judgement, registry, options } = this.#parts;
    const { topic, qos, retain, nowMs } = facts;
    if (qos !== 0) judgement.breach("dbirthQos", `QoS ${qos}`);
    if (retain) judgement.breach("dbirthRetain", "RETAIN is set");
    if (!node.born) {
      judgement.breach("dbirthAfterNbirth", "there was no NBIRTH");
      this.#data.judgeFirst(client, node, topic.type);
    }
    judgeSubscriptionsAtDeviceBirth(client, topic, judgement);
    const other = registry.sameButCase(topic);
    if (other !== null) judgement.breach("idsCase", `${other} and ${topic.device}`);
    const decoded = decodePayload(this.#parts, facts);
    if ("problem" in decoded) {
      judgement.breach("dbirthPayload", decoded.problem);
      return;
    }
    const { payload } = decoded;
    this.#data.judgeSeq(node, seqOf(payload), { absent: "dbirthSeq", gap: "dbirthSeq" });
    this.#judgeTimestamp(payload, "dbirthTimestamp", nowMs);
    if (decoded.illFormedVersion) judgement.breach("templateVersion", "it is not UTF-8");
    const windowMs = options.timestampWindowMs;
    const { templates } = node;
    const common = { judgement, birth: true, nowMs, windowMs };
    judgeBirthMetrics(payload.metrics, { ...common, type: "DBIRTH", templates });
    const others = [...node.devices.values()]
      .filter((device) => device.born && device.name !== topic.device)
      .map((device) => device.metrics);
    judgeAliases(payload.metrics, [node.metrics, ...others], judgement);
    judgeNames(payload.metrics, judgement);
    const device = registry.device(node, topic.device!);
    if (device !== null) this.#takeDbirth(node, device, { payload, nowMs });
  }

  #takeDbirth(
    node: EdgeNode,
    device: Device,
    birth: { readonly payload: Payload; readonly nowMs: number },
  ): void {
    const { judgement, registry, options } = this.#parts;
    const room = options.metricsPerNodeMax - node.metricCount + device.metrics.metrics.length;
    const table = tableOf(birth.payload.metrics, room);
    if (table.incomplete) registry.unfit.metrics++;
    const signature = signatureOf(table);
    if (device.born && device.signature !== signature) {
      judgement.breach("deviceUnique", `${device.name} has other metrics than before`);
    }
    if (node.dataSeen && device.births === 0) {
      judgement.breach("dbirthOrder", `${device.name} is born after data`);
    }
    if (judgement.refuses) return;
    device.born = true;
    device.bornSinceNbirth = true;
    device.births++;
    device.lastBirthMs = birth.nowMs;
    device.signature = signature;
    node.awaitedDevices?.delete(device.name);
    replaceTable(node, device, table);
  }

  #ndeath(client: RefereeClient, node: EdgeNode, facts: PublishFacts): void {
    const { judgement } = this.#parts;
    if (facts.retain) judgement.breach("willRetain", "RETAIN is set");
    const decoded = decodePayload(this.#parts, facts);
    if ("problem" in decoded) judgement.breach("ndeathBdSeq", decoded.problem);
    else {
      judgeNdeathPayload(decoded.payload, this.#parts);
      const bdSeq = bdSeqOf(decoded.payload);
      const expected = client.willBdSeq ?? node.bdSeq;
      if (bdSeq === null || (expected !== null && bdSeq.value !== expected)) {
        judgement.breach("ndeathBdSeq", `${bdSeq?.value ?? "missing"}, expected ${expected}`);
      }
    }
    if (judgement.refuses) return;
    client.saidGoodbye = true;
    killNode(node, "NDEATH", facts.nowMs);
  }

  #judgeTimestamp({ timestamp }: Payload, missing: RuleName, nowMs: number): void {
    const ms = timestamp === null ? -1 : Number(timestamp);
    this.#data.judgeTimestamp(ms, missing, nowMs);
  }
}

/** The seq of a payload; -1 if it is missing or not from 0 to 255. */
function seqOf({ seq }: Payload): number {
  return seq === null || seq > 255n ? -1 : Number(seq);
}

/** Rules of an NDEATH, whether it is a Will or published. */
export function judgeNdeathPayload(payload: Payload, { judgement }: RefereeParts): void {
  const { metrics, seq } = payload;
  if (seq !== null) judgement.breach("ndeathSeq", `seq is ${seq}`);
  if (metrics.length > 1) judgement.breach("ndeathPayload", `${metrics.length} metrics`);
}

/** The Edge Node is gone, and its Devices with it. */
export function killNode(node: EdgeNode, cause: string, nowMs: number): void {
  if (node.born) {
    node.deaths++;
    node.lastDeathMs = nowMs;
    node.lastDeathCause = cause;
  }
  node.born = false;
  node.seq = -1;
  node.needsRebirth = false;
  node.rebirthAskedMs = 0;
  node.awaitedDevices = null;
  for (const device of node.devices.values()) {
    if (device.born) {
      device.deaths++;
      device.lastDeathMs = nowMs;
      device.lastDeathCause = cause;
    }
    device.born = false;
    device.bornSinceNbirth = false;
  }
}
