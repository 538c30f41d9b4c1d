/**
 * Changes of the durable state as bytes: what a write group says to the store worker, and in what
 * form the worker gives back what it holds. One buffer that is handed over, no object for each row.
 */
import { copyBytes, type Qos } from "../mqtt/mod.ts";

/** A delivery as it is written: with all that has happened to it until then. */
export interface DeliveryRow {
  readonly sequence: number;
  /** Number of its message, which was written before. */
  readonly message: number;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly packetId: number;
  readonly released: boolean;
}

/** A Will as it is written. */
export interface WillRow {
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payload: Uint8Array;
}

/** Takes changes, one call each. Sessions go by their key. */
export interface ChangeSink {
  sessionCreated(key: number, row: { client: string; storedSinceMs: number }): void;
  sessionDiscarded(key: number): void;
  sessionStored(key: number, sinceMs: number): void;
  subscribed(key: number, row: { filter: string; qos: Qos }): void;
  unsubscribed(key: number, filter: string): void;
  /** A message that deliveries behind this refer to; it may be known already. */
  message(id: number, row: { qos: Qos; body: Uint8Array }): void;
  deliveryAdded(key: number, row: DeliveryRow): void;
  /** `packetId` 0: it stays as it is; `released` false: likewise. */
  deliveryChanged(
    key: number,
    change: { sequence: number; packetId: number; released: boolean },
  ): void;
  deliveryFinished(key: number, sequence: number): void;
  receiveStarted(key: number, packetId: number): void;
  receiveFinished(key: number, packetId: number): void;
  retainedSet(topic: string, row: { qos: Qos; payload: Uint8Array }): void;
  retainedDeleted(topic: string): void;
  willSet(client: string, row: WillRow): void;
  willDeleted(client: string): void;
}

const SESSION_CREATED = 1;
const SESSION_DISCARDED = 2;
const SESSION_STORED = 3;
const SUBSCRIBED = 4;
const UNSUBSCRIBED = 5;
const MESSAGE = 6;
const DELIVERY_ADDED = 7;
const DELIVERY_CHANGED = 8;
const DELIVERY_FINISHED = 9;
const RECEIVE_STARTED = 10;
const RECEIVE_FINISHED = 11;
const RETAINED_SET = 12;
const RETAINED_DELETED = 13;
const WILL_SET = 14;
const WILL_DELETED = 15;

