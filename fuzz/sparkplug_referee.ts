/** Random facts: the referee never throws, stays within its bounds, and monitor mode lets all pass. */
import {
  PayloadCodec,
  Referee,
  REFEREE_DEFAULTS,
  type RefereeClient,
  type RefereeOptions,
} from "../src/sparkplug/judging.ts";
import { parseTopic } from "../src/sparkplug/mod.ts";
import { message, metric, payload } from "../tests/sparkplug/_encode.ts";
import { birthPayload, dataPayload } from "./_sparkplug_payload.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const CODEC = await PayloadCodec.load();
const TYPES = ["NBIRTH", "NDATA", "NDEATH", "NCMD", "DBIRTH", "DDATA", "DDEATH", "DCMD", "FOO"];
const IDS = ["A", "B", "C", "D", "E", "F", "", "__proto__"];
const FILTERS = [
  "#",
  "spBv1.0/#",
  "spBv1.0/A/NCMD/A",
  "spBv1.0/+/NCMD/+",
  "spBv1.0/STATE/A",
  "STATE/A",
];
const BOUNDS = {
  nodesMax: 3,
  devicesPerNodeMax: 2,
  metricsPerNodeMax: 12,
  hostsMax: 2,
  violationsMax: 20,
  recordedMessagesMax: 4,
  recordedBytesMax: 3000,
};

/** Facts in any order. */
export const SPARKPLUG_REFEREE: Target = {
  name: "sparkplug_referee",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const options: RefereeOptions = {
      ...REFEREE_DEFAULTS,
      ...BOUNDS,
      mode: random.oneIn(2) ? "monitor" : "strict",
      onDuplicate: random.oneIn(2) ? "rejectNew" : "takeOver",
      rebirthRequests: random.oneIn(2),
      synthesizeDeaths: random.oneIn(2),
      reportByException: random.oneIn(4),
    };
    const facts = new Facts(random, new Referee(CODEC, options), options.mode === "monitor");
    let problem: string | null = null;
    try {
      for (let i = 0; i < 40 && problem === null; i++) problem = facts.one();
      problem ??= facts.bounds();
    } catch (error) {
      problem = `the referee threw ${error instanceof Error ? error.stack : error}`;
    }
    return problem === null ? null : { problem, input: new Uint8Array(0) };
  },
};

class Facts {
  readonly #random: Random;
  readonly #referee: Referee;
  readonly #monitor: boolean;
  readonly #clients: RefereeClient[] = [];
  #nowMs = 1_700_000_000_000;
  #seq = 0;

  constructor(random: Random, referee: Referee, monitor: boolean) {
    this.#random = random;
    this.#referee = referee;
    this.#monitor = monitor;
  }

  /** One fact, and what is wrong then. */
  one(): string | null {
    const random = this.#random;
    this.#nowMs += random.pick([0, 1, 100, 3000, 20_000]);
    const client = this.#clients.length === 0 ? null : random.pick(this.#clients);
    const step = random.below(12);
    let problem: string | null = null;
    if (client === null || step === 0) problem = this.#connect();
    else if (step === 1) this.#close(client);
    else if (step === 2) {
      this.#referee.subscribed(client, { filter: random.pick(FILTERS), qos: random.below(3) });
    } else if (step === 3) this.#referee.unsubscribed(client, random.pick(FILTERS));
    else if (step === 4) this.#referee.tick(this.#nowMs);
    else problem = this.#publish(client);
    return problem;
  }

  #connect(): string | null {
    const random = this.#random;
    const host = random.oneIn(4);
    const id = random.pick(IDS);
    const topic = host ? `spBv1.0/STATE/${id}` : `spBv1.0/A/NDEATH/${id}`;
    const will = random.oneIn(5) ? null : {
      topic,
      payload: host ? this.#state() : payload({ metrics: [this.#bdSeq()] }),
      qos: random.pick([0, 1, 2] as const),
      retain: random.oneIn(2),
    };
    const facts = { clientIdentifier: random.pick(IDS), cleanSession: !random.oneIn(4), will };
    const verdict = this.#referee.connected(facts, this.#nowMs);
    if (verdict.refuse) return this.#monitor ? "monitor mode refused a CONNECT" : null;
    this.#clients.push(verdict.client);
    if (this.#clients.length > 6) this.#close(this.#clients[0]!);
    return null;
  }

