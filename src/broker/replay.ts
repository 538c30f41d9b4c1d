/** The retained messages that answer a new subscription, as one item of a session's queue. */
import type { Qos, TopicFilter } from "../mqtt/mod.ts";
import type { Message } from "./message.ts";
import type { RetainedMessages } from "./retained.ts";

/**
 * Stands in the queue where the SUBSCRIBE came, so that later messages do not overtake older
 * retained ones. [MQTT-4.6.0-6] It walks the retained messages only as they are sent, so that it
 * costs next to nothing while it waits; what was retained after the SUBSCRIBE is left out, because
 * the subscription itself delivers it.
 */
export class Replay {
  readonly filter: TopicFilter;
  /** The QoS granted to the subscription. */
  readonly granted: Qos;
  readonly #walk: Iterator<Message, void>;
  #current: Message | null = null;
  /** Whether messages of it have been asked for. */
  begun = false;
  /** Whether it is not to be sent: its subscription was replaced or removed. */
  cancelled = false;

  constructor(filter: TopicFilter, granted: Qos, retained: RetainedMessages) {
    this.filter = filter;
    this.granted = granted;
    this.#walk = retained.matching(filter);
  }

  /** The next message to send; null when all are sent. */
  peek(): Message | null {
    if (this.#current !== null) return this.#current;
    this.begun = true;
    this.#current = this.#walk.next().value ?? null;
    return this.#current;
  }

  /** Goes on to the message behind. */
  advance(): void {
    this.#current = null;
  }
}
