/** What the core counts, as metrics. */
import type { Statistics } from "../broker/mod.ts";
import { byLabel, counter, type Descriptions, gauge, type Metric, metricsOfOne } from "./metric.ts";

const CORE = {
  bytesReceived: counter("relayq_received_bytes_total", "Bytes of MQTT Control Packets received."),
  bytesSent: counter("relayq_sent_bytes_total", "Bytes of MQTT Control Packets taken by sockets."),
  packetsReceived: counter("relayq_packets_received_total", "MQTT Control Packets received."),
  packetsSent: counter("relayq_packets_sent_total", "MQTT Control Packets sent."),
  publishReceived: counter("relayq_publish_received_total", "PUBLISH packets received."),
  publishSent: counter("relayq_publish_sent_total", "PUBLISH packets sent."),
  publishBytesReceived: counter(
    "relayq_publish_received_bytes_total",
    "Bytes of PUBLISH packets received.",
  ),
  publishBytesSent: counter(
    "relayq_publish_sent_bytes_total",
    "Bytes of PUBLISH packets sent.",
  ),
  connectionsTotal: counter(
    "relayq_connections_total",
    "Network Connections that came to the core, those it refused included.",
  ),
  connectionsOpen: gauge("relayq_connections_open", "Network Connections that are open."),
  connectionsRefused: counter(
    "relayq_connections_refused_total",
    "Network Connections that limits.connections_max or the memory left no room for.",
  ),
  sessionsRefused: counter(
    "relayq_sessions_refused_total",
    "Sessions that limits.sessions_max or the memory left no room for.",
  ),
  subscriptionsRefused: counter(
    "relayq_subscriptions_refused_total",
    "Subscriptions that a limit left no room for.",
  ),
  identitiesRefused: counter(
    "relayq_identities_refused_total",
    "CONNECTs without a session because the client is not who it would have to be.",
  ),
  clientsConnected: gauge("relayq_clients_connected", "Clients with a Session and a connection."),
  clientsConnectedMax: gauge(
    "relayq_clients_connected_max",
    "Most clients that were connected at a time since the start.",
  ),
  sessions: gauge("relayq_sessions", "Sessions, those without a connection included."),
  sessionsExpired: counter("relayq_sessions_expired_total", "Sessions that were away too long."),
  sessionsEvicted: counter(
    "relayq_sessions_evicted_total",
    "Stored sessions that made room for others.",
  ),
  subscriptions: gauge("relayq_subscriptions", "Subscriptions of all sessions."),
  retainedMessages: gauge("relayq_retained_messages", "Retained messages."),
  retainedBytes: gauge("relayq_retained_bytes", "Bytes of all Retained messages."),
  retainedExpired: counter("relayq_retained_expired_total", "Retained messages that grew too old."),
  certificates: gauge("relayq_sparkplug_certificates", "Sparkplug births that are kept."),
  certificateBytes: gauge("relayq_sparkplug_certificates_bytes", "Bytes of the births kept."),
  certificatesStored: counter(
    "relayq_sparkplug_certificates_stored_total",
    "Sparkplug births that were kept since the start.",
  ),
  certificatesExpired: counter(
    "relayq_sparkplug_certificates_expired_total",
    "Births that were kept for too long.",
  ),
  certificatesPurged: counter(
    "relayq_sparkplug_certificates_purged_total",
    "Births that somebody had removed.",
  ),
  certificatesRefused: counter(
    "relayq_sparkplug_certificates_refused_total",
    "Sparkplug births that a limit left no room for.",
  ),
  deathsStamped: counter(
    "relayq_sparkplug_ndeath_stamped_total",
    "NDEATH messages that went out with the time at which they did.",
  ),
  deathsNotStamped: counter(
    "relayq_sparkplug_ndeath_not_stamped_total",
    "NDEATH messages that could not be parsed for their time stamp.",
  ),
  queuedMessages: gauge("relayq_queued_messages", "Messages that wait for sessions."),
  queuedBytes: gauge("relayq_queued_bytes", "Bytes of the messages that wait for sessions."),
  inFlightMessages: gauge(
    "relayq_in_flight_messages",
    "QoS 1 and 2 messages sent and not acknowledged by their receivers.",
  ),
  inFlightBytes: gauge("relayq_in_flight_bytes", "Bytes of the messages in flight."),
  takeOvers: counter(
    "relayq_take_overs_total",
    "Connections that ended because their Client Identifier connected again.",
  ),
  takeOversRefused: counter(
    "relayq_take_overs_refused_total",
    "CONNECTs refused because their Client Identifier went to and fro.",
  ),
  willsPublished: counter("relayq_wills_published_total", "Will Messages that were published."),
  keepAliveTimeouts: counter(
    "relayq_keep_alive_timeouts_total",
    "Connections closed because nothing came for one and a half Keep Alive.",
  ),
  connectTimeouts: counter(
    "relayq_connect_timeouts_total",
    "Connections closed because no CONNECT came in time.",
  ),
  stalledWrites: counter(
    "relayq_stalled_writes_total",
    "Connections closed because their sockets took nothing any more.",
  ),
  slowConsumers: counter(
    "relayq_slow_consumers_total",
    "Times a receiver had held back publishers for too long, and holds none any more.",
  ),
  publishersHeld: counter(
    "relayq_publishers_held_total",
    "Times a publisher was not read because its receivers did not keep up.",
  ),
  storeHolds: counter(
    "relayq_store_holds_total",
    "Times a publisher was not read because the store did not keep up.",
  ),
  rateHolds: counter(
    "relayq_rate_holds_total",
    "Times a client was not read because more had been sent than a rate allows.",
  ),
  rateCloses: counter(
    "relayq_rate_closes_total",
    "Connections closed because their client sent more than a rate allows.",
  ),
  eventsLost: counter(
    "relayq_events_lost_total",
    "Events that stand in no log, for there were too many at once.",
  ),
  deadLetters: gauge("relayq_dead_letters", "Dead letters that are kept."),
  deadLetterBytes: gauge("relayq_dead_letters_bytes", "Bytes of the dead letters kept."),
  deadLettersNotKept: counter(
    "relayq_dead_letters_not_kept_total",
    "Messages given up that were counted only.",
  ),
} as const satisfies Descriptions<Statistics>;

const PROTOCOL_ERRORS = counter(
  "relayq_protocol_errors_total",
  "Protocol errors of clients, by the tag of the normative statement.",
);
const DROPPED = counter(
  "relayq_messages_dropped_total",
  "Messages given up, by reason, once for each session that does not get them.",
);

/** Everything that the core counts. */
export function brokerMetrics(statistics: Statistics): Metric[] {
  const { protocolErrors, dropped } = statistics;
  return [
    ...metricsOfOne<Statistics>(CORE, statistics),
    byLabel(PROTOCOL_ERRORS, { label: "tag", counts: protocolErrors }),
    byLabel(DROPPED, { label: "reason", counts: Object.entries(dropped) }),
  ];
}
