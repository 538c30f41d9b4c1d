/** Changes out of the buffer they were handed over in. */
import type { Qos } from "../mqtt/mod.ts";
import {
  ChangeKind,
  type ChangeSink,
  type DeadLetterRow,
  type DeliveryRow,
  FORGOTTEN,
  NEITHER,
  QOS_BITS,
  RELEASED_BIT,
  RETAIN_BIT,
  type WillRow,
} from "./sqlite_changes.ts";

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Calls `sink` for every change in `bytes`. Blobs are views of `bytes`. */
export function readChanges(bytes: Uint8Array, sink: ChangeSink): void {
  const reader = new ChangeReader(bytes);
  while (!reader.atEnd) readChange(reader, sink);
}

function readChange(reader: ChangeReader, sink: ChangeSink): void {
  const kind = reader.byte();
  const key = reader.number();
  switch (kind) {
    case ChangeKind.sessionCreated: {
      const storedSinceMs = reader.number();
      const client = reader.text();
      return sink.sessionCreated(key, { storedSinceMs, client, owner: reader.text() });
    }
    case ChangeKind.sessionDiscarded:
      return sink.sessionDiscarded(key);
    case ChangeKind.sessionStored:
      return sink.sessionStored(key, reader.number());
    case ChangeKind.sessionOwned:
      return sink.sessionOwned(key, reader.text());
    case ChangeKind.subscribed: {
      const qos = reader.qos();
      const flag = reader.byte();
      const replayPending = flag === NEITHER ? null : flag === 1;
      return sink.subscribed(key, { qos, replayPending, filter: reader.text() });
    }
    case ChangeKind.replayPending: {
      const pending = reader.byte() === 1;
      return sink.replayPending(key, { pending, filter: reader.text() });
    }
    case ChangeKind.unsubscribed:
      return sink.unsubscribed(key, reader.text());
    case ChangeKind.message: {
      const qos = reader.qos();
      return sink.message(key, { qos, body: reader.blob() });
    }
    case ChangeKind.deliveryAdded:
      return sink.deliveryAdded(key, readDelivery(reader));
    case ChangeKind.deliveryChanged: {
      const sequence = reader.number();
      const packetId = reader.number();
      const sent = reader.number();
      const released = reader.byte() !== 0;
      return sink.deliveryChanged(key, { sequence, packetId, sent, released });
    }
    case ChangeKind.deliveryFinished:
      return sink.deliveryFinished(key, reader.number());
    case ChangeKind.receiveStarted:
      return sink.receiveStarted(key, reader.number());
    case ChangeKind.receiveFinished:
      return sink.receiveFinished(key, reader.number());
    default:
      return readRest(kind, key, { reader, sink });
  }
}

/** The changes that are not about a session. */
function readRest(
  kind: number,
  key: number,
  { reader, sink }: { reader: ChangeReader; sink: ChangeSink },
): void {
  switch (kind) {
    case ChangeKind.retainedSet: {
      const topic = reader.text();
      const qos = reader.qos();
      return sink.retainedSet(topic, { qos, atS: key, payload: reader.blob() });
    }
    case ChangeKind.retainedDeleted:
      return sink.retainedDeleted(reader.text());
    case ChangeKind.willSet: {
      const client = reader.text();
      const owner = reader.text();
      return sink.willSet(client, { ...readWill(reader), owner: key === 0 ? null : owner });
    }
    case ChangeKind.willDeleted:
      return sink.willDeleted(reader.text());
    case ChangeKind.deadLetterAdded:
      return sink.deadLetterAdded(key, readDeadLetter(reader));
    case ChangeKind.deadLettersDropped:
      return sink.deadLettersDropped(key);
    case ChangeKind.deadLetterRemoved:
      return sink.deadLetterRemoved(key);
    case ChangeKind.publication:
      return sink.publication(key, readWill(reader));
    case ChangeKind.republished:
      return sink.republished(key);
    case ChangeKind.clockSaved:
      return sink.clockSaved({ ageMs: key, wallMs: reader.number() });
    case ChangeKind.bdSeqSeen:
      return sink.bdSeqSeen(reader.text(), key === FORGOTTEN ? null : key);
    default:
      throw new Error(`Cannot read changes: unknown kind ${kind}`);
  }
}

function readWill(reader: ChangeReader): WillRow {
  const topic = reader.text();
  const flags = reader.byte();
  const qos = (flags & QOS_BITS) as Qos;
  return { topic, qos, retain: (flags & RETAIN_BIT) !== 0, payload: reader.blob() };
}

function readDeadLetter(reader: ChangeReader): DeadLetterRow {
  const wallMs = reader.number();
  const ageS = reader.number();
  const bytes = reader.number();
  const flags = reader.byte();
  return {
    wallMs,
    ageS,
    bytes,
    qos: (flags & QOS_BITS) as Qos,
    retain: (flags & RETAIN_BIT) !== 0,
    reason: reader.text(),
    publisher: reader.text(),
    session: reader.text(),
    body: reader.blob(),
  };
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
    sent: reader.number(),
    queuedS: reader.number(),
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
