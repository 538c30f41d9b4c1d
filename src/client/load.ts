/** A load of pairs: each publisher has a topic of its own, and one subscriber hears it. */
import process from "node:process";
import {
  asTopicFilter,
  asTopicName,
  encodePacket,
  type Qos,
  SUBACK_FAILURE,
  type TopicFilter,
  type TopicName,
} from "../mqtt/mod.ts";
import { ClientError, inTime } from "./client_error.ts";
import { type ClientStream, closeQuietly, writeAll } from "./client_stream.ts";
import { introduce, type Introduction } from "./introduction.ts";
import { Latencies, type LatencyFigures } from "./latencies.ts";
import { LoadPublisher } from "./load_publisher.ts";
import { LoadSubscriber } from "./load_subscriber.ts";
import { openStream, type StreamTarget } from "./open_stream.ts";
import { PacketReader } from "./packet_reader.ts";

/** What is to be done. */
export interface LoadPlan {
  readonly target: StreamTarget;
  readonly userName: string | null;
  readonly password: Uint8Array | null;
  readonly timeoutMs: number;
  readonly pairs: number;
  readonly qos: Qos;
  /** From `LOAD_PAYLOAD_BYTES_MIN` on. */
  readonly payloadBytes: number;
  /** Messages in a second of each publisher; 0 for as many as the server takes. */
  readonly ratePerS: number;
  /** Length of the measured time; some time in front of it does not count. */
  readonly seconds: number;
  readonly window: number;
  /** Called about once a second while it lasts. */
  progress?(state: { readonly secondsDone: number; readonly received: number }): void;
}

/** What came of it. */
export interface LoadFigures {
  readonly sent: number;
  /** QoS 1 and 2. */
  readonly acknowledged: number;
  readonly received: number;
  /** Messages that were sent and have not come; at QoS 1 and 2 none of them should be. */
  readonly lost: number;
  /** Messages that came twice or behind a later one. */
  readonly disorder: number;
  readonly deliveriesPerS: number;
  readonly latency: LatencyFigures;
  /** Of one core: from about 90 on it is this program that is measured. */
  readonly generatorCpuPercent: number;
}

/** In front of what counts. */
const WARM_UP_MS = 500;
/** Nothing has come for so long: nothing will. */
const SILENCE_MS = { qos0: 500, acknowledged: 3_000 } as const;

/** Connects, loads and disconnects. Rejects with a `ClientError` if a connection cannot go on. */
export class Load {
  readonly #plan: LoadPlan;
  readonly #latencies = new Latencies();
  readonly #publishers: LoadPublisher[] = [];
  readonly #subscribers: LoadSubscriber[] = [];
  #isOver = false;
  #wake: (() => void) | null = null;
  readonly #run = crypto.getRandomValues(new Uint8Array(4)).toHex();

  constructor(plan: LoadPlan) {
    this.#plan = plan;
  }

  /** Does it once. */
  async run(): Promise<LoadFigures> {
    try {
      for (let pair = 0; pair < this.#plan.pairs; pair++) await this.#connect(pair);
      return await this.#measure();
    } finally {
      await this.close();
    }
  }

  /** Ends all connections, and the measurement if it has not ended. */
  async close(): Promise<void> {
    this.#isOver = true;
    this.#wake?.();
    for (const subscriber of this.#subscribers) subscriber.close();
    await Promise.all(this.#publishers.map((publisher) => publisher.close()));
  }

  async #connect(pair: number): Promise<void> {
    const { qos, payloadBytes, ratePerS, window } = this.#plan;
    const topic = `relayq-bench/${this.#run}/${pair}`;
    const receiving = await this.#open(`relayq-rx-${this.#run}-${pair}`, topic);
    const packetBytesMax = payloadBytes + topic.length + 16;
    const latencies = this.#latencies;
    this.#subscribers.push(new LoadSubscriber(receiving, { latencies, packetBytesMax }));
    const sending = await this.#open(`relayq-tx-${this.#run}-${pair}`, null);
    const work = { topic: asTopicName(topic) as TopicName, qos, payloadBytes, ratePerS, window };
    this.#publishers.push(new LoadPublisher(sending, work));
  }

  async #open(clientIdentifier: string, topic: string | null): Promise<ClientStream> {
    const { target, userName, password, timeoutMs } = this.#plan;
    const stream = await openStream(target, timeoutMs);
    try {
      const reader = new PacketReader(stream);
      const introduction: Introduction = {
        clientIdentifier,
        cleanSession: true,
        keepAliveSeconds: 0,
        will: null,
        userName,
        password,
        timeoutMs,
      };
      await introduce(stream, { reader, ...introduction });
      if (topic !== null) await this.#subscribe(stream, { reader, topic });
      return stream;
    } catch (error) {
      closeQuietly(stream);
      throw error;
    }
  }

  async #subscribe(
    stream: ClientStream,
    { reader, topic }: { reader: PacketReader; topic: string },
  ): Promise<void> {
    const { qos, timeoutMs } = this.#plan;
    const subscriptions = [{ filter: asTopicFilter(topic) as TopicFilter, qos }];
    await writeAll(stream, encodePacket({ type: "SUBSCRIBE", packetId: 1, subscriptions }));
    const answer = await inTime(reader.next(), { timeoutMs, of: "SUBSCRIBE" });
    if (answer?.type !== "SUBACK") {
      throw new ClientError("refused", "closed by the server, or no SUBACK");
    }
    if (answer.returnCodes[0] === qos) return;
    const isRefused = answer.returnCodes[0] === SUBACK_FAILURE;
    const text = isRefused ? "refused" : "granted with a lower QoS";
    throw new ClientError("refused", `subscription to ${topic}: ${text}`);
  }

