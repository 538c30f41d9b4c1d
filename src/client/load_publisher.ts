/** One connection that publishes as fast as the server takes it, or at a rate. */
import { Frame, FrameStatus, PROTOCOL_LIMITS, type Qos, type TopicName } from "../mqtt/mod.ts";
import { ClientError } from "./client_error.ts";
import { type ClientStream, closeQuietly, writeAll } from "./client_stream.ts";
import { LoadBatch } from "./load_batch.ts";

/** What a publisher does. */
export interface PublisherWork {
  readonly topic: TopicName;
  readonly qos: Qos;
  readonly payloadBytes: number;
  /** Messages in a second; 0 for as many as the server takes. */
  readonly ratePerS: number;
  /** QoS 1 and 2: messages whose handshake is not complete, at most. */
  readonly window: number;
}

/** Bytes in one write at QoS 0, and writes that the server has not answered a ping behind. */
const BATCH_BYTES = 65_536;
const PINGS_MAX = 8;
const BATCH_MESSAGES_MAX = 256;
const PACKET_IDS = 65_535;
const PINGREQ = Uint8Array.of(0xc0, 0);
const DISCONNECT = Uint8Array.of(0xe0, 0);
/** How long the last acknowledgements may take. */
const SETTLE_MS = 10_000;

const FREE = 0;
const PUBLISHED = 1;
const RELEASED = 2;

/** Publishes on a connection that is introduced already. */
export class LoadPublisher {
  /** Messages written so far. */
  sent = 0;
  /** QoS 1 and 2: messages whose handshake is complete. */
  acknowledged = 0;
  readonly #stream: ClientStream;
  readonly #work: PublisherWork;
  readonly #batch: LoadBatch;
  readonly #batchMessages: number;
  readonly #states: Uint8Array;
  readonly #input = new Uint8Array(16_384);
  readonly #frame = new Frame();
  /** PUBRELs that are due. */
  #released: number[] = [];
  #pings = 0;
  #inputEnd = 0;
  #wake: (() => void) | null = null;
  #failure: unknown = null;
  #isOver = false;

  constructor(stream: ClientStream, work: PublisherWork) {
    this.#stream = stream;
    this.#work = work;
    const stride = new LoadBatch(work, 1).stride;
    const most = Math.max(1, Math.min(BATCH_MESSAGES_MAX, Math.floor(BATCH_BYTES / stride)));
    this.#batchMessages = work.qos === 0 ? most : Math.min(most, work.window);
    this.#batch = new LoadBatch(work, this.#batchMessages);
    this.#states = new Uint8Array(work.qos === 0 ? 0 : PACKET_IDS + 1);
    this.#read();
  }

  /** Publishes until `endMs`, then waits for what is on its way. Rejects if the connection ends. */
  async run(endMs: number): Promise<void> {
    const startMs = performance.now();
    for (let nowMs = startMs; nowMs < endMs; nowMs = performance.now()) {
      const count = this.#count(nowMs - startMs);
      if (count > 0) await this.#publish(count, { startMs, nowMs });
      else await this.#pause(this.#room === 0 ? endMs - nowMs : this.#waitMs(nowMs - startMs));
    }
    const limitMs = performance.now() + SETTLE_MS;
    while (this.#unsettled > 0 && performance.now() < limitMs) {
      await this.#pause(limitMs - performance.now());
    }
  }

  /** Ends the connection as the protocol wants it. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#failure ??= new ClientError("network", "ended by this side");
    this.#wake?.();
    await writeAll(this.#stream, DISCONNECT).catch(() => {});
    closeQuietly(this.#stream);
  }

  get #unsettled(): number {
    return this.#work.qos === 0 ? this.#pings : this.sent - this.acknowledged;
  }

  /** Messages that may go out now. */
  get #room(): number {
    if (this.#work.qos > 0) return this.#work.window - (this.sent - this.acknowledged);
    return this.#pings < PINGS_MAX ? this.#batchMessages : 0;
  }

