/** Awareness with a referee: answers the core's questions about the traffic, in the core's words. */
import type { ConnectPacket, Qos, TopicFilter, TopicName, Will } from "../mqtt/mod.ts";
import { type AwarenessOptions, SparkplugAwareness } from "./awareness.ts";
import { type PublishVerdict, ROUTE } from "./judgement.ts";
import type { ValueScope } from "./last_values.ts";
import type { RefereeClient } from "./node_state.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import type { RebirthRequest } from "./rebirth_requests.ts";
import { Referee } from "./referee.ts";
import type { RefereeOptions } from "./referee_options.ts";
import type { TopicPlace } from "./referee_parts.ts";
import { parseTopic, type SparkplugTopic, type TopicFault } from "./topic.ts";

/** A client, as the core knows it: the same object in all questions about one connection. */
interface CoreClient {
  readonly clientIdentifier: string;
}

const NONE: ReadonlySet<string> = new Set();

/** What the core keeps with a topic. */
export class JudgedTopic {
  readonly role: "birth" | "nodeDeath" | "other";
  /** Null for `STATE/H`, which was the topic of hosts before 3.0. */
  readonly parsed: SparkplugTopic | TopicFault | null;
  /** What the referee keeps with it. */
  readonly place: TopicPlace = { client: null, scope: null };
  /** Whose last values change by it, where these are kept. */
  values: ValueScope | null = null;

  constructor(parsed: SparkplugTopic | TopicFault | null) {
    const type = parsed?.kind === "topic" ? parsed.type : null;
    const birth = type === "NBIRTH" || type === "DBIRTH";
    this.role = birth ? "birth" : type === "NDEATH" ? "nodeDeath" : "other";
    this.parsed = parsed;
  }

  /**
   * What is known of a topic; null for those of nobody here. `otherTypes`: message types that the
   * specification does not know, and that pass all the same.
   */
  static of(topic: TopicName, otherTypes: ReadonlySet<string> = NONE): JudgedTopic | null {
    const parsed = parseTopic(topic);
    if (parsed?.kind === "fault" && otherTypes.size > 0) {
      const levels = topic.split("/");
      const isOther = levels.length === 4 || levels.length === 5;
      if (isOther && otherTypes.has(levels[2]!)) return null;
    }
    const legacy = parsed === null && /^STATE\/[^/]+$/.test(topic);
    return parsed === null && !legacy ? null : new JudgedTopic(parsed);
  }
}

/** A PUBLISH, as the core describes it. */
interface CorePublication<Client> {
  readonly client: Client;
  readonly name: TopicName;
  /** What `classify` gave. */
  readonly topic: { readonly role: string };
  readonly bytes: Uint8Array;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly wallMs: number;
}

/** The answer to a CONNECT, as the core takes it. */
type CoreConnectVerdict<Client> =
  | { readonly kind: "accept"; readonly will: Will | null; readonly rival: Client | null }
  | { readonly kind: "refuse" };

/** A PUBLISH in the referee's words; one object for all. */
class Facts {
  topic!: SparkplugTopic;
  bytes: Uint8Array = new Uint8Array(0);
  start = 0;
  end = 0;
  qos: Qos = 0;
  retain = false;
  nowMs = 0;
  place: TopicPlace | undefined = undefined;
}

/** Asks the referee in the core's name. Its time is the wall clock, as that of the timestamps is. */
export class CoreReferee<Client extends CoreClient> {
  readonly referee: Referee;
  readonly #clients = new WeakMap<Client, RefereeClient>();
  readonly #coreClients = new WeakMap<RefereeClient, Client>();
  readonly #facts = new Facts();
  #lastCore: Client | null = null;
  #lastClient: RefereeClient | null = null;

  constructor(referee: Referee) {
    this.referee = referee;
  }

  /** A CONNECT that is otherwise accepted, before a take-over. */
  connect(
    core: Client,
    { cleanSession, will }: ConnectPacket,
    { wallMs }: { readonly wallMs: number },
  ): CoreConnectVerdict<Client> {
    const { clientIdentifier } = core;
    const verdict = this.referee.connected({ clientIdentifier, cleanSession, will }, wallMs);
    if (verdict.refuse) return { kind: "refuse" };
    this.#clients.set(core, verdict.client);
    this.#coreClients.set(verdict.client, core);
    const { retain, qos } = verdict.will;
    const fixed = will === null
      ? null
      : { ...will, retain: retain ?? will.retain, qos: qos ?? will.qos };
    const rival = verdict.close === null ? null : this.#coreClients.get(verdict.close) ?? null;
    return { kind: "accept", will: fixed, rival };
  }

