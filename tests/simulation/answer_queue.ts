/** Acknowledgements of a client: they leave in order, after a while. */
import type { ControlPacket } from "../../src/mqtt/mod.ts";
import type { Dice } from "./dice.ts";
import type { Scheduler } from "./scheduler.ts";

/** How many answers leave together at most. */
const TOGETHER_MAX = 8;

/** What the queue needs of its client. */
export interface AnswerSender {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  /** How long an answer takes, on the average. */
  delayMs(): number;
  /** Whether the client answers at present. */
  maySend(): boolean;
  send(packet: ControlPacket): void;
}

/** Keeps answers until they leave. */
export class AnswerQueue {
  readonly #sender: AnswerSender;
  #answers: ControlPacket[] = [];
  #leaving = false;

  constructor(sender: AnswerSender) {
    this.#sender = sender;
  }

  get isEmpty(): boolean {
    return this.#answers.length === 0;
  }

  add(packet: ControlPacket): void {
    this.#answers.push(packet);
    if (!this.#leaving) this.#leaveLater();
  }

  /** The connection has ended. */
  clear(): void {
    this.#answers = [];
  }

  #leaveLater(): void {
    const { scheduler, dice } = this.#sender;
    this.#leaving = true;
    scheduler.after(dice.duration(this.#sender.delayMs()), () => {
      this.#leaving = false;
      if (!this.#sender.maySend()) return;
      const count = dice.integer(1, TOGETHER_MAX);
      for (const packet of this.#answers.splice(0, count)) this.#sender.send(packet);
      if (this.#answers.length > 0) this.#leaveLater();
    });
  }
}