  #close(client: RefereeClient): void {
    this.#clients.splice(this.#clients.indexOf(client), 1);
    this.#referee.closed(client, { disconnect: this.#random.oneIn(2), nowMs: this.#nowMs });
  }

  #publish(client: RefereeClient): string | null {
    const random = this.#random;
    const type = random.pick(TYPES);
    const device = random.oneIn(2) ? `/${random.pick(IDS)}` : "";
    const state = random.oneIn(8);
    const name = state
      ? `spBv1.0/STATE/${random.pick(IDS)}`
      : `spBv1.0/A/${type}/${random.pick(IDS)}${device}`;
    const topic = parseTopic(name);
    if (topic === null) return `${name} is not of Sparkplug`;
    const { nowMs } = this;
    if (topic.kind === "fault") {
      this.#referee.faultyTopic(client, topic, { name, nowMs });
      return null;
    }
    const bytes = state ? this.#state() : this.#payload(topic.type);
    const facts = {
      topic,
      bytes,
      start: 0,
      end: bytes.length,
      qos: random.pick([0, 0, 1, 2] as const),
      retain: random.oneIn(8),
      nowMs,
    };
    if (random.oneIn(16)) {
      this.#referee.announced(facts);
      return null;
    }
    const { action, retain, qos } = this.#referee.publish(client, facts);
    const passes = action === "route" && retain === null && qos === null;
    return this.#monitor && !passes ? `monitor mode says ${action}` : null;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  #payload(type: string): Uint8Array {
    const random = this.#random;
    this.#seq = (this.#seq + 1) % 256;
    if (type.endsWith("BIRTH")) {
      const more = message([2, this.#bdSeq()]);
      const birth = birthPayload(random);
      const bytes = new Uint8Array(birth.length + more.length);
      bytes.set(birth);
      bytes.set(more, birth.length);
      return bytes;
    }
    if (type.endsWith("CMD") && random.oneIn(2)) {
      const name = "Node Control/Rebirth";
      return payload({ timestamp: this.#nowMs, metrics: [metric({ name, value: [14, true] })] });
    }
    return random.oneIn(16) ? new Uint8Array(0) : dataPayload(random, random.oneIn(2));
  }

  #bdSeq(): Uint8Array {
    return metric({ name: "bdSeq", type: 4, value: [11, this.#random.below(3)] });
  }

  #state(): Uint8Array {
    const timestamp = this.#nowMs - this.#random.below(3);
    return new TextEncoder().encode(JSON.stringify({ online: this.#random.oneIn(2), timestamp }));
  }

  /** What has grown beyond its bound. */
  bounds(): string | null {
    const { nodes, hosts } = this.#referee.topology();
    if (nodes.length > BOUNDS.nodesMax) return `${nodes.length} nodes`;
    if (hosts.length > BOUNDS.hostsMax) return `${hosts.length} hosts`;
    for (const { devices, metrics } of nodes) {
      if (devices.length > BOUNDS.devicesPerNodeMax) return `${devices.length} devices`;
      const all = devices.reduce((sum, device) => sum + device.metrics.length, metrics.length);
      if (all > BOUNDS.metricsPerNodeMax) return `${all} metrics`;
    }
    const { recorder, violations } = this.#referee;
    if (violations.latest().length > BOUNDS.violationsMax) return "too many violations";
    const subjects = new Set(violations.counts().map(({ subject }) => subject));
    if (subjects.size > BOUNDS.nodesMax + BOUNDS.hostsMax + 2) return `${subjects.size} subjects`;
    const bytes = recorder?.bytes ?? 0;
    return bytes < 0 || bytes > BOUNDS.recordedBytesMax ? `${bytes} bytes are recorded` : null;
  }
}
