/**
 * The ack gate: bytes that promise durability leave only when the batch they depend on is committed.
 * Each connection has an open and a gated outbox; what needs no commit passes by, unless it would
 * overtake bytes of its own kind.
 */
import { appendAcknowledgement, type ByteBuffer } from "../mqtt/mod.ts";
import type { Connection } from "./connection.ts";
import type { Turn } from "./turn.ts";

/** Puts bytes before or behind the gate, and opens it. */
export class AckGate {
  readonly #turn: Turn;
  #waiting: Connection[] = [];

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Appends a four-byte acknowledgement; `durable`: it depends on the current batch. */
  acknowledge(
    connection: Connection,
    packet: { first: number; packetId: number },
    durable: boolean,
  ): void {
    const buffer = this.acknowledgementBuffer(connection, durable);
    appendAcknowledgement(buffer, packet.first, packet.packetId);
    this.#turn.statistics.packetsSent++;
  }

  /** Where the next acknowledgement goes: acknowledgements stay in order. [MQTT-4.6.0-2] */
  acknowledgementBuffer(connection: Connection, durable: boolean): ByteBuffer {
    if (!durable && !connection.gatedAcknowledgements) {
      this.#turn.touch(connection);
      return connection.outbox;
    }
    if (durable) this.#mark(connection);
    connection.gatedAcknowledgements = true;
    return connection.gated;
  }

  /** Where the next PUBLISH goes: deliveries stay in order. [MQTT-4.6.0-6] */
  deliveryBuffer(connection: Connection, durable: boolean): ByteBuffer {
    if (!durable && !connection.gatedDeliveries) {
      this.#turn.touch(connection);
      return connection.outbox;
    }
    if (durable) this.#mark(connection);
    connection.gatedDeliveries = true;
    return connection.gated;
  }

  /** Releases what depends on batches up to `batch`. */
  release(batch: number): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const connection of waiting) {
      this.#releaseConnection(connection, batch);
      if (connection.gateMarks.length > 0) this.#waiting.push(connection);
    }
  }

  #releaseConnection(connection: Connection, batch: number): void {
    const { gated, gateMarks, outbox } = connection;
    if (connection.closed && connection.aborted) {
      gateMarks.length = 0;
      gated.clear();
      return;
    }
    let released = 0;
    while (released < gateMarks.length && gateMarks[released]!.batch <= batch) released++;
    if (released === 0) return;
    gateMarks.splice(0, released);
    const cut = gateMarks[0]?.start ?? gated.length;
    outbox.append(gated.bytes, 0, cut);
    if (gateMarks.length === 0) {
      gated.clear();
      connection.gatedAcknowledgements = false;
      connection.gatedDeliveries = false;
    } else {
      gated.bytes.copyWithin(0, cut, gated.length);
      gated.length -= cut;
      for (const mark of gateMarks) mark.start -= cut;
    }
    this.#turn.touch(connection);
  }

  /** From here on, what is appended behind the gate depends on the current batch. */
  #mark(connection: Connection): void {
    const batch = this.#turn.journal.batch;
    const marks = connection.gateMarks;
    const last = marks[marks.length - 1];
    if (last !== undefined && last.batch === batch) return;
    if (last === undefined) this.#waiting.push(connection);
    marks.push({ batch, start: connection.gated.length });
  }
}
