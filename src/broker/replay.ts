/** The retained messages that answer a new subscription, as one item of a session's queue. */
import type { Qos, TopicFilter, TopicName } from "../mqtt/mod.ts";
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
  readonly #retained: RetainedMessages;
  readonly #scope: WalkScope;
  readonly #walk: Iterator<Message | null, void>;
  #current: Message | null = null;
  /** Whether messages of it have been asked for. */
  begun = false;
  /** Whether the store knows that it is pending. */
  stored = false;
  /** Whether it is not to be sent: its subscription was replaced or removed. */
  cancelled = false;

  constructor(filter: TopicFilter, granted: Qos, retained: RetainedMessages) {
    this.filter = filter;
    this.granted = granted;
    this.#retained = retained;
    this.#scope = retained.scope();
    this.#walk = retained.matching(filter, this.#scope);
  }

  /** Messages that the client missed while it was away count, although they are younger. */
  include(missed: WeakSet<Message>): void {
    this.#scope.missed = missed;
  }

  /** The client is back: what would be sent next may have been replaced meanwhile. */
  refresh(): void {
    const known = this.#current;
    if (known === null) return;
    const message = this.#retained.get(known.topic as TopicName);
    if (message === known) return;
    const missed = message !== null && this.#scope.missed?.has(message) === true;
    this.#current = missed ? message : null; // what was not missed waits in the queue
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
