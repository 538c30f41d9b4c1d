/**
 * A write group: the records of one or more batches, reduced to what they change. What was added and
 * finished within a group is never written: with a subscriber that acknowledges fast, that is most
 * of the traffic.
 */
import type { Qos, TopicFilter, TopicName } from "../mqtt/mod.ts";
import type { ClockRecord, DeadLetter, DeliveryRecord, Message } from "../broker/mod.ts";
import type { BrokerRecordKind, JournalRecord } from "./batch_journal.ts";
import type { ChangeSink, StoredWillRow } from "./sqlite_changes.ts";
import type { LoadedState } from "./sqlite_state_reader.ts";

/** Numbers that name sessions and messages in the store, and what is known to be stored. */
export class StoreNames {
  readonly #keys = new Map<string, number>();
  #nextKey: number;
  #nextMessageId: number;
  /** Clients whose Will is stored. */
  readonly wills: Set<string>;
  /** The youngest dead letter that is stored, and up to which one they are not any more. */
  readonly deadLetters: { last: number; droppedThrough: number };

  /** Continues behind what the store holds. */
  constructor({ state, keys, messageId }: LoadedState) {
    let last = 0;
    for (const [client, key] of keys) {
      this.#keys.set(client, key);
      last = Math.max(last, key);
    }
    this.#nextKey = last + 1;
    this.#nextMessageId = messageId + 1;
    this.wills = new Set(state.wills.map(({ clientIdentifier }) => clientIdentifier));
    this.deadLetters = { last: state.deadLetters.at(-1)?.id ?? 0, droppedThrough: 0 };
  }

  /** The key of the session a client has now. */
  key(client: string): number | undefined {
    return this.#keys.get(client);
  }

  /** A key for a new session of a client. */
  create(client: string): number {
    const key = this.#nextKey++;
    this.#keys.set(client, key);
    return key;
  }

  /** Forgets the session of a client. */
  discard(client: string): void {
    this.#keys.delete(client);
  }

  /** The number of a message, which it gets when something durable first refers to it. */
  messageId(message: Message): number {
    if (message.storeId === 0) message.storeId = this.#nextMessageId++;
    return message.storeId;
  }
}

/** What has happened to a delivery since it was written, or since it came. */
interface Progress {
  packetId: number;
  sent: number;
  released: boolean;
}

interface Addition extends Progress {
  readonly record: DeliveryRecord;
}

/** What a group does to one session. */
class SessionChanges {
  readonly key: number;
  readonly created: boolean;
  storedSinceMs: number | null = null;
  owner: string | null = null;
  subscriptions: Map<TopicFilter, Qos | null> | null = null;
  /** By filter: whether its replay is pending. */
  replays: Map<TopicFilter, boolean> | null = null;
  /** Deliveries that are new in this group and not finished. */
  readonly added = new Map<number, Addition>();
  /** Changes of deliveries that were there before. */
  readonly changed = new Map<number, Progress>();
  readonly finished: number[] = [];
  /** By Packet Identifier: whether it was there before the group, and whether it is there now. */
  receiving: Map<number, { readonly before: boolean; now: boolean }> | null = null;

  constructor(key: number, created: boolean) {
    this.key = key;
    this.created = created;
  }

  /** What is known of a delivery in this group, to be changed. */
  progress(sequence: number): Progress {
    let known: Progress | undefined = this.added.get(sequence) ?? this.changed.get(sequence);
    if (known === undefined) {
      known = { packetId: 0, sent: 0, released: false };
      this.changed.set(sequence, known);
    }
    return known;
  }

  finish(sequence: number): void {
    if (this.added.delete(sequence)) return;
    this.changed.delete(sequence);
    this.finished.push(sequence);
  }

  receive(packetId: number, now: boolean): void {
    const receiving = this.receiving ??= new Map();
    const known = receiving.get(packetId);
    // The core starts only what has not begun, and finishes only what has.
    if (known === undefined) receiving.set(packetId, { before: !now, now });
    else known.now = now;
  }
}

/** Collects records, and writes what is left of them. */
export class WriteGroup {
  /** The last batch in the group; 0 if there is none. */
  batch = 0;
  /** Records taken since the last `writeTo`. */
  records = 0;
  readonly #names: StoreNames;
  #sessions = new Map<string, SessionChanges>();
  #discarded: number[] = [];
  #retained = new Map<TopicName, { message: Message; atS: number } | null>();
  #wills = new Map<string, StoredWillRow | null>();
  #deadLetters: DeadLetter[] = [];
  /** How many of them, from the first on, are dropped again. */
  #undone = 0;
  /** Dead letters up to this one are dropped. */
  #droppedThrough = 0;
  /** Dead letters that were there before the group and are not any more. */
  #removedLetters: number[] = [];
  #republished: number[] = [];
  #clock: ClockRecord | null = null;
  #bdSeqs = new Map<string, number | null>();

