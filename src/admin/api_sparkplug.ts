/** The plant as Sparkplug tells it: who is there, who breaks which statement, and how well they conform. */
import { type Page, PAGE_QUERY, pageOf, type PageQuery } from "./paging.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  anything,
  boolean,
  dateTime,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  record,
  text,
  type ValueOf,
  withDefault,
} from "./schema.ts";

/** How bad a breach is. */
const SEVERITY = oneOf(["fatal", "error", "warn", "info"]);
const MODE = oneOf(["off", "aware", "monitor", "strict"]);
/** A Sparkplug identifier in a query. */
const NAME = text({ lengthMin: 1, lengthMax: 65_535 });

const DEVICE = {
  name: text(),
  online: boolean("Whether its DBIRTH holds."),
  since: nullable(dateTime("Since when it is so.")),
  births: integer(),
  deaths: integer(),
  messages: integer(),
  last_birth_at: nullable(dateTime()),
  last_death_at: nullable(dateTime()),
  last_death_cause: text(),
  last_message_at: nullable(dateTime()),
} as const;

/** Fields of an Edge Node but for its Devices. */
const NODE = {
  name: text(),
  connected: boolean(),
  unknown_since_restart: boolean("Whether it is known by a birth that was kept, and no more."),
  online: boolean("Whether its NBIRTH holds."),
  since: nullable(dateTime("Since when it is so.")),
  client_id: nullable(text()),
  bd_seq: nullable(integer({ max: 255 })),
  last_bd_seq: nullable(integer({ max: 255, description: "Of its last CONNECT." })),
  seq: nullable(integer({ max: 255 })),
  needs_rebirth: boolean("Whether its data is withheld until its next NBIRTH."),
  primary_host: nullable(text({ description: "The only host whose STATE it watches." })),
  births: integer(),
  deaths: integer(),
  last_birth_at: nullable(dateTime()),
  last_death_at: nullable(dateTime()),
  last_death_cause: text(),
  rebirths_asked: integer(),
  last_rebirth_asked_at: nullable(dateTime()),
  last_rebirth_cause: text(),
  messages: integer(),
  bytes: integer(),
  messages_per_s: number(),
  bytes_per_s: number(),
  withheld: integer(),
  seq_gaps: integer(),
  last_message_at: nullable(dateTime()),
  clock_skew_ms: nullable(number("The time stamp of its last message, less the time it came.")),
} as const;

const TOPOLOGY = object({
  mode: MODE,
  groups: list(object({
    name: text(),
    nodes: list(object({
      ...NODE,
      violations: record(integer(), "By tck-id."),
      devices: list(object(DEVICE)),
    })),
  })),
  hosts: list(object({
    name: text(),
    connected: boolean(),
    client_id: nullable(text()),
    online: nullable(boolean("As its last STATE says; null if there was none.")),
    state_at: nullable(dateTime("The time stamp of its last STATE.")),
    births: integer(),
    deaths: integer(),
    watched_by: list(text(), { description: "Edge Nodes that watch it and no other." }),
    violations: record(integer(), "By tck-id."),
  })),
  next: nullable(
    text({ description: "The cursor of the next Edge Nodes; null if these are all." }),
  ),
  total: integer({ description: "Edge Nodes on all pages." }),
});
/** Groups, Edge Nodes, Devices and hosts. */
export type ApiTopology = ValueOf<typeof TOPOLOGY>;

const METRIC = object({
  name: text(),
  alias: nullable(text({ description: "A number; as a text, because it may be large." })),
  data_type: text(),
  value: anything("The last one, where last values are kept; else null."),
  at: nullable(dateTime("The time of that value.")),
  stale: nullable(boolean("Whether it may be another one by now; null where none is kept.")),
});

const MESSAGE = object({
  at: dateTime(),
  kind: oneOf(["connect", "publish", "will", "close"]),
  type: text({ description: "The message type of the topic; CONNECT or CLOSE." }),
  topic: nullable(text()),
  device: nullable(text()),
  client_id: nullable(text()),
  qos: nullable(integer({ max: 2 })),
  retain: nullable(boolean()),
  bytes: integer(),
  action: nullable(oneOf(["route", "drop", "close"])),
  broken: list(text(), { description: "tck-ids." }),
  decoded: nullable(anything("The payload with names for aliases; null where it cannot be read.")),
});

const NODE_DETAIL = object({
  group: text(),
  ...NODE,
  violations: list(object({
    rule: text({ description: "A tck-id." }),
    severity: SEVERITY,
    text: text({ description: "What is demanded." }),
    count: integer(),
    last_at: dateTime(),
  })),
  metrics: list(METRIC),
  devices: list(object({ ...DEVICE, metrics: list(METRIC) })),
  metrics_left: integer({ description: "Metrics that this answer has no room for." }),
  messages_recorded: list(MESSAGE, { description: "The last ones, the newest first." }),
  recorder: oneOf(["on", "off"]),
});
/** All about one Edge Node. */
export type ApiEdgeNode = ValueOf<typeof NODE_DETAIL>;

