/**
 * The referee: facts of Sparkplug clients go in, verdicts come out, and every breach is counted by its
 * statement and its Edge Node. It knows no clock, no socket and no other client.
 */
import { CloseBackOff } from "./close_back_off.ts";
import { CommandJudge } from "./command_judge.ts";
import { type ConnectFacts, ConnectJudge } from "./connect_judge.ts";
import { EdgeJudge, killNode } from "./edge_judge.ts";
import { HostJudge } from "./host_judge.ts";
import { Judgement, type PublishVerdict, ROUTE } from "./judgement.ts";
import type { EdgeNode, RefereeClient } from "./node_state.ts";
import { type Overrides, penalties } from "./overrides.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { type RebirthRequest, RebirthRequests } from "./rebirth_requests.ts";
import { Recorder } from "./recorder.ts";
import type { RefereeOptions } from "./referee_options.ts";
import type { PublishFacts, RefereeParts } from "./referee_parts.ts";
import { type BdSeqChange, Registry } from "./registry.ts";
import type { RuleName } from "./rules.ts";
import { type Census, censusOf } from "./census.ts";
import { aliasKey } from "./metric_table.ts";
import { parseState } from "./state_payload.ts";
import { rateNodes } from "./node_rates.ts";
import { noteSubscription } from "./subscriptions_seen.ts";
import { judgeTime } from "./time_judge.ts";
import type { SparkplugTopic, TopicFault } from "./topic.ts";
import { breachTopic } from "./topic_judge.ts";
import { PlantView } from "./plant_view.ts";
import { type Topology, topologyOf } from "./topology.ts";
import { ViolationLog } from "./violation_log.ts";

/** What to do with a CONNECT. */
export interface ConnectVerdict {
  /** Goes into all further facts about this connection. */
  readonly client: RefereeClient;
  /** Whether to answer with CONNACK code 5. */
  readonly refuse: boolean;
  /** RETAIN and QoS to give the Will; null leaves them. */
  readonly will: { readonly retain: boolean | null; readonly qos: 0 | 1 | null };
  /** A client to close before this one is let in; its Will goes out first. */
  readonly close: RefereeClient | null;
}

/** How a connection ended. */
export interface CloseFacts {
  /** Whether by DISCONNECT; else the Will goes out. */
  readonly disconnect: boolean;
  readonly nowMs: number;
}

const STATE_SUBJECT = "STATE/";
const RELATES_TO_NOBODY = "";
const DROP: PublishVerdict = { action: "drop", retain: null, qos: null };
/** Messages that pass though an Edge Node needs a rebirth. */
const HEALING_TYPES: ReadonlySet<string> = new Set(["NBIRTH", "NDEATH"]);
const NODE_TYPES: ReadonlySet<string> = new Set([
  "NBIRTH",
  "NDATA",
  "NDEATH",
  "DBIRTH",
  "DDATA",
  "DDEATH",
]);

/** Judges the traffic of one broker. */
export class Referee {
  readonly violations: ViolationLog;
  readonly recorder: Recorder | null;
  /** What is known, one by one. */
  readonly plant: PlantView;
  readonly #options: RefereeOptions;
  readonly #parts: RefereeParts;
  readonly #judgement: Judgement;
  readonly #registry: Registry;
  readonly #connect: ConnectJudge;
  readonly #edge: EdgeJudge;
  readonly #commands: CommandJudge;
  readonly #hosts: HostJudge;
  readonly #backOff = new CloseBackOff();
  readonly #rebirths = new RebirthRequests();
  #legacyStates = 0;
  #tickedMs = 0;

