/** Limits for tests of the core. */
import type { BrokerLimits } from "../../src/broker/mod.ts";

/** As in production, but small enough to be reached. */
export const TEST_LIMITS: BrokerLimits = {
  packetBytesMax: 65_536,
  clientIdentifierBytesMax: 64,
  topicBytesMax: 1024,
  topicLevelsMax: 16,
  mqtt31: false,
  connectTimeoutMs: 10_000,
  zeroLengthClientIdentifiers: true,
  connectionsMax: 100,
  sessionsMax: 50,
  subscriptionsMax: 500,
  subscriptionsPerSessionMax: 100,
  retainedMessagesMax: 200,
  retainedBytesMax: 1_048_576,
  inFlightMessagesMax: 8,
  receiveInFlightMax: 16,
  keepAliveMaxMs: 0,
  queueMessagesMax: 100,
  queueBytesMax: 262_144,
  queueTotalBytesMax: 1_048_576,
  queueFull: "drop_newest",
  outboxBytesMax: 65_536,
  outboxHighWaterBytes: 16_384,
  outboxLowWaterBytes: 4_096,
  slowConsumerGraceMs: 1_000,
  stalledWriteTimeoutMs: 30_000,
  sessionExpiryMs: 3_600_000,
};
