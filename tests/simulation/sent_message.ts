/** What the oracle knows of the messages that clients have sent. */
import type { Qos } from "../../src/mqtt/mod.ts";
import type { ObservedSession } from "./observed_session.ts";

/** What is known of a verdict that was due at an unknown moment of a span of time. */
export interface Verdict {
  /** Whether it may have been "allowed". */
  maybe: boolean;
  /** Whether it cannot have been anything else. */
  surely: boolean;
}

/** An Application Message that a client has sent, or a Will that may be published. */
export class SentMessage {
  /** Names the message; it stands at the head of the payload. Empty payloads have no key. */
  readonly key: string;
  readonly publisher: string;
  readonly topic: string;
  readonly qos: Qos;
  readonly retain: boolean;
  readonly payload: string;
  readonly isWill: boolean;
  /** Steps of the oracle at which it was sent, for the first time and again. */
  readonly sentAt: number[] = [];
  /** The step at which the broker had taken it over for sure; Infinity before. */
  acknowledgedAt = Infinity;
  acknowledgedMs = Infinity;
  /** From this step on it is not processed any more: acknowledged, or given up by its client. */
  overAt = Infinity;
  allowed: Verdict = { maybe: false, surely: true };
  /**
   * Sessions that were subscribed for sure at every moment at which it may have been processed, with
   * the lowest QoS this can have meant.
   */
  readonly subscribers = new Map<ObservedSession, Qos>();

  constructor(
    fields: {
      key: string;
      publisher: string;
      topic: string;
      qos: Qos;
      retain: boolean;
      payload: string;
      isWill?: boolean;
    },
  ) {
    this.key = fields.key;
    this.publisher = fields.publisher;
    this.topic = fields.topic;
    this.qos = fields.qos;
    this.retain = fields.retain;
    this.payload = fields.payload;
    this.isWill = fields.isWill ?? false;
  }

  /** For messages to people. */
  toString(): string {
    const kind = this.isWill ? "Will" : "message";
    return `${kind} ${this.key || "(empty)"} on ${this.topic} at QoS ${this.qos}`;
  }
}

/** The key at the head of a payload. */
export function keyOf(payload: string): string {
  const end = payload.indexOf("|");
  return end < 0 ? payload : payload.slice(0, end);
}
