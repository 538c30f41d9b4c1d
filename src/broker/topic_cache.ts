/** From the bytes of a Topic Name to the sessions that get it, without making a string each time. */
import {
  type DecoderLimits,
  decodeTopicName,
  type ProtocolError,
  type Qos,
  type TopicName,
} from "../mqtt/mod.ts";
import type { Connection } from "./connection.ts";
import type { AccessPolicy, PublishVerdict } from "./policy.ts";
import { isServerTopic, isSparkplugTree, mayRead } from "./server_topics.ts";
import type { Session } from "./session.ts";
import type { SparkplugPolicy, SparkplugTopic } from "./sparkplug_policy.ts";
import type { TopicTrie } from "./topic_trie.ts";
import type { Turn } from "./turn.ts";

const SLOTS = 4096;
/** Longer names are looked up each time; with the slots, this bounds the bytes of the cache. */
const CACHED_BYTES_MAX = 256;
/** References to sessions that all entries together may hold, about. */
const CACHED_SESSIONS_MAX = 1_000_000;

/** A valid Topic Name with the subscribers it had at `generation` of the trie. */
export class TopicEntry {
  readonly bytes: Uint8Array;
  readonly name: TopicName;
  readonly serverOwned: boolean;
  /** What Sparkplug makes of it; null for nothing. */
  readonly sparkplug: SparkplugTopic | null;
  generation = -1;
  policyGeneration = -1;
  /** The ticket of the last client that was allowed to publish here: most topics have but one. */
  publisher = 0;
  sessions: readonly Session[] = [];
  /** The highest QoS granted to each session of `sessions`. [MQTT-3.3.5-1] */
  qos: readonly Qos[] = [];

  constructor(bytes: Uint8Array, name: TopicName, sparkplug: SparkplugTopic | null = null) {
    this.bytes = bytes;
    this.name = name;
    this.serverOwned = isServerTopic(name);
    this.sparkplug = sparkplug;
  }

  /** Why a message on it is refused, if it is. */
  get refusal(): "server-topic" | "publish-refused" {
    return this.serverOwned ? "server-topic" : "publish-refused";
  }

  /** Whether `source[start, end)` is this Topic Name. */
  equals(source: Uint8Array, start: number, end: number): boolean {
    const bytes = this.bytes;
    if (end - start !== bytes.length) return false;
    for (let i = bytes.length - 1; i >= 0; i--) {
      if (source[start + i] !== bytes[i]) return false;
    }
    return true;
  }

  /** The verdict on a publish of this client; asked once, and then again when another one was. */
  judge(connection: Connection, turn: Turn): PublishVerdict {
    if (this.serverOwned) {
      const closes = turn.sparkplug?.closesForgers === true && isSparkplugTree(this.name);
      return closes ? "close" : "drop";
    }
    const ticket = turn.ticketOf(connection);
    if (this.publisher === ticket) return "allow";
    const verdict = turn.policy.publish(connection, this.name);
    if (verdict === "allow") this.publisher = ticket;
    return verdict;
  }

  /** Asks the trie for the subscribers, and the policy who of those that are there may read. */
  refresh(trie: TopicTrie<Session>, policy: AccessPolicy): void {
    const granted = new Map<Session, Qos>();
    trie.match(this.name, (session, qos) => {
      const { connection } = session;
      // What waits for a client that is away is judged when it is back.
      if (connection !== null && !mayRead(policy, connection, this.name)) return;
      const known = granted.get(session);
      // Overlapping subscriptions: one copy, at the highest QoS. [MQTT-3.3.5-1]
      if (known === undefined || known < qos) granted.set(session, qos);
    });
    this.sessions = [...granted.keys()];
    this.qos = [...granted.values()];
    this.generation = trie.generation;
    this.policyGeneration = policy.generation;
  }
}

/**
 * Direct-mapped: a topic has one slot, and the last one there wins. So the memory is fixed, and
 * topics chosen to collide cost no more than topics that are new.
 */
export class TopicCache {
  readonly #slots: (TopicEntry | undefined)[] = new Array(SLOTS);
  readonly #limits: DecoderLimits;
  readonly #sparkplug: SparkplugPolicy | null;
  #sessions = 0;

  constructor(limits: DecoderLimits, sparkplug: SparkplugPolicy | null = null) {
    this.#limits = limits;
    this.#sparkplug = sparkplug;
  }

  /** The entry of the Topic Name in `source[start, end)`, or what is wrong with it. */
  resolve(source: Uint8Array, start: number, end: number): TopicEntry | ProtocolError {
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ source[i]!, 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#slots[slot];
    if (known !== undefined && known.equals(source, start, end)) return known;
    const name = decodeTopicName(source, { start, end }, this.#limits);
    if (typeof name !== "string") return name;
    const sparkplug = this.#sparkplug?.classify(name) ?? null;
    const entry = new TopicEntry(source.slice(start, end), name, sparkplug);
    if (end - start <= CACHED_BYTES_MAX) this.#slots[slot] = entry;
    return entry;
  }

  /** Forgets every topic: the limits that they were found to keep are others now. */
  clear(): void {
    this.#slots.fill(undefined);
    this.#sessions = 0;
  }

  /** Brings the subscribers of an entry up to date, and forgets all when they are too many. */
  refresh(entry: TopicEntry, trie: TopicTrie<Session>, policy: AccessPolicy): void {
    const isFresh = entry.generation === trie.generation &&
      entry.policyGeneration === policy.generation;
    if (isFresh) return;
    const before = entry.sessions.length;
    entry.refresh(trie, policy);
    this.#sessions += entry.sessions.length - before;
    if (this.#sessions > CACHED_SESSIONS_MAX) this.clear();
  }
}
