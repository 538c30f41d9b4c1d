/** The retained messages that answer a new subscription, as one item of a session's queue. */
import type { Qos, TopicFilter } from "../mqtt/mod.ts";
import type { Message } from "./message.ts";
import type { RetainedMessages, WalkScope } from "./retained.ts";

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
  readonly #scope: WalkScope;
  readonly #walk: Iterator<Message | null, void>;
  #current: Message | null = null;
  /** Whether messages of it have been asked for. */
  begun = false;
  /** Whether it is not to be sent: its subscription was replaced or removed. */
  cancelled = false;

  constructor(filter: TopicFilter, granted: Qos, retained: RetainedMessages) {
    this.filter = filter;
    this.granted = granted;
    this.#scope = retained.scope();
    this.#walk = retained.matching(filter, this.#scope);
  }

  /** The client is away and misses messages: what is retained meanwhile counts, too. */
  widen(): void {
    this.#scope.until = Infinity;
  }

  /** The next message; "later" when `steps.walkSteps` are used up, null when all are sent. */
  peek(steps: { walkSteps: number }): Message | "later" | null {
    this.begun = true;
    while (this.#current === null) {
      if (steps.walkSteps <= 0) return "later";
      steps.walkSteps--;
      const { value, done } = this.#walk.next();
      if (done === true) return null;
      this.#current = value;
    }
    return this.#current;
  }

  /** Goes on to the message behind. */
  advance(): void {
    this.#current = null;
  }
}
