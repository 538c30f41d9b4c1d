/** Messages of one session: those that wait for the window or for the client, in order. */
import type { Qos } from "../mqtt/mod.ts";
import type { Message } from "./message.ts";
import { QOS_SENDER } from "./qos_sender_states.ts";

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

/** First in, first out, with its size in messages and bytes. */
export class DeliveryQueue {
  #items: (Delivery | undefined)[] = [];
  #head = 0;
  bytes = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(delivery: Delivery): void {
    this.#items.push(delivery);
    this.bytes += delivery.cost;
  }

  /** The oldest, or undefined where there is none. */
  peek(): Delivery | undefined {
    return this.#items[this.#head];
  }

  /** Removes and gives the oldest. */
  shift(): Delivery | undefined {
    const delivery = this.#items[this.#head];
    if (delivery === undefined) return undefined;
    this.#items[this.#head++] = undefined;
    this.bytes -= delivery.cost;
    // Amortised: each item is moved at most once for each time it is shifted past.
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return delivery;
  }

  /** Gives the oldest `count` messages memory of their own. */
  detach(count: number): void {
    const end = Math.min(this.#head + count, this.#items.length);
    for (let i = this.#head; i < end; i++) this.#items[i]!.message.detach();
  }
}
