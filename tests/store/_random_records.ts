/** Random records as the core could write them, from a seed. */
import { DROP_REASONS, makeMessage, type Message } from "../../src/broker/mod.ts";
import type { Qos, TopicFilter } from "../../src/mqtt/mod.ts";
import type { JournalRecord } from "../../src/store/mod.ts";
import { filter, name, payload } from "../support/wire_client.ts";

/** Numbers that look random and are the same for a seed (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** A whole number in `[0, below)`. */
  below(below: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296 * below);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

/** Records with messages of their own, as another process would have them: without numbers. */
export class RecordCopies {
  readonly #copies = new Map<Message, Message>();

  /** The copy of a record; the same message for the same message. */
  of(record: JournalRecord): JournalRecord {
    if (record.kind !== "deliveryAdded") return record;
    const { message } = record.delivery;
    let copy = this.#copies.get(message);
    if (copy === undefined) {
      copy = makeMessage(message.topic, message.payload, message.qos);
      this.#copies.set(message, copy);
    }
    return { ...record, delivery: { ...record.delivery, message: copy } };
  }
}

interface Model {
  readonly deliveries: number[];
  readonly receiving: Set<number>;
  readonly filters: Set<TopicFilter>;
}

const CLIENTS = ["a", "b", "\ufeff\u{1f600}", "__proto__", "long/".repeat(40)];
const OWNERS = ["", "user alice", "certificate gw-\u{1f600} 1"];
const TOPICS = ["t", "plant/line 1/\u00e4", "x".repeat(300)];

/** Writes records that keep to the rules of the journal. */
export class RecordSource {
  readonly #random: Random;
  readonly #sessions = new Map<string, Model>();
  readonly #wills = new Set<string>();
  readonly #messages: Message[] = [];
  #sequence = 0;
  #deadLetter = 0;
  /** Dead letters that are there. */
  #deadLetters: number[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  /** The next record. */
  next(): JournalRecord {
    for (;;) {
      const record = this.#draw();
      if (record !== null) return record;
    }
  }

  /** Records that end every session. */
  *discardAll(): Generator<JournalRecord> {
    for (const clientIdentifier of this.#sessions.keys()) {
      yield { kind: "sessionDiscarded", clientIdentifier };
    }
    this.#sessions.clear();
  }

