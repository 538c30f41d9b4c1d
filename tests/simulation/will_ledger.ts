/** Wills as they can be known: registered, possible, due, published. */
import { BrokenPromise } from "./broken_promise.ts";
import type { MessageLedger } from "./message_ledger.ts";
import type { ObservedSession } from "./observed_session.ts";
import type { SentMessage, Verdict } from "./sent_message.ts";

/** After this time a Will that is due has been published and is durable. */
const SETTLED_AFTER_MS = 1_500;

/** The Will of one connection. */
interface ObservedWill {
  readonly message: SentMessage;
  readonly client: string;
  /** Whether the rules allowed it at CONNECT. */
  readonly admitted: Verdict;
  /** Whether the broker has it for sure: its CONNECT was accepted. */
  accepted: boolean;
  acceptedMs: number;
  /** Whether the client has sent DISCONNECT. */
  discarded: boolean;
  /** Whether it may have been published. */
  possible: boolean;
  /** When the broker saw the end of the connection, or came back after a crash. */
  endedMs: number;
}

/** What the ledger works with. */
export interface WillContext {
  readonly messages: MessageLedger;
  /** The Will may become the retained message of its topic. */
  mayBeRetained(message: SentMessage): void;
  sessions(): readonly ObservedSession[];
  /** Steps of the oracle. */
  step(): number;
}

/** The Wills of all connections. */
export class WillLedger {
  readonly #context: WillContext;
  readonly #wills = new Map<SentMessage, ObservedWill>();

  constructor(context: WillContext) {
    this.#context = context;
  }

  /** CONNECT was sent. */
  registered(message: SentMessage, client: string): void {
    const admitted = { maybe: false, surely: true };
    this.#context.messages.verdictDue(admitted, client, message.topic);
    this.#wills.set(message, {
      message,
      client,
      admitted,
      accepted: false,
      acceptedMs: 0,
      discarded: false,
      possible: false,
      endedMs: Infinity,
    });
  }

  /** CONNACK came. */
  accepted(message: SentMessage, nowMs: number): void {
    const will = this.#wills.get(message);
    if (will === undefined) return;
    will.accepted = true;
    will.acceptedMs = nowMs;
    this.#context.messages.verdictOver(will.admitted);
  }

  /** DISCONNECT was sent. */
  discarded(message: SentMessage): void {
    this.#wills.get(message)!.discarded = true;
  }

  /** The broker may see the end of the connection, or what it takes for it, from now on. */
  possible(message: SentMessage): void {
    const will = this.#wills.get(message);
    if (will === undefined || will.possible) return;
    will.possible = true;
    const { messages, mayBeRetained, sessions, step } = this.#context;
    messages.opened(message, sessions(), step());
    if (message.retain) mayBeRetained(message);
  }

  /** The broker has seen the end of the connection. */
  due(message: SentMessage, nowMs: number): void {
    const will = this.#wills.get(message);
    if (will === undefined) return;
    this.possible(message);
    will.endedMs = Math.min(will.endedMs, nowMs);
  }

  /** What was not durable yet is published later: the broker has crashed, or its disk is full. */
  delayed(nowMs: number): void {
    for (const will of this.#wills.values()) {
      if (will.endedMs < Infinity) will.endedMs = nowMs;
    }
  }

  /** After a crash the broker does not ask for a verdict again: the one at CONNECT counts. */
  crashed(nowMs: number, forgottenSinceMs: number): void {
    this.delayed(nowMs);
    for (const will of this.#wills.values()) {
      const { message, possible, admitted, acceptedMs } = will;
      if (possible) message.allowed.maybe ||= admitted.maybe;
      if (acceptedMs >= forgottenSinceMs) will.accepted = false;
    }
  }

  /** Time passed: Wills that have been due for a while are published for sure. */
  elapsed(nowMs: number): void {
    for (const [message, will] of this.#wills) {
      const isDue = will.accepted && !will.discarded;
      if (!isDue || nowMs - will.endedMs < SETTLED_AFTER_MS) continue;
      this.#wills.delete(message);
      const { messages, step } = this.#context;
      message.allowed.surely &&= will.admitted.surely;
      messages.acknowledged(message, { step: step(), nowMs });
    }
  }

  /** "Will before its time", "Will after DISCONNECT" */
  checkReceived(message: SentMessage): void {
    const will = this.#wills.get(message);
    if (will === undefined || will.possible) return;
    throw new BrokenPromise(
      will.discarded ? "Will after DISCONNECT" : "Will before its time",
      `${message}`,
    );
  }
}
