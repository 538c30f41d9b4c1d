/** A referee and the clients that it watches; what is not said otherwise is well-behaved. */
import {
  PayloadCodec,
  type PublishVerdict,
  Referee,
  REFEREE_DEFAULTS,
  type RefereeClient,
  type RefereeOptions,
  type WillFacts,
} from "../../src/sparkplug/judging.ts";
import { parseTopic } from "../../src/sparkplug/mod.ts";
import { metric, type MetricParts, payload, type PayloadParts } from "./_encode.ts";

/** Loaded once for all tests. */
export const CODEC = await PayloadCodec.load();
export const START_MS = 1_700_000_000_000;

/** What came of a CONNECT or PUBLISH, in the words of the rules. */
export type Outcome = "count" | "fix" | "drop" | "close";

/** How a message goes out. */
export interface Sending {
  readonly client?: RefereeClient;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly group?: string;
  readonly node?: string;
  readonly device?: string;
  /** Instead of a payload of its parts. */
  readonly bytes?: Uint8Array;
}

/** A message of metrics; `metrics` are bytes or parts. */
export type Content = Sending & {
  readonly seq?: number | bigint | null;
  readonly timestamp?: number | bigint | null;
  readonly metrics?: readonly (Uint8Array | MetricParts)[];
};

/** What differs in a CONNECT. */
export interface Joining {
  readonly id?: string;
  readonly group?: string;
  readonly node?: string;
  readonly bdSeq?: number;
  readonly cleanSession?: boolean;
  readonly will?: Partial<WillFacts> | null;
  /** Filters and their QoS, instead of the usual ones. */
  readonly filters?: readonly (readonly [string, number])[];
}

export class Plant {
  readonly referee: Referee;
  nowMs = START_MS;
  /** seq of the next message. */
  seq = 0;
  /** The Edge Node that joined last. */
  group = "G";
  node = "E";
  edge!: RefereeClient;
  host!: RefereeClient;
  /** What came of every CONNECT and PUBLISH. */
  readonly outcomes: Outcome[] = [];

  constructor(options: Partial<RefereeOptions> = {}) {
    this.referee = new Referee(CODEC, { ...REFEREE_DEFAULTS, ...options });
  }

