/** What the broker core holds at most. Every limit has a counter or a gauge in `Statistics`. */
import type { DecoderLimits } from "../mqtt/mod.ts";

/** The deepest topic the core routes: trees are walked by recursion. */
export const TOPIC_LEVELS_CEILING = 1_000;

/** What happens to a message that does not fit a full session queue. */
export type QueueFullPolicy = "drop_newest" | "drop_oldest";

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
  /** QoS 1 and 2 messages on their way to one client. */
  readonly inFlightMessagesMax: number;
  /** QoS 2 Packet Identifiers that one client may hold open. */
  readonly receiveInFlightMax: number;
  /** Longest keep alive granted, in ms; 0 grants any. */
  readonly keepAliveMaxMs: number;
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  readonly queueTotalBytesMax: number;
  readonly queueFull: QueueFullPolicy;
  readonly outboxBytesMax: number;
  readonly outboxHighWaterBytes: number;
  readonly outboxLowWaterBytes: number;
  readonly slowConsumerGraceMs: number;
  readonly stalledWriteTimeoutMs: number;
  /** How long a stored session is kept, in ms; 0 keeps it for ever. */
  readonly sessionExpiryMs: number;
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