const VIOLATION = object({
  subject: text({ description: "GROUP/NODE, STATE/HOST, or empty where it is about neither." }),
  rule: text({ description: "A tck-id." }),
  severity: SEVERITY,
  text: text({ description: "What is demanded." }),
  count: integer(),
  last_at: dateTime("To the second."),
});
/** A statement that somebody has broken. */
export type ApiViolation = ValueOf<typeof VIOLATION>;

const REPORT = object({
  node: text({ description: "GROUP/NODE." }),
  grade: oneOf(["conforming", "remarks", "violations"]),
  messages: integer(),
  kept: integer({ description: "Statements that were watched and not broken." }),
  rows: list(object({
    rule: text({ description: "A tck-id." }),
    severity: SEVERITY,
    count: integer(),
    text: text(),
    example: text({ description: "The latest breach in words; empty if it is not kept any more." }),
  })),
});
/** Is this Edge Node conforming? */
export type ApiReport = ValueOf<typeof REPORT>;

const GET_TOPOLOGY = defineRoute({
  method: "GET",
  path: "/api/v1/sparkplug/topology",
  role: "read",
  tag: "sparkplug",
  summary: "Groups, Edge Nodes, Devices and hosts; nobody where the mode does not judge",
  query: {
    ...PAGE_QUERY,
    limit: withDefault(integer({ min: 1, max: 1_000, description: "Most Edge Nodes." }), 1_000),
    group: optional(NAME),
    search: optional(text({ lengthMax: 256, description: "A part of GROUP/NODE." })),
    online: optional(boolean()),
    devices: withDefault(boolean("Whether Devices are told, too."), true),
  },
  answer: TOPOLOGY,
});

const GET_NODE = defineRoute({
  method: "GET",
  path: "/api/v1/sparkplug/nodes/{group}/{node}",
  role: "read",
  tag: "sparkplug",
  summary: "One Edge Node: the metrics of its births, its violations, its last messages",
  query: {
    device: optional(text({ lengthMin: 1, description: "Only the metrics of this Device." })),
    metrics: withDefault(
      integer({ max: 20_000, description: "Most metrics of all together." }),
      2_000,
    ),
    messages: withDefault(integer({ max: 200, description: "Most recorded messages." }), 20),
  },
  answer: NODE_DETAIL,
  problems: [404],
});

const GET_VIOLATIONS = defineRoute({
  method: "GET",
  path: "/api/v1/sparkplug/violations",
  role: "read",
  tag: "sparkplug",
  summary: "Violations by subject and statement",
  query: {
    ...PAGE_QUERY,
    subject: optional(text({ lengthMax: 65_535 })),
    rule: optional(text({ lengthMax: 256, description: "A tck-id." })),
    severity: optional(SEVERITY),
    search: optional(text({ lengthMax: 256, description: "A part of subject, rule or text." })),
  },
  answer: pageOf(VIOLATION),
});

const GET_REPORT = defineRoute({
  method: "GET",
  path: "/api/v1/sparkplug/report",
  role: "read",
  tag: "sparkplug",
  summary: "How well each Edge Node conforms, since the start",
  query: {
    ...PAGE_QUERY,
    node: optional(text({ lengthMax: 65_535, description: "Only this one: GROUP/NODE." })),
  },
  answer: pageOf(REPORT),
});

/** The definitions. */
export const SPARKPLUG_DEFINITIONS = [GET_TOPOLOGY, GET_NODE, GET_VIOLATIONS, GET_REPORT] as const;

/** Which Edge Nodes are wanted. */
export interface TopologyQuery extends PageQuery {
  readonly group: string | undefined;
  readonly search: string | undefined;
  readonly online: boolean | undefined;
  readonly devices: boolean;
}

/** Which violations are wanted. */
export interface ViolationQuery extends PageQuery {
  readonly subject: string | undefined;
  readonly rule: string | undefined;
  readonly severity: ApiViolation["severity"] | undefined;
  readonly search: string | undefined;
}

/** What the routes show; null as a page stands for a cursor that is none. */
export interface SparkplugView {
  readonly topology: (query: TopologyQuery) => ApiTopology | null;
  readonly node: (
    name: { readonly group: string; readonly node: string },
    query: {
      readonly device: string | undefined;
      readonly metrics: number;
      readonly messages: number;
    },
  ) => ApiEdgeNode | null;
  readonly violations: (query: ViolationQuery) => Page<ApiViolation> | null;
  readonly report: (query: PageQuery & { node: string | undefined }) => Page<ApiReport> | null;
}

/** The routes. */
export function sparkplugRoutes(view: SparkplugView): readonly ApiRoute[] {
  const badCursor = () => problem(400, "cursor is none of ours");
  return [
    serve(GET_TOPOLOGY, ({ query }) => view.topology(query) ?? badCursor()),
    serve(
      GET_NODE,
      ({ params, query }) => view.node(params, query) ?? problem(404, "no such Edge Node is known"),
    ),
    serve(GET_VIOLATIONS, ({ query }) => view.violations(query) ?? badCursor()),
    serve(GET_REPORT, ({ query }) => view.report(query) ?? badCursor()),
  ];
}
