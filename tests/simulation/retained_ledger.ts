/** Which retained messages a topic may have: those that no acknowledged one has replaced. */
import { BrokenPromise } from "./broken_promise.ts";
import type { SentMessage } from "./sent_message.ts";

/** The retained messages of all topics, as far as they can be known. */
export class RetainedLedger {
  readonly #mayGiveUp: boolean;
  /** By topic: everything that may be retained there, and what has replaced others for sure. */
  readonly #messages = new Map<string, SentMessage[]>();

  /** `mayGiveUp`: the limits do not leave room for all. */
  constructor({ mayGiveUp }: { mayGiveUp: boolean }) {
    this.#mayGiveUp = mayGiveUp;
  }

  /** A message with RETAIN was sent, or a Will with RETAIN may be published. */
  sent(message: SentMessage): void {
    const known = this.#messages.get(message.topic);
    if (known === undefined) this.#messages.set(message.topic, [message]);
    else if (!known.includes(message)) known.push(message);
  }

  /** By topic: the message that is retained for sure, where that can be known. */
  *sure(): Generator<SentMessage> {
    if (this.#mayGiveUp) return;
    for (const messages of this.#messages.values()) {
      const possible = messages.filter((message) =>
        message.allowed.maybe && this.#successor(message, Infinity) === null
      );
      const [only] = possible;
      if (possible.length === 1 && isSure(only!) && only!.key !== "") yield only!;
    }
  }

  /** "superseded retained message": replaced for sure before the client asked for it. */
  checkReplay(message: SentMessage, subscribedAt: number, receiver: string): void {
    const successor = this.#successor(message, subscribedAt);
    if (successor === null) return;
    throw new BrokenPromise(
      "superseded retained message",
      `${message} at ${receiver}, replaced by ${successor}`,
    );
  }

  /** "retained message lost": what a new subscription gets on each topic when nothing happens. */
  checkAll(found: ReadonlyMap<string, string>): void {
    for (const [topic, messages] of this.#messages) {
      const key = found.get(topic) ?? null;
      const isPossible = messages.some((message) =>
        (message.key === "" ? null : message.key) === key && message.allowed.maybe &&
        this.#successor(message, Infinity) === null
      ) || (key === null && !messages.some((message) =>
        isSure(message)
      ));
      if (isPossible || (key === null && this.#mayGiveUp)) continue;
      const possible = messages.filter((m) => m.allowed.maybe && !this.#successor(m, Infinity));
      throw new BrokenPromise(
        "retained message lost",
        `${topic} has ${key}, and not one of: ${possible.join(", ")}`,
      );
    }
  }

  /** An acknowledged message that replaced this one for sure, before the step `until`. */
  #successor(message: SentMessage, until: number): SentMessage | null {
    for (const other of this.#messages.get(message.topic) ?? []) {
      if (!isSure(other) || other === message) continue;
      if (other.sentAt[0]! > message.overAt && other.acknowledgedAt < until) return other;
    }
    return null;
  }
}

function isSure(message: SentMessage): boolean {
  return message.acknowledgedAt < Infinity && message.allowed.surely;
}
