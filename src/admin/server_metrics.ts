/** What stands around the core, as metrics: store, doors, files, memory, the process. */
import type { StoreStatistics } from "../store/mod.ts";
import type { PasswordGateStatistics } from "../security/mod.ts";
import {
  byLabel,
  counter,
  type Descriptions,
  gauge,
  gaugeOfMs,
  type Metric,
  metricsOf,
  metricsOfOne,
  single,
} from "./metric.ts";

/** Where state is kept. */
export interface StoreFigures {
  /** Null where nothing is written. */
  readonly statistics: StoreStatistics | null;
  readonly backlogBytes: number;
  /** Why nothing can be written at present. */
  readonly trouble: string | null;
  /** Damaged databases beside the present one, if this start has set one aside. */
  readonly quarantines: number;
}

/** The TLS side of a listener. */
export interface TlsFigures {
  readonly handshaking: number;
  readonly established: number;
  readonly resumed: number;
  /** Handshakes and certificates refused, by cause. */
  readonly refused: ReadonlyMap<string, number>;
}

/** One listener. */
export interface ListenerFigures {
  /** The address it is bound to. */
  readonly address: string;
  /** Null without TLS. */
  readonly tls: TlsFigures | null;
  /** When the first certificate of its chain expires, in ms since 1970; null without TLS. */
  readonly certificateNotAfterMs: number | null;
}