  constructor(codec: PayloadCodec, options: RefereeOptions) {
    const { nodesMax, hostsMax, violationsMax, mode, overrides } = options;
    this.#options = options;
    this.violations = new ViolationLog({ subjectsMax: nodesMax + hostsMax + 1, violationsMax });
    this.#judgement = new Judgement(penalties(mode, overrides), this.violations);
    this.#registry = new Registry(options);
    this.plant = new PlantView(this.#registry, this.violations);
    this.recorder = options.recordedMessagesMax > 0 ? new Recorder(options) : null;
    const parts: RefereeParts = {
      options,
      codec,
      judgement: this.#judgement,
      registry: this.#registry,
    };
    this.#parts = parts;
    this.#connect = new ConnectJudge(parts);
    this.#edge = new EdgeJudge(parts);
    this.#commands = new CommandJudge(parts);
    this.#hosts = new HostJudge(parts);
  }

  /** Other overrides hold from the next fact on. */
  set overrides(overrides: Overrides) {
    this.#judgement.penalties = penalties(this.#options.mode, overrides);
  }

  /** A client whose CONNECT is accepted by everybody else, before its old session is taken over. */
  connected(facts: ConnectFacts, nowMs: number): ConnectVerdict {
    const { mode, onDuplicate } = this.#options;
    const judgement = this.#judgement;
    judgement.begin(willSubject(facts), facts.clientIdentifier, nowMs);
    const client = this.#connect.connect(facts, nowMs);
    const held = mode === "strict" && this.#backOff.holds(facts.clientIdentifier, nowMs);
    const takesOver = judgement.refuses && onDuplicate === "takeOver" && !held;
    const close = takesOver ? this.#connect.rival : null;
    if (close !== null && client.node !== null) {
      killNode(client.node, "taken over", nowMs);
      this.#connect.takeNode(client, client.node, nowMs);
    }
    const refuse = held || (judgement.refuses && close === null);
    if (refuse) this.#release(client);
    else this.recorder?.connected(client, facts, { nowMs, broken: judgement.broken });
    return { client, refuse, will: judgement.fixes, close };
  }

  /** A subscription was granted. */
  subscribed(client: RefereeClient, subscription: { filter: string; qos: number }): void {
    noteSubscription(client, subscription.filter, subscription.qos);
    this.recorder?.subscribed(client, subscription);
  }

  /** A subscription is gone. */
  unsubscribed(client: RefereeClient, filter: string): void {
    client.filters.delete(filter);
    this.recorder?.unsubscribed(client, filter);
  }

  /** A PUBLISH on a topic of Sparkplug. */
  publish(client: RefereeClient, facts: PublishFacts): PublishVerdict {
    const { topic, nowMs } = facts;
    const judgement = this.#judgement;
    if (topic.type === "STATE") return this.#state(client, facts);
    if (!NODE_TYPES.has(topic.type)) return this.#command(client, facts);
    const isKnown = facts.place?.client === client || client.lastTopic === topic;
    const node = isKnown && client.node?.owner === client
      ? client.node
      : this.#registry.node(topic.group, topic.node);
    if (node === null) return ROUTE; // counted as unfit
    judgement.begin(node.key, client.clientIdentifier, nowMs);
    if (client.host !== null) this.#hosts.judgeFirst(client, facts);
    const owns = node.owner === client || this.#own(client, node, facts);
    if (owns && node.needsRebirth && !HEALING_TYPES.has(topic.type)) {
      return this.#withhold(client, node, facts);
    }
    if (owns) this.#edge.publish(client, node, facts);
    if (topic.type === "NBIRTH" && !judgement.refuses && owns) this.#rebirths.settled(node);
    if (owns && (judgement.rebirth || judgement.refuses)) this.#wantRebirth(node, nowMs);
    return this.#verdict(client, facts, node);
  }

  /** A PUBLISH on a topic that is none of Sparkplug, though it begins like one. */
  faultyTopic(
    client: RefereeClient,
    topic: TopicFault,
    about: { name: string; nowMs: number },
  ): PublishVerdict {
    this.#judgement.begin(RELATES_TO_NOBODY, client.clientIdentifier, about.nowMs);
    breachTopic(topic, about.name, this.#judgement);
    return this.#finish(client, about.nowMs);
  }

  /** Messages of an Edge Node are missing here, as in a capture that is not complete. */
  gap(group: string, name: string): void {
    const node = this.#registry.find(group, name);
    if (node !== null) node.seq = -1;
  }

  /** A STATE of the time before 3.0, on `STATE/H`: it passes and is counted. */
  legacyState(): void {
    this.#legacyStates++;
  }

  /** A Will that is published, or a retained STATE that a restart found. */
  announced(facts: PublishFacts): void {
    const { topic, nowMs } = facts;
    if (topic.type === "STATE") {
      const state = parseState(facts.bytes, facts.start, facts.end);
      const host = "problem" in state ? null : this.#registry.host(topic.host!);
      if (host !== null && !("problem" in state)) {
        this.#hosts.take(host, state, { nowMs, byOwner: false });
      }
      return;
    }
    const node = this.#registry.find(topic.group, topic.node);
    if (topic.type !== "NDEATH" || node === null) return;
    // A Will of the session before must not kill the one that took it over.
    if (node.owner === null) killNode(node, "Will", nowMs);
    this.recorder?.announced(node, facts);
  }

  /** A connection has ended; gives whether its Will is to be published though it said DISCONNECT. */
  closed(client: RefereeClient, facts: CloseFacts): { readonly publishWill: boolean } {
    const { node, host } = client;
    const { disconnect, nowMs } = facts;
    const judgement = this.#judgement;
    let publishWill = false;
    if (node !== null && node.owner === client) {
      judgement.begin(node.key, client.clientIdentifier, nowMs);
      if (disconnect && node.born && !client.saidGoodbye) {
        judgement.breach("disconnectWithoutNdeath", "DISCONNECT without NDEATH");
        publishWill = this.#options.synthesizeDeaths;
      }
      const leaves = disconnect || client.saidGoodbye;
      if (leaves && node.staleOfflineMs > 0 && nowMs - node.staleOfflineMs <= 10_000) {
        judgement.breach("primaryOfflineStale", "it left for an offline that is older");
      }
      this.recorder?.closed(client, { ...facts, broken: judgement.broken });
      killNode(node, disconnect ? "DISCONNECT" : "connection lost", nowMs);
      node.owner = null;
      this.#rebirths.settled(node);
    }
    if (host !== null && host.owner === client) {
      judgement.begin(STATE_SUBJECT + host.name, client.clientIdentifier, nowMs);
      if (disconnect && host.state?.online === true) {
        judgement.breach("hostTermination", "DISCONNECT while STATE says online");
        publishWill ||= this.#options.synthesizeDeaths;
      }
      this.#release(client);
    }
    return { publishWill };
  }

  /** What shows by time alone; to be called about once a second. Gives messages to publish. */
  tick(nowMs: number): readonly RebirthRequest[] {
    judgeTime(this.#parts, nowMs);
    rateNodes(this.#registry.nodes, nowMs - this.#tickedMs);
    this.#tickedMs = nowMs;
    return this.#rebirths.due(nowMs);
  }

  /** Rules that the fact before broke; good until the next one. */
  get broken(): readonly RuleName[] {
    return this.#judgement.broken;
  }

  /** Rebirths asked for, by the rule that made it necessary, or "withheld". */
  get rebirthsByCause(): ReadonlyMap<string, number> {
    return this.#rebirths.sentByCause;
  }

  /** Figures of all Edge Nodes and hosts together. */
  census(): Census {
    const about = { rebirthRequests: this.#rebirths.sent, legacyStates: this.#legacyStates };
    return censusOf(this.#registry, { ...about, violations: this.violations });
  }

  /** A birth that was kept over a restart: nobody knows what has become of who was born by it. */
  remember({ group, node: name, device }: SparkplugTopic): void {
    if (!this.#registry.hasRoom && this.#registry.find(group, name) === null) return;
    const node = this.#registry.node(group, name);
    if (node !== null && device !== null) this.#registry.device(node, device);
  }

  /** What was known before a restart; to be told before the first CONNECT. */
  restore(edgeNodes: Iterable<{ readonly edgeNode: string; readonly bdSeq: number }>): void {
    this.#registry.restore(edgeNodes);
  }

  /** What has to be known after a restart, as far as it has changed since the last call. */
  takeBdSeqs(): readonly BdSeqChange[] {
    return this.#registry.takeBdSeqs();
  }

  /** What is known of Edge Nodes, Devices and hosts, now. */
  topology({ withMetrics = true }: { readonly withMetrics?: boolean } = {}): Topology {
    return topologyOf(this.#registry, {
      withMetrics,
      violations: this.violations,
      rebirthRequestsSent: this.#rebirths.sent,
      legacyStates: this.#legacyStates,
    });
  }

  /** What the current births say of a metric that comes on this topic; null if they say nothing. */
  bornMetric(
    topic: SparkplugTopic,
    { name, alias }: { readonly name: string | null; readonly alias: bigint | null },
  ): { readonly name: string; readonly dataType: number } | null {
    const node = this.#registry.find(topic.group, topic.node);
    const scope = topic.device === null ? node : node?.devices.get(topic.device);
    if (!scope) return null;
    if (name !== null) return scope.metrics.named(name);
    return alias === null ? null : scope.metrics.byAlias(aliasKey(alias));
  }

  #state(client: RefereeClient, facts: PublishFacts): PublishVerdict {
    const subject = STATE_SUBJECT + facts.topic.host;
    this.#judgement.begin(subject, client.clientIdentifier, facts.nowMs);
    this.#hosts.judgeFirst(client, facts);
    this.#hosts.publish(client, facts);
    return this.#finish(client, facts.nowMs);
  }

  #command(client: RefereeClient, facts: PublishFacts): PublishVerdict {
    const { topic, nowMs } = facts;
    this.#judgement.begin(`${topic.group}/${topic.node}`, client.clientIdentifier, nowMs);
    if (client.host !== null) this.#hosts.judgeFirst(client, facts);
    this.#commands.publish(client, facts);
    return this.#verdict(client, facts, this.#registry.find(topic.group, topic.node));
  }

  /** Whether a client that is not the owner may become it; says what is wrong. */
  #own(client: RefereeClient, node: EdgeNode, { topic, nowMs }: PublishFacts): boolean {
    const judgement = this.#judgement;
    if (client.node === node && node.owner === null) {
      this.#connect.takeNode(client, node, nowMs);
      return true;
    }
    if (client.node === null && !client.willJudged) {
      client.willJudged = true;
      judgement.breach("willMissing", `${topic.type} of a client without an NDEATH Will`);
    }
    if (node.owner !== null) {
      judgement.breach("nodeUnique", `${node.key} belongs to ${node.owner.clientIdentifier}`);
      return false;
    }
    if (client.node !== null) {
      const detail = `${topic.type} of ${node.key} by ${client.node.key}`;
      if (topic.type === "NBIRTH") judgement.breach("willTopic", detail);
      else if (topic.type === "DBIRTH") judgement.breach("dbirthNode", detail);
      else judgement.breach("nodeUnique", detail);
      return false;
    }
    if (judgement.refuses) return false;
    client.node = node;
    this.#connect.takeNode(client, node, nowMs);
    return true;
  }

  /** In strict mode nothing passes between a withheld message and the birth that heals it. */
  #withhold(client: RefereeClient, node: EdgeNode, facts: PublishFacts): PublishVerdict {
    node.withheld++;
    this.#wantRebirth(node, facts.nowMs);
    this.recorder?.published(client, node, { facts, action: "drop", broken: [] });
    return DROP;
  }

  #wantRebirth(node: EdgeNode, nowMs: number): void {
    // What was withheld here has to be put right from here: nobody else knows of it.
    const withheld = node.needsRebirth || this.#judgement.refuses;
    if (!this.#options.rebirthRequests && !withheld) return;
    this.#rebirths.want(node, this.#judgement.broken[0] ?? "withheld", nowMs);
  }

  #verdict(client: RefereeClient, facts: PublishFacts, node: EdgeNode | null): PublishVerdict {
    const verdict = this.#finish(client, facts.nowMs);
    if (this.recorder !== null && node !== null) {
      const { broken } = this.#judgement;
      this.recorder.published(client, node, { facts, action: verdict.action, broken });
    }
    return verdict;
  }

  #finish(client: RefereeClient, nowMs: number): PublishVerdict {
    if (this.#judgement.broken.length === 0) return ROUTE;
    const verdict = this.#judgement.verdict();
    if (verdict.action === "close") this.#backOff.closed(client.clientIdentifier, nowMs);
    return verdict;
  }

  #release(client: RefereeClient): void {
    if (client.node?.owner === client) client.node.owner = null;
    if (client.host?.owner === client) client.host.owner = null;
  }
}

/** What the breaches of a CONNECT are counted under. */
function willSubject({ will }: ConnectFacts): string {
  if (will === null) return RELATES_TO_NOBODY;
  const levels = will.topic.split("/");
  if (levels[1] === "STATE") return STATE_SUBJECT + (levels[2] ?? "");
  return levels.length === 4 ? `${levels[1]}/${levels[3]}` : RELATES_TO_NOBODY;
}
