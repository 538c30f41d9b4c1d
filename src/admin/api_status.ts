/** How the broker is: its figures, its parts, and what somebody should see to. */
import type { ReadinessFacts } from "./health.ts";
import { unreadiness } from "./health.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  boolean,
  dateTime,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  text,
  type ValueOf,
} from "./schema.ts";

const STAGES = ["normal", "refuse-connections", "shed-qos0", "shed-queues", "shut-down"] as const;

/** Figures of the moment. */
const STATISTICS_FIELDS = {
  time: dateTime(),
  counts: object({
    clients_connected: integer(),
    connections: integer({ description: "Open, also before CONNECT." }),
    sessions: integer(),
    subscriptions: integer(),
    retained: integer({ description: "Retained messages." }),
    retained_bytes: integer(),
    queued_messages: integer(),
    queued_bytes: integer(),
    in_flight: integer(),
    dead_letters: integer(),
  }),
  totals: object({
    messages_in: integer({ description: "PUBLISH packets since the start." }),
    messages_out: integer(),
    dropped: integer({ description: "Messages given up, for whatever reason." }),
    connections: integer(),
    connections_refused: integer(),
  }),
  rates: object({
    messages_in_per_s: number("Of the last second, as all of these."),
    messages_out_per_s: number(),
    bytes_in_per_s: number(),
    bytes_out_per_s: number(),
    connections_per_s: number(),
    dropped_per_s: number(),
  }),
  latency: object({
    publish_p50_ms: nullable(number("Of a PUBLISH through the broker; null without any.")),
    publish_p99_ms: nullable(number()),
    loop_lag_p99_ms: nullable(number("How late timers were.")),
  }),
  store: object({
    kind: oneOf(["memory", "sqlite"]),
    trouble: nullable(text({ description: "Why nothing can be written; null if it can." })),
    backlog_bytes: integer(),
    commits: integer(),
    commit_ms: nullable(number("Of the last transaction; null in memory.")),
    latency_ms: nullable(number("From the end of a batch until it was durable, the last one.")),
  }),
  memory: object({
    stage: nullable(oneOf(STAGES, "Null where nobody watches.")),
    pressure: nullable(number("Share of the limit in use, 0 to 1.")),
    resident_bytes: integer(),
    limit_bytes: nullable(integer()),
    heap_used_bytes: integer(),
  }),
} as const;

/** The data of `event: statistics`. */
export const STATISTICS = object(STATISTICS_FIELDS);
/** The figures of the moment. */
export type ApiStatistics = ValueOf<typeof STATISTICS>;

const STATUS_ANSWER = object({
  version: text(),
  node: nullable(text({ description: "Name of the machine; null where it may not be known." })),
  started_at: dateTime(),
  uptime_s: integer(),
  ready: boolean("Whether the broker accepts clients, as /readyz tells."),
  sparkplug_mode: oneOf(["off", "aware", "monitor", "strict"]),
  warnings: list(text(), { description: "What somebody should see to." }),
  ...STATISTICS_FIELDS,
});

const HEALTH_ANSWER = object({
  alive: boolean(),
  ready: boolean("What /readyz tells."),
  reason: nullable(text({ description: "Why it is not ready." })),
  parts: object({
    listeners: object({ ok: boolean(), accepting: boolean() }),
    store: object({ ok: boolean(), trouble: nullable(text()) }),
    memory: object({ ok: boolean(), refuses_connections: boolean() }),
  }),
});

const STATUS = defineRoute({
  method: "GET",
  path: "/api/v1/status",
  role: "read",
  tag: "status",
  summary: "How the broker is: counts, rates of the last second, store, memory, warnings",
  answer: STATUS_ANSWER,
});

const HEALTH = defineRoute({
  method: "GET",
  path: "/api/v1/health",
  role: "read",
  tag: "status",
  summary: "What /readyz tells, with the parts it is made of",
  answer: HEALTH_ANSWER,
});

/** The definitions. */
export const STATUS_DEFINITIONS = [STATUS, HEALTH] as const;

/** What the routes show. */
export interface StatusView {
  readonly status: () => Omit<ValueOf<typeof STATUS_ANSWER>, "ready">;
  readonly readiness: () => ReadinessFacts;
}

/** The routes. */
export function statusRoutes({ status, readiness }: StatusView): readonly ApiRoute[] {
  return [
    serve(STATUS, () => ({ ...status(), ready: unreadiness(readiness()) === null })),
    serve(HEALTH, () => {
      const facts = readiness();
      const reason = unreadiness(facts);
      const { accepting, storeTrouble: trouble, refusesConnections } = facts;
      return {
        alive: true,
        ready: reason === null,
        reason,
        parts: {
          listeners: { ok: accepting, accepting },
          store: { ok: trouble === null, trouble },
          memory: { ok: !refusesConnections, refuses_connections: refusesConnections },
        },
      };
    }),
  ];
}
