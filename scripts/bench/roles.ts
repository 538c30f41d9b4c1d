/** What each kind of worker is asked to do and what it reports: the contract of both ends. */

import type { LatencySummary } from "./latency_log.ts";
import type { Qos } from "./packets.ts";
import type { Target } from "./wire.ts";

/** Connections that subscribe, count and acknowledge. */
export interface SubscriberSpec extends Target {
  qos: Qos;
  connections: number;
  /** One filter for each connection, used in turn; `trie` takes the 100,000 filters instead. */
  filters: readonly string[] | "trie";
  publishers: number;
  /** Note latencies, for at most so many messages; 0 for none. */
  latencySamplesMax: number;
  /** Sets this worker's Client Identifiers apart. */
  name: string;
  /** Clean Session 0. */
  persistent?: boolean;
}

/** What a subscriber worker is ready with. */
export interface SubscriberReady {
  subscribeMs: number;
}

/** What a subscriber worker counted. */
export interface SubscriberResult {
  received: number[];
  windowMessages: number;
  windowMs: number;
  /** Sequence numbers left out; meaningless where a connection asks only for some topics. */
  missing: number;
  disorder: number;
  /** Connections the broker closed. */
  closed: number;
  sinceDue?: LatencySummary;
  sinceWrite?: LatencySummary;
}

/** Publishers at QoS 0 that send as fast as the broker takes. */
export interface FloodSpec extends Target {
  publishers: number;
  /** One topic for each publisher, used in turn; `trie` sends to all topics of the trie work. */
  topics: readonly string[] | "trie";
  /** Topics below its own that each publisher uses in turn; 1 uses its own. */
  topicsEach: number;
  batchMessages: number;
  /** Batches whose PINGREQ has no answer yet, at most; 0 leaves it to TCP alone. */
  batchesMax: number;
  /** DATA messages of Sparkplug. */
  sparkplug?: boolean;
}

/** Publishers at QoS 1 or 2 with a window of unacknowledged messages. */
export interface WindowedSpec extends Target {
  qos: 1 | 2;
  publishers: number;
  topics: readonly string[];
  window: number;
  /** QoS 1: messages per second of each publisher, at most; absent for as fast as the window allows. */
  ratePerS?: number;
  /** QoS 1: note the time from PUBLISH to PUBACK, for at most so many messages. */
  latencySamplesMax?: number;
}

/** What a windowed worker did. */
export interface WindowedResult extends PublisherResult {
  /** Messages whose handshake was completed within the window. */
  windowAcknowledged: number;
  windowMs: number;
  /** From PUBLISH to PUBACK. */
  sincePublish?: LatencySummary;
}

/** What a publishing worker did. */
export interface PublisherResult {
  sent: number[];
  /** QoS 1 and 2: messages whose handshake is complete. */
  acknowledged: number[];
}

/** Publishers at a fixed rate. */
export interface PacedSpec extends Target {
  topics: readonly string[];
  /** Messages per second of each publisher, one publisher for each topic. */
  ratePerS: number;
  tickMs: number;
}

/** What a paced worker did. */
export interface PacedResult extends PublisherResult {
  /** How late the writes were, 99th percentile: the generator's own share of the latency. */
  latenessP99Ms: number;
}

/** Connections that do nothing but stay. */
export interface IdleSpec extends Target {
  connections: number;
  parallel: number;
  /** What Client Identifiers begin with, where there are several workers. */
  prefix?: string;
}

/** What an idle worker has seen by the end. */
export interface IdleResult {
  closed: number;
}

/** CONNECT, CONNACK, DISCONNECT, over and over. */
export interface StormSpec extends Target {
  warmUp: number;
  total: number;
  parallel: number;
}

/** What a storm worker did. */
export interface StormResult {
  connected: number;
  failed: number;
  elapsedMs: number;
  slowestMs: number;
}

/** A frozen subscriber, a slow one, and two publishers that flood them with QoS 0 and QoS 1. */
export interface SlowSpec extends Target {
  topic: string;
  slowBytesPerS: number;
  batchMessages: number;
  window: number;
}

/** What the slow worker did. */
export interface SlowResult {
  sentQos0: number;
  sentQos1: number;
  slowReceived: number;
  /** Publishers and subscribers of the flood that the broker closed. */
  closed: number;
}

/** Wrong passwords from many addresses; the login of the target is the right one, used beside. */
export interface GuessSpec extends Target {
  guessedUser: string;
  addresses: number;
  attemptsMax: number;
  ratePerS: number;
  parallel: number;
}

/** What a guessing worker did. */
export interface GuessResult {
  attempts: number;
  /** How many ended how: with a return code of CONNACK, "closed" before one, or else. */
  ends: Record<string, number>;
  elapsedMs: number;
  /** Logins with the right password. */
  visits: number;
  visitsRefused: number;
  visitMs: number[];
}
