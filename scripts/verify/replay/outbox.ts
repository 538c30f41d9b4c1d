/** The steps of `models/outbox.pml` on drivers of connections and the core. */
import { encodePacket, type TopicFilter } from "../../../src/mqtt/mod.ts";
import type { Connection } from "../../../src/broker/mod.ts";
import { BenchStream } from "./bench_stream.ts";
import { DriverBench } from "./driver_bench.ts";
import { connectOf, publishOf } from "./packets.ts";
import { type Observation, type Rig, settle } from "./rig.ts";
import { packetsIn } from "./turn_bench.ts";
import { VirtualTimers } from "./virtual_timers.ts";

/** Every message, and the answers to one question, are so long. */
const UNIT_BYTES = 100;
const PUBACK_BYTES = 4;
const GRACE_MS = 1_000;
const STALLED_MS = 10_000;
/** `LINGER_MS` of the driver. */
const LINGER_MS = 1_000;

/** A publisher, a subscriber, and what is on its way between them. */
export class OutboxRig implements Rig {
  readonly #limits: { readonly high: number; readonly low: number; readonly most: number };
  #timers = new VirtualTimers();
  #bench!: DriverBench;
  #input!: BenchStream;
  #output!: BenchStream;
  #publisher!: Connection;
  #subscriber!: Connection;
  #messages = 0;
  #accepted: number[] = [];

  constructor(limits: { high: number; low: number; most: number }) {
    this.#limits = limits;
  }

  reset(): Promise<void> {
    this.#timers = new VirtualTimers();
    return this.#timers.during(() => this.#begin());
  }

  step(words: readonly string[]): Promise<void> {
    return this.#timers.during(() => this.#carryOut(words));
  }

  observe(): Observation {
    const { outbox, writingBytes, closed, congestedSinceMs, slow, holdsItself } = this.#subscriber;
    const stream = this.#output;
    const { ended } = stream;
    const isOpen = !closed;
    const observation: Record<string, number> = {
      outbox: units(outbox.length),
      writing: ended ? 0 : units(writingBytes),
      closed: Number(closed),
      held: this.#publisher.closed ? 0 : this.#publisher.holds,
      finished: Number(stream.finished),
      ended: Number(ended),
      blocked: Number(!ended && !stream.isRead),
      linger: this.#timers.timers(LINGER_MS).length -
        Number(this.#publisher.closed && !this.#input.ended),
      present: Number(!this.#publisher.closed),
    };
    if (!isOpen) return observation;
    return {
      ...observation,
      congested: Number(congestedSinceMs !== 0),
      slow: Number(slow),
      own: Number(holdsItself),
    };
  }

  close(): void {}

  async #begin(): Promise<void> {
    const { high, low, most } = this.#limits;
    this.#bench = new DriverBench({
      outboxHighWaterBytes: high * UNIT_BYTES,
      outboxLowWaterBytes: low * UNIT_BYTES,
      outboxBytesMax: most * UNIT_BYTES,
      slowConsumerGraceMs: GRACE_MS,
      stalledWriteTimeoutMs: STALLED_MS,
    });
    this.#messages = 0;
    this.#accepted = [];
    this.#input = new BenchStream();
    this.#output = new BenchStream();
    this.#publisher = this.#bench.open(this.#input).connection;
    this.#subscriber = this.#bench.open(this.#output).connection;
    const subscriptions = [{ filter: "t" as TopicFilter, qos: 0 as const }];
    await this.#exchange(this.#input, encodePacket(connectOf("p")));
    await this.#exchange(this.#output, encodePacket(connectOf("s")));
    const subscribe = { type: "SUBSCRIBE", packetId: 1, subscriptions } as const;
    await this.#exchange(this.#output, encodePacket(subscribe));
    this.#output.taken.length = 0;
  }

  async #carryOut([act, argument]: readonly string[]): Promise<void> {
    switch (act) {
      case "publish":
      case "drop":
        await this.#publish(act === "drop");
        break;
      case "lose_publisher":
        this.#bench.broker.close(this.#publisher, "peerClosed", this.#bench.instant());
        this.#bench.requestTurn();
        break;
      case "ask":
        this.#output.send(questions());
        break;
      case "goodbye":
        this.#output.send(encodePacket({ type: "DISCONNECT" }));
        break;
      case "hang_up":
        this.#output.hangUp();
        break;
      case "take":
        this.#output.take(Number(argument) * UNIT_BYTES);
        break;
      case "reset":
        this.#output.reset();
        break;
      case "close":
        this.#bench.broker.close(this.#subscriber, "takenOver", this.#bench.instant());
        this.#bench.requestTurn();
        break;
      case "grace":
        this.#bench.tick(GRACE_MS + 1);
        break;
      case "stall":
        this.#bench.tick(STALLED_MS + 1);
        break;
      case "linger":
        this.#timers.ring(this.#timers.timers(LINGER_MS).at(0));
        break;
      default:
        throw new Error(`Cannot carry out step: ${act}`);
    }
    await settle();
    this.#checkOrder();
  }

  async #publish(isDropped: boolean): Promise<void> {
    const { statistics } = this.#bench.broker;
    const before = statistics.dropped["stalled-consumer"];
    const number = this.#messages++;
    this.#input.send(message(number));
    await settle();
    const dropped = statistics.dropped["stalled-consumer"] - before;
    if (dropped !== Number(isDropped)) throw new Error(`${dropped} messages were dropped`);
    if (!isDropped) this.#accepted.push(number);
  }

  /** What the peer has taken are the messages that were not dropped, in their order. */
  #checkOrder(): void {
    const { taken } = this.#output;
    const messages = packetsIn(Uint8Array.from(taken)).filter(({ type }) => type === "PUBLISH");
    const numbers = messages.map((packet) => packet.type === "PUBLISH" ? packet.payload[0]! : NaN);
    const expected = this.#accepted.slice(0, numbers.length).map((number) => number & 0xff);
    if (String(numbers) !== String(expected)) {
      throw new Error(`Taken were messages ${numbers}, not ${expected}`);
    }
  }

  async #exchange(stream: BenchStream, bytes: Uint8Array): Promise<void> {
    stream.send(bytes);
    await settle();
    const { writingBytes } = stream === this.#input ? this.#publisher : this.#subscriber;
    stream.take(writingBytes);
    await settle();
  }
}

function units(bytes: number): number {
  return bytes / UNIT_BYTES;
}

/** A PUBLISH of one unit. */
function message(number: number): Uint8Array {
  const short = publishOf("t");
  const overhead = encodePacket(short).length - short.payload.length;
  const payload = new Uint8Array(UNIT_BYTES - overhead).fill(number & 0xff);
  return encodePacket({ ...short, payload });
}

/** Messages to nobody whose acknowledgements are of one unit together. */
function questions(): Uint8Array {
  const packet = encodePacket(publishOf("nobody", { qos: 1, packetId: 1 }));
  const bytes = new Uint8Array(packet.length * UNIT_BYTES / PUBACK_BYTES);
  for (let at = 0; at < bytes.length; at += packet.length) bytes.set(packet, at);
  return bytes;
}
