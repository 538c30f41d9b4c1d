/** The last known values in a running broker: who tells them of messages, and who reads them. */
import type {
  ClientFacts,
  SparkplugConnectVerdict,
  SparkplugPolicy,
  SparkplugPublication,
  SparkplugReferee,
  SparkplugVerdict,
} from "./broker/mod.ts";
import type { SparkplugConfig } from "./config/mod.ts";
import type { ConnectPacket, TopicName, Will } from "./mqtt/mod.ts";
import {
  type Inflate,
  type LastValues,
  type loadJudging,
  type PayloadCodec,
  SparkplugAwareness,
  type ValueFigures,
  type ValuePage,
  type ValueScope,
} from "./sparkplug/mod.ts";

type Judging = Awaited<ReturnType<typeof loadJudging>>;

/** What the room of the rules keeps with a topic. */
type KeptTopic = InstanceType<Judging["JudgedTopic"]>;

/** Which part of the values somebody wants. */
export interface ValueQuery {
  readonly group: string;
  readonly node: string;
  /** Null for the metrics of the Edge Node itself. */
  readonly device: string | null;
  readonly search: string;
  readonly from: number;
  readonly limit: number;
}

/** Keeps values up to date. */
export class SparkplugValues {
  readonly #values: LastValues;
  readonly #valuesOf: Judging["valuesOf"];
  readonly #codec: PayloadCodec;

  constructor(
    room: Judging,
    parts: { codec: PayloadCodec; config: SparkplugConfig; inflate: Inflate },
  ) {
    const { lastValuesMax: metricsMax, lastValuesBytesMax: bytesMax } = parts.config;
    this.#values = new room.LastValues(parts.codec, {
      metricsMax,
      bytesMax,
      inflate: parts.inflate,
    });
    this.#valuesOf = room.valuesOf;
    this.#codec = parts.codec;
  }

  /** How many there are. */
  get figures(): ValueFigures {
    return this.#values.figures;
  }

  /** The same by the end of their topic. */
  get facts(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      Object.entries(this.figures).map(([name, count]) => [`sparkplug/last-values/${name}`, count]),
    );
  }

  /** A message that passes; its topic was classified by the room of the rules. */
  published(publication: SparkplugPublication): void {
    const topic = publication.topic as KeptTopic;
    if (topic.parsed?.kind !== "topic") return;
    topic.values = this.#values.published(publication.client, topic.parsed, {
      scope: topic.values,
      bytes: publication.bytes,
      start: publication.payloadStart,
      end: publication.payloadEnd,
      nowMs: publication.wallMs,
    });
  }

  /** A client is gone. */
  closed(client: ClientFacts, wallMs: number): void {
    this.#values.closed(client, wallMs);
  }

  /** A Will is out. */
  willPublished({ topic, payload }: Will, wallMs: number): void {
    this.#values.willPublished(topic, payload, wallMs);
  }

  /** The values that are asked for; null if there is no such Edge Node or Device. */
  page({ group, node, device, ...part }: ValueQuery): ValuePage | null {
    const scope: ValueScope | null = this.#values.find(group, node, device);
    return scope === null ? null : this.#valuesOf(scope, this.#codec, part);
  }
}

/** Awareness that keeps last values: all that the mode "aware" does, and nobody is judged. */
export function observingPolicy(
  { JudgedTopic }: Judging,
  config: SparkplugConfig,
  values: SparkplugValues,
): SparkplugPolicy {
  const aware = new SparkplugAwareness(config);
  const classify = (topic: TopicName): KeptTopic | null => {
    const kept = JudgedTopic.of(topic);
    return kept?.parsed?.kind === "topic" && VALUED.has(kept.parsed.type) ? kept : null;
  };
  const { retainLive, stampNodeDeath } = aware;
  return { retainLive, stampNodeDeath, classify, referee: new Observer(values) };
}

const VALUED: ReadonlySet<string> = new Set([
  "NBIRTH",
  "NDATA",
  "NDEATH",
  "DBIRTH",
  "DDATA",
  "DDEATH",
]);
const ROUTE: SparkplugVerdict = { action: "route", retain: null, qos: null };

/** A referee that lets everything pass. */
class Observer implements SparkplugReferee {
  readonly #values: SparkplugValues;

  constructor(values: SparkplugValues) {
    this.#values = values;
  }

  connect(_client: ClientFacts, { will }: ConnectPacket): SparkplugConnectVerdict {
    return { kind: "accept", will, rival: null };
  }

  subscribed(): void {}

  unsubscribed(): void {}

  publish(publication: SparkplugPublication): SparkplugVerdict {
    this.#values.published(publication);
    return ROUTE;
  }

  closed(client: ClientFacts, _cause: unknown, at: { wallMs: number }): boolean {
    this.#values.closed(client, at.wallMs);
    return false;
  }

  willPublished(_client: ClientFacts, will: Will, at: { wallMs: number }): void {
    this.#values.willPublished(will, at.wallMs);
  }
}
