/** The worker that publishes at QoS 1 or 2 with at most a window of unacknowledged messages. */

import { type ClientStream, closeQuietly, writeAll } from "../../src/client/mod.ts";
import { epochNowMs, sleep } from "./clock.ts";
import { LatencyLog } from "./latency_log.ts";
import { before, type ControlLink } from "./link.ts";
import { DISCONNECT, PublishBatch } from "./packets.ts";
import type { WindowedResult, WindowedSpec } from "./roles.ts";
import { openClient } from "./wire.ts";

const FINISH_LIMIT_MS = 15_000;
const PACKET_IDS = 65_536;
const ACK_BYTES = 4;
const PACE_TICK_MS = 1;

const FREE = 0;
const PUBLISHED = 1;
const RELEASED = 2;

/** Runs the worker to its end. */
export async function runWindowed(spec: WindowedSpec, link: ControlLink): Promise<void> {
  const publishers: WindowedPublisher[] = [];
  const samplesMax = spec.latencySamplesMax ?? 0;
  const latencies = samplesMax > 0 ? new LatencyLog(samplesMax) : undefined;
  for (let index = 0; index < spec.publishers; index++) {
    const conn = await openClient(spec, { id: `bench-window-${index}` });
    const topic = spec.topics[index % spec.topics.length] ?? "";
    const { qos, window } = spec;
    const work = { topic, qos, window, publisher: index, ...(latencies && { latencies }) };
    publishers.push(new WindowedPublisher(conn, work));
  }
  link.ready({});
  const { windowStartMs, windowEndMs } = await link.expect("go");
  latencies?.open(windowStartMs, windowEndMs);
  const { ratePerS } = spec;
  const running = Promise.all(
    publishers.map((publisher) =>
      ratePerS === undefined
        ? publisher.run(windowEndMs)
        : publisher.runPaced(windowEndMs, ratePerS)
    ),
  );
  const counting = countWindow(publishers, { windowStartMs, windowEndMs });
  await before(windowEndMs + FINISH_LIMIT_MS, { of: running, name: "the window" });
  const result: WindowedResult = {
    sent: publishers.map((publisher) => publisher.sent),
    acknowledged: publishers.map((publisher) => publisher.acknowledged),
    ...await counting,
    ...(latencies && { sincePublish: latencies.sinceWrite() }),
  };
  link.done(result);
  for (const publisher of publishers) await publisher.close();
}

/** Counts between two moments that are near the ends of the window. */
async function countWindow(
  publishers: readonly WindowedPublisher[],
  window: { windowStartMs: number; windowEndMs: number },
): Promise<{ windowAcknowledged: number; windowMs: number }> {
  function now(): { atMs: number; acknowledged: number } {
    const acknowledged = publishers.reduce((sum, one) => sum + one.acknowledged, 0);
    return { atMs: epochNowMs(), acknowledged };
  }
  await sleep(window.windowStartMs - epochNowMs());
  const opened = now();
  await sleep(window.windowEndMs - epochNowMs());
  const shut = now();
  return {
    windowAcknowledged: shut.acknowledged - opened.acknowledged,
    windowMs: shut.atMs - opened.atMs,
  };
}

/** One connection: reads acknowledgements, and answers each read with one write. */
export class WindowedPublisher {
  /** Messages written so far. */
  sent = 0;
  /** Messages whose handshake is complete. */
  acknowledged = 0;
  readonly #conn: ClientStream;
  readonly #qos: 1 | 2;
  readonly #window: number;
  readonly #batch: PublishBatch;
  readonly #states = new Uint8Array(PACKET_IDS);
  readonly #input: Uint8Array;
  readonly #output: Uint8Array;
  readonly #latencies: LatencyLog | undefined;
  /** When the message with each Packet Identifier was written. */
  readonly #writtenMs: Float64Array;
  #inputEnd = 0;
  #outputEnd = 0;

  constructor(
    conn: ClientStream,
    work: {
      topic: string;
      qos: 1 | 2;
      window: number;
      publisher: number;
      latencies?: LatencyLog;
    },
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
    this.#latencies = work.latencies;
    this.#writtenMs = new Float64Array(work.latencies === undefined ? 0 : PACKET_IDS);
    this.#input = new Uint8Array(2 * ACK_BYTES * work.window);
    this.#output = new Uint8Array(this.#input.length + ACK_BYTES + this.#batch.bytes.length);
  }

  /** Publishes until `endMs` of the shared clock, then completes every handshake. */
  async run(endMs: number): Promise<void> {
    for (;;) {
      if (epochNowMs() < endMs) this.#fillWindow(this.#window);
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

  /**
   * Publishes at most `ratePerS` at QoS 1 until `endMs`; what the window does not allow in time is
   * not made up for. Then waits for every acknowledgement.
   */
  async runPaced(endMs: number, ratePerS: number): Promise<void> {
    const broken = this.#readAcks();
    let lastMs = epochNowMs();
    let due = 0;
    for (;;) {
      const nowMs = epochNowMs();
      if (nowMs < endMs) {
        due = Math.min(this.#window, due + (nowMs - lastMs) / 1000 * ratePerS);
        lastMs = nowMs;
        due -= this.#fillWindow(Math.floor(due));
        const bytes = this.#output.subarray(0, this.#outputEnd);
        this.#outputEnd = 0;
        if (bytes.length > 0) await writeAll(this.#conn, bytes);
      } else if (this.acknowledged === this.sent) return;
      await Promise.race([sleep(PACE_TICK_MS), broken]);
    }
  }

  /** Rejects when the connection ends. */
  async #readAcks(): Promise<never> {
    for (;;) {
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

  /** Appends as many messages as the window allows, at most so many; gives the number. */
  #fillWindow(most: number): number {
    const count = Math.min(most, this.#window - (this.sent - this.acknowledged));
    if (count === 0) return 0;
    const nowMs = this.#latencies === undefined ? 0 : epochNowMs();
    const firstId = 1 + this.sent % (PACKET_IDS - 1);
    this.#batch.number(this.sent, count);
    this.#batch.identify(firstId, count);
    for (let index = 0; index < count; index++) {
      const id = 1 + (this.sent + index) % (PACKET_IDS - 1);
      if (this.#states[id] !== FREE) throw new Error(`Cannot publish: id ${id} is in use`);
      this.#states[id] = PUBLISHED;
      if (this.#latencies !== undefined) this.#writtenMs[id] = nowMs;
    }
    const bytes = count * this.#batch.stride;
    this.#output.set(this.#batch.bytes.subarray(0, bytes), this.#outputEnd);
    this.#outputEnd += bytes;
    this.sent += count;
    return count;
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
      if (this.#latencies === undefined) return;
      const writtenMs = this.#writtenMs[id] ?? NaN;
      this.#latencies.note(epochNowMs(), { dueMs: writtenMs, writtenMs });
    } else {
      throw new Error(`Cannot accept ack: type ${type} for id ${id} in state ${state}`);
    }
  }
}