/** Who was turned away before MQTT began, and how often nobody was accepted for a while. */
export interface DoorFigures {
  readonly pauses: number;
  /** By reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** How files were read again. */
export interface ReloadFigures {
  readonly ok: number;
  readonly failed: number;
  /** What is not as its file says. */
  readonly stale: number;
  /** Since when, in ms since 1970; 0 for nothing. */
  readonly staleSinceMs: number;
}

/** The audit log. */
export interface AuditFigures {
  readonly entries: number;
  readonly waiting: number;
  readonly lost: number;
}

/** What the memory guard sees. */
export interface MemoryFigures {
  /** 0 is normal; each further one includes those before it. */
  readonly stage: number;
  readonly changes: number;
  /** Share of the limit in use, 0 to 1. */
  readonly pressure: number;
  readonly freeBytes: number;
  /** 0 for none known. */
  readonly limitBytes: number;
  readonly heapLimitBytes: number;
  readonly collections: number;
}

/** The process. */
export interface ProcessFigures {
  readonly startS: number;
  readonly cpuS: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
}

const STORE = {
  commits: counter("relayq_store_commits_total", "Transactions that were committed."),
  syncs: counter("relayq_store_syncs_total", "Calls of fsync."),
  checkpoints: counter("relayq_store_checkpoints_total", "Moves of the log into the database."),
  failures: counter("relayq_store_failures_total", "Requests that the disk refused."),
  recordsCommitted: counter(
    "relayq_store_records_committed_total",
    "Records of committed batches.",
  ),
  changesWritten: counter("relayq_store_changes_written_total", "Changes written to the database."),
  recordsWaiting: gauge("relayq_store_records_waiting", "Records that wait for a commit."),
  latencyMsLast: gaugeOfMs(
    "relayq_store_latency_last_seconds",
    "Time the last group took from the end of its first batch until it was durable.",
  ),
  latencyMsMax: gaugeOfMs("relayq_store_latency_max_seconds", "The longest such time."),
  commitMsLast: gaugeOfMs("relayq_store_commit_last_seconds", "Time of the last transaction."),
  commitMsMax: gaugeOfMs("relayq_store_commit_max_seconds", "Time of the longest transaction."),
  checkpointMsMax: gaugeOfMs(
    "relayq_store_checkpoint_max_seconds",
    "Time of the longest move of the log into the database.",
  ),
} as const satisfies Descriptions<StoreStatistics>;

const STORE_UP = gauge("relayq_store_up", "1 if the store takes what it is given, 0 in trouble.");
const STORE_BACKLOG = gauge("relayq_store_backlog_bytes", "Bytes that wait for a commit.");
const STORE_QUARANTINES = gauge(
  "relayq_store_quarantines",
  "Damaged databases beside the present one, if this start has set one aside.",
);
const STORE_LATENCY = {
  name: "relayq_store_latency_seconds",
  help: "Time from the end of the first batch of a group until it was durable.",
};
const STORE_COMMIT = { name: "relayq_store_commit_seconds", help: "Time of a transaction." };

/** The store. */
export function storeMetrics(
  { statistics, backlogBytes, trouble, quarantines }: StoreFigures,
): Metric[] {
  const state = [
    single(STORE_UP, trouble === null ? 1 : 0),
    single(STORE_BACKLOG, backlogBytes),
    single(STORE_QUARANTINES, quarantines),
  ];
  if (statistics === null) return state;
  return [
    ...state,
    ...metricsOfOne<StoreStatistics>(STORE, statistics),
    { ...STORE_LATENCY, type: "histogram", histogram: statistics.latencies },
    { ...STORE_COMMIT, type: "histogram", histogram: statistics.commitTimes },
  ];
}

const TLS = {
  handshaking: gauge("relayq_tls_handshakes", "TLS handshakes that go on."),
  established: counter("relayq_tls_established_total", "TLS connections that were let in."),
  resumed: counter("relayq_tls_resumed_total", "Those among them that resumed a TLS session."),
} as const satisfies Descriptions<TlsFigures>;
const TLS_REFUSED = counter("relayq_tls_refused_total", "TLS connections refused, by cause.");
const TLS_EXPIRY = gauge(
  "relayq_tls_certificate_expiry_timestamp_seconds",
  "When the first certificate of a listener's chain expires, since 1970.",
);
const LISTENERS = gauge("relayq_listeners", "Listeners that accept MQTT connections.");

/** The listeners; a label tells them apart. */
export function listenerMetrics(listeners: readonly ListenerFigures[]): Metric[] {
  const secured = listeners.flatMap(({ address, tls, certificateNotAfterMs }) =>
    tls === null ? [] : [{ labels: { listener: address }, of: tls, certificateNotAfterMs }]
  );
  return [
    single(LISTENERS, listeners.length),
    ...metricsOf<TlsFigures>(TLS, secured),
    {
      ...TLS_REFUSED,
      samples: secured.flatMap(({ labels, of }) =>
        Array.from(of.refused, ([cause, value]) => ({ labels: { ...labels, cause }, value }))
      ),
    },
    {
      ...TLS_EXPIRY,
      samples: secured.map(({ labels, certificateNotAfterMs }) => ({
        labels,
        value: (certificateNotAfterMs ?? 0) / 1000,
      })),
    },
  ];
}

const DOOR = {
  pauses: counter(
    "relayq_accept_pauses_total",
    "Times nobody was accepted for a while because of connection_rate.per_second.",
  ),
} as const satisfies Descriptions<DoorFigures>;
const REFUSED = counter("relayq_refused_total", "Clients that were turned away, by reason.");

/** The door. */
export function doorMetrics(door: DoorFigures): Metric[] {
  const counts = Object.entries(door.refused);
  return [...metricsOfOne<DoorFigures>(DOOR, door), byLabel(REFUSED, { label: "reason", counts })];
}

const LOGINS = {
  hashed: counter("relayq_logins_hashed_total", "Passwords that were hashed."),
  remembered: counter("relayq_logins_remembered_total", "Logins let in without a hash."),
  refused: counter("relayq_logins_refused_total", "Logins refused because too many waited."),
} as const satisfies Descriptions<PasswordGateStatistics>;

/** The passwords. */
export function loginMetrics(logins: PasswordGateStatistics): Metric[] {
  return metricsOfOne<PasswordGateStatistics>(LOGINS, logins);
}

const RELOADS = {
  ok: counter("relayq_reloads_total", "Files that were read again and taken over."),
  failed: counter("relayq_reload_failures_total", "Files that were read again in vain."),
  stale: gauge("relayq_reload_stale", "Things that are not as their files say."),
  staleSinceMs: gaugeOfMs(
    "relayq_reload_stale_since_timestamp_seconds",
    "Since when the first of them is so, since 1970; 0 if nothing is.",
  ),
} as const satisfies Descriptions<ReloadFigures>;

/** The files that are read again. */
export function reloadMetrics(reloads: ReloadFigures): Metric[] {
  return metricsOfOne<ReloadFigures>(RELOADS, reloads);
}

const AUDIT = {
  entries: gauge("relayq_audit_last_entry", "Number of the last line of the audit log."),
  waiting: gauge("relayq_audit_waiting", "Lines of the audit log that wait for the disk."),
  lost: counter("relayq_audit_lost_total", "Lines that there was no room to wait for."),
} as const satisfies Descriptions<AuditFigures>;

/** The audit log. */
export function auditMetrics(audit: AuditFigures | null): Metric[] {
  return audit === null ? [] : metricsOfOne<AuditFigures>(AUDIT, audit);
}

const MEMORY = {
  stage: gauge(
    "relayq_memory_stage",
    "0 normal, 1 refuse-connections, 2 shed-qos0, 3 shed-queues, 4 shut-down.",
  ),
  changes: counter("relayq_memory_stage_changes_total", "Changes of that stage."),
  pressure: gauge("relayq_memory_pressure_ratio", "Share of the memory limit that is in use."),
  freeBytes: gauge("relayq_memory_resident_free_bytes", "Resident bytes that are free for reuse."),
  limitBytes: gauge("relayq_memory_limit_bytes", "Memory that may be used; 0 if none is known."),
  heapLimitBytes: gauge("relayq_memory_heap_limit_bytes", "Most bytes of the JavaScript heap."),
  collections: counter("relayq_memory_collections_total", "Garbage collections that were forced."),
} as const satisfies Descriptions<MemoryFigures>;

/** The memory guard. */
export function memoryMetrics(memory: MemoryFigures | null): Metric[] {
  return memory === null ? [] : metricsOfOne<MemoryFigures>(MEMORY, memory);
}

const PROCESS = {
  startS: gauge("process_start_time_seconds", "When the process started, since 1970."),
  cpuS: counter("process_cpu_seconds_total", "Time of processors, user and system."),
  residentBytes: gauge("process_resident_memory_bytes", "Resident memory."),
  heapUsedBytes: gauge("relayq_heap_used_bytes", "JavaScript heap in use."),
  heapTotalBytes: gauge("relayq_heap_bytes", "JavaScript heap."),
  externalBytes: gauge("relayq_external_bytes", "Memory of buffers outside the JavaScript heap."),
} as const satisfies Descriptions<ProcessFigures>;

/** The process. */
export function processMetrics(figures: ProcessFigures): Metric[] {
  return metricsOfOne<ProcessFigures>(PROCESS, figures);
}