  async #measure(): Promise<LoadFigures> {
    const startMs = performance.now() + WARM_UP_MS;
    const endMs = startMs + 1000 * this.#plan.seconds;
    for (const subscriber of this.#subscribers) subscriber.open(startMs, endMs);
    const publishing = Promise.all(this.#publishers.map((publisher) => publisher.run(endMs)));
    const [window] = await Promise.all([this.#window(startMs, endMs), publishing]);
    await this.#settle();
    const sent = sum(this.#publishers.map((publisher) => publisher.sent));
    const received = sum(this.#subscribers.map((subscriber) => subscriber.received));
    const disorder = sum(this.#subscribers.map((subscriber) => subscriber.disorder));
    return {
      sent,
      acknowledged: sum(this.#publishers.map((publisher) => publisher.acknowledged)),
      received,
      lost: sum(
        this.#subscribers.map(({ received, disorder }, pair) =>
          Math.max(0, this.#publishers[pair]!.sent - (received - disorder))
        ),
      ),
      disorder,
      latency: this.#latencies.figures(),
      ...window,
    };
  }

  /** Counts between both ends; tells how it goes. */
  async #window(
    startMs: number,
    endMs: number,
  ): Promise<Pick<LoadFigures, "deliveriesPerS" | "generatorCpuPercent">> {
    await this.#sleep(startMs - performance.now());
    const opened = this.#mark();
    for (let nextMs = startMs + 1000; nextMs < endMs && !this.#isOver; nextMs += 1000) {
      await this.#sleep(nextMs - performance.now());
      if (this.#isOver) break;
      const secondsDone = Math.round((nextMs - startMs) / 1000);
      this.#plan.progress?.({ secondsDone, received: this.#mark().received });
    }
    await this.#sleep(endMs - performance.now());
    const shut = this.#mark();
    const ms = shut.atMs - opened.atMs;
    return {
      deliveriesPerS: (shut.received - opened.received) / ms * 1000,
      generatorCpuPercent: (shut.cpuUs - opened.cpuUs) / ms / 10,
    };
  }

  #mark(): { atMs: number; received: number; cpuUs: number } {
    for (const { failure } of this.#subscribers) if (failure !== null) throw failure;
    const { user, system } = process.cpuUsage();
    const received = sum(this.#subscribers.map((subscriber) => subscriber.received));
    return { atMs: performance.now(), received, cpuUs: user + system };
  }

  /** Until everything has come, or nothing comes any more. */
  async #settle(): Promise<void> {
    const silenceMs = this.#plan.qos === 0 ? SILENCE_MS.qos0 : SILENCE_MS.acknowledged;
    const sent = sum(this.#publishers.map((publisher) => publisher.sent));
    let last = { received: -1, atMs: 0 };
    for (;;) {
      const { received, atMs } = this.#mark();
      if (received >= sent) return;
      if (received !== last.received) last = { received, atMs };
      if (atMs - last.atMs > silenceMs) return;
      await this.#sleep(10);
    }
  }

  /** Only one at a time sleeps; not for long when it is over. */
  async #sleep(ms: number): Promise<void> {
    if (this.#isOver) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.max(0, ms));
    });
    clearTimeout(timer);
    this.#wake = null;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