  constructor(names: StoreNames) {
    this.#names = names;
  }

  /** Dead letters in memory until the next `writeTo`. */
  get deadLettersHeld(): number {
    return this.#deadLetters.length;
  }

  /** Takes the next record. A record about a session that is not there is a fault of ours. */
  add(record: JournalRecord): void {
    this.records++;
    switch (record.kind) {
      case "sessionCreated":
        this.#discard(record.clientIdentifier);
        this.#create(record.clientIdentifier);
        return;
      case "sessionDiscarded":
        this.#discard(record.clientIdentifier);
        return;
      case "retainedSet":
        this.#retained.set(record.topic, record);
        return;
      case "retainedDeleted":
        this.#retained.set(record.topic, null);
        return;
      case "willSet":
        this.#wills.set(record.clientIdentifier, { ...record.will, owner: record.owner });
        return;
      case "willDeleted":
        // One that was never stored leaves no trace: clients that come and go would fill the memory.
        if (this.#names.wills.has(record.clientIdentifier)) {
          this.#wills.set(record.clientIdentifier, null);
        } else this.#wills.delete(record.clientIdentifier);
        return;
      case "deliveryAdded": {
        const { delivery } = record;
        const { sequence, packetId, sent } = delivery;
        const changes = this.#session(delivery.clientIdentifier, record.kind);
        changes.added.set(sequence, { record: delivery, packetId, sent, released: false });
        return;
      }
      case "deadLetterAdded":
        this.#deadLetters.push(record.letter);
        return;
      case "deadLettersDropped":
        this.#droppedThrough = Math.max(this.#droppedThrough, record.through);
        this.#forgetDropped();
        return;
      case "deadLettersRemoved":
        this.#removeLetters(new Set(record.ids));
        return;
      case "republished":
        this.#republished.push(record.id);
        return;
      case "clockSaved":
        this.#clock = record.clock;
        return;
      case "bdSeqSeen":
        this.#bdSeqs.set(record.edgeNode, record.bdSeq);
        return;
      default:
        addToSession(this.#session(record.clientIdentifier, record.kind), record);
    }
  }

  /** Writes what the records amount to, and begins anew. */
  writeTo(sink: ChangeSink): void {
    for (const key of this.#discarded) sink.sessionDiscarded(key);
    const written = new Set<number>();
    for (const [client, changes] of this.#sessions) {
      writeSession(client, changes, sink);
      this.#writeDeliveries(changes, { sink, written });
    }
    for (const [topic, retained] of this.#retained) {
      if (retained === null) sink.retainedDeleted(topic);
      else {
        const { message: { qos, payload }, atS } = retained;
        sink.retainedSet(topic, { qos, payload, atS });
      }
    }
    this.#writeWills(sink);
    this.#writeDeadLetters(sink);
    for (const id of this.#republished) sink.republished(id);
    if (this.#clock !== null) sink.clockSaved(this.#clock);
    for (const [edgeNode, bdSeq] of this.#bdSeqs) sink.bdSeqSeen(edgeNode, bdSeq);
    this.batch = 0;
    this.records = 0;
    this.#sessions = new Map();
    this.#discarded = [];
    this.#retained = new Map();
    this.#wills = new Map();
    this.#deadLetters = [];
    this.#undone = 0;
    this.#droppedThrough = 0;
    this.#removedLetters = [];
    this.#republished = [];
    this.#clock = null;
    this.#bdSeqs = new Map();
  }

  #writeDeliveries(
    changes: SessionChanges,
    { sink, written }: { sink: ChangeSink; written: Set<number> },
  ): void {
    const { key } = changes;
    for (const sequence of changes.finished) sink.deliveryFinished(key, sequence);
    for (const [sequence, change] of changes.changed) {
      sink.deliveryChanged(key, { sequence, ...change });
    }
    for (const [sequence, { record, packetId, sent, released }] of changes.added) {
      const { message, qos, retain, queuedS } = record;
      const id = this.#names.messageId(message);
      if (!written.has(id)) {
        written.add(id);
        sink.message(id, { qos: message.qos, body: bodyOf(message) });
      }
      const flight = { packetId, sent, released };
      sink.deliveryAdded(key, { sequence, message: id, qos, retain, queuedS, ...flight });
    }
  }

  /**
   * While the disk is in trouble the group grows: it holds the dead letters of the ring and about as
   * many more, not all there were. Amortised: each is moved once for each time it is dropped.
   */
  #forgetDropped(): void {
    const letters = this.#deadLetters;
    while (
      letters[this.#undone] !== undefined && letters[this.#undone]!.id <= this.#droppedThrough
    ) {
      this.#undone++;
    }
    if (this.#undone * 2 <= letters.length) return;
    this.#deadLetters = letters.slice(this.#undone);
    this.#undone = 0;
  }

  /** Some that were given up within the group are never written. */
  #removeLetters(ids: ReadonlySet<number>): void {
    const added = new Set<number>();
    this.#deadLetters = this.#deadLetters.filter(({ id }) => {
      if (!ids.has(id)) return true;
      added.add(id);
      return false;
    });
    for (const id of ids) if (!added.has(id)) this.#removedLetters.push(id);
  }

  #writeDeadLetters(sink: ChangeSink): void {
    const { deadLetters } = this.#names;
    const through = Math.max(this.#droppedThrough, deadLetters.droppedThrough);
    if (through > deadLetters.droppedThrough) {
      if (deadLetters.last > deadLetters.droppedThrough) sink.deadLettersDropped(through);
      deadLetters.droppedThrough = through;
    }
    for (const id of this.#removedLetters) sink.deadLetterRemoved(id);
    for (const { id, message, ...letter } of this.#deadLetters) {
      if (id <= through) continue; // it came and went within the group
      sink.deadLetterAdded(id, { ...letter, body: bodyOf(message) });
      deadLetters.last = id;
    }
  }

  #writeWills(sink: ChangeSink): void {
    const { wills } = this.#names;
    for (const [client, will] of this.#wills) {
      if (will !== null) {
        wills.add(client);
        sink.willSet(client, will);
      } else if (wills.delete(client)) sink.willDeleted(client);
    }
  }

  #create(client: string): void {
    this.#sessions.set(client, new SessionChanges(this.#names.create(client), true));
  }

  #discard(client: string): void {
    const key = this.#names.key(client);
    if (key === undefined) return;
    if (this.#sessions.get(client)?.created !== true) this.#discarded.push(key);
    this.#sessions.delete(client);
    this.#names.discard(client);
  }

  #session(client: string, kind: JournalRecord["kind"]): SessionChanges {
    const known = this.#sessions.get(client);
    if (known !== undefined) return known;
    const key = this.#names.key(client);
    if (key === undefined) throw new Error(`Cannot apply ${kind}: no session "${client}"`);
    const changes = new SessionChanges(key, false);
    this.#sessions.set(client, changes);
    return changes;
  }
}

