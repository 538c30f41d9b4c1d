/** The worker that publishes at QoS 1 or 2 with at most a window of unacknowledged messages. */

import { epochNowMs } from "./clock.ts";
import { before, type ControlLink } from "./link.ts";
import { DISCONNECT, PublishBatch } from "./packets.ts";
import type { PublisherResult, WindowedSpec } from "./roles.ts";
import { closeQuietly, openClient, writeAll } from "./wire.ts";

const FINISH_LIMIT_MS = 15_000;
const PACKET_IDS = 65_536;
const ACK_BYTES = 4;

const FREE = 0;
const PUBLISHED = 1;
const RELEASED = 2;

/** Runs the worker to its end. */
export async function runWindowed(spec: WindowedSpec, link: ControlLink): Promise<void> {
  const publishers: WindowedPublisher[] = [];
  for (let index = 0; index < spec.publishers; index++) {
    const conn = await openClient(spec.port, { id: `bench-window-${index}` });
    const topic = spec.topics[index % spec.topics.length] ?? "";
    publishers.push(
      new WindowedPublisher(conn, { topic, qos: spec.qos, window: spec.window, publisher: index }),
    );
  }
  link.ready({});
  const { windowEndMs } = await link.expect("go");
  await before(windowEndMs + FINISH_LIMIT_MS, {
    of: Promise.all(publishers.map((publisher) => publisher.run(windowEndMs))),
    name: "the window",
  });
  const result: PublisherResult = {
    sent: publishers.map((publisher) => publisher.sent),
    acknowledged: publishers.map((publisher) => publisher.acknowledged),
  };
  link.done(result);
  for (const publisher of publishers) await publisher.close();
}

/** One connection: reads acknowledgements, and answers each read with one write. */
export class WindowedPublisher {
  /** Messages written so far. */
  sent = 0;
  /** Messages whose handshake is complete. */
  acknowledged = 0;
  readonly #conn: Deno.TcpConn;
  readonly #qos: 1 | 2;
  readonly #window: number;
  readonly #batch: PublishBatch;
  readonly #states = new Uint8Array(PACKET_IDS);
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;
  #inputEnd = 0;
  #outputEnd = 0;

  constructor(
    conn: Deno.TcpConn,
    work: { topic: string; qos: 1 | 2; window: number; publisher: number },
  ) {
    this.#conn = conn;
    this.#qos = work.qos;
    this.#window = work.window;
    this.#batch = new PublishBatch({
      topics: [work.topic],
      count: work.window,
      qos: work.qos,
      publisher: work.publisher,
    });
    this.#input = new Uint8Array(2 * ACK_BYTES * work.window);
    this.#output = new Uint8Array(this.#input.length + ACK_BYTES + this.#batch.bytes.length);
  }

  /** Publishes until `endMs` of the shared clock, then completes every handshake. */
  async run(endMs: number): Promise<void> {
    for (;;) {
      if (epochNowMs() < endMs) this.#fillWindow();
      if (this.#outputEnd > 0) {
        await writeAll(this.#conn, this.#output.subarray(0, this.#outputEnd));
      }
      this.#outputEnd = 0;
      if (this.acknowledged === this.sent) return;
      const count = await this.#conn.read(this.#input.subarray(this.#inputEnd));
      if (count === null) throw new Error("Cannot publish: closed by the broker");
      this.#acceptAcks(count);
    }
  }

  /** Ends the connection in the way of the protocol. */
  async close(): Promise<void> {
    await writeAll(this.#conn, DISCONNECT);
    closeQuietly(this.#conn);
  }

  #fillWindow(): void {
    const count = this.#window - (this.sent - this.acknowledged);
    if (count === 0) return;
    const firstId = 1 + this.sent % (PACKET_IDS - 1);
    this.#batch.number(this.sent, count);
    this.#batch.identify(firstId, count);
    for (let index = 0; index < count; index++) {
      const id = 1 + (this.sent + index) % (PACKET_IDS - 1);
      if (this.#states[id] !== FREE) throw new Error(`Cannot publish: id ${id} is in use`);
      this.#states[id] = PUBLISHED;
    }
    const bytes = count * this.#batch.stride;
    this.#output.set(this.#batch.bytes.subarray(0, bytes), this.#outputEnd);
    this.#outputEnd += bytes;
    this.sent += count;
  }

  #acceptAcks(count: number): void {
    const end = this.#inputEnd + count;
    let at = 0;
    for (; at + ACK_BYTES <= end; at += ACK_BYTES) {
      const id = ((this.#input[at + 2] ?? 0) << 8) | (this.#input[at + 3] ?? 0);
      this.#acceptAck(this.#input[at] ?? 0, id);
    }
    this.#input.copyWithin(0, at, end);
    this.#inputEnd = end - at;
  }

  #acceptAck(type: number, id: number): void {
    const state = this.#states[id];
    if (type === 0x50 && this.#qos === 2 && state === PUBLISHED) {
      this.#states[id] = RELEASED;
      this.#output.set([0x62, 2, id >> 8, id & 255], this.#outputEnd);
      this.#outputEnd += ACK_BYTES;
    } else if (
      (type === 0x40 && this.#qos === 1 && state === PUBLISHED) ||
      (type === 0x70 && this.#qos === 2 && state === RELEASED)
    ) {
      this.#states[id] = FREE;
      this.acknowledged++;
    } else {
      throw new Error(`Cannot accept ack: type ${type} for id ${id} in state ${state}`);
    }
  }
}
