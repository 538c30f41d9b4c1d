/** From a published message to the sessions that get it, and to the retained messages. */
import { isProtocolError, type PublishView, type Qos, type TopicName } from "../mqtt/mod.ts";
import type { StoredRetained } from "./journal.ts";
import { makeMessage, type Message, MessageArena } from "./message.ts";
import { type PacketRun, splitRun } from "./packet_run.ts";
import type { RetainedMessages } from "./retained.ts";
import type { Sender } from "./sender.ts";
import type { Session } from "./session.ts";
import { stampNodeDeath } from "./node_death.ts";
import { isPassingTopic } from "./server_topics.ts";
import { TopicCache, type TopicEntry } from "./topic_cache.ts";
import { TopicTrie } from "./topic_trie.ts";
import { UnsettledKeys } from "./unsettled_keys.ts";
import type { Turn } from "./turn.ts";

/** Routes Application Messages. */
export class Router {
  readonly trie: TopicTrie<Session> = new TopicTrie();
  readonly retained: RetainedMessages;
  readonly topics: TopicCache;
  readonly arena: MessageArena = new MessageArena();
  readonly #turn: Turn;
  readonly #sender: Sender;
  readonly #deletions: UnsettledKeys;

  constructor(turn: Turn, parts: { sender: Sender; retained: RetainedMessages }) {
    this.#turn = turn;
    this.#sender = parts.sender;
    this.retained = parts.retained;
    this.#deletions = new UnsettledKeys(turn);
    this.topics = new TopicCache(turn.limits, turn.sparkplug);
  }

