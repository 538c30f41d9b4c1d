/** One connection that receives what one publisher sends, counts and acknowledges it. */
import { Frame, FrameStatus, PROTOCOL_LIMITS, PublishView } from "../mqtt/mod.ts";
import { ClientError } from "./client_error.ts";
import { type ClientStream, closeQuietly, writeAll } from "./client_stream.ts";
import type { Latencies } from "./latencies.ts";
import { dueMsAt, LOAD_PAYLOAD_BYTES_MIN, sequenceAt } from "./load_batch.ts";

const BUFFER_BYTES = 262_144;
const NO_BYTES = new Uint8Array(0);

/** Receives on a connection that has subscribed already. */
export class LoadSubscriber {
  /** Messages so far, those that came twice included. */
  received = 0;
  /** Messages that were left out: a later one has come. */
  missing = 0;
  /** Messages that came twice or behind a later one. */
  disorder = 0;
  /** Why it does not go on; null while it does. */
  failure: unknown = null;
  readonly #stream: ClientStream;
  readonly #latencies: Latencies;
  readonly #frame = new Frame();
  readonly #publish = new PublishView();
  readonly #buffer: Uint8Array;
  readonly #view: DataView;
  readonly #acks: Uint8Array;
  /** Latencies count from here on. */
  #fromMs = Infinity;
  #toMs = Infinity;
  #end = 0;
  #ackBytes = 0;
  #next = 0;
  #isOver = false;

  constructor(
    stream: ClientStream,
    { latencies, packetBytesMax }: { latencies: Latencies; packetBytesMax: number },
  ) {
    this.#stream = stream;
    this.#latencies = latencies;
    this.#buffer = new Uint8Array(Math.max(BUFFER_BYTES, 2 * packetBytesMax));
    this.#view = new DataView(this.#buffer.buffer);
    this.#acks = new Uint8Array(this.#buffer.length);
    this.#read();
  }

  /** Notes the latencies of messages that are due from `fromMs` until `toMs`. */
  open(fromMs: number, toMs: number): void {
    this.#fromMs = fromMs;
    this.#toMs = toMs;
  }

  /** Ends the connection. */
  close(): void {
    this.#isOver = true;
    closeQuietly(this.#stream);
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const count = await this.#stream.read(this.#buffer.subarray(this.#end));
        if (count === null) throw new ClientError("network", "closed by the server");
        const acks = this.#accept(this.#end + count);
        if (acks.length > 0) await writeAll(this.#stream, acks);
      }
    } catch (error) {
      if (!this.#isOver) this.failure = error;
    }
  }

  /** Takes packets from `[0, limit)` of the buffer; gives what to answer, good until the next call. */
  #accept(limit: number): Uint8Array {
    const frame = this.#frame;
    const range = { limit, packetBytesMax: PROTOCOL_LIMITS.packetBytesMax };
    const nowMs = performance.now();
    this.#ackBytes = 0;
    let at = 0;
    let status = frame.read(this.#buffer, at, range);
    while (status === FrameStatus.complete) {
      if (frame.first >> 4 === 3) this.#acceptPublish(nowMs);
      else if (frame.first === 0x62) this.#acknowledge(0x70, this.#idAt(frame.bodyStart));
      else throw new ClientError("protocol", `the server sent a packet that begins ${frame.first}`);
      at = frame.end;
      status = frame.read(this.#buffer, at, range);
    }
    if (status === FrameStatus.error) throw new ClientError("protocol", frame.error.reason);
    this.#buffer.copyWithin(0, at, limit);
    this.#end = limit - at;
    return this.#ackBytes === 0 ? NO_BYTES : this.#acks.subarray(0, this.#ackBytes);
  }

  #acceptPublish(nowMs: number): void {
    const publish = this.#publish;
    const fault = publish.read(this.#buffer, this.#frame.first, this.#frame);
    if (fault !== null) throw new ClientError("protocol", fault.reason);
    const { payloadStart, end, qos, packetId } = publish;
    if (end - payloadStart < LOAD_PAYLOAD_BYTES_MIN) {
      throw new ClientError("protocol", "the server sent a message that nobody here has published");
    }
    const sequence = sequenceAt(this.#view, payloadStart);
    this.received++;
    if (sequence < this.#next) this.disorder++;
    else {
      this.missing += sequence - this.#next;
      this.#next = sequence + 1;
    }
    const dueMs = dueMsAt(this.#view, payloadStart);
    if (dueMs >= this.#fromMs && dueMs < this.#toMs) this.#latencies.note(nowMs - dueMs);
    if (qos > 0) this.#acknowledge(qos === 1 ? 0x40 : 0x50, packetId);
  }

  #idAt(at: number): number {
    return (this.#buffer[at]! << 8) | this.#buffer[at + 1]!;
  }

  #acknowledge(first: number, packetId: number): void {
    const at = this.#ackBytes;
    this.#acks[at] = first;
    this.#acks[at + 1] = 2;
    this.#acks[at + 2] = packetId >> 8;
    this.#acks[at + 3] = packetId & 0xff;
    this.#ackBytes = at + 4;
  }
}
