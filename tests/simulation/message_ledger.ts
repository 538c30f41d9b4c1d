/** All messages that clients have sent, and what has become certain about them. */
import type { Qos } from "../../src/mqtt/mod.ts";
import type { AccessRules } from "./access_rules.ts";
import type { ObservedSession } from "./observed_session.ts";
import type { SentMessage, Verdict } from "./sent_message.ts";

/** Keeps who must receive what while messages are under way. */
export class MessageLedger {
  readonly #all: SentMessage[] = [];
  readonly #byKey = new Map<string, SentMessage>();
  /** Messages that may be processed at any moment. */
  readonly #open = new Set<SentMessage>();
  /** Spans of time in which a verdict of the access rules is due. */
  readonly #verdicts = new Map<Verdict, string>();
  #rules: AccessRules;

  constructor(rules: AccessRules) {
    this.#rules = rules;
  }

  /** The access rules of the moment. */
  get rules(): AccessRules {
    return this.#rules;
  }

  /** Messages that may be processed at any moment. */
  get open(): Iterable<SentMessage> {
    return this.#open;
  }

  /** The message with this key. */
  get(key: string): SentMessage | undefined {
    return this.#byKey.get(key);
  }

  /** The message may be processed from now on; `sessions` are those that are there for sure. */
  opened(message: SentMessage, sessions: readonly ObservedSession[], step: number): void {
    message.sentAt.push(step);
    for (const session of sessions) session.mayQueue(message);
    if (message.sentAt.length > 1) return;
    this.#all.push(message);
    if (message.key !== "") this.#byKey.set(message.key, message);
    this.#open.add(message);
    this.verdictDue(message.allowed, message.publisher, message.topic);
    if (message.qos === 0) return;
    for (const session of sessions) {
      const granted = Math.min(session.surelyGranted(message.topic), message.qos);
      if (granted > 0) message.subscribers.set(session, granted as Qos);
    }
  }

  /** The broker has taken the message over: whoever was subscribed all the while must get it. */
  acknowledged(message: SentMessage, at: { step: number; nowMs: number }): void {
    if (message.acknowledgedAt < Infinity) return;
    message.acknowledgedAt = at.step;
    message.acknowledgedMs = at.nowMs;
    this.over(message, at.step);
    if (!message.allowed.surely || message.key === "") return;
    for (const session of message.subscribers.keys()) session.owe(message);
  }

  /** The message cannot be processed any more. */
  over(message: SentMessage, step: number): void {
    message.overAt = Math.min(message.overAt, step);
    this.#open.delete(message);
    this.#verdicts.delete(message.allowed);
  }

  /** A session may have subscribed: what is under way may be for it. */
  mayReach(session: ObservedSession): void {
    for (const message of this.#open) session.mayQueue(message);
  }

  /** What a session is subscribed to is less certain than before. */
  weakened(session: ObservedSession): void {
    for (const message of this.#open) {
      const sure = message.subscribers.get(session);
      if (sure === undefined) continue;
      const granted = Math.min(sure, session.surelyGranted(message.topic));
      if (granted > 0) message.subscribers.set(session, granted as Qos);
      else message.subscribers.delete(session);
    }
  }

  /** From now until `verdictOver` the rules may be asked whether the client may publish there. */
  verdictDue(verdict: Verdict, client: string, topic: string): void {
    this.#verdicts.set(verdict, `${client} ${topic}`);
    this.#ask(verdict, `${client} ${topic}`);
  }

  verdictOver(verdict: Verdict): void {
    this.#verdicts.delete(verdict);
  }

  /** Other access rules decide from now on. */
  reloaded(rules: AccessRules): void {
    this.#rules = rules;
    for (const [verdict, pair] of this.#verdicts) this.#ask(verdict, pair);
  }

  /** The broker may have forgotten what it acknowledged since then. */
  crashed(forgottenSinceMs: number): void {
    for (const message of this.#all) {
      if (message.acknowledgedMs >= forgottenSinceMs) message.acknowledgedAt = Infinity;
    }
  }

  #ask(verdict: Verdict, pair: string): void {
    const allowed = !this.#rules.deniedPublishes.has(pair);
    verdict.maybe ||= allowed;
    verdict.surely &&= allowed;
  }
}
