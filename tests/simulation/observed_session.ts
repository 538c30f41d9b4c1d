/** A Session as its client observes it: subscriptions, receipts, and what the broker still owes. */
import type { PublishPacket, Qos } from "../../src/mqtt/mod.ts";
import { naiveMatch } from "../../fuzz/naive_matcher.ts";
import { AwaitedReplays } from "./awaited_replays.ts";
import { BrokenPromise } from "./broken_promise.ts";
import { PossibleBacklog, type QueueBounds } from "./possible_backlog.ts";
import type { SentMessage } from "./sent_message.ts";

/** Stands for "not subscribed" among the possible states of a subscription. */
const NOT_SUBSCRIBED = -1;
const MATCHES = new Map<string, boolean>();

/** What may be true of one Topic Filter of a session. */
class ObservedSubscription {
  /** QoS levels granted, or NOT_SUBSCRIBED: one where the broker has answered, else several. */
  possible: ReadonlySet<number> = new Set([NOT_SUBSCRIBED]);
  /** Since when it cannot be there any more; Infinity while it may be. */
  possibleUntil = -1;
  /** The steps at which a SUBSCRIBE was sent for the first time, and answered for the last. */
  firstSentAt = Infinity;
  lastAnsweredAt = -1;
  sendsWithoutAnswer = 0;
  /** What was possible before the changes of late, for a broker that may forget those. */
  readonly earlier: { readonly atMs: number; readonly possible: ReadonlySet<number> }[] = [];

  get surely(): number {
    return Math.min(...this.possible);
  }
}

/** How often a message came. */
interface Receipt {
  /** Without DUP. */
  first: number;
  /** As a new QoS 2 message, in the eyes of the client. */
  exactly: number;
  /** The step of the oracle of the first time. */
  readonly firstAt: number;
  /** When it came, or was acknowledged, for the last time. */
  lastMs: number;
}

/** A PUBLISH that the client has not acknowledged for good. */
interface InFlight {
  readonly key: string;
  readonly qos: Qos;
  /** Grows with the order in which they came first; 0 if it was sent before without coming. */
  readonly order: number;
  /** When it came last. */
  readonly atMs: number;
  /** Whether the broker may have forgotten it: what comes with this identifier may be another one. */
  forgotten: boolean;
}

/** What a PUBLISH is judged by besides itself. */
interface Circumstances {
  readonly connectedAt: number;
  /** The order of the last message that was sent again on the connection. */
  lastResent: number;
  /** The step at which the message was sent first. */
  readonly sentAt: number;
  readonly nowMs: number;
  /** Whether it was sent by a broker that has forgotten it since. */
  readonly isDoubtful: boolean;
}

/** What is known of a session from its beginning. */
export interface SessionOptions {
  readonly persistent: boolean;
  readonly beganMs: number;
  readonly queue: QueueBounds;
}

/** One Session, from the CONNACK that began it to the moment at which it may be gone. */
export class ObservedSession {
  readonly client: string;
  readonly persistent: boolean;
  /** Whether the broker must still have it. */
  alive = true;
  /** Whether it is older than what is known of it. */
  isVague = false;
  /** Acknowledged messages that have to arrive yet. */
  readonly owed = new Map<string, SentMessage>();
  readonly replays = new AwaitedReplays();
  readonly #backlog: PossibleBacklog;
  readonly #subscriptions = new Map<string, ObservedSubscription>();
  readonly #receipts = new Map<string, Receipt>();
  readonly #inFlight = new Map<number, InFlight>();
  /** For each publisher: when the message that came last was sent. */
  readonly #positions = new Map<string, number>();
  #order = 0;
  /** The step at which the client came back to a broker that had crashed. */
  #crashedAt = -1;
  /** Whether what comes was sent before a crash. */
  #hasCrashed = false;

  /** When it began, for its client. */
  readonly beganMs: number;

