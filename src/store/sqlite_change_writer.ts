/** Changes into one buffer, which is handed over without a copy. */
import { copyBytes, type Qos } from "../mqtt/mod.ts";
import type { ClockRecord } from "../broker/mod.ts";
import {
  ChangeKind,
  type ChangeSink,
  type DeadLetterRow,
  type DeliveryChange,
  type DeliveryRow,
  FORGOTTEN,
  NEITHER,
  RELEASED_BIT,
  RETAIN_BIT,
  type RetainedRow,
  type SessionRow,
  type StoredWillRow,
  type SubscriptionRow,
  type WillRow,
} from "./sqlite_changes.ts";

const SMALLEST_BYTES = 4096;
const ENCODER = new TextEncoder();

/** Writes changes to a buffer that grows. */
export class ChangeWriter implements ChangeSink {
  /** Changes written since the last `take`. */
  changes = 0;
  /** Bytes written since the last `take`. */
  length = 0;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;

  /** `bytes` is memory to begin with, for example a buffer that came back. */
  constructor(bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SMALLEST_BYTES)) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** Hands over what was written, and goes on with `next` as memory. */
  take(next: Uint8Array<ArrayBuffer> = new Uint8Array(SMALLEST_BYTES)): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.length);
    this.#bytes = next;
    this.#view = new DataView(next.buffer);
    this.length = 0;
    this.changes = 0;
    return taken;
  }

  sessionCreated(key: number, row: SessionRow): void {
    this.#begin(ChangeKind.sessionCreated, key);
    this.#number(row.storedSinceMs);
    this.#text(row.client);
    this.#text(row.owner);
  }

  sessionDiscarded(key: number): void {
    this.#begin(ChangeKind.sessionDiscarded, key);
  }

  sessionStored(key: number, sinceMs: number): void {
    this.#begin(ChangeKind.sessionStored, key);
    this.#number(sinceMs);
  }

  sessionOwned(key: number, owner: string): void {
    this.#begin(ChangeKind.sessionOwned, key);
    this.#text(owner);
  }

  subscribed(key: number, row: SubscriptionRow): void {
    this.#begin(ChangeKind.subscribed, key);
    this.#byte(row.qos);
    this.#byte(row.replayPending === null ? NEITHER : Number(row.replayPending));
    this.#text(row.filter);
  }

  replayPending(key: number, change: { filter: string; pending: boolean }): void {
    this.#begin(ChangeKind.replayPending, key);
    this.#byte(Number(change.pending));
    this.#text(change.filter);
  }

  unsubscribed(key: number, filter: string): void {
    this.#begin(ChangeKind.unsubscribed, key);
    this.#text(filter);
  }

  message(id: number, row: { qos: Qos; body: Uint8Array }): void {
    this.#begin(ChangeKind.message, id);
    this.#byte(row.qos);
    this.#blob(row.body);
  }

  deliveryAdded(key: number, row: DeliveryRow): void {
    this.#begin(ChangeKind.deliveryAdded, key);
    this.#number(row.sequence);
    this.#number(row.message);
    const retain = row.retain ? RETAIN_BIT : 0;
    this.#byte(row.qos | retain | (row.released ? RELEASED_BIT : 0));
    this.#number(row.packetId);
    this.#number(row.sent);
    this.#number(row.queuedS);
  }

  deliveryChanged(key: number, change: DeliveryChange): void {
    this.#begin(ChangeKind.deliveryChanged, key);
    this.#number(change.sequence);
    this.#number(change.packetId);
    this.#number(change.sent);
    this.#byte(change.released ? RELEASED_BIT : 0);
  }

  deliveryFinished(key: number, sequence: number): void {
    this.#begin(ChangeKind.deliveryFinished, key);
    this.#number(sequence);
  }

  receiveStarted(key: number, packetId: number): void {
    this.#begin(ChangeKind.receiveStarted, key);
    this.#number(packetId);
  }

  receiveFinished(key: number, packetId: number): void {
    this.#begin(ChangeKind.receiveFinished, key);
    this.#number(packetId);
  }

  retainedSet(topic: string, row: RetainedRow): void {
    this.#begin(ChangeKind.retainedSet, row.atS);
    this.#text(topic);
    this.#byte(row.qos);
    this.#blob(row.payload);
  }

  retainedDeleted(topic: string): void {
    this.#begin(ChangeKind.retainedDeleted, 0);
    this.#text(topic);
  }

  willSet(client: string, row: StoredWillRow): void {
    this.#begin(ChangeKind.willSet, row.owner === null ? 0 : 1);
    this.#text(client);
    this.#text(row.owner ?? "");
    this.#will(row);
  }

  willDeleted(client: string): void {
    this.#begin(ChangeKind.willDeleted, 0);
    this.#text(client);
  }

  deadLetterAdded(id: number, row: DeadLetterRow): void {
    this.#begin(ChangeKind.deadLetterAdded, id);
    this.#number(row.wallMs);
    this.#number(row.ageS);
    this.#number(row.bytes);
    this.#byte(row.qos | (row.retain ? RETAIN_BIT : 0));
    this.#text(row.reason);
    this.#text(row.publisher);
    this.#text(row.session);
    this.#blob(row.body);
  }

  deadLettersDropped(through: number): void {
    this.#begin(ChangeKind.deadLettersDropped, through);
  }

  deadLetterRemoved(id: number): void {
    this.#begin(ChangeKind.deadLetterRemoved, id);
  }

  publication(id: number, row: WillRow): void {
    this.#begin(ChangeKind.publication, id);
    this.#will(row);
  }

  republished(id: number): void {
    this.#begin(ChangeKind.republished, id);
  }

  clockSaved({ ageMs, wallMs }: ClockRecord): void {
    this.#begin(ChangeKind.clockSaved, ageMs);
    this.#number(wallMs);
  }

  bdSeqSeen(edgeNode: string, bdSeq: number | null): void {
    this.#begin(ChangeKind.bdSeqSeen, bdSeq ?? FORGOTTEN);
    this.#text(edgeNode);
  }

  #will(row: WillRow): void {
    this.#text(row.topic);
    this.#byte(row.qos | (row.retain ? RETAIN_BIT : 0));
    this.#blob(row.payload);
  }

  #begin(kind: number, key: number): void {
    this.changes++;
    this.#byte(kind);
    this.#number(key);
  }

  #byte(value: number): void {
    const at = this.#extend(1);
    this.#bytes[at] = value;
  }

  #number(value: number): void {
    const at = this.#extend(8);
    this.#view.setFloat64(at, value, true);
  }

  #text(value: string): void {
    const at = this.#extend(4 + value.length * 3);
    const { written } = ENCODER.encodeInto(value, this.#bytes.subarray(at + 4));
    this.#view.setUint32(at, written, true);
    this.length = at + 4 + written;
  }

  #blob(value: Uint8Array): void {
    const at = this.#extend(4 + value.length);
    this.#view.setUint32(at, value.length, true);
    copyBytes(value, 0, value.length, this.#bytes, at + 4);
  }

  #extend(count: number): number {
    const at = this.length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.length = needed;
    return at;
  }
}
