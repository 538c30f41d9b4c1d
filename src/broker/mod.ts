/** The broker core: sessions, routing, QoS, retained messages and wills, without any I/O. */
export { Broker } from "./broker.ts";
export type { Connection, ConnectionOrigin } from "./connection.ts";
export { CONNECTION, CONNECTION_TABLE } from "./connection_states.ts";
export type { Denial } from "./denials.ts";
export { describeEvent, type Severity } from "./event_text.ts";
export type { BrokerEvent, CloseCause, ConnectRefusal } from "./events.ts";
export { DURATION_BOUNDS_S, Histogram } from "./histogram.ts";
export type {
  ClockRecord,
  DeadLetter,
  DeliveryRecord,
  Journal,
  StoredDeadLetter,
  StoredDelivery,
  StoredEdgeNode,
  StoredPublication,
  StoredRetained,
  StoredSession,
  StoredState,
  StoredSubscription,
  StoredWill,
} from "./journal.ts";
export type { BrokerLimits, FullPolicy } from "./limits.ts";
export { makeMessage, Message } from "./message.ts";
export {
  type AccessPolicy,
  type ClientFacts,
  type ConnectVerdict,
  OPEN_ACCESS,
  type PublishVerdict,
  type SessionRefusal,
  type SessionVerdict,
  type TakeOverPolicy,
} from "./policy.ts";
export type { ClientRate, RateLimiter } from "./rate_limiter.ts";
export { QOS_RECEIVER, QOS_RECEIVER_TABLE } from "./qos_receiver_states.ts";
export { QOS_SENDER, QOS_SENDER_TABLE } from "./qos_sender_states.ts";
export { SESSION, SESSION_TABLE } from "./session_states.ts";
export type { Oversight } from "./oversight.ts";
export type { RetainedLevels } from "./retained.ts";
export type { Session } from "./session.ts";
export type { Pressure } from "./shedding.ts";
export { DROP_REASONS, type DropReason, type Statistics } from "./statistics.ts";
export { type ServerFacts, SysTopics } from "./sys_topics.ts";
export { isServerTopic, JSON_TOPIC } from "./server_topics.ts";
export type {
  SparkplugConnectVerdict,
  SparkplugPolicy,
  SparkplugPublication,
  SparkplugReferee,
  SparkplugVerdict,
} from "./sparkplug_policy.ts";
export * from "./transition_table.ts";
export type { BrokerOptions, Instant, PendingAuthentication, TurnResult } from "./turn.ts";
