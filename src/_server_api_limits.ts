/** The bounds of the broker as the admin API shows them. */
import type { ServerFigures } from "./_server_admin.ts";
import type { ApiLimit } from "./admin/mod.ts";
import type { Statistics } from "./broker/mod.ts";
import type { Config } from "./config/mod.ts";

/** What is counted. */
export interface LimitSources {
  readonly config: Config;
  readonly statistics: Statistics;
  readonly figures: ServerFigures;
  /** Streams of events: how many, of how many, and how many were refused. */
  readonly streams: {
    readonly streams: number;
    readonly streamsMax: number;
    readonly refused: number;
  };
}

/** Name, key and unit, then limit, use and refusals. */
type Row = readonly [
  name: string,
  key: string | null,
  unit: string,
  limit: number,
  used: number | null,
  refused: number | null,
];

/** All bounds of which something can be said. */
export function apiLimits(sources: LimitSources): readonly ApiLimit[] {
  return rowsOf(sources).map(([name, key, unit, limit, used, refused]) => ({
    name,
    key,
    unit,
    limit: limit > 0 ? limit : null,
    used,
    refused,
  }));
}

function rowsOf({ config, statistics: s, figures, streams }: LimitSources): readonly Row[] {
  const { limits, queue, deadLetters, store, sparkplug } = config;
  const { dropped } = s;
  const queueRefused = dropped["queue-full-newest"] + dropped["queue-full-oldest"];
  const retainedRefused = dropped["retained-limit"];
  const bytes = "bytes";
  const { memory } = figures;
  return [
    [
      "connections",
      "limits.connections_max",
      "connections",
      limits.connectionsMax,
      s.connectionsOpen,
      s.connectionsRefused,
    ],
    [
      "sessions",
      "limits.sessions_max",
      "sessions",
      limits.sessionsMax,
      s.sessions,
      s.sessionsRefused,
    ],
    [
      "subscriptions",
      "limits.subscriptions_max",
      "subscriptions",
      limits.subscriptionsMax,
      s.subscriptions,
      s.subscriptionsRefused,
    ],
    [
      "retained messages",
      "limits.retained_messages_max",
      "messages",
      limits.retainedMessagesMax,
      s.retainedMessages,
      retainedRefused,
    ],
    [
      "retained bytes",
      "limits.retained_bytes_max",
      bytes,
      limits.retainedBytesMax,
      s.retainedBytes,
      retainedRefused,
    ],
    [
      "queued messages",
      "queue.total_messages_max",
      "messages",
      queue.totalMessagesMax,
      s.queuedMessages,
      queueRefused,
    ],
    [
      "queued bytes",
      "queue.total_bytes_max",
      bytes,
      queue.totalBytesMax,
      s.queuedBytes,
      queueRefused,
    ],
    [
      "dead letters",
      "dead_letters.messages_max",
      "messages",
      deadLetters.messagesMax,
      s.deadLetters,
      s.deadLettersNotKept,
    ],
    [
      "dead letter bytes",
      "dead_letters.bytes_max",
      bytes,
      deadLetters.bytesMax,
      s.deadLetterBytes,
      s.deadLettersNotKept,
    ],
    [
      "store backlog",
      "store.backlog_bytes_max",
      bytes,
      store.backlogBytesMax,
      figures.store.backlogBytes,
      s.storeHolds,
    ],
    [
      "Sparkplug births",
      "sparkplug.certificates_max",
      "births",
      sparkplug.certificatesMax,
      s.certificates,
      s.certificatesRefused,
    ],
    [
      "Sparkplug birth bytes",
      "sparkplug.certificates_bytes_max",
      bytes,
      sparkplug.certificatesBytesMax,
      s.certificateBytes,
      s.certificatesRefused,
    ],
    ...plantRows(sparkplug, figures),
    [
      "memory",
      "memory.limit_bytes",
      bytes,
      memory?.limitBytes ?? 0,
      Deno.memoryUsage().rss,
      null,
    ],
    ["event streams", null, "streams", streams.streamsMax, streams.streams, streams.refused],
  ];
}

/** Bounds of what is known of the plant, where somebody wants to know. */
function plantRows(
  { nodesMax, hostsMax, lastValuesMax, lastValuesBytesMax }: Config["sparkplug"],
  { sparkplug, lastValues }: LimitSources["figures"],
): Row[] {
  const rows: Row[] = [];
  if (sparkplug !== null) {
    const { nodesKnown, hostsKnown, unfit } = sparkplug.census;
    rows.push(
      ["Edge Nodes", "sparkplug.nodes_max", "nodes", nodesMax, nodesKnown, unfit.nodes],
      ["Host Applications", "sparkplug.hosts_max", "hosts", hostsMax, hostsKnown, unfit.hosts],
    );
  }
  if (lastValues !== null) {
    const { metrics, bytes, unkept } = lastValues;
    const key = "sparkplug.last_values";
    rows.push(
      ["last values", `${key}_max`, "metrics", lastValuesMax, metrics, unkept],
      ["last value bytes", `${key}_bytes_max`, "bytes", lastValuesBytesMax, bytes, unkept],
    );
  }
  return rows;
}