  /** Messages that are due and may go out. */
  #count(elapsedMs: number): number {
    const { ratePerS } = this.#work;
    const due = ratePerS === 0 ? Infinity : Math.floor(elapsedMs / 1000 * ratePerS) + 1 - this.sent;
    return Math.max(0, Math.min(due, this.#room, this.#batchMessages));
  }

  #waitMs(elapsedMs: number): number {
    return Math.max(0, this.sent / this.#work.ratePerS * 1000 - elapsedMs);
  }

  async #publish(
    count: number,
    { startMs, nowMs }: { startMs: number; nowMs: number },
  ): Promise<void> {
    const { qos, ratePerS } = this.#work;
    for (let index = 0; index < count; index++) {
      const sequence = this.sent++;
      // A message that waits for the server is late from the moment it was due.
      const dueMs = ratePerS === 0 ? nowMs : startMs + sequence / ratePerS * 1000;
      this.#batch.stamp(index, { sequence, dueMs });
      if (qos > 0) this.#identify(index, sequence);
    }
    await writeAll(this.#stream, this.#batch.bytes.subarray(0, count * this.#batch.stride));
    if (qos > 0) return await this.#release();
    this.#pings++;
    await writeAll(this.#stream, PINGREQ);
  }

  #identify(index: number, sequence: number): void {
    const packetId = 1 + sequence % PACKET_IDS;
    // The window is smaller than the number of identifiers, but not every server keeps their order.
    if (this.#states[packetId] !== FREE) {
      throw new ClientError("protocol", `message ${packetId} was passed over by the server`);
    }
    this.#states[packetId] = PUBLISHED;
    this.#batch.identify(index, packetId);
  }

  async #release(): Promise<void> {
    const released = this.#released;
    if (released.length === 0) return;
    this.#released = [];
    const bytes = new Uint8Array(4 * released.length);
    released.forEach((id, i) => bytes.set([0x62, 2, id >> 8, id & 0xff], 4 * i));
    await writeAll(this.#stream, bytes);
  }

  /** Until something is acknowledged, at most so long. */
  async #pause(ms: number): Promise<void> {
    await this.#release();
    if (this.#failure !== null) throw this.#failure;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.#wake = null;
    await this.#release();
    if (this.#failure !== null) throw this.#failure;
  }

  async #read(): Promise<void> {
    try {
      for (;;) {
        const count = await this.#stream.read(this.#input.subarray(this.#inputEnd));
        if (count === null) throw new ClientError("network", "closed by the server");
        this.#accept(this.#inputEnd + count);
        this.#wake?.();
      }
    } catch (error) {
      if (!this.#isOver) this.#failure = error;
      this.#wake?.();
    }
  }

  #accept(limit: number): void {
    const frame = this.#frame;
    const range = { limit, packetBytesMax: PROTOCOL_LIMITS.packetBytesMax };
    let at = 0;
    while (frame.read(this.#input, at, range) === FrameStatus.complete) {
      if (frame.first >> 4 === 13) this.#pings--;
      else this.#acknowledge(frame.first, frame.bodyStart);
      at = frame.end;
    }
    this.#input.copyWithin(0, at, limit);
    this.#inputEnd = limit - at;
  }

  #acknowledge(first: number, at: number): void {
    const { qos } = this.#work;
    const packetId = (this.#input[at]! << 8) | this.#input[at + 1]!;
    const state = this.#states[packetId];
    if (first === 0x50 && qos === 2 && state === PUBLISHED) {
      this.#states[packetId] = RELEASED;
      this.#released.push(packetId);
    } else if (
      (first === 0x40 && qos === 1 && state === PUBLISHED) ||
      (first === 0x70 && qos === 2 && state === RELEASED)
    ) {
      this.#states[packetId] = FREE;
      this.acknowledged++;
    } else throw new ClientError("protocol", `the server sent ${first} for message ${packetId}`);
  }
}
