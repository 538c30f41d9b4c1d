/** What may wait for one session at most: whether a limit of its queue can have been reached. */
import type { SentMessage } from "./sent_message.ts";

/** What the broker counts for a message besides its Topic Name and payload, and some more. */
const OVERHEAD_BYTES = 160;

/** The limits of one queue; Infinity where nothing is ever given up. */
export interface QueueBounds {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

/** Messages that may be in the queue of a session, and those that may have been given up. */
export class PossibleBacklog {
  readonly #bounds: QueueBounds;
  #waiting: SentMessage[] = [];
  #bytes = 0;
  readonly #excused = new Set<SentMessage>();
  /** Since when there may be more than is known: what came may be there again after a crash. */
  #crashedAt = Infinity;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  /** The message may come into the queue, once more. */
  add(message: SentMessage): void {
    const { messagesMax, bytesMax } = this.#bounds;
    if (messagesMax === Infinity) return;
    this.#waiting.push(message);
    this.#bytes += costOf(message);
    const fits = this.#waiting.length <= messagesMax && this.#bytes <= bytesMax;
    if (fits && this.#crashedAt === Infinity) return;
    // Which one is given up is a matter of configuration.
    for (const waiting of this.#waiting) this.#excused.add(waiting);
  }

  /** The message came: whatever was taken over before it was sent is out of the queue. */
  received(message: SentMessage): void {
    const sentAt = message.sentAt[0]!;
    if (sentAt > this.#crashedAt) this.#crashedAt = Infinity;
    this.#waiting = this.#waiting.filter((other) => other.overAt >= sentAt && other !== message);
    this.#bytes = this.#waiting.reduce((sum, other) => sum + costOf(other), 0);
  }

  /** The broker has crashed. */
  crashed(step: number): void {
    this.#crashedAt = step;
  }

  /** Whether the message may have been given up at a limit. */
  excuses(message: SentMessage): boolean {
    return this.#excused.has(message);
  }
}

function costOf({ topic, payload }: SentMessage): number {
  return topic.length + payload.length + OVERHEAD_BYTES;
}
