/** What becomes of the PUBLISH of a client, once its topic and its Packet Identifier are in order. */
import {
  type ProtocolError,
  protocolError,
  type PublishView,
  type Qos,
  type TopicName,
} from "../mqtt/mod.ts";
import type { Certificates } from "./certificates.ts";
import type { Connection } from "./connection.ts";
import type { Message } from "./message.ts";
import { stampNodeDeath } from "./node_death.ts";
import { type PacketRun, splitRun } from "./packet_run.ts";
import type { ClientFacts } from "./policy.ts";
import type { Router } from "./router.ts";
import type { SparkplugPublication, SparkplugTopic, SparkplugVerdict } from "./sparkplug_policy.ts";
import type { TopicEntry } from "./topic_cache.ts";
import type { Turn } from "./turn.ts";

const SPARKPLUG_REFUSED = protocolError("sparkplug:closed", "breach of a Sparkplug rule");

const ROUTE: SparkplugVerdict = { action: "route", retain: null, qos: null };

/** Lets messages pass, or gives them up. */
export class Intake {
  readonly #turn: Turn;
  readonly #router: Router;
  readonly #certificates: Certificates;
  #publication: Writable<SparkplugPublication> | null = null;

  constructor(turn: Turn, parts: { router: Router; certificates: Certificates }) {
    this.#turn = turn;
    this.#router = parts.router;
    this.#certificates = parts.certificates;
  }

  /** Takes the message that `view` describes in `bytes`; gives why the connection has to end. */
  take(
    connection: Connection,
    entry: TopicEntry,
    { bytes, view }: { bytes: Uint8Array; view: PublishView },
  ): ProtocolError | null {
    const { sparkplug: topic } = entry;
    if (connection.topicAllowed && topic !== null) {
      const verdict = this.#judge(connection, entry, { topic, bytes, view });
      return this.#carryOut(verdict, entry, { bytes, view });
    }
    const message = this.#router.arena.copy(bytes, view);
    if (!connection.topicAllowed) {
      const { qos, retain } = view;
      this.#turn.deadLetters.give(entry.refusal, message, { qos, retain });
      this.#turn.denials.publish(connection, entry, 1);
      return null;
    }
    this.#pass(entry, message, view.retain);
    return null;
  }

  /** Takes a QoS 0 packet on a topic that is only judged: it goes on as it came if it may. */
  takeJudged(
    connection: Connection,
    entry: TopicEntry,
    { topic, run, view }: { topic: SparkplugTopic; run: PacketRun; view: PublishView },
  ): ProtocolError | null {
    const { bytes } = run;
    const verdict = this.#judge(connection, entry, { topic, bytes, view });
    const { action, retain, qos } = verdict;
    if (action === "route" && retain === null && qos === null) {
      this.#router.forward(entry, run, view);
      return null;
    }
    return this.#carryOut(verdict, entry, { bytes, view });
  }

  /** The policy does not let these QoS 0 messages pass; `view` describes the first one. */
  refused(entry: TopicEntry, run: PacketRun, view: PublishView): void {
    const { deadLetters, denials, publisher } = this.#turn;
    if (publisher !== null) denials.publish(publisher, entry, run.packets);
    const reason = entry.refusal;
    if (!deadLetters.open) return deadLetters.count(reason, run.packets);
    for (const message of splitRun(run, view, this.#router.arena)) {
      deadLetters.give(reason, message, { qos: 0, retain: false });
    }
  }

  #pass(entry: TopicEntry, message: Message, retain: boolean): void {
    if (retain) this.#router.retain(entry.name, message);
    this.#router.route(entry, message);
  }

  #carryOut(
    { action, retain, qos }: SparkplugVerdict,
    entry: TopicEntry,
    { bytes, view }: { bytes: Uint8Array; view: PublishView },
  ): ProtocolError | null {
    if (action !== "route") {
      const message = this.#router.arena.copy(bytes, view);
      const lost = { qos: view.qos, retain: view.retain };
      this.#turn.deadLetters.give("sparkplug-refused", message, lost);
      return action === "close" ? SPARKPLUG_REFUSED : null;
    }
    if (qos !== null) view.qos = qos;
    if (retain !== null) view.retain = retain;
    const message = this.#router.arena.copy(bytes, view);
    const role = entry.sparkplug?.role;
    const isDeath = role === "nodeDeath";
    this.#pass(entry, isDeath ? stampNodeDeath(this.#turn, message) : message, view.retain);
    // Behind the birth itself, so that whoever gets both sees them in this order.
    if (role === "birth") this.#certificates.keep(entry, message);
    return null;
  }

  #judge(
    connection: Connection,
    entry: TopicEntry,
    { topic, bytes, view }: { topic: SparkplugTopic; bytes: Uint8Array; view: PublishView },
  ): SparkplugVerdict {
    const referee = this.#turn.sparkplug?.referee ?? null;
    if (referee === null) return ROUTE;
    const publication = this.#publication ??= emptyPublication(connection, entry.name, topic);
    publication.client = connection;
    publication.name = entry.name;
    publication.topic = topic;
    publication.bytes = bytes;
    publication.payloadStart = view.payloadStart;
    publication.payloadEnd = view.end;
    publication.qos = view.qos;
    publication.retain = view.retain;
    publication.dup = view.dup;
    publication.nowMs = this.#turn.nowMs;
    publication.wallMs = this.#turn.wallMs;
    return referee.publish(publication);
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function emptyPublication(
  client: ClientFacts,
  name: TopicName,
  topic: SparkplugTopic,
): Writable<SparkplugPublication> {
  return {
    client,
    name,
    topic,
    bytes: new Uint8Array(0),
    payloadStart: 0,
    payloadEnd: 0,
    qos: 0 as Qos,
    retain: false,
    dup: false,
    nowMs: 0,
    wallMs: 0,
  };
}