  constructor(client: string, options: SessionOptions) {
    this.client = client;
    this.persistent = options.persistent;
    this.beganMs = options.beganMs;
    this.#backlog = new PossibleBacklog(options.queue);
  }

  toString(): string {
    return `${this.client} (${this.persistent ? "persistent" : "clean"} session)`;
  }

  /** A SUBSCRIBE was granted: these messages are retained for sure, and have to come. */
  awaitReplay(filter: string, retained: Iterable<SentMessage>, subscribedAt: number): void {
    for (const message of retained) {
      const mustCome = message.qos > 0 && message.acknowledgedAt < subscribedAt;
      if (mustCome && matches(filter, message.topic)) this.replays.add(message, subscribedAt);
    }
  }

  /** The QoS at which a message on this topic is delivered at least; -1 if it may not be. */
  surelyGranted(topic: string): number {
    let granted = NOT_SUBSCRIBED;
    for (const [filter, { surely }] of this.#subscriptions) {
      if (surely > granted && matches(filter, topic)) granted = surely;
    }
    return granted;
  }

  subscribeSent(filter: string, qos: Qos, at: { step: number; nowMs: number }): void {
    const subscription = this.#subscription(filter);
    remember(subscription, at.nowMs);
    subscription.possible = new Set([...subscription.possible, qos]);
    subscription.possibleUntil = Infinity;
    subscription.firstSentAt = Math.min(subscription.firstSentAt, at.step);
    subscription.sendsWithoutAnswer++;
  }

  subscribeAnswered(filter: string, qos: Qos | null, at: { step: number; nowMs: number }): void {
    const subscription = this.#subscription(filter);
    subscription.lastAnsweredAt = at.step;
    subscription.sendsWithoutAnswer--;
    remember(subscription, at.nowMs);
    if (qos !== null) {
      subscription.possible = new Set([qos]);
      subscription.sendsWithoutAnswer = 0;
      return;
    }
    if (subscription.sendsWithoutAnswer > 0 || subscription.earlier.length < 2) return;
    // Refused: it is as it was before.
    subscription.possible = subscription.earlier[subscription.earlier.length - 2]!.possible;
    const may = subscription.possible.size > 1 || !subscription.possible.has(NOT_SUBSCRIBED);
    if (!may) subscription.possibleUntil = at.step;
  }

  unsubscribeSent(filter: string, nowMs: number): void {
    this.replays.forgetMatching((topic) => matches(filter, topic));
    const subscription = this.#subscription(filter);
    remember(subscription, nowMs);
    subscription.possible = new Set([...subscription.possible, NOT_SUBSCRIBED]);
  }

  unsubscribeAnswered(filter: string, at: { step: number; nowMs: number }): void {
    const subscription = this.#subscription(filter);
    remember(subscription, at.nowMs);
    subscription.possible = new Set([NOT_SUBSCRIBED]);
    subscription.possibleUntil = at.step;
    subscription.sendsWithoutAnswer = 0;
  }

  /** The broker has crashed; of what it acknowledged since `forgottenSinceMs` nothing is sure. */
  crashed(step: number, forgottenSinceMs: number): void {
    this.#hasCrashed = true;
    this.#backlog.crashed(step);
    for (const subscription of this.#subscriptions.values()) {
      const possible = new Set(subscription.possible);
      for (const { atMs, possible: before } of subscription.earlier) {
        if (atMs >= forgottenSinceMs) { for (const state of before) possible.add(state); }
      }
      if (possible.size === subscription.possible.size) continue;
      subscription.possible = possible;
      if (Math.max(...possible) > NOT_SUBSCRIBED) subscription.possibleUntil = Infinity;
    }
    for (const flight of this.#inFlight.values()) {
      if (flight.atMs >= forgottenSinceMs) flight.forgotten = true;
    }
    for (const receipt of this.#receipts.values()) {
      if (receipt.lastMs >= forgottenSinceMs) receipt.exactly = 0; // it may come again
    }
    for (const [key, { acknowledgedMs }] of this.owed) {
      if (acknowledgedMs >= forgottenSinceMs) this.owed.delete(key);
    }
  }

