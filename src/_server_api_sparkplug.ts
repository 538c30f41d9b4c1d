/** The plant as the admin API shows it: from the referee's books to the words of the API. */
import { apiMessage } from "./_server_api_sparkplug_messages.ts";
import { snakeCased } from "./_server_api_snake_case.ts";
import type { SparkplugSide } from "./_server_sparkplug.ts";
import type { SparkplugValues } from "./_server_sparkplug_values.ts";
import {
  type ApiEdgeNode,
  type ApiReport,
  type ApiTopology,
  type ApiViolation,
  decodeCursor,
  encodeCursor,
  type Page,
  pageOfList,
  type SparkplugView,
  type TopologyQuery,
  type ViolationQuery,
} from "./admin/mod.ts";
import type { SparkplugConfig } from "./config/mod.ts";
import type { DeviceView, HostView, MetricView, NodeView, Referee } from "./sparkplug/mod.ts";

type Desk = NonNullable<SparkplugSide["desk"]>;
type ApiMetric = ApiEdgeNode["metrics"][number];

/** Devices in one answer, after which further Edge Nodes are for the next page. */
const DEVICES_MAX = 5_000;

/** What the routes show of a running broker. */
export function sparkplugView(
  mode: SparkplugConfig["mode"],
  { desk, values }: Pick<SparkplugSide, "desk" | "values">,
): SparkplugView {
  const nobody = { items: [], next: null, total: 0 };
  if (desk === null) {
    return {
      topology: () => ({ mode, groups: [], hosts: [], next: null, total: 0 }),
      node: () => null,
      violations: () => nobody,
      report: () => nobody,
    };
  }
  const { referee } = desk;
  return {
    topology: (query) => topology(referee, mode, query),
    node: ({ group, node }, query) => edgeNode(desk, { group, node, values, ...query }),
    violations: (query) => violations(desk, query),
    report: (query) => {
      const names = referee.plant.names()
        .filter(({ group, name }) => query.node === undefined || query.node === `${group}/${name}`)
        .filter(({ heard }) => heard)
        .map((name) => ({ ...name, key: sortKey(name) }))
        .sort(byKey);
      const page = pageOfList(names, query, ({ key }) => key);
      return page && { ...page, items: page.items.flatMap((name) => report(desk, name)) };
    },
  };
}

/** A moment as the API tells it; null for none. */
export function moment(ms: number): string | null {
  return ms > 0 ? new Date(ms).toISOString() : null;
}

function topology(
  referee: Referee,
  mode: SparkplugConfig["mode"],
  query: TopologyQuery,
): ApiTopology | null {
  const after = query.cursor === undefined ? "" : decodeCursor(query.cursor);
  if (after === null) return null;
  const search = query.search?.toLowerCase() ?? "";
  const names = referee.plant.names().map((name) => ({ ...name, key: sortKey(name) }))
    .filter(({ group, name, online }) =>
      (query.group === undefined || query.group === group) &&
      (query.online === undefined || query.online === online) &&
      (search === "" || `${group}/${name}`.toLowerCase().includes(search))
    ).sort(byKey);
  const groups = new Map<string, ApiTopology["groups"][number]["nodes"][number][]>();
  let [last, count, devices] = [after, 0, 0];
  const rest = names.filter(({ key }) => key > after);
  for (const { group, name, key } of rest) {
    const node = referee.plant.node(group, name, { withMetrics: false })!;
    devices += query.devices ? node.devices.length : 0;
    if (count === query.limit || (count > 0 && devices > DEVICES_MAX)) break;
    const nodes = groups.get(group) ?? [];
    groups.set(group, nodes);
    nodes.push({
      ...nodeFacts(node),
      violations: node.violations,
      devices: query.devices ? node.devices.map(deviceFacts) : [],
    });
    last = key;
    count++;
  }
  return {
    mode,
    groups: Array.from(groups, ([name, nodes]) => ({ name, nodes })),
    hosts: referee.plant.hosts().map(apiHost),
    next: count < rest.length ? encodeCursor(last) : null,
    total: names.length,
  };
}

function edgeNode(
  desk: Desk,
  query: {
    readonly group: string;
    readonly node: string;
    readonly device: string | undefined;
    readonly metrics: number;
    readonly messages: number;
    readonly values: SparkplugValues | null;
  },
): ApiEdgeNode | null {
  const { group, node: name, device, values } = query;
  const node = desk.referee.plant.node(group, name, { withMetrics: true });
  if (node === null) return null;
  let room = query.metrics;
  let left = 0;
  const metricsOf = (metrics: readonly MetricView[], of: string | null): ApiMetric[] => {
    if (device !== undefined && of !== device) return [];
    const shown = metrics.slice(0, room);
    room -= shown.length;
    left += metrics.length - shown.length;
    return withValues(shown, values, { group, node: name, device: of });
  };
  const key = `${group}/${name}`;
  const entries = desk.referee.recorder?.entries(key) ?? [];
  const messages = entries.toReversed().flatMap((entry) => {
    return entry.kind === "gap" || !("timeMs" in entry) ? [] : [entry];
  });
  return {
    group,
    ...nodeFacts(node),
    violations: desk.violationsOf(key).map(({ subject: _, ...violation }) => violation),
    metrics: metricsOf(node.metrics, null),
    devices: node.devices.map((one) => ({
      ...deviceFacts(one),
      metrics: metricsOf(one.metrics, one.name),
    })),
    metrics_left: left,
    messages_recorded: messages.slice(0, query.messages).map((entry) => apiMessage(desk, entry)),
    recorder: desk.referee.recorder === null ? "off" : "on",
  };
}

