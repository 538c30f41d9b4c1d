/** The write batch as a list of records. */
import type { Qos, TopicFilter, TopicName, Will } from "../mqtt/mod.ts";
import type { ClockRecord, DeadLetter, DeliveryRecord, Journal, Message } from "../broker/mod.ts";

/** One record of a batch; the names are the methods of `Journal`. */
export type JournalRecord =
  | { readonly kind: "sessionCreated" | "sessionDiscarded"; readonly clientIdentifier: string }
  | {
    readonly kind: "sessionStored";
    readonly clientIdentifier: string;
    readonly sinceMs: number;
  }
  | {
    readonly kind: "sessionOwned";
    readonly clientIdentifier: string;
    readonly owner: string;
  }
  | {
    readonly kind: "subscribed";
    readonly clientIdentifier: string;
    readonly filter: TopicFilter;
    readonly qos: Qos;
  }
  | {
    readonly kind: "unsubscribed";
    readonly clientIdentifier: string;
    readonly filter: TopicFilter;
  }
  | {
    readonly kind: "replayPending";
    readonly clientIdentifier: string;
    readonly filter: TopicFilter;
    readonly pending: boolean;
  }
  | { readonly kind: "deliveryAdded"; readonly delivery: DeliveryRecord }
  | {
    readonly kind: "deliverySent";
    readonly clientIdentifier: string;
    readonly sequence: number;
    readonly packetId: number;
    readonly sent: number;
  }
  | {
    readonly kind: "deliveryReleased" | "deliveryFinished";
    readonly clientIdentifier: string;
    readonly sequence: number;
  }
  | {
    readonly kind: "receiveStarted" | "receiveFinished";
    readonly clientIdentifier: string;
    readonly packetId: number;
  }
  | {
    readonly kind: "retainedSet";
    readonly topic: TopicName;
    readonly message: Message;
    readonly atS: number;
  }
  | { readonly kind: "retainedDeleted"; readonly topic: TopicName }
  | {
    readonly kind: "willSet";
    readonly clientIdentifier: string;
    readonly will: Will;
    readonly owner: string;
  }
  | { readonly kind: "willDeleted"; readonly clientIdentifier: string }
  | { readonly kind: "deadLetterAdded"; readonly letter: DeadLetter }
  | { readonly kind: "deadLettersDropped"; readonly through: number }
  | { readonly kind: "deadLettersRemoved"; readonly ids: readonly number[] }
  | { readonly kind: "republished"; readonly id: number }
  | { readonly kind: "clockSaved"; readonly clock: ClockRecord }
  | {
    readonly kind: "bdSeqSeen";
    readonly edgeNode: string;
    readonly bdSeq: number | null;
  };

/** The records that are not about what belongs to a session that is there. */
export type BrokerRecordKind =
  | "sessionCreated"
  | "sessionDiscarded"
  | "retainedSet"
  | "retainedDeleted"
  | "willSet"
  | "willDeleted"
  | "deadLetterAdded"
  | "deadLettersDropped"
  | "deadLettersRemoved"
  | "republished"
  | "clockSaved"
  | "bdSeqSeen";

/** A batch that is handed over. */
export interface SealedBatch {
  readonly batch: number;
  readonly records: readonly JournalRecord[];
  /** Memory that it takes, about. */
  readonly bytes: number;
  /** Whether an acknowledgement waits for its commit. */
  readonly awaited: boolean;
}

/** Memory that a record takes besides the message in it, about. */
const RECORD_BYTES = 128;

/** Collects the records of a turn. */
export class BatchJournal implements Journal {
  batch = 1;
  records = 0;
  backlogBytes = 0;
  #batch: JournalRecord[] = [];
  #batchBytes = 0;
  #awaited = false;
  /** The message counted last: one that goes to many sessions is there once. */
  #counted: Message | null = null;

  /** Whether the current batch holds anything. */
  get dirty(): boolean {
    return this.#batch.length > 0;
  }

  awaitCommit(): void {
    this.#awaited = true;
  }

  /** Ends the current batch and hands it over; its bytes count until they are `settled`. */
  seal(): SealedBatch {
    const sealed = {
      batch: this.batch,
      records: this.#batch,
      bytes: this.#batchBytes,
      awaited: this.#awaited,
    };
    this.batch++;
    this.#awaited = false;
    this.#batch = [];
    this.#batchBytes = 0;
    return sealed;
  }

