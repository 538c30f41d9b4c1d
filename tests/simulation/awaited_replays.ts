/** Retained messages that the answer to a SUBSCRIBE has to bring. */
import { BrokenPromise } from "./broken_promise.ts";
import type { SentMessage } from "./sent_message.ts";

/** What one session waits for, by topic. */
export class AwaitedReplays {
  readonly #awaited = new Map<string, SentMessage>();
  /** The steps at which retained messages came, by key. */
  readonly #came = new Map<string, number>();

  /** Number of messages that have still to come. */
  get count(): number {
    return this.#awaited.size;
  }

  /** A SUBSCRIBE that was sent at this step has been answered, and this is retained for sure. */
  add(message: SentMessage, subscribedAt: number): void {
    const cameAt = this.#came.get(message.key) ?? -1;
    if (cameAt < subscribedAt) this.#awaited.set(message.topic, message);
  }

  /** It came with RETAIN. */
  received(message: SentMessage, step: number): void {
    this.#came.set(message.key, step);
    if (this.#awaited.get(message.topic) === message) this.#awaited.delete(message.topic);
  }

  /** Something else may be retained on the topic, or the subscription may be gone. */
  forget(topic: string): void {
    this.#awaited.delete(topic);
  }

  /** The subscription may be gone. */
  forgetMatching(isMatch: (topic: string) => boolean): void {
    for (const topic of this.#awaited.keys()) if (isMatch(topic)) this.#awaited.delete(topic);
  }

  clear(): void {
    this.#awaited.clear();
  }

  /** "retained message not sent to a new subscription" */
  checkAllCame(receiver: string): void {
    for (const message of this.#awaited.values()) {
      throw new BrokenPromise(
        "retained message not sent to a new subscription",
        `${message} for ${receiver}`,
      );
    }
  }
}
