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
  /** RETAIN: for the answer to a new subscription [MQTT-3.3.1-8], and for a live certificate. */
  readonly retain: boolean;
  /** Number in the store, 0 for a delivery that is not durable. */
  sequence = 0;
  packetId = 0;
  /** When it began to wait, on the age clock; 0 if it did not. */
  queuedS = 0;
  /** The ticket of the client that may read it; 0 where that has not been asked. */
  readableBy = 0;
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

/**
 * First in, first out. Its size is that of the deliveries: replays cost next to nothing, and there
 * is at most one for each subscription besides the one that has begun.
 */
export class DeliveryQueue {
  #items: (Delivery | Replay | null)[] = [];
  #head = 0;
  /** Replays that have not begun, by their filter. */
  #replays: Map<TopicFilter, Replay> | null = null;
  /** What the client missed since replays wait; held weakly, for only what is retained counts. */
  #missed: WeakSet<Message> | null = null;
  #cancelled = 0;
  /** Number of deliveries. */
  length = 0;
  /** What the deliveries cost, in bytes. */
  bytes = 0;

  /** Places in memory, those of items that are gone included: what the queue itself costs. */
  get slots(): number {
    return this.#items.length;
  }

  /** Whether anything waits: a delivery or a replay. */
  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  push(delivery: Delivery): void {
    this.#items.push(delivery);
    this.length++;
    this.bytes += delivery.cost;
  }

  /**
   * Puts a replay at the end, in the place of one for the same filter that has not begun. What the
   * store knows of the older one is what has to be undone when the last one is over.
   */
  pushReplay(replay: Replay): void {
    const replays = this.#replays ??= new Map();
    const known = replays.get(replay.filter);
    if (known !== undefined) replay.stored = known.stored;
    if (known !== undefined && !known.begun) this.#cancel(known);
    replays.set(replay.filter, replay);
    replay.include(this.#missed ??= new WeakSet());
    this.#items.push(replay);
  }

  /** Takes the replay of a filter out. */
  cancelReplay(filter: TopicFilter): void {
    const replay = this.#replays?.get(filter);
    if (replay === undefined) return;
    this.#forget(replay);
    this.#cancel(replay);
  }

  /** The oldest, or undefined where there is none. */
  peek(): Delivery | Replay | undefined {
    return this.#items[this.#head] ?? undefined;
  }

  /** Removes and gives the oldest. */
  shift(): Delivery | Replay | undefined {
    const item = this.peek();
    if (item === undefined) return undefined;
    this.#items[this.#head++] = null;
    if (item instanceof Delivery) {
      this.length--;
      this.bytes -= item.cost;
    } else {
      this.#forget(item);
      if (item.cancelled) this.#cancelled--;
    }
    this.#skipCancelled();
    this.#compact();
    return item;
  }

  /** The oldest delivery, past replays that stand in front of it. */
  oldest(): Delivery | undefined {
    const item = this.#items[this.#oldestAt()];
    return item instanceof Delivery ? item : undefined;
  }

  /** Whether a replay of this filter waits. */
  hasReplay(filter: TopicFilter): boolean {
    return this.#replays?.has(filter) === true;
  }

  /** Removes and gives the oldest delivery, past replays that stand in front of it. */
  shiftDelivery(): Delivery | undefined {
    const at = this.#oldestAt();
    const delivery = this.#items[at];
    if (!(delivery instanceof Delivery)) return undefined;
    this.#items.copyWithin(this.#head + 1, this.#head, at);
    this.#items[this.#head++] = null;
    this.length--;
    this.bytes -= delivery.cost;
    this.#skipCancelled();
    this.#compact();
    return delivery;
  }

  /** The client is away and does not get this message: the replays that wait send it if retained. */
  miss(message: Message): void {
    if (this.#replays !== null) this.#missed?.add(message);
  }

  /** Gives the oldest `count` messages memory of their own. */
  detach(count: number): void {
    const end = Math.min(this.#head + count, this.#items.length);
    for (let i = this.#head; i < end; i++) {
      const item = this.#items[i];
      if (item instanceof Delivery) item.message.detach();
    }
  }

  /** Amortised: each item is moved at most once for each time it is shifted past. */
  #compact(): void {
    if (this.#head <= 1024 || this.#head * 2 <= this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  #oldestAt(): number {
    let at = this.#head;
    while (at < this.#items.length && !(this.#items[at] instanceof Delivery)) at++;
    return at;
  }

  #forget(replay: Replay): void {
    if (this.#replays?.get(replay.filter) !== replay) return;
    this.#replays.delete(replay.filter);
    if (this.#replays.size === 0) this.#replays = null;
  }

  /** Marks a replay; it is dropped when its turn comes, or when most items are such. */
  #cancel(replay: Replay): void {
    replay.cancelled = true;
    this.#cancelled++;
    if (this.#cancelled > 64 && this.#cancelled * 2 > this.#items.length - this.#head) {
      this.#items = this.#items.slice(this.#head).filter((item) => !isCancelled(item));
      this.#head = 0;
      this.#cancelled = 0;
    } else this.#skipCancelled();
  }

  /** Moves the head to something that counts, or to the end of an empty list. */
  #skipCancelled(): void {
    while (this.#head < this.#items.length && isCancelled(this.#items[this.#head])) {
      this.#items[this.#head++] = null;
      this.#cancelled--;
    }
    if (this.#head < this.#items.length) return;
    this.#items = [];
    this.#head = 0;
  }
}

function isCancelled(item: Delivery | Replay | null | undefined): boolean {
  return item instanceof Replay && item.cancelled;
}