const SMALLEST_BYTES = 4096;
const QOS_BITS = 0x03;
const RETAIN_BIT = 0x04;
const RELEASED_BIT = 0x08;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

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

  sessionCreated(key: number, row: { client: string; storedSinceMs: number }): void {
    this.#begin(SESSION_CREATED, key);
    this.#number(row.storedSinceMs);
    this.#text(row.client);
  }

  sessionDiscarded(key: number): void {
    this.#begin(SESSION_DISCARDED, key);
  }

  sessionStored(key: number, sinceMs: number): void {
    this.#begin(SESSION_STORED, key);
    this.#number(sinceMs);
  }

  subscribed(key: number, row: { filter: string; qos: Qos }): void {
    this.#begin(SUBSCRIBED, key);
    this.#byte(row.qos);
    this.#text(row.filter);
  }

  unsubscribed(key: number, filter: string): void {
    this.#begin(UNSUBSCRIBED, key);
    this.#text(filter);
  }

  message(id: number, row: { qos: Qos; body: Uint8Array }): void {
    this.#begin(MESSAGE, id);
    this.#byte(row.qos);
    this.#blob(row.body);
  }

  deliveryAdded(key: number, row: DeliveryRow): void {
    this.#begin(DELIVERY_ADDED, key);
    this.#number(row.sequence);
    this.#number(row.message);
    const retain = row.retain ? RETAIN_BIT : 0;
    this.#byte(row.qos | retain | (row.released ? RELEASED_BIT : 0));
    this.#number(row.packetId);
  }

  deliveryChanged(
    key: number,
    change: { sequence: number; packetId: number; released: boolean },
  ): void {
    this.#begin(DELIVERY_CHANGED, key);
    this.#number(change.sequence);
    this.#number(change.packetId);
    this.#byte(change.released ? RELEASED_BIT : 0);
  }

  deliveryFinished(key: number, sequence: number): void {
    this.#begin(DELIVERY_FINISHED, key);
    this.#number(sequence);
  }

  receiveStarted(key: number, packetId: number): void {
    this.#begin(RECEIVE_STARTED, key);
    this.#number(packetId);
  }

  receiveFinished(key: number, packetId: number): void {
    this.#begin(RECEIVE_FINISHED, key);
    this.#number(packetId);
  }

  retainedSet(topic: string, row: { qos: Qos; payload: Uint8Array }): void {
    this.#begin(RETAINED_SET, 0);
    this.#text(topic);
    this.#byte(row.qos);
    this.#blob(row.payload);
  }

  retainedDeleted(topic: string): void {
    this.#begin(RETAINED_DELETED, 0);
    this.#text(topic);
  }

  willSet(client: string, row: WillRow): void {
    this.#begin(WILL_SET, 0);
    this.#text(client);
    this.#text(row.topic);
    this.#byte(row.qos | (row.retain ? RETAIN_BIT : 0));
    this.#blob(row.payload);
  }

  willDeleted(client: string): void {
    this.#begin(WILL_DELETED, 0);
    this.#text(client);
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

/** Calls `sink` for every change in `bytes`. Blobs are views of `bytes`. */
export function readChanges(bytes: Uint8Array, sink: ChangeSink): void {
  const reader = new ChangeReader(bytes);
  while (!reader.atEnd) readChange(reader, sink);
}

function readChange(reader: ChangeReader, sink: ChangeSink): void {
  const kind = reader.byte();
  const key = reader.number();
  switch (kind) {
    case SESSION_CREATED: {
      const storedSinceMs = reader.number();
      return sink.sessionCreated(key, { storedSinceMs, client: reader.text() });
    }
    case SESSION_DISCARDED:
      return sink.sessionDiscarded(key);
    case SESSION_STORED:
      return sink.sessionStored(key, reader.number());
    case SUBSCRIBED: {
      const qos = reader.qos();
      return sink.subscribed(key, { qos, filter: reader.text() });
    }
    case UNSUBSCRIBED:
      return sink.unsubscribed(key, reader.text());
    case MESSAGE: {
      const qos = reader.qos();
      return sink.message(key, { qos, body: reader.blob() });
    }
    case DELIVERY_ADDED:
      return sink.deliveryAdded(key, readDelivery(reader));
    case DELIVERY_CHANGED: {
      const sequence = reader.number();
      const packetId = reader.number();
      return sink.deliveryChanged(key, { sequence, packetId, released: reader.byte() !== 0 });
    }
    case DELIVERY_FINISHED:
      return sink.deliveryFinished(key, reader.number());
    case RECEIVE_STARTED:
      return sink.receiveStarted(key, reader.number());
    case RECEIVE_FINISHED:
      return sink.receiveFinished(key, reader.number());
    default:
      return readKeyless(kind, reader, sink);
  }
}

function readKeyless(kind: number, reader: ChangeReader, sink: ChangeSink): void {
  const name = reader.text();
  switch (kind) {
    case RETAINED_SET: {
      const qos = reader.qos();
      return sink.retainedSet(name, { qos, payload: reader.blob() });
    }
    case RETAINED_DELETED:
      return sink.retainedDeleted(name);
    case WILL_SET: {
      const topic = reader.text();
      const flags = reader.byte();
      const qos = (flags & QOS_BITS) as Qos;
      const retain = (flags & RETAIN_BIT) !== 0;
      return sink.willSet(name, { topic, qos, retain, payload: reader.blob() });
    }
    case WILL_DELETED:
      return sink.willDeleted(name);
    default:
      throw new Error(`Cannot read changes: unknown kind ${kind}`);
  }
}

function readDelivery(reader: ChangeReader): DeliveryRow {
  const sequence = reader.number();
  const message = reader.number();
  const flags = reader.byte();
  return {
    sequence,
    message,
    qos: (flags & QOS_BITS) as Qos,
    retain: (flags & RETAIN_BIT) !== 0,
    released: (flags & RELEASED_BIT) !== 0,
    packetId: reader.number(),
  };
}

class ChangeReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#view.getUint8(this.#at++);
  }

  qos(): Qos {
    return (this.byte() & QOS_BITS) as Qos;
  }

  number(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  text(): string {
    return DECODER.decode(this.blob());
  }

  blob(): Uint8Array {
    const start = this.#at + 4;
    const end = start + this.#view.getUint32(this.#at, true);
    if (end > this.#bytes.length) throw new Error("Cannot read changes: cut off");
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }
}