  /** Time passes, a tick for each second. */
  wait(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(this.nowMs + 1000, untilMs);
      this.referee.tick(this.nowMs);
    }
  }

  /** bdSeq as it stands in births and deaths. */
  bdSeq(value: number, parts: MetricParts = {}): Uint8Array {
    return metric({ name: "bdSeq", timestamp: this.nowMs, type: 4, value: [11, value], ...parts });
  }

  /** An Edge Node connects and subscribes. */
  join(joining: Joining = {}): RefereeClient {
    const { group = "G", node = "E", bdSeq = 0, will = {}, id = `client of ${node}` } = joining;
    const full: WillFacts = {
      topic: `spBv1.0/${group}/NDEATH/${node}`,
      payload: payload({ timestamp: this.nowMs, metrics: [this.bdSeq(bdSeq)] }),
      qos: 1,
      retain: false,
      ...will,
    };
    const filters = joining.filters ??
      [[`spBv1.0/${group}/NCMD/${node}`, 1], [`spBv1.0/${group}/DCMD/${node}/#`, 1]] as const;
    this.seq = 0;
    this.group = group;
    this.node = node;
    return this.edge = this.connect(id, { ...joining, filters, will: will === null ? null : full });
  }

  /** A host connects and subscribes. */
  joinHost(joining: Joining = {}): RefereeClient {
    const { will = {}, id = "client of H" } = joining;
    const full: WillFacts = {
      topic: "spBv1.0/STATE/H",
      payload: json({ online: false, timestamp: this.nowMs }),
      qos: 1,
      retain: true,
      ...will,
    };
    const filters = joining.filters ?? [["spBv1.0/STATE/H", 1], ["spBv1.0/#", 0]] as const;
    return this.host = this.connect(id, { ...joining, filters, will: will === null ? null : full });
  }

  /** Any client connects. */
  connect(id: string, joining: Joining & { will: WillFacts | null }): RefereeClient {
    const { cleanSession = true, filters = [], will } = joining;
    const facts = { clientIdentifier: id, cleanSession, will };
    const { client, refuse, will: fixes } = this.referee.connected(facts, this.nowMs);
    const fixed = fixes.retain !== null || fixes.qos !== null;
    this.outcomes.push(refuse ? "drop" : fixed ? "fix" : "count");
    if (refuse) return client;
    for (const [filter, qos] of filters) this.referee.subscribed(client, { filter, qos });
    return client;
  }

  /** The connection ends. */
  leave(client: RefereeClient, disconnect = true): boolean {
    return this.referee.closed(client, { disconnect, nowMs: this.nowMs }).publishWill;
  }

  /** Publishes on any topic. */
  send(topicName: string, bytes: Uint8Array, sending: Sending = {}): PublishVerdict {
    const { client = this.edge, qos = 0, retain = false } = sending;
    const { nowMs } = this;
    const topic = parseTopic(topicName);
    if (topic === null) throw new Error(`${topicName} is not of Sparkplug`);
    if (topic.kind === "fault") {
      const about = { name: topicName, nowMs };
      return this.#outcome(this.referee.faultyTopic(client, topic, about));
    }
    const facts = { topic, bytes, start: 0, end: bytes.length, qos, retain, nowMs };
    return this.#outcome(this.referee.publish(client, facts));
  }

  nbirth(content: Content = {}): PublishVerdict {
    if (content.seq === undefined) this.seq = 0;
    return this.#own("NBIRTH", { metrics: [...this.usual(), ...this.rebirthMetric()], ...content });
  }

  dbirth(content: Content = {}): PublishVerdict {
    return this.#own("DBIRTH", { device: "D", metrics: this.usual(2), ...content });
  }

  ndata(content: Content = {}): PublishVerdict {
    return this.#own("NDATA", { metrics: [this.temperature()], ...content });
  }

  ddata(content: Content = {}): PublishVerdict {
    return this.#own("DDATA", { device: "D", metrics: [this.temperature()], ...content });
  }

  ddeath(content: Content = {}): PublishVerdict {
    return this.#own("DDEATH", { device: "D", ...content });
  }

  ndeath(content: Content = {}): PublishVerdict {
    return this.#own("NDEATH", { seq: null, metrics: [this.bdSeq(0)], ...content });
  }

  /** A command of the host. */
  ncmd(content: Content = {}): PublishVerdict {
    const metrics = [{
      name: "Temperature",
      timestamp: this.nowMs,
      value: [12, { float: 1 }],
    }] as const;
    return this.#own("NCMD", { client: this.host, seq: null, metrics, ...content });
  }

  dcmd(content: Content = {}): PublishVerdict {
    const metrics = [{
      name: "Temperature",
      timestamp: this.nowMs,
      value: [12, { float: 1 }],
    }] as const;
    return this.#own("DCMD", { client: this.host, device: "D", seq: null, metrics, ...content });
  }

  /** A rebirth request of the host. */
  askRebirth(): PublishVerdict {
    const name = "Node Control/Rebirth";
    return this.ncmd({ metrics: [{ name, timestamp: this.nowMs, value: [14, true] }] });
  }

  /** STATE of the host. */
  state(online: boolean, sending: Sending & { timestamp?: number } = {}): PublishVerdict {
    const timestamp = sending.timestamp ?? this.host.willTimestamp ?? this.nowMs;
    const bytes = sending.bytes ?? json({ online, timestamp });
    const usual = { client: this.host, qos: 1, retain: true } as const;
    return this.send("spBv1.0/STATE/H", bytes, { ...usual, ...sending });
  }

  /** A Will goes out, or a retained STATE is found at the start. */
  announce(topicName: string, bytes: Uint8Array): void {
    const topic = parseTopic(topicName);
    if (topic?.kind !== "topic") throw new Error(`${topicName} is no topic of Sparkplug`);
    const { nowMs } = this;
    const facts = { topic, bytes, start: 0, end: bytes.length, qos: 1, retain: true, nowMs };
    this.referee.announced({ ...facts, qos: 1 });
  }

  /** An Edge Node, connected and born. */
  bornNode(joining: Joining = {}): this {
    this.join(joining);
    this.nbirth();
    return this;
  }

  /** With a Device that is born. */
  bornDevice(joining: Joining = {}): this {
    this.bornNode(joining);
    this.dbirth();
    return this;
  }

  /** A host that is online. */
  onlineHost(): this {
    this.joinHost();
    this.state(true);
    return this;
  }

  /** The metrics of a birth, but for bdSeq and Rebirth. */
  usual(alias = 1): Uint8Array[] {
    const timestamp = this.nowMs;
    return [
      this.temperature(true),
      metric({ name: "Count", alias, timestamp, type: 7, value: [10, 5] }),
    ];
  }

  /** bdSeq and Node Control/Rebirth. */
  rebirthMetric(parts: MetricParts = {}): Uint8Array[] {
    const timestamp = this.nowMs;
    const name = "Node Control/Rebirth";
    return [
      this.bdSeq(this.edge.willBdSeq ?? 0),
      metric({ name, timestamp, type: 11, value: [14, false], ...parts }),
    ];
  }

  /** The metric Temperature of a birth, or of data. */
  temperature(birth = false, value = 20): Uint8Array {
    const timestamp = this.nowMs;
    const parts: MetricParts = { name: "Temperature", timestamp, value: [12, { float: value }] };
    return metric(birth ? { ...parts, type: 9 } : parts);
  }

  #outcome(verdict: PublishVerdict): PublishVerdict {
    const fixed = verdict.retain !== null || verdict.qos !== null;
    this.outcomes.push(verdict.action !== "route" ? verdict.action : fixed ? "fix" : "count");
    return verdict;
  }

  #own(type: string, content: Content): PublishVerdict {
    const { group = this.group, node = this.node, device, metrics = [] } = content;
    const { seq = this.seq, timestamp = this.nowMs } = content;
    if (seq === this.seq) this.seq = (this.seq + 1) % 256;
    const parts: PayloadParts = {
      timestamp: timestamp ?? undefined,
      seq: seq ?? undefined,
      metrics: metrics.map((one) => one instanceof Uint8Array ? one : metric(one)),
    };
    const topic = `spBv1.0/${group}/${type}/${node}${device === undefined ? "" : `/${device}`}`;
    return this.send(topic, content.bytes ?? payload(parts), content);
  }
}

/** JSON as bytes. */
export function json(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
