/**
 * The ack gate: bytes that promise durability leave only when the batch they depend on is committed.
 * Each connection has an open and a gated outbox; what needs no commit passes by, unless it would
 * overtake bytes of its own kind.
 */
import { appendAcknowledgement, type ByteBuffer } from "../mqtt/mod.ts";
import { type Connection, GatedOutbox } from "./connection.ts";
import type { Turn } from "./turn.ts";

/** Puts bytes before or behind the gate, and opens it. */
export class AckGate {
  readonly #turn: Turn;
  #waiting: Connection[] = [];

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /**
   * Appends a four-byte acknowledgement; `durable`: it depends on the current batch. Positional,
   * because it runs once for each message.
   */
  acknowledge(connection: Connection, first: number, packetId: number, durable: boolean): void {
    const buffer = this.acknowledgementBuffer(connection, durable);
    appendAcknowledgement(buffer, first, packetId);
    this.#turn.statistics.packetsSent++;
  }

  /** Where the next acknowledgement goes: acknowledgements stay in order. [MQTT-4.6.0-2] */
  acknowledgementBuffer(connection: Connection, durable: boolean): ByteBuffer {
    if (!durable && connection.gated?.acknowledgements !== true) return this.#open(connection);
    const gated = this.#gated(connection, durable);
    gated.acknowledgements = true;
    return gated.buffer;
  }

  /** Where the next PUBLISH goes: deliveries stay in order. [MQTT-4.6.0-6] */
  deliveryBuffer(connection: Connection, durable: boolean): ByteBuffer {
    if (!durable && connection.gated?.deliveries !== true) return this.#open(connection);
    const gated = this.#gated(connection, durable);
    gated.deliveries = true;
    return gated.buffer;
  }

  /** Keeps deliveries behind the acknowledgement that waits at the gate now. */
  holdDeliveries(connection: Connection): void {
    if (connection.gated !== null) connection.gated.deliveries = true;
  }

  /** Releases what depends on batches up to `batch`. */
  release(batch: number): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const connection of waiting) {
      this.#releaseConnection(connection, batch);
      if (connection.gated !== null) this.#waiting.push(connection);
    }
  }

  #open(connection: Connection): ByteBuffer {
    this.#turn.touch(connection);
    return connection.outbox;
  }

  /** The gated outbox; `durable`: what is appended now depends on the current batch. */
  #gated(connection: Connection, durable: boolean): GatedOutbox {
    let gated = connection.gated;
    if (gated === null) {
      gated = connection.gated = new GatedOutbox(this.#turn.pool);
      this.#waiting.push(connection);
    }
    const { journal } = this.#turn;
    const { marks } = gated;
    if (durable && marks[marks.length - 1]?.batch !== journal.batch) {
      marks.push({ batch: journal.batch, start: gated.buffer.length });
      journal.awaitCommit();
    }
    return gated;
  }

  #releaseConnection(connection: Connection, batch: number): void {
    const { gated, outbox } = connection;
    if (gated === null) return; // the connection is gone
    const { buffer, marks } = gated;
    let released = 0;
    while (released < marks.length && marks[released]!.batch <= batch) released++;
    if (released === 0) return;
    marks.splice(0, released);
    const cut = marks[0]?.start ?? buffer.length;
    outbox.append(buffer.bytes, 0, cut);
    this.#turn.touch(connection);
    if (marks.length === 0) {
      buffer.clear();
      connection.gated = null;
      return;
    }
    buffer.bytes.copyWithin(0, cut, buffer.length);
    buffer.length -= cut;
    for (const mark of marks) mark.start -= cut;
  }
}