  /** A subscription is granted. */
  subscribed(core: Client, subscription: { filter: TopicFilter; qos: Qos }): void {
    const client = this.#clients.get(core);
    if (client !== undefined) this.referee.subscribed(client, subscription);
  }

  /** A subscription is gone. */
  unsubscribed(core: Client, filter: TopicFilter): void {
    const client = this.#clients.get(core);
    if (client !== undefined) this.referee.unsubscribed(client, filter);
  }

  /** A PUBLISH on a topic that was classified. */
  publish(publication: CorePublication<Client>): PublishVerdict {
    const { client: core, topic, wallMs } = publication;
    const { parsed } = topic as JudgedTopic;
    if (parsed === null) {
      this.referee.legacyState();
      return ROUTE;
    }
    if (core !== this.#lastCore) {
      this.#lastCore = core;
      this.#lastClient = this.#clients.get(core) ?? null;
    }
    const client = this.#lastClient;
    if (client === null) return ROUTE;
    if (parsed.kind === "fault") {
      return this.referee.faultyTopic(client, parsed, { name: publication.name, nowMs: wallMs });
    }
    const facts = this.#facts;
    facts.topic = parsed;
    facts.bytes = publication.bytes;
    facts.start = publication.payloadStart;
    facts.end = publication.payloadEnd;
    facts.qos = publication.qos;
    facts.retain = publication.retain;
    facts.nowMs = wallMs;
    facts.place = (topic as JudgedTopic).place;
    return this.referee.publish(client, facts);
  }

  /** A client is gone; gives whether its Will is to be published even after DISCONNECT. */
  closed(core: Client, cause: string, { wallMs }: { readonly wallMs: number }): boolean {
    const client = this.#clients.get(core);
    if (client === undefined) return false;
    this.#clients.delete(core);
    if (core === this.#lastCore) this.#lastCore = this.#lastClient = null;
    const facts = { disconnect: cause === "disconnect", nowMs: wallMs };
    return this.referee.closed(client, facts).publishWill;
  }

  /** A Will has gone out. */
  willPublished(_core: Client, will: Will, { wallMs }: { readonly wallMs: number }): void {
    this.announce(will.topic, will.payload, wallMs);
  }

  /** A message that no client publishes: a Will, or a retained STATE that is found at the start. */
  announce(topicName: string, payload: Uint8Array, wallMs: number): void {
    const topic = parseTopic(topicName);
    if (topic?.kind !== "topic") return;
    const range = { bytes: payload, start: 0, end: payload.length };
    this.referee.announced({ ...range, topic, qos: 1, retain: true, nowMs: wallMs });
  }

  /** About once a second; gives what is to be published, at QoS 0 and not retained. */
  tick(wallMs: number): readonly RebirthRequest[] {
    return this.referee.tick(wallMs);
  }
}

/** Everything that the core asks about Sparkplug, in the modes monitor and strict. */
export class SparkplugJudging<Client extends CoreClient> {
  readonly retainLive: boolean;
  readonly stampNodeDeath: SparkplugAwareness["stampNodeDeath"];
  readonly referee: CoreReferee<Client>;
  readonly #otherTypes: ReadonlySet<string>;

  constructor(
    codec: PayloadCodec,
    options: AwarenessOptions & RefereeOptions & { readonly otherTypes?: string },
  ) {
    const { retainLive, stampNodeDeath } = new SparkplugAwareness(options);
    this.retainLive = retainLive;
    this.stampNodeDeath = stampNodeDeath;
    this.referee = new CoreReferee(new Referee(codec, options));
    const words = (options.otherTypes ?? "").split(/\s+/);
    this.#otherTypes = new Set(words.filter((word) => word !== ""));
  }

  /** What is known of a topic; null for those of nobody here. */
  classify(topic: TopicName): JudgedTopic | null {
    return JudgedTopic.of(topic, this.#otherTypes);
  }
}