  /** Batches of so many bytes are written. */
  settled(bytes: number): void {
    this.backlogBytes -= bytes;
  }

  sessionCreated(clientIdentifier: string): void {
    this.#add({ kind: "sessionCreated", clientIdentifier });
  }

  sessionDiscarded(clientIdentifier: string): void {
    this.#add({ kind: "sessionDiscarded", clientIdentifier });
  }

  sessionStored(clientIdentifier: string, sinceMs: number): void {
    this.#add({ kind: "sessionStored", clientIdentifier, sinceMs });
  }

  sessionOwned(clientIdentifier: string, owner: string): void {
    this.#add({ kind: "sessionOwned", clientIdentifier, owner });
  }

  subscribed(clientIdentifier: string, filter: TopicFilter, qos: Qos): void {
    this.#add({ kind: "subscribed", clientIdentifier, filter, qos });
  }

  unsubscribed(clientIdentifier: string, filter: TopicFilter): void {
    this.#add({ kind: "unsubscribed", clientIdentifier, filter });
  }

  replayPending(clientIdentifier: string, filter: TopicFilter, pending: boolean): void {
    this.#add({ kind: "replayPending", clientIdentifier, filter, pending });
  }

  deliveryAdded(delivery: DeliveryRecord): void {
    this.#add({ kind: "deliveryAdded", delivery });
    this.#count(delivery.message);
  }

  deliverySent(
    clientIdentifier: string,
    sequence: number,
    { packetId, sent }: { packetId: number; sent: number },
  ): void {
    this.#add({ kind: "deliverySent", clientIdentifier, sequence, packetId, sent });
  }

  deliveryReleased(clientIdentifier: string, sequence: number): void {
    this.#add({ kind: "deliveryReleased", clientIdentifier, sequence });
  }

  deliveryFinished(clientIdentifier: string, sequence: number): void {
    this.#add({ kind: "deliveryFinished", clientIdentifier, sequence });
  }

  receiveStarted(clientIdentifier: string, packetId: number): void {
    this.#add({ kind: "receiveStarted", clientIdentifier, packetId });
  }

  receiveFinished(clientIdentifier: string, packetId: number): void {
    this.#add({ kind: "receiveFinished", clientIdentifier, packetId });
  }

  retainedSet(topic: TopicName, message: Message, atS: number): void {
    this.#add({ kind: "retainedSet", topic, message, atS });
    this.#count(message);
  }

  retainedDeleted(topic: TopicName): void {
    this.#add({ kind: "retainedDeleted", topic });
  }

  willSet(clientIdentifier: string, will: Will, owner: string): void {
    this.#add({ kind: "willSet", clientIdentifier, will, owner });
    this.#grow(will.payload.length);
  }

  willDeleted(clientIdentifier: string): void {
    this.#add({ kind: "willDeleted", clientIdentifier });
  }

  deadLetterAdded(letter: DeadLetter): void {
    this.#add({ kind: "deadLetterAdded", letter });
    this.#count(letter.message);
  }

  deadLettersDropped(through: number): void {
    this.#add({ kind: "deadLettersDropped", through });
  }

  deadLettersRemoved(ids: readonly number[]): void {
    this.#add({ kind: "deadLettersRemoved", ids });
    this.#grow(8 * ids.length);
  }

  republished(id: number): void {
    this.#add({ kind: "republished", id });
  }

  clockSaved(clock: ClockRecord): void {
    this.#add({ kind: "clockSaved", clock });
  }

  bdSeqSeen(edgeNode: string, bdSeq: number | null): void {
    this.#add({ kind: "bdSeqSeen", edgeNode, bdSeq });
  }

  #add(record: JournalRecord): void {
    this.#batch.push(record);
    this.records++;
    this.#grow(RECORD_BYTES);
  }

  #count(message: Message): void {
    if (message === this.#counted) return;
    this.#counted = message;
    this.#grow(message.size);
  }

  #grow(bytes: number): void {
    this.#batchBytes += bytes;
    this.backlogBytes += bytes;
  }
}
