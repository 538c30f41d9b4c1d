/** What the broker core holds at most. Every limit has a counter or a gauge in `Statistics`. */
import type { DecoderLimits } from "../mqtt/mod.ts";

/** The deepest topic the core routes: trees are walked by recursion. */
export const TOPIC_LEVELS_CEILING = 1_000;

/** What is given up where something is full: what would have been added, or what is there longest. */
export type FullPolicy = "drop_newest" | "drop_oldest";

/** The limits of the broker core; the names are the keys of the configuration. */
export interface BrokerLimits extends DecoderLimits {
  readonly connectTimeoutMs: number;
  readonly zeroLengthClientIdentifiers: boolean;
  readonly connectionsMax: number;
  readonly sessionsMax: number;
  readonly subscriptionsMax: number;
  readonly subscriptionsPerSessionMax: number;
  readonly retainedMessagesMax: number;
  readonly retainedBytesMax: number;
  /** Births that are kept as certificates; 0 keeps none. Retained messages have other limits. */
  readonly certificatesMax: number;
  readonly certificatesBytesMax: number;
  /** How long a certificate is kept that no birth replaces, in ms; 0 keeps it for ever. */
  readonly certificatesExpiryMs: number;
  /** QoS 1 and 2 messages on their way to one client. */
  readonly inFlightMessagesMax: number;
  /** QoS 2 Packet Identifiers that one client may hold open. */
  readonly receiveInFlightMax: number;
  /** Longest keep alive granted, in ms; 0 grants any. */
  readonly keepAliveMaxMs: number;
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  readonly queueTotalBytesMax: number;
  readonly queueTotalMessagesMax: number;
  readonly queueFull: FullPolicy;
  /** How long a message may wait, in ms; 0 lets it wait for ever. */
  readonly queueMessageExpiryMs: number;
  readonly retainedFull: FullPolicy;
  /** How long a message stays retained, in ms; 0 keeps it for ever. */
  readonly retainedExpiryMs: number;
  readonly outboxBytesMax: number;
  readonly outboxHighWaterBytes: number;
  readonly outboxLowWaterBytes: number;
  readonly slowConsumerGraceMs: number;
  readonly stalledWriteTimeoutMs: number;
  /** How long a stored session is kept, in ms; 0 keeps it for ever. */
  readonly sessionExpiryMs: number;
  /** `drop_newest` refuses the CONNECT, `drop_oldest` discards the session that is away longest. */
  readonly sessionsFull: FullPolicy;
  /** Bytes that may wait for the store before whoever publishes into it is not read. */
  readonly storeBacklogBytesMax: number;
  /** Dead letters kept; 0 keeps none. */
  readonly deadLettersMessagesMax: number;
  readonly deadLettersBytesMax: number;
  /** How long a dead letter is kept, in ms; 0 keeps it as long as there is room. */
  readonly deadLettersExpiryMs: number;
  /** Dead letters kept in a second, on the average; a burst of `deadLettersMessagesMax` is free. */
  readonly deadLettersPerSecondMax: number;
  /** Whether they are published under `$dead-letter/`, too. */
  readonly deadLettersRepublish: boolean;
}

/** Asserts what the core relies on; the configuration has checked it before. */
export function assertLimits(limits: BrokerLimits): void {
  const holds = limits.topicLevelsMax <= TOPIC_LEVELS_CEILING &&
    limits.inFlightMessagesMax >= 1 && limits.inFlightMessagesMax <= 65_535 &&
    limits.outboxLowWaterBytes < limits.outboxHighWaterBytes &&
    limits.outboxHighWaterBytes <= limits.outboxBytesMax;
  if (!holds) {
    throw new RangeError(`Cannot start broker: limits contradict: ${JSON.stringify(limits)}`);
  }
}
