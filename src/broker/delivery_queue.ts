/** Messages of one session: those that wait for the window or for the client, in order. */
import type { Qos, TopicFilter } from "../mqtt/mod.ts";
import type { Message } from "./message.ts";
import { QOS_SENDER } from "./qos_sender_states.ts";
import { Replay } from "./replay.ts";

/** Memory that one waiting message costs besides its bytes, for the accounting of limits. */
const OVERHEAD_BYTES = 96;

/** One message on its way to one session. */
export class Delivery {
  readonly message: Message;
  /** QoS of this delivery: the lower of publication and subscription. [MQTT-3.8.4-6] */
  readonly qos: Qos;
  /** RETAIN of this delivery: set only for the answer to a new subscription. [MQTT-3.3.1-8] */
  readonly retain: boolean;
  /** Number in the store, 0 for a delivery that is not durable. */
  sequence = 0;
  packetId = 0;
  /** A state of the QoS sender table. */
  state: number = QOS_SENDER.states.idle;
  sentAtMs = 0;

  constructor(message: Message, qos: Qos, retain: boolean) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
  }

  /** What this delivery counts against the limits of queues, in bytes. */
  get cost(): number {
    return this.message.size + OVERHEAD_BYTES;
  }
}

/** First in, first out, with its size in items and bytes. */
export class DeliveryQueue {
  #items: (Delivery | Replay | undefined)[] = [];
  #head = 0;
  /** What the deliveries cost; replays share the memory of the retained messages. */
  bytes = 0;
  /** Replays that wait, by their filter. */
  replays: Map<TopicFilter, Replay> | null = null;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(delivery: Delivery): void {
    this.#items.push(delivery);
    this.bytes += delivery.cost;
  }

  /** Puts a replay at the end. One of the same filter that was not begun is enough for both. */
  pushReplay(filter: TopicFilter, granted: Qos): Replay {
    const replays = this.replays ??= new Map();
    const waiting = replays.get(filter);
    if (waiting !== undefined && !waiting.collected) {
      waiting.granted = granted;
      return waiting;
    }
    const replay = new Replay(filter, granted);
    replays.set(filter, replay);
    this.#items.push(replay);
    return replay;
  }

  /** The oldest, or undefined where there is none. */
  peek(): Delivery | Replay | undefined {
    return this.#items[this.#head];
  }

  /** Removes and gives the oldest. */
  shift(): Delivery | Replay | undefined {
    const item = this.#items[this.#head];
    if (item === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    if (item instanceof Delivery) this.bytes -= item.cost;
    else if (this.replays?.get(item.filter) === item) {
      this.replays.delete(item.filter);
      if (this.replays.size === 0) this.replays = null;
    }
    // Amortised: each item is moved at most once for each time it is shifted past.
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Gives the oldest `count` messages memory of their own. */
  detach(count: number): void {
    const end = Math.min(this.#head + count, this.#items.length);
    for (let i = this.#head; i < end; i++) {
      const item = this.#items[i];
      if (item instanceof Delivery) item.message.detach();
    }
  }
}