type SessionRecord = Exclude<JournalRecord, { kind: BrokerRecordKind | "deliveryAdded" }>;

function addToSession(changes: SessionChanges, record: SessionRecord): void {
  switch (record.kind) {
    case "sessionStored":
      changes.storedSinceMs = record.sinceMs;
      return;
    case "sessionOwned":
      changes.owner = record.owner;
      return;
    case "subscribed":
      (changes.subscriptions ??= new Map()).set(record.filter, record.qos);
      return;
    case "unsubscribed":
      (changes.subscriptions ??= new Map()).set(record.filter, null);
      (changes.replays ??= new Map()).set(record.filter, false);
      return;
    case "replayPending":
      (changes.replays ??= new Map()).set(record.filter, record.pending);
      return;
    case "deliverySent": {
      const progress = changes.progress(record.sequence);
      progress.packetId = record.packetId;
      progress.sent = record.sent;
      return;
    }
    case "deliveryReleased":
      changes.progress(record.sequence).released = true;
      return;
    case "deliveryFinished":
      changes.finish(record.sequence);
      return;
    case "receiveStarted":
      changes.receive(record.packetId, true);
      return;
    case "receiveFinished":
      changes.receive(record.packetId, false);
  }
}

function writeSession(client: string, changes: SessionChanges, sink: ChangeSink): void {
  const { key, created, owner } = changes;
  const storedSinceMs = changes.storedSinceMs ?? 0;
  if (created) sink.sessionCreated(key, { client, storedSinceMs, owner: owner ?? "" });
  else {
    if (changes.storedSinceMs !== null) sink.sessionStored(key, storedSinceMs);
    if (owner !== null) sink.sessionOwned(key, owner);
  }
  for (const [filter, qos] of changes.subscriptions ?? []) {
    const replayPending = changes.replays?.get(filter) ?? null;
    if (qos !== null) sink.subscribed(key, { filter, qos, replayPending });
    else if (!created) sink.unsubscribed(key, filter);
  }
  for (const [filter, pending] of changes.replays ?? []) {
    if (!changes.subscriptions?.has(filter)) sink.replayPending(key, { filter, pending });
  }
  for (const [packetId, { before, now }] of changes.receiving ?? []) {
    if (now && !before) sink.receiveStarted(key, packetId);
    else if (before && !now) sink.receiveFinished(key, packetId);
  }
}

function bodyOf(message: Message): Uint8Array {
  return message.bytes.subarray(message.start, message.end);
}
