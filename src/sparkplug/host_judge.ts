/** Judges STATE. */
import type { EdgeNode, Host, RefereeClient } from "./node_state.ts";
import type { PublishFacts, RefereeParts } from "./referee_parts.ts";
import { type HostState, parseState } from "./state_payload.ts";
import { hearsNodes, subscribedQos, watchedHost } from "./subscriptions_seen.ts";
import { NAMESPACE } from "./topic.ts";

/** Judges STATE messages and keeps the state of hosts. */
export class HostJudge {
  readonly #parts: RefereeParts;

  constructor(parts: RefereeParts) {
    this.#parts = parts;
  }

  /** Judges a STATE that a client publishes. */
  publish(client: RefereeClient, facts: PublishFacts): void {
    const { judgement, registry } = this.#parts;
    const { topic, nowMs } = facts;
    const state = parseState(facts.bytes, facts.start, facts.end);
    const host = registry.host(topic.host!);
    if (client.host === null) {
      judgement.breach("hostWill", "its Will is not STATE");
    } else if (client.host !== host) {
      const online = "problem" in state || state.online;
      const detail = `STATE of ${topic.host} by ${client.host.name}`;
      judgement.breach(online ? "hostBirthTopic" : "hostDeathTopic", detail);
    }
    const stranger = host !== null && host.owner !== null && host.owner !== client;
    if (stranger) {
      judgement.breach("hostUnique", `${host.name} belongs to ${host.owner!.clientIdentifier}`);
    }
    if ("problem" in state) {
      judgement.breach("hostBirthPayload", state.problem);
      return;
    }
    if (state.online) this.#birth(client, facts, state);
    else this.#death(facts, state);
    if (host === null || judgement.refuses || stranger) return;
    client.saidGoodbye = !state.online;
    this.take(host, state, { nowMs, byOwner: true });
  }

  /** Whether the first message of a host is its birth. */
  judgeFirst(client: RefereeClient, facts: PublishFacts): void {
    if (client.firstJudged || client.host === null) return;
    client.firstJudged = true;
    const { type } = facts.topic;
    if (type === "STATE") {
      const state = parseState(facts.bytes, facts.start, facts.end);
      if ("problem" in state || state.online) return;
    }
    const what = type === "STATE" ? "STATE with online false" : type;
    this.#parts.judgement.breach("hostBirthFirst", `the first message is ${what}`);
  }

  /** Takes down a STATE that goes out, and whom it concerns. */
  take(host: Host, state: HostState, how: { nowMs: number; byOwner: boolean }): void {
    const { nowMs, byOwner } = how;
    host.state = state;
    if (state.online) {
      host.births++;
      host.onlineTimestamp = state.timestamp;
      host.toldOfflineMs = 0;
    } else {
      host.deaths++;
      const { owner } = host;
      const told = !byOwner && owner !== null && !owner.saidGoodbye &&
        subscribedQos(owner, `${NAMESPACE}/STATE/${host.name}`) >= 0;
      if (told) host.toldOfflineMs = nowMs;
    }
    for (const node of this.#parts.registry.nodes) tellNode(node, host, nowMs);
  }

  #birth(client: RefereeClient, facts: PublishFacts, state: HostState): void {
    const { judgement } = this.#parts;
    if (facts.qos !== 1) judgement.breach("hostBirthQos", `QoS ${facts.qos}`);
    if (!facts.retain) judgement.breach("hostBirthRetain", "RETAIN is not set");
    const { willTimestamp } = client;
    if (willTimestamp !== null && state.timestamp !== willTimestamp) {
      judgement.breach("hostBirthTimestamp", `${state.timestamp}, in the Will ${willTimestamp}`);
    }
    if (client.host === null) return;
    const own = subscribedQos(client, `${NAMESPACE}/STATE/${facts.topic.host}`) >= 0;
    if (!own || !hearsNodes(client)) {
      const what = own ? "messages of Edge Nodes" : "its own STATE";
      judgement.breach("hostSubscription", `it is not subscribed to ${what}`);
    }
  }

  #death(facts: PublishFacts, state: HostState): void {
    const { judgement, options } = this.#parts;
    if (facts.qos !== 1) judgement.breach("hostDeathQos", `QoS ${facts.qos}`);
    if (!facts.retain) judgement.breach("hostDeathRetain", "RETAIN is not set");
    const offMs = state.timestamp - facts.nowMs;
    if (Math.abs(offMs) > options.timestampWindowMs) {
      judgement.breach("hostDeathTimestamp", `${offMs} ms from the clock`);
    }
  }
}

/** An Edge Node that watches this host alone has to follow it. */
function tellNode(node: EdgeNode, host: Host, nowMs: number): void {
  const { owner } = node;
  if (owner === null || watchedHost(owner) !== host.name) return;
  const { state } = host;
  if (state!.online) {
    node.hostOfflineMs = 0;
    node.staleOfflineMs = 0;
  } else if (!node.born) return;
  else if (state!.timestamp >= host.onlineTimestamp) node.hostOfflineMs = nowMs;
  else node.staleOfflineMs = nowMs;
}
