/** `$SYS/broker/…`: the broker's figures in the tree that users of Mosquitto know. */
import type { Statistics } from "./statistics.ts";

/** Counters whose rate per minute is shown as a moving average. */
const LOADS: readonly (readonly [string, (s: Statistics) => number])[] = [
  ["messages/received", (s) => s.packetsReceived],
  ["messages/sent", (s) => s.packetsSent],
  ["publish/received", (s) => s.publishReceived],
  ["publish/sent", (s) => s.publishSent],
  ["publish/dropped", dropped],
  ["bytes/received", (s) => s.bytesReceived],
  ["bytes/sent", (s) => s.bytesSent],
  ["connections", (s) => s.connectionsTotal],
];
const WINDOWS_MINUTES = [1, 5, 15];

/** Facts about the process that the core does not know. */
export interface ServerFacts {
  readonly version: string;
  readonly uptimeMs: number;
  readonly heapBytes: number;
  /** Figures of the watch over the memory, by the end of their topic. */
  readonly memory: Readonly<Record<string, string | number>>;
  /** Counters of the store, by the end of their topic. */
  readonly store: Readonly<Record<string, number>>;
  /** Counters of the door, by the end of their topic. */
  readonly door: Readonly<Record<string, number>>;
  /** Other figures, by the end of their topic. */
  readonly server?: Readonly<Record<string, number | string>>;
  /** Counters of the audit log; empty where none is kept. */
  readonly audit: Readonly<Record<string, number>>;
}

/** Makes the topics of one round; remembers the last one, so that only changes are published. */
export class SysTopics {
  readonly #published = new Map<string, string>();
  readonly #averages = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  #lastUptimeMs = 0;
  #heapMaximumBytes = 0;

  /** Topic and value of everything that has changed since the last call. */
  round(statistics: Statistics, facts: ServerFacts): readonly (readonly [string, string])[] {
    this.#heapMaximumBytes = Math.max(this.#heapMaximumBytes, facts.heapBytes);
    const all = [
      ...this.#fixed(statistics, facts),
      ...this.#loads(statistics, facts.uptimeMs),
    ];
    const changed = all.filter(([topic, value]) => this.#published.get(topic) !== value);
    for (const [topic, value] of changed) this.#published.set(topic, value);
    return changed;
  }

  #fixed(s: Statistics, facts: ServerFacts): [string, string][] {
    const stored = s.sessions - s.clientsConnected;
    const rows: [string, number | string][] = [
      ["version", `relayq version ${facts.version}`],
      ["uptime", `${Math.floor(facts.uptimeMs / 1000)} seconds`],
      ["clients/total", s.sessions],
      ["clients/connected", s.clientsConnected],
      ["clients/active", s.clientsConnected],
      ["clients/disconnected", stored],
      ["clients/inactive", stored],
      ["clients/maximum", s.clientsConnectedMax],
      ["clients/expired", s.sessionsExpired],
      ["clients/evicted", s.sessionsEvicted],
      ["clients/refused", s.sessionsRefused],
      ["clients/identities-refused", s.identitiesRefused],
      ["connections/refused", s.connectionsRefused],
      ["subscriptions/refused", s.subscriptionsRefused],
      ["connections/count", s.connectionsOpen],
      ["bytes/received", s.bytesReceived],
      ["bytes/sent", s.bytesSent],
      ["messages/received", s.packetsReceived],
      ["messages/sent", s.packetsSent],
      ["messages/stored", s.queuedMessages + s.inFlightMessages + s.retainedMessages],
      ["messages/inflight", s.inFlightMessages],
      ["messages/inflight/bytes", s.inFlightBytes],
      ["messages/queued", s.queuedMessages],
      ["messages/queued/bytes", s.queuedBytes],
      ["store/messages/count", s.queuedMessages + s.retainedMessages],
      ["store/messages/bytes", s.queuedBytes + s.retainedBytes],
      ["publish/messages/received", s.publishReceived],
      ["publish/messages/sent", s.publishSent],
      ["publish/messages/dropped", dropped(s)],
      ["publish/bytes/received", s.publishBytesReceived],
      ["publish/bytes/sent", s.publishBytesSent],
      ["retained messages/count", s.retainedMessages],
      ["retained messages/bytes", s.retainedBytes],
      ["retained messages/expired", s.retainedExpired],
      ["sparkplug/certificates/count", s.certificates],
      ["sparkplug/certificates/bytes", s.certificateBytes],
      ["sparkplug/certificates/stored", s.certificatesStored],
      ["sparkplug/certificates/refused", s.certificatesRefused],
      ["sparkplug/certificates/expired", s.certificatesExpired],
      ["sparkplug/certificates/purged", s.certificatesPurged],
      ["sparkplug/ndeath/stamped", s.deathsStamped],
      ["sparkplug/ndeath/not-stamped", s.deathsNotStamped],
      ["dead-letters/count", s.deadLetters],
      ["dead-letters/bytes", s.deadLetterBytes],
      ["dead-letters/not-kept", s.deadLettersNotKept],
      ["store/holds", s.storeHolds],
      ["rate/holds", s.rateHolds],
      ["rate/closed", s.rateCloses],
      ["subscriptions/count", s.subscriptions],
      ["heap/current", facts.heapBytes],
      ["heap/maximum", this.#heapMaximumBytes],
    ];
    for (const [reason, count] of Object.entries(s.dropped)) {
      rows.push([`dead-letters/${reason}`, count]);
    }
    for (const [name, value] of Object.entries(facts.memory)) rows.push([`memory/${name}`, value]);
    for (const [name, count] of Object.entries(facts.store)) rows.push([`store/${name}`, count]);
    rows.push(...Object.entries(facts.door));
    rows.push(...Object.entries(facts.server ?? {}));
    for (const [name, count] of Object.entries(facts.audit)) rows.push([`audit/${name}`, count]);
    return rows.map(([topic, value]) => [`$SYS/broker/${topic}`, String(value)]);
  }

  #loads(statistics: Statistics, uptimeMs: number): [string, string][] {
    const minutes = (uptimeMs - this.#lastUptimeMs) / 60_000;
    this.#lastUptimeMs = uptimeMs;
    if (minutes <= 0) return [];
    return LOADS.flatMap(([name, read]) => {
      const count = read(statistics);
      const rate = (count - (this.#counts.get(name) ?? 0)) / minutes;
      this.#counts.set(name, count);
      return WINDOWS_MINUTES.map((window): [string, string] => {
        const topic = `$SYS/broker/load/${name}/${window}min`;
        const weight = Math.exp(-minutes / window);
        const average = rate + weight * ((this.#averages.get(topic) ?? 0) - rate);
        this.#averages.set(topic, average);
        return [topic, average.toFixed(2)];
      });
    });
  }
}

function dropped(statistics: Statistics): number {
  return Object.values(statistics.dropped).reduce((sum, count) => sum + count, 0);
}
