/** What becomes of the PUBLISH of a client, once its topic and its Packet Identifier are in order. */
import { type ProtocolError, protocolError, type PublishView, type Qos } from "../mqtt/mod.ts";
import type { Certificates } from "./certificates.ts";
import type { Connection } from "./connection.ts";
import type { Message } from "./message.ts";
import { stampNodeDeath } from "./node_death.ts";
import { type PacketRun, splitRun } from "./packet_run.ts";
import type { ClientFacts } from "./policy.ts";
import type { Router } from "./router.ts";
import type { SparkplugPublication, SparkplugVerdict } from "./sparkplug_policy.ts";
import type { TopicEntry } from "./topic_cache.ts";
import type { Turn } from "./turn.ts";

const SPARKPLUG_REFUSED = protocolError("sparkplug:closed", "breach of a Sparkplug rule");

const PASS: SparkplugVerdict = { action: "pass", fix: null };

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
    if (connection.topicAllowed && entry.sparkplug !== null) {
      const verdict = this.#judge(connection, entry, { bytes, view });
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
    { run, view }: { run: PacketRun; view: PublishView },
  ): ProtocolError | null {
    const { bytes } = run;
    const verdict = this.#judge(connection, entry, { bytes, view });
    if (verdict.action === "pass" && verdict.fix === null) {
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
    { action, fix }: SparkplugVerdict,
    entry: TopicEntry,
    { bytes, view }: { bytes: Uint8Array; view: PublishView },
  ): ProtocolError | null {
    if (action !== "pass") {
      const { qos, retain } = view;
      const message = this.#router.arena.copy(bytes, view);
      this.#turn.deadLetters.give("publish-refused", message, { qos, retain });
      return action === "close" ? SPARKPLUG_REFUSED : null;
    }
    if (fix !== null) {
      view.qos = fix.qos;
      view.retain = fix.retain;
    }
    const message = this.#router.arena.copy(bytes, view);
    const isDeath = entry.sparkplug === "nodeDeath";
    this.#pass(entry, isDeath ? stampNodeDeath(this.#turn, message) : message, view.retain);
    // Behind the birth itself, so that whoever gets both sees them in this order.
    if (entry.sparkplug === "birth") this.#certificates.keep(entry, message);
    return null;
  }

  #judge(
    connection: Connection,
    entry: TopicEntry,
    { bytes, view }: { bytes: Uint8Array; view: PublishView },
  ): SparkplugVerdict {
    const referee = this.#turn.sparkplug?.referee ?? null;
    if (referee === null) return PASS;
    const publication = this.#publication ??= emptyPublication(connection, entry);
    publication.client = connection;
    publication.topic = entry.name;
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

function emptyPublication(client: ClientFacts, entry: TopicEntry): Writable<SparkplugPublication> {
  return {
    client,
    topic: entry.name,
    bytes: entry.bytes,
    payloadStart: 0,
    payloadEnd: 0,
    qos: 0 as Qos,
    retain: false,
    dup: false,
    nowMs: 0,
    wallMs: 0,
  };
}
