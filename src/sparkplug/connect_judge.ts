/** Judges CONNECT: the Will says who the client is. */
import { bdSeqOf } from "./birth_book.ts";
import { judgeNdeathPayload } from "./edge_judge.ts";
import { type EdgeNode, type Host, RefereeClient } from "./node_state.ts";
import { decodePayload, type RefereeParts } from "./referee_parts.ts";
import { parseState } from "./state_payload.ts";
import { parseTopic, type SparkplugTopic } from "./topic.ts";
import { breachTopic } from "./topic_judge.ts";

/** A Will, as the client gave it. */
export interface WillFacts {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

/** A CONNECT that is otherwise accepted. */
export interface ConnectFacts {
  readonly clientIdentifier: string;
  readonly cleanSession: boolean;
  readonly will: WillFacts | null;
}

/** Judges CONNECT. */
export class ConnectJudge {
  readonly #parts: RefereeParts;
  /** The owner that the last CONNECT collided with, if that is all that refuses it. */
  rival: RefereeClient | null = null;

  constructor(parts: RefereeParts) {
    this.#parts = parts;
  }

  /** Judges the Will; gives the client, with its part if it has one. */
  connect(facts: ConnectFacts, nowMs: number): RefereeClient {
    const client = new RefereeClient(facts.clientIdentifier, nowMs);
    this.rival = null;
    const { will } = facts;
    const topic = will === null ? null : parseTopic(will.topic);
    if (will === null || topic === null) return client;
    const { judgement } = this.#parts;
    if (topic.kind === "fault") {
      // Another namespace, and so another protocol: what is published there is judged, no Will.
      if (topic.tckId === "tck-id-topic-structure-namespace-a") return client;
      breachTopic(topic, will.topic, judgement);
      if (namesNdeath(will.topic)) {
        judgement.breach("willTopic", `the Will goes to ${will.topic}`);
      }
      return client;
    }
    if (topic.type === "NDEATH") this.#edgeNode(client, { facts, will, topic }, nowMs);
    else if (topic.type === "STATE") this.#host(client, { facts, will, topic }, nowMs);
    return client;
  }

  #edgeNode(
    client: RefereeClient,
    connect: { facts: ConnectFacts; will: WillFacts; topic: SparkplugTopic },
    nowMs: number,
  ): void {
    const { judgement, registry } = this.#parts;
    const { facts, will, topic } = connect;
    client.node = registry.node(topic.group, topic.node);
    client.willed = true;
    if (!facts.cleanSession) judgement.breach("nodeCleanSession", "Clean Session is 0");
    if (will.qos !== 1) judgement.breach("willQos", `QoS ${will.qos}`);
    if (will.retain) judgement.breach("willRetain", "Will Retain is set");
    const { payload: bytes } = will;
    const decoded = decodePayload(this.#parts, { bytes, start: 0, end: bytes.length });
    if ("problem" in decoded) {
      judgement.breach("willPayload", decoded.problem);
    } else {
      judgeNdeathPayload(decoded.payload, this.#parts);
      const bdSeq = bdSeqOf(decoded.payload);
      if (bdSeq === null) judgement.breach("willBdSeq", "no metric bdSeq from 0 to 255");
      else {
        if (!bdSeq.int64) judgement.breach("willBdSeqType", "bdSeq is no Int64");
        client.willBdSeq = bdSeq.value;
      }
    }
    if (client.node !== null) this.#owner(client, client.node, nowMs);
  }

  #owner(client: RefereeClient, node: EdgeNode, nowMs: number): void {
    const { judgement, options } = this.#parts;
    const { owner } = node;
    if (owner !== null && owner.clientIdentifier !== client.clientIdentifier) {
      if (!judgement.refuses) this.rival = owner;
      judgement.breach("nodeUnique", `${node.key} belongs to ${owner.clientIdentifier}`);
      return;
    }
    if (options.mode === "strict" && judgement.refuses) return;
    this.#judgeBdSeq(client, node);
    this.takeNode(client, node, nowMs);
  }

  #judgeBdSeq({ willBdSeq }: RefereeClient, node: EdgeNode): void {
    const { judgement } = this.#parts;
    const last = node.lastBdSeq;
    if (willBdSeq === null || last === null) return;
    if (willBdSeq === last) judgement.breach("bdSeqAgain", `${last} again`);
    else if (willBdSeq !== (last + 1) % 256) {
      judgement.breach("bdSeqJump", `${willBdSeq} after ${last}`);
    }
  }

  /** Makes the client the owner; what was known of the session before is gone. */
  takeNode(client: RefereeClient, node: EdgeNode, nowMs: number): void {
    node.owner = client;
    node.heard = true;
    if (client.willBdSeq !== null) {
      node.lastBdSeq = client.willBdSeq;
      this.#parts.registry.bdSeqSeen(node.key, client.willBdSeq);
    }
    node.bdSeq = client.willBdSeq;
    node.born = false;
    node.seq = -1;
    node.needsRebirth = false;
    node.hostOfflineMs = 0;
    node.staleOfflineMs = 0;
    node.lastMessageMs = nowMs;
    for (const device of node.devices.values()) device.born = device.bornSinceNbirth = false;
  }

  #host(
    client: RefereeClient,
    connect: { facts: ConnectFacts; will: WillFacts; topic: SparkplugTopic },
    nowMs: number,
  ): void {
    const { judgement, registry } = this.#parts;
    const { facts, will, topic } = connect;
    const host = registry.host(topic.host!);
    client.host = host;
    client.willed = true;
    if (!facts.cleanSession) judgement.breach("hostCleanSession", "Clean Session is 0");
    if (will.qos !== 1) judgement.breach("hostWillQos", `QoS ${will.qos}`);
    if (!will.retain) judgement.breach("hostWillRetain", "Will Retain is not set");
    const state = parseState(will.payload);
    if ("problem" in state) judgement.breach("hostWillPayload", state.problem);
    else {
      if (state.online) judgement.breach("hostWillPayload", "online is true");
      client.willTimestamp = state.timestamp;
      if (host !== null) this.#judgeTimestamp(host, state.timestamp, nowMs);
    }
    if (host === null) return;
    const { owner } = host;
    if (owner !== null && owner.clientIdentifier !== client.clientIdentifier) {
      judgement.breach("hostUnique", `${host.name} belongs to ${owner.clientIdentifier}`);
    } else if (!judgement.refuses) {
      host.owner = client;
      host.toldOfflineMs = 0;
      host.willTimestamp = client.willTimestamp ?? host.willTimestamp;
    }
  }

  #judgeTimestamp(host: Host, timestamp: number, nowMs: number): void {
    const { judgement, options } = this.#parts;
    const offMs = timestamp - nowMs;
    if (Math.abs(offMs) > options.timestampWindowMs) {
      judgement.breach("hostWillTimestamp", `${offMs} ms from the clock`);
    } else if (timestamp < host.willTimestamp) {
      judgement.breach("hostWillTimestamp", `${timestamp} is older than ${host.willTimestamp}`);
    }
  }
}

function namesNdeath(topic: string): boolean {
  return topic.split("/").some((level) => level.toUpperCase() === "NDEATH");
}