/** Metrics of a birth, with what was said of them last. */
function withValues(
  metrics: readonly MetricView[],
  values: SparkplugValues | null,
  of: { readonly group: string; readonly node: string; readonly device: string | null },
): ApiMetric[] {
  const part = { ...of, search: "", from: 0, limit: metrics.length };
  const known = new Map(values?.page(part)?.items.map((value) => [value.name, value]));
  return metrics.map(({ name, alias, dataType }) => {
    const value = known.get(name);
    return {
      name,
      alias,
      data_type: dataType,
      value: value === undefined ? null : snakeCased(value.value),
      at: value === undefined ? null : momentOf(value.timestampMs) ?? moment(value.cameMs),
      stale: value?.stale ?? null,
    };
  });
}

/** A time stamp of the wire; null for what is no moment that can be written. */
export function momentOf(ms: bigint | null): string | null {
  return ms === null || ms > 253_402_300_799_999n ? null : moment(Number(ms));
}

function violations(desk: Desk, query: ViolationQuery): Page<ApiViolation> | null {
  const after = query.cursor === undefined ? "" : decodeCursor(query.cursor);
  if (after === null) return null;
  const search = query.search?.toLowerCase() ?? "";
  const wanted = (row: ApiViolation) =>
    (query.rule === undefined || row.rule === query.rule) &&
    (query.severity === undefined || row.severity === query.severity) &&
    (search === "" || `${row.subject} ${row.rule} ${row.text}`.toLowerCase().includes(search));
  const items: ApiViolation[] = [];
  let more = false;
  // Subject by subject: nobody needs all of them at once.
  for (const subject of desk.referee.violations.subjects().toSorted()) {
    if (query.subject !== undefined && query.subject !== subject) continue;
    if (`${subject}\0\uffff` < after) continue;
    for (const row of desk.violationsOf(subject)) {
      if (`${subject}\0${row.rule}` <= after || !wanted(row)) continue;
      if (items.length === query.limit) more = true;
      else items.push(row);
    }
    if (more) break;
  }
  const last = items.at(-1);
  const next = more && last !== undefined ? encodeCursor(`${last.subject}\0${last.rule}`) : null;
  return { items, next, total: null };
}

function report(desk: Desk, name: { group: string; name: string }): ApiReport[] {
  const found = desk.reportOn(name);
  if (found === null) return [];
  const rows = found.rows.map(({ tckId, severity, count, says, example }) => {
    return { rule: tckId, severity, count, text: says, example };
  });
  return [{ ...found, rows }];
}

function nodeFacts(node: NodeView) {
  const { online, lastBirthMs, lastDeathMs, lastMessageMs } = node;
  return {
    name: node.name,
    connected: node.connected,
    unknown_since_restart: !node.heard,
    online,
    since: moment(online ? lastBirthMs : lastDeathMs),
    client_id: node.clientIdentifier,
    bd_seq: node.bdSeq,
    last_bd_seq: node.lastBdSeq,
    seq: node.seq,
    needs_rebirth: node.needsRebirth,
    primary_host: node.primaryHost,
    births: node.births,
    deaths: node.deaths,
    last_birth_at: moment(lastBirthMs),
    last_death_at: moment(lastDeathMs),
    last_death_cause: node.lastDeathCause,
    rebirths_asked: node.rebirthsAsked,
    last_rebirth_asked_at: moment(node.lastRebirthMs),
    last_rebirth_cause: node.lastRebirthCause,
    messages: node.messages,
    bytes: node.bytes,
    messages_per_s: node.messagesPerS,
    bytes_per_s: node.bytesPerS,
    withheld: node.withheld,
    seq_gaps: node.seqGaps,
    last_message_at: moment(lastMessageMs),
    clock_skew_ms: node.messages === 0 ? null : node.clockSkewMs,
  };
}

function deviceFacts(device: DeviceView) {
  const { online, lastBirthMs, lastDeathMs } = device;
  return {
    name: device.name,
    online,
    since: moment(online ? lastBirthMs : lastDeathMs),
    births: device.births,
    deaths: device.deaths,
    messages: device.messages,
    last_birth_at: moment(lastBirthMs),
    last_death_at: moment(lastDeathMs),
    last_death_cause: device.lastDeathCause,
    last_message_at: moment(device.lastMessageMs),
  };
}

function apiHost(host: HostView): ApiTopology["hosts"][number] {
  return {
    name: host.name,
    connected: host.connected,
    client_id: host.clientIdentifier,
    online: host.online,
    state_at: host.timestamp === null ? null : momentOf(BigInt(Math.trunc(host.timestamp))),
    births: host.births,
    deaths: host.deaths,
    watched_by: host.watchedBy,
    violations: host.violations,
  };
}

/** No identifier has a slash, and none of them U+0000: the order is that of groups, then nodes. */
function sortKey({ group, name }: { readonly group: string; readonly name: string }): string {
  return `${group}\0${name}`;
}

function byKey(a: { readonly key: string }, b: { readonly key: string }): number {
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
}
