/** The retained messages that answer a new subscription, as one item of a session's queue. */
import type { Qos, TopicFilter } from "../mqtt/mod.ts";
import type { Message } from "./message.ts";
import type { RetainedMessages } from "./retained.ts";

/**
 * Stands in the queue where the SUBSCRIBE came, so that later messages do not overtake older
 * retained ones. [MQTT-4.6.0-6] It holds references, not deliveries, and those only once it is its
 * turn or as long as few wait: a client that subscribes again and again must not pile them up.
 */
export class Replay {
  readonly filter: TopicFilter;
  /** The QoS granted to the subscription. */
  granted: Qos;
  #messages: readonly Message[] | null = null;
  #next = 0;

  constructor(filter: TopicFilter, granted: Qos) {
    this.filter = filter;
    this.granted = granted;
  }

  /** Whether it knows its messages; if not, those of a later moment will be sent. */
  get collected(): boolean {
    return this.#messages !== null;
  }

  /** Remembers the messages that are retained now. [MQTT-3.3.1-6] */
  collect(retained: RetainedMessages): void {
    if (this.#messages !== null) return;
    const messages: Message[] = [];
    retained.match(this.filter, (message) => messages.push(message));
    this.#messages = messages;
  }

  /** The next message to send; undefined when all are sent. */
  peek(): Message | undefined {
    return this.#messages?.[this.#next];
  }

  /** Goes on to the message behind. */
  advance(): void {
    this.#next++;
  }
}
