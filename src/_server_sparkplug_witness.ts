/** Stands between the core and the referee: what is refused is told to the audit log. */
import type { ConnectionAudit } from "./_server_audit_connections.ts";
import type { SparkplugValues } from "./_server_sparkplug_values.ts";
import type {
  ClientFacts,
  CloseCause,
  SparkplugConnectVerdict,
  SparkplugPublication,
  SparkplugReferee,
  SparkplugVerdict,
} from "./broker/mod.ts";
import type { SparkplugJudging } from "./sparkplug/mod.ts";
import type { ConnectPacket, Qos, TopicFilter, Will } from "./mqtt/mod.ts";

/** Something that was refused, and how often in a row. */
interface Refusal {
  readonly client: ClientFacts;
  readonly action: "connect" | "publish" | "close";
  readonly topic: string;
  readonly statements: string;
  count: number;
}

/** Different refusals that wait for the audit log; further ones are counted. */
const REFUSALS_MAX = 64;

/** Whoever wants to see the messages that pass. */
export interface PassingMessages {
  passed(topic: string, payload: Uint8Array): void;
}

/** A referee that asks another one, and takes down what that one refuses. */
export class WitnessedReferee implements SparkplugReferee {
  readonly #referee: SparkplugJudging<ClientFacts>["referee"];
  /** The statements that the last fact broke. */
  readonly #statements: () => string;
  readonly #passing: PassingMessages | null;
  readonly #values: SparkplugValues | null;
  readonly #seen: (edgeNode: string, bdSeq: number | null) => void;
  #refusals: Refusal[] = [];
  #others = 0;

  constructor(
    referee: SparkplugJudging<ClientFacts>["referee"],
    parts: {
      readonly statements: () => string;
      readonly passing: PassingMessages | null;
      readonly values: SparkplugValues | null;
      /** The bdSeq of a CONNECT, in whose turn it is told; null: it may be forgotten. */
      readonly seen: (edgeNode: string, bdSeq: number | null) => void;
    },
  ) {
    this.#referee = referee;
    this.#statements = parts.statements;
    this.#passing = parts.passing;
    this.#values = parts.values;
    this.#seen = parts.seen;
  }

  connect(
    client: ClientFacts,
    packet: ConnectPacket,
    at: { nowMs: number; wallMs: number },
  ): SparkplugConnectVerdict {
    const verdict = this.#referee.connect(client, packet, at);
    if (verdict.kind === "refuse") this.#note(client, "connect", packet.will?.topic ?? "");
    for (const { edgeNode, bdSeq } of this.#referee.referee.takeBdSeqs()) {
      this.#seen(edgeNode, bdSeq);
    }
    return verdict;
  }

  subscribed(client: ClientFacts, subscription: { filter: TopicFilter; qos: Qos }): void {
    this.#referee.subscribed(client, subscription);
  }

  unsubscribed(client: ClientFacts, filter: TopicFilter): void {
    this.#referee.unsubscribed(client, filter);
  }

  publish(publication: SparkplugPublication): SparkplugVerdict {
    const verdict = this.#referee.publish(publication);
    if (verdict.action !== "route") {
      const action = verdict.action === "close" ? "close" : "publish";
      this.#note(publication.client, action, publication.name);
      return verdict;
    }
    this.#values?.published(publication);
    if (this.#passing !== null) {
      const { name, bytes, payloadStart, payloadEnd } = publication;
      this.#passing.passed(name, bytes.subarray(payloadStart, payloadEnd));
    }
    return verdict;
  }

  closed(client: ClientFacts, cause: CloseCause, at: { nowMs: number; wallMs: number }): boolean {
    this.#values?.closed(client, at.wallMs);
    return this.#referee.closed(client, cause, at);
  }

  willPublished(client: ClientFacts, will: Will, at: { nowMs: number; wallMs: number }): void {
    this.#referee.willPublished(client, will, at);
    this.#values?.willPublished(will, at.wallMs);
    this.#passing?.passed(will.topic, will.payload);
  }

  /** Hands over what was refused since the last call. */
  tell(audit: ConnectionAudit): void {
    const refusals = this.#refusals;
    if (refusals.length === 0) return;
    this.#refusals = [];
    for (const { client, ...what } of refusals) audit.refusedBySparkplug(client, what);
    audit.leftOut(this.#others);
    this.#others = 0;
  }

  #note(client: ClientFacts, action: Refusal["action"], topic: string): void {
    const last = this.#refusals.at(-1);
    if (last?.client === client && last.action === action && last.topic === topic) last.count++;
    else if (this.#refusals.length >= REFUSALS_MAX) this.#others++;
    else this.#refusals.push({ client, action, topic, statements: this.#statements(), count: 1 });
  }
}