  #draw(): JournalRecord | null {
    const random = this.#random;
    const clientIdentifier = random.pick(CLIENTS);
    const choice = random.below(100);
    if (choice < 6) return this.#will(clientIdentifier);
    if (choice < 12) return this.#retained();
    if (choice < 14) return this.#rest();
    const session = this.#sessions.get(clientIdentifier);
    if (session === undefined || choice < 16) {
      // A record of its own kind for each: the core discards before it creates, or does not.
      this.#sessions.set(clientIdentifier, {
        deliveries: [],
        receiving: new Set(),
        filters: new Set(),
      });
      return { kind: "sessionCreated", clientIdentifier };
    }
    if (choice < 18) {
      this.#sessions.delete(clientIdentifier);
      return { kind: "sessionDiscarded", clientIdentifier };
    }
    if (choice < 22) {
      return { kind: "sessionStored", clientIdentifier, sinceMs: random.below(2) * 1.7e12 };
    }
    if (choice === 22) {
      return { kind: "sessionOwned", clientIdentifier, owner: random.pick(OWNERS) };
    }
    if (choice < 28) return this.#subscription(clientIdentifier, session);
    if (choice < 38) return this.#receiving(clientIdentifier, session);
    if (choice < 62) return this.#added(clientIdentifier, session);
    if (session.deliveries.length === 0) return null;
    const sequence = random.pick(session.deliveries);
    if (choice < 70) {
      const packetId = this.#packetId();
      return { kind: "deliverySent", clientIdentifier, sequence, packetId, sent: ++this.#sequence };
    }
    if (choice < 76) return { kind: "deliveryReleased", clientIdentifier, sequence };
    session.deliveries.splice(session.deliveries.indexOf(sequence), 1);
    return { kind: "deliveryFinished", clientIdentifier, sequence };
  }

  #added(clientIdentifier: string, session: Model): JournalRecord {
    const random = this.#random;
    const sequence = ++this.#sequence;
    session.deliveries.push(sequence);
    const packetId = random.below(2) * this.#packetId();
    return {
      kind: "deliveryAdded",
      delivery: {
        clientIdentifier,
        sequence,
        message: this.#message(),
        qos: random.below(3) as Qos,
        retain: random.below(2) === 0,
        packetId,
        sent: packetId === 0 ? 0 : sequence,
        queuedS: random.below(2) * random.below(1e9),
      },
    };
  }

  /** New, or one that others have got too, perhaps long ago. */
  #message(): Message {
    const random = this.#random;
    if (this.#messages.length > 0 && random.below(3) === 0) return random.pick(this.#messages);
    const content = payload(`${random.below(1e9)}`.repeat(random.below(20)));
    const message = makeMessage(random.pick(TOPICS), content, random.below(3) as Qos);
    if (random.below(4) === 0) this.#messages.push(message);
    if (this.#messages.length > 12) this.#messages.shift();
    return message;
  }

  #retained(): JournalRecord {
    const topic = name(`r/${this.#random.below(6)}`);
    if (this.#random.below(3) === 0) return { kind: "retainedDeleted", topic };
    const message = makeMessage(topic, this.#message().payload, 1);
    return { kind: "retainedSet", topic, message, atS: this.#random.below(1e9) };
  }

  #will(clientIdentifier: string): JournalRecord {
    if (this.#wills.delete(clientIdentifier)) return { kind: "willDeleted", clientIdentifier };
    this.#wills.add(clientIdentifier);
    const content = { payload: payload("w".repeat(this.#random.below(3))), qos: 1 as const };
    const will = { topic: name("w"), retain: this.#random.below(2) === 0, ...content };
    return { kind: "willSet", clientIdentifier, will, owner: this.#random.pick(OWNERS) };
  }

  #subscription(clientIdentifier: string, { filters }: Model): JournalRecord {
    const random = this.#random;
    const topicFilter = filter(`f/${random.below(4)}/+`);
    const about = { clientIdentifier, filter: topicFilter };
    const choice = random.below(4);
    if (choice === 0) {
      filters.delete(topicFilter);
      return { kind: "unsubscribed", ...about };
    }
    if (choice === 1 && filters.has(topicFilter)) {
      return { kind: "replayPending", ...about, pending: random.below(2) === 0 };
    }
    filters.add(topicFilter);
    return { kind: "subscribed", ...about, qos: random.below(3) as Qos };
  }

  /** Dead letters, the clock and Edge Nodes. */
  #rest(): JournalRecord {
    const random = this.#random;
    if (random.below(6) === 0) {
      const bdSeq = random.below(3) === 0 ? null : random.below(256);
      return { kind: "bdSeqSeen", edgeNode: `G/${random.below(5)}`, bdSeq };
    }
    if (random.below(6) === 0) {
      return {
        kind: "clockSaved",
        clock: { ageMs: random.below(1e12), wallMs: random.below(1e12) },
      };
    }
    if (random.below(3) === 0 && this.#deadLetter > 0) {
      const through = Math.max(1, this.#deadLetter - random.below(4));
      this.#deadLetters = this.#deadLetters.filter((id) => id > through);
      return { kind: "deadLettersDropped", through };
    }
    if (random.below(3) === 0) {
      const ids = this.#deadLetters.filter(() => random.below(2) === 0);
      this.#deadLetters = this.#deadLetters.filter((id) => !ids.includes(id));
      return { kind: "deadLettersRemoved", ids };
    }
    const message = this.#message();
    const id = ++this.#deadLetter;
    this.#deadLetters.push(id);
    const who = { publisher: random.pick(CLIENTS), session: random.pick(CLIENTS) };
    const content = { message, qos: message.qos, retain: false, bytes: message.size };
    const when = { wallMs: random.below(1e12), ageS: random.below(1e9) };
    const letter = { id, reason: random.pick(DROP_REASONS), ...when, ...who, ...content };
    return { kind: "deadLetterAdded", letter };
  }

  #receiving(clientIdentifier: string, { receiving }: Model): JournalRecord {
    const packetId = 1 + this.#random.below(4);
    if (receiving.delete(packetId)) return { kind: "receiveFinished", clientIdentifier, packetId };
    receiving.add(packetId);
    return { kind: "receiveStarted", clientIdentifier, packetId };
  }

  #packetId(): number {
    return 1 + this.#random.below(65_535);
  }
}
