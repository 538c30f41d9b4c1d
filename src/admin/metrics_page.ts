/** All metrics of a broker, as one page. */
import type { BrokerLimits, Histogram, Statistics } from "../broker/mod.ts";
import type { PasswordGateStatistics } from "../security/mod.ts";
import type { ValueFigures } from "../sparkplug/mod.ts";
import { brokerMetrics } from "./broker_metrics.ts";
import { exposition } from "./exposition.ts";
import type { HttpStatistics } from "./http_server.ts";
import { lastValueMetrics } from "./last_value_metrics.ts";
import { byLabel, counter, type Descriptions, gauge, type Metric, metricsOfOne } from "./metric.ts";
import {
  type AuditFigures,
  auditMetrics,
  type DoorFigures,
  doorMetrics,
  type ListenerFigures,
  listenerMetrics,
  loginMetrics,
  type MemoryFigures,
  memoryMetrics,
  type ProcessFigures,
  processMetrics,
  type ReloadFigures,
  reloadMetrics,
  type StoreFigures,
  storeMetrics,
} from "./server_metrics.ts";
import { type SparkplugFigures, sparkplugMetrics } from "./sparkplug_metrics.ts";

/** What the broker is measured by while it runs. */
export interface Measurements {
  /** Seconds from a turn's first bytes to its output at the sockets, for every PUBLISH. */
  readonly publishLatencies: Histogram;
  /** Seconds a timer came too late. */
  readonly loopLags: Histogram;
  /** Messages that waited for all sessions together, looked at every so often. */
  readonly queueDepths: Histogram;
}

/** Bounds of a broker that its gauges can be held against. */
export type LimitFigures = Pick<
  BrokerLimits,
  | "connectionsMax"
  | "sessionsMax"
  | "subscriptionsMax"
  | "retainedMessagesMax"
  | "retainedBytesMax"
  | "certificatesMax"
  | "certificatesBytesMax"
  | "queueTotalMessagesMax"
  | "queueTotalBytesMax"
  | "deadLettersMessagesMax"
  | "deadLettersBytesMax"
  | "storeBacklogBytesMax"
>;

/** Everything there is to tell; live objects and facts of the moment. */
export interface MetricSources {
  readonly version: string;
  readonly broker: Statistics;
  readonly limits: LimitFigures;
  readonly measurements: Measurements;
  readonly store: StoreFigures;
  readonly listeners: readonly ListenerFigures[];
  readonly door: DoorFigures;
  readonly logins: PasswordGateStatistics;
  readonly reloads: ReloadFigures;
  readonly audit: AuditFigures | null;
  readonly memory: MemoryFigures | null;
  /** Null where nobody is judged. */
  readonly sparkplug: SparkplugFigures | null;
  /** Null where they are not kept. */
  readonly lastValues: ValueFigures | null;
  readonly process: ProcessFigures;
  readonly http: HttpStatistics;
}

const LIMITS = {
  connectionsMax: gauge("relayq_connections_limit", "Most connections at a time."),
  sessionsMax: gauge("relayq_sessions_limit", "Most sessions."),
  subscriptionsMax: gauge("relayq_subscriptions_limit", "Most subscriptions of all sessions."),
  retainedMessagesMax: gauge("relayq_retained_messages_limit", "Most Retained messages."),
  retainedBytesMax: gauge("relayq_retained_limit_bytes", "Most bytes of all Retained messages."),
  certificatesMax: gauge("relayq_sparkplug_certificates_limit", "Most Sparkplug births kept."),
  certificatesBytesMax: gauge("relayq_sparkplug_certificates_limit_bytes", "Most bytes of births."),
  queueTotalMessagesMax: gauge("relayq_queued_messages_limit", "Most messages that may wait."),
  queueTotalBytesMax: gauge(
    "relayq_queued_limit_bytes",
    "Most bytes that may wait or be in flight.",
  ),
  deadLettersMessagesMax: gauge("relayq_dead_letters_limit", "Most dead letters kept."),
  deadLettersBytesMax: gauge("relayq_dead_letters_limit_bytes", "Most bytes of dead letters."),
  storeBacklogBytesMax: gauge(
    "relayq_store_backlog_limit_bytes",
    "Bytes that may wait for a commit before publishers are held.",
  ),
} as const satisfies Descriptions<LimitFigures>;

const BUILD = gauge("relayq_build_info", "1; what runs stands in the labels.");
const HTTP = {
  connections: gauge("relayq_admin_connections", "Connections to the admin listener."),
  accepted: counter("relayq_admin_connections_total", "Connections it has accepted."),
  evicted: counter(
    "relayq_admin_connections_evicted_total",
    "Connections that were idle or incomplete and made room for others.",
  ),
  timeouts: counter(
    "relayq_admin_timeouts_total",
    "Connections closed because they took too long.",
  ),
} as const satisfies Descriptions<HttpStatistics>;
const REQUESTS = counter("relayq_admin_requests_total", "Requests answered, by status code.");

/** The page as Prometheus reads it. */
export function metricsPage(sources: MetricSources): string {
  return exposition(allMetrics(sources));
}

function allMetrics(sources: MetricSources): Metric[] {
  const { version, measurements, http } = sources;
  return [
    { ...BUILD, samples: [{ labels: { version, deno: Deno.version.deno }, value: 1 }] },
    ...processMetrics(sources.process),
    ...measured(measurements),
    ...brokerMetrics(sources.broker),
    ...metricsOfOne<LimitFigures>(LIMITS, sources.limits),
    ...storeMetrics(sources.store),
    ...listenerMetrics(sources.listeners),
    ...doorMetrics(sources.door),
    ...loginMetrics(sources.logins),
    ...reloadMetrics(sources.reloads),
    ...auditMetrics(sources.audit),
    ...memoryMetrics(sources.memory),
    ...sparkplugMetrics(sources.sparkplug),
    ...lastValueMetrics(sources.lastValues),
    ...metricsOfOne<HttpStatistics>(HTTP, http),
    byLabel(REQUESTS, { label: "code", counts: http.answered }),
  ];
}

function measured({ publishLatencies, loopLags, queueDepths }: Measurements): Metric[] {
  const type = "histogram";
  return [
    {
      type,
      name: "relayq_publish_latency_seconds",
      help: "Time from the first bytes a turn takes until its output was handed to the sockets, " +
        "once for every PUBLISH of the turn; what waits for a busy socket is not in it.",
      histogram: publishLatencies,
    },
    {
      type,
      name: "relayq_loop_lag_seconds",
      help: "How late a timer came, ten times a second.",
      histogram: loopLags,
    },
    {
      type,
      name: "relayq_queue_depth_messages",
      help: "Messages that waited for all sessions together, looked at ten times a second.",
      histogram: queueDepths,
    },
  ];
}