  /**
   * Hands a message to every matching session, with this RETAIN. [MQTT-4.5.0-1] [MQTT-3.3.2-3]
   */
  route(entry: TopicEntry, message: Message, retain = false): void {
    this.topics.refresh(entry, this.trie, this.#turn.policy);
    const { sessions, qos } = entry;
    for (let i = 0; i < sessions.length; i++) {
      const granted = qos[i]!;
      const lower = granted < message.qos ? granted : message.qos; // [MQTT-3.8.4-6]
      this.#sender.deliver(sessions[i]!, message, lower, retain);
    }
    this.#turn.fanOutBytes += sessions.length * message.size;
  }

  /** Hands QoS 0 packets on as they came; `view` describes the first one. */
  forward(entry: TopicEntry, run: PacketRun, view: PublishView): void {
    this.topics.refresh(entry, this.trie, this.#turn.policy);
    const { sessions } = entry;
    let messages: Message[] | null = null;
    for (const session of sessions) {
      const connection = session.connection;
      if (connection === null || this.#sender.forward(session, connection, run)) continue;
      messages ??= splitRun(run, view, this.arena);
      for (const message of messages) {
        this.#sender.deliver(session, message, 0, false);
      }
    }
    this.#turn.fanOutBytes += sessions.length * (run.end - run.start);
  }

  /** Stores, replaces or removes the retained message of a topic. */
  retain(topic: TopicName, message: Message): void {
    const { journal, ageS } = this.#turn;
    const { retained } = this;
    if (isPassingTopic(topic)) { // neither durable nor counted: it is made anew all the time
      if (message.topicEnd === message.end) { // [MQTT-3.3.1-10]
        retained.delete(topic);
        return;
      }
      message.detach();
      retained.set(topic, message, ageS);
      return;
    }
    const empty = message.topicEnd === message.end;
    if (empty) this.forgetRetained(topic); // [MQTT-3.3.1-10] [MQTT-3.3.1-11]
    else if (this.#makeRoom(topic, message)) {
      message.detach();
      retained.set(topic, message, ageS); // [MQTT-3.3.1-5]
      journal.retainedSet(topic, message, ageS);
    } else {
      this.#turn.deadLetters.give("retained-limit", message, { qos: message.qos, retain: true });
      // The older one is no longer the last message of its topic. [MQTT-3.3.1-7]
      this.forgetRetained(topic);
    }
    this.countRetained();
  }

  /** Takes over what the store holds. */
  restoreRetained(stored: readonly StoredRetained[]): void {
    const { limits, journal, ageS } = this.#turn;
    const { retained } = this;
    // Where the time is not known, it is the longest ago; but their expiry counts from now on, and
    // not from each start anew.
    const expires = limits.retainedExpiryMs > 0 || limits.certificatesExpiryMs > 0;
    const unknownS = expires ? ageS : 0;
    const known = stored.map((one) => one.atS > 0 ? one : { ...one, atS: unknownS });
    for (const { topic, message, atS } of known.toSorted((a, b) => a.atS - b.atS)) {
      retained.set(topic, message, atS);
    }
    for (const { topic, message, atS } of unknownS > 0 ? stored : []) {
      if (atS === 0) journal.retainedSet(topic, message, unknownS);
    }
    this.countRetained();
  }

  /** Removes the retained messages and certificates that are too old. */
  expireRetained(): void {
    const { limits, statistics } = this.#turn;
    const { retained } = this;
    while (this.#isOver(retained.oldest(), limits.retainedExpiryMs)) statistics.retainedExpired++;
    while (this.#isOver(retained.oldestCertificate(), limits.certificatesExpiryMs)) {
      statistics.certificatesExpired++;
    }
    this.countRetained();
  }

  /** Removes a message that is older than `expiryMs`, which is never for 0; gives whether it was. */
  #isOver(oldest: { topic: TopicName; atS: number } | null, expiryMs: number): boolean {
    if (expiryMs === 0 || oldest === null) return false;
    if (this.#turn.ageS - oldest.atS <= expiryMs / 1000) return false;
    this.forgetRetained(oldest.topic);
    return true;
  }

  /** Brings the gauges up to date. */
  countRetained(): void {
    const { statistics } = this.#turn;
    const { published, certificates } = this.retained;
    statistics.retainedMessages = published.count;
    statistics.retainedBytes = published.bytes;
    statistics.certificates = certificates.count;
    statistics.certificateBytes = certificates.bytes;
  }

  /** Whether the limits let this message be retained, after older ones have gone if that is the rule. */
  #makeRoom(topic: TopicName, message: Message): boolean {
    const { limits } = this.#turn;
    const { retained } = this;
    // Nothing has to go for a message that would not fit even then.
    if (retained.bytesAlone(topic, message) > limits.retainedBytesMax) return false;
    for (;;) {
      const known = retained.get(topic);
      const count = retained.published.count + (known === null ? 1 : 0);
      const grown = message.size - (known?.size ?? 0) + retained.growth(topic);
      const fits = count <= limits.retainedMessagesMax &&
        retained.published.bytes + grown <= limits.retainedBytesMax;
      if (fits) return true;
      if (limits.retainedFull === "drop_newest") return false;
      const oldest = retained.oldest();
      if (oldest === null) return false;
      if (oldest.topic !== topic) this.#giveUpRetained(retained.get(oldest.topic)!);
      this.forgetRetained(oldest.topic);
    }
  }

  #giveUpRetained(message: Message): void {
    const lost = { qos: message.qos, retain: true, publisher: "" };
    this.#turn.deadLetters.give("retained-limit", message, lost);
  }

  /** Removes the retained message of a topic, if there is one. */
  forgetRetained(topic: TopicName): void {
    const known = this.retained.delete(topic);
    // Another client's deletion may be on its way to the disk: whoever deletes again waits with it.
    if (!known && !this.#deletions.has(topic)) return;
    this.#turn.journal.retainedDeleted(topic);
    this.#deletions.note(topic);
  }

  /**
   * Publishes a message of the server itself, of its operator, or a Will; births among them are not
   * kept. Gives how many sessions it was handed to.
   */
  publish(topic: TopicName, content: { payload: Uint8Array; qos: Qos; retain: boolean }): number {
    let message = makeMessage(topic, content.payload, content.qos);
    const entry = this.topics.resolve(message.bytes, 2, message.topicEnd);
    if (isProtocolError(entry)) return 0; // a TopicName is valid
    if (entry.sparkplug?.role === "nodeDeath") message = stampNodeDeath(this.#turn, message);
    if (content.retain) this.retain(topic, message);
    this.route(entry, message);
    return entry.sessions.length;
  }
}
