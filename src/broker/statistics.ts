/** Counters and gauges of the broker core. Plain numbers, written on the hot path, read by others. */

/** Why a message was given up; the names are those of topics and of the command line. */
export const DROP_REASONS = [
  "queue-full-newest",
  "queue-full-oldest",
  "stalled-consumer",
  "shed-qos0",
  "shed-queue",
  "message-expired",
  "session-expired",
  "session-limit",
  "session-removed",
  "retained-limit",
  "publish-refused",
  "read-refused",
  "server-topic",
  "sparkplug-refused",
  "oversize",
  "storage-error",
] as const;

/** Why a message was given up. */
export type DropReason = (typeof DROP_REASONS)[number];

/** Everything counted; the names say what. Bytes and packets are MQTT's, not TCP's. */
export class Statistics {
  bytesReceived = 0;
  bytesSent = 0;
  packetsReceived = 0;
  packetsSent = 0;
  publishReceived = 0;
  publishSent = 0;
  publishBytesReceived = 0;
  publishBytesSent = 0;
  connectionsTotal = 0;
  connectionsOpen = 0;
  /** Connections, sessions and subscriptions that a limit left no room for. */
  connectionsRefused = 0;
  sessionsRefused = 0;
  subscriptionsRefused = 0;
  /** CONNECTs that got no session because the client is not who it would have to be. */
  identitiesRefused = 0;
  clientsConnected = 0;
  clientsConnectedMax = 0;
  sessions = 0;
  sessionsExpired = 0;
  /** Stored sessions that had to make room for others. */
  sessionsEvicted = 0;
  subscriptions = 0;
  retainedMessages = 0;
  retainedBytes = 0;
  retainedExpired = 0;
  /** Births that are kept, and what they take. */
  certificates = 0;
  certificateBytes = 0;
  /** Births that were kept since the start, and those that could not be. */
  certificatesStored = 0;
  certificatesRefused = 0;
  /** Those that were kept for too long, and those that somebody had removed. */
  certificatesExpired = 0;
  certificatesPurged = 0;
  /** NDEATH messages whose time stamp was set, and those that could not be parsed for it. */
  deathsStamped = 0;
  deathsNotStamped = 0;
  queuedMessages = 0;
  queuedBytes = 0;
  inFlightMessages = 0;
  inFlightBytes = 0;
  /** Events of which nobody was told, for there were too many at once. */
  eventsLost = 0;
  takeOvers = 0;
  /** CONNECTs refused because their Client Identifier went to and fro between connections. */
  takeOversRefused = 0;
  willsPublished = 0;
  keepAliveTimeouts = 0;
  connectTimeouts = 0;
  stalledWrites = 0;
  slowConsumers = 0;
  publishersHeld = 0;
  /** Times a publisher was not read because the store did not keep up. */
  storeHolds = 0;
  /** Times a client was not read because it, or all together, had sent more than a rate allows. */
  rateHolds = 0;
  /** Connections closed for that. */
  rateCloses = 0;
  /** Dead letters that are kept, and what they count against their bound. */
  deadLetters = 0;
  deadLetterBytes = 0;
  /** Messages given up that are counted only. */
  deadLettersNotKept = 0;
  /** Protocol errors by tag. */
  readonly protocolErrors: Map<string, number> = new Map();
  /** Messages given up, by reason, once for each session that does not get them. */
  readonly dropped: Record<DropReason, number> = Object.fromEntries(
    DROP_REASONS.map((reason) => [reason, 0]),
  ) as Record<DropReason, number>;

  /** Counts a protocol error; tags are a closed set, so the map is bounded. */
  countProtocolError(tag: string): void {
    this.protocolErrors.set(tag, (this.protocolErrors.get(tag) ?? 0) + 1);
  }
}