  /** The client is connected again. */
  resumed(step: number): void {
    if (!this.#hasCrashed) return;
    this.#hasCrashed = false;
    this.#crashedAt = step;
    // A Packet Identifier at QoS 1 is not written before it is used.
    for (const flight of this.#inFlight.values()) flight.forgotten ||= flight.qos === 1;
  }

  /** The Session may be gone from now on. */
  end(): void {
    this.alive = false;
    this.owed.clear();
    this.replays.clear();
  }

  /** The client has sent PUBACK or PUBCOMP. */
  finished(packetId: number, nowMs: number): void {
    const receipt = this.#receipts.get(this.#inFlight.get(packetId)?.key ?? "");
    if (receipt !== undefined) receipt.lastMs = nowMs;
    this.#inFlight.delete(packetId);
  }

  /** A message was sent that may be for this session. */
  mayQueue(message: SentMessage): void {
    const mayReceive = this.isVague ||
      [...this.#subscriptions].some(([filter, subscription]) =>
        subscription.possibleUntil === Infinity && matches(filter, message.topic)
      );
    if (!mayReceive) return;
    this.#backlog.add(message);
    for (const owed of this.owed.values()) {
      if (this.#backlog.excuses(owed)) this.owed.delete(owed.key);
    }
  }

  /** The broker has taken the message over while the session was subscribed for sure. */
  owe(message: SentMessage): void {
    if (!this.alive || this.#receipts.has(message.key)) return;
    if (!this.#backlog.excuses(message)) this.owed.set(message.key, message);
  }

  /** A message came, in whatever way. */
  received(message: SentMessage, { retain }: PublishPacket): void {
    this.owed.delete(message.key);
    if (!retain) this.#backlog.received(message);
  }

  /** "message without subscription", "RETAIN on a message for an established subscription" */
  checkSubscribed(message: SentMessage, packet: PublishPacket, connectedAt: number): void {
    if (this.isVague) return;
    const sentAt = message.sentAt[0]!;
    let mayReceive = false;
    let mayBeRetained = false;
    for (const [filter, subscription] of this.#subscriptions) {
      if (!matches(filter, message.topic)) continue;
      if (subscription.possibleUntil >= sentAt) mayReceive = true;
      const established = subscription.sendsWithoutAnswer === 0 &&
        sentAt > Math.max(subscription.lastAnsweredAt, connectedAt);
      if (!established) mayBeRetained = true;
    }
    if (!mayReceive) {
      throw new BrokenPromise("message without subscription", `${message} at ${this}`);
    }
    if (!packet.retain || (mayBeRetained && message.retain)) return;
    throw new BrokenPromise(
      "RETAIN on a message for an established subscription",
      `${message} at ${this}`,
    );
  }

  /** The step at which the first SUBSCRIBE that matches a topic was sent. */
  firstSubscribedAt(topic: string): number {
    let first = Infinity;
    for (const [filter, { firstSentAt }] of this.#subscriptions) {
      if (matches(filter, topic)) first = Math.min(first, firstSentAt);
    }
    return first;
  }

  /**
   * "Packet Identifier reused while in flight", "re-sent PUBLISH without DUP", "DUP on a first send",
   * "re-sent messages out of order". Gives whether the client knows the message by its identifier.
   */
  checkPacketId(
    packet: PublishPacket,
    key: string,
    connection: Circumstances,
  ): boolean {
    const { packetId, qos, dup } = packet;
    if (qos === 0) {
      if (dup) throw new BrokenPromise("DUP on a first send", `QoS 0 message ${key} at ${this}`);
      return false;
    }
    let known = this.#inFlight.get(packetId);
    if (known?.forgotten && (known.key !== key || !dup)) known = undefined;
    const what = `${key} with Packet Identifier ${packetId} at ${this}`;
    if (known === undefined) {
      const first = !packet.retain && connection.sentAt > connection.connectedAt;
      if (dup && first) throw new BrokenPromise("DUP on a first send", what);
      const order = dup ? 0 : ++this.#order;
      const { nowMs: atMs, isDoubtful: forgotten } = connection;
      this.#inFlight.set(packetId, { key, qos, order, atMs, forgotten });
      return false;
    }
    if (known.key !== key || known.qos !== qos) {
      throw new BrokenPromise("Packet Identifier reused while in flight", `${what}: ${known.key}`);
    }
    if (!dup) throw new BrokenPromise("re-sent PUBLISH without DUP", what);
    if (known.order > 0 && known.order <= connection.lastResent) {
      throw new BrokenPromise("re-sent messages out of order", what);
    }
    connection.lastResent = Math.max(connection.lastResent, known.order);
    return true;
  }

  /**
   * A copy that is no answer to a new subscription: "QoS 0 message delivered twice", "QoS 1 message
   * delivered more often than it was sent", "QoS 2 message delivered twice", "messages of one
   * publisher out of order".
   */
  checkCopy(
    message: SentMessage,
    packet: PublishPacket,
    at: { step: number; nowMs: number; known: boolean; isDoubtful: boolean },
  ): void {
    const known = this.#receipts.get(message.key);
    const { step: firstAt, nowMs } = at;
    const receipt = known ?? { first: 0, exactly: 0, firstAt, lastMs: nowMs };
    receipt.lastMs = nowMs;
    this.#receipts.set(message.key, receipt);
    if (!packet.dup) receipt.first++;
    if (packet.qos === 2 && !at.known && !at.isDoubtful) receipt.exactly++;
    const what = `${message} at ${this}, delivered at QoS ${packet.qos}`;
    if (receipt.exactly > 1) throw new BrokenPromise("QoS 2 message delivered twice", what);
    if (receipt.first > 1 && message.qos === 0) {
      throw new BrokenPromise("QoS 0 message delivered twice", what);
    }
    // What was delivered without being durable comes again after a crash.
    if (receipt.firstAt > this.#crashedAt && !this.#hasCrashed) {
      if (message.qos === 2 && receipt.first > 1) {
        throw new BrokenPromise("QoS 2 message delivered twice", what);
      }
      if (receipt.first > message.sentAt.length) {
        throw new BrokenPromise("QoS 1 message delivered more often than it was sent", what);
      }
    }
    if (known === undefined) this.#checkOrder(message);
  }

  /** The first receipt of a message: it was sent behind what came before. */
  #checkOrder(message: SentMessage): void {
    if (message.isWill) return;
    // What was given up may be there again after a crash.
    if (this.#crashedAt >= 0 && this.#backlog.excuses(message)) return;
    const position = this.#positions.get(message.publisher) ?? -1;
    const sentAt = message.sentAt.find((step) => step > position);
    if (sentAt === undefined) {
      throw new BrokenPromise("messages of one publisher out of order", `${message} at ${this}`);
    }
    this.#positions.set(message.publisher, sentAt);
  }

  #subscription(filter: string): ObservedSubscription {
    let subscription = this.#subscriptions.get(filter);
    if (subscription === undefined) {
      subscription = new ObservedSubscription();
      this.#subscriptions.set(filter, subscription);
    }
    return subscription;
  }
}

function remember(subscription: ObservedSubscription, atMs: number): void {
  const { earlier, possible } = subscription;
  earlier.push({ atMs, possible });
  if (earlier.length > 64) earlier.shift();
}

/** Section 4.7, remembered: the same few pairs are asked for again and again. */
function matches(filter: string, topic: string): boolean {
  const pair = `${filter} ${topic}`;
  let known = MATCHES.get(pair);
  if (known === undefined) {
    known = naiveMatch(filter, topic);
    MATCHES.set(pair, known);
  }
  return known;
}
