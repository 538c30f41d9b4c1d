/** Groups, Edge Nodes, Devices, metrics and hosts, as they are now (7.2). */
import { dataTypeName } from "./data_type.ts";
import type { MetricTable } from "./metric_table.ts";
import type { Device, EdgeNode, Host } from "./node_state.ts";
import type { Registry, UnfitCounts } from "./registry.ts";
import { watchedHost } from "./subscriptions_seen.ts";
import type { ViolationLog } from "./violation_log.ts";

/** A metric of a birth. */
export interface MetricView {
  readonly name: string;
  /** A decimal number, so that no bit is lost. */
  readonly alias: string | null;
  readonly dataType: string;
}

/** A Device. */
export interface DeviceView {
  readonly name: string;
  readonly online: boolean;
  readonly births: number;
  readonly deaths: number;
  readonly messages: number;
  readonly lastBirthMs: number;
  readonly lastDeathMs: number;
  readonly lastDeathCause: string;
  readonly lastMessageMs: number;
  readonly metrics: readonly MetricView[];
}

/** Which Edge Node, in short. */
export interface NodeName {
  readonly group: string;
  readonly name: string;
  readonly online: boolean;
  /** Whether it was here since the start. */
  readonly heard: boolean;
}

/** An Edge Node. */
export interface NodeView {
  readonly group: string;
  readonly name: string;
  readonly connected: boolean;
  /** Whether it was here since the start; else nobody knows whether it is online. */
  readonly heard: boolean;
  readonly online: boolean;
  readonly clientIdentifier: string | null;
  readonly bdSeq: number | null;
  readonly lastBdSeq: number | null;
  readonly seq: number | null;
  readonly needsRebirth: boolean;
  readonly primaryHost: string | null;
  readonly births: number;
  readonly deaths: number;
  readonly rebirthsAsked: number;
  readonly lastRebirthMs: number;
  readonly lastRebirthCause: string;
  readonly messages: number;
  readonly bytes: number;
  /** Over the last second. */
  readonly messagesPerS: number;
  readonly bytesPerS: number;
  readonly withheld: number;
  readonly seqGaps: number;
  readonly lastBirthMs: number;
  readonly lastDeathMs: number;
  readonly lastDeathCause: string;
  readonly lastMessageMs: number;
  readonly clockSkewMs: number;
  readonly metrics: readonly MetricView[];
  readonly devices: readonly DeviceView[];
  /** Violations by statement. */
  readonly violations: Readonly<Record<string, number>>;
}

/** A Host Application. */
export interface HostView {
  readonly name: string;
  readonly connected: boolean;
  readonly clientIdentifier: string | null;
  readonly online: boolean | null;
  readonly timestamp: number | null;
  readonly births: number;
  readonly deaths: number;
  /** Edge Nodes that watch it and no other. */
  readonly watchedBy: readonly string[];
  readonly violations: Readonly<Record<string, number>>;
}

/** Everything. */
export interface Topology {
  readonly nodes: readonly NodeView[];
  readonly hosts: readonly HostView[];
  /** What found no room. */
  readonly unfit: Readonly<UnfitCounts> & { readonly violationSubjects: number };
  readonly violations: number;
  readonly rebirthRequestsSent: number;
  /** STATE messages of the time before 3.0. */
  readonly legacyStates: number;
}

/** A copy of what is known; nothing in it changes any more. */
export function topologyOf(
  registry: Registry,
  about: {
    readonly withMetrics: boolean;
    readonly violations: ViolationLog;
    readonly rebirthRequestsSent: number;
    readonly legacyStates: number;
  },
): Topology {
  const { violations, rebirthRequestsSent, legacyStates } = about;
  const nodes = [...registry.nodes].map((node) => nodeView(node, about));
  const hosts = hostViews(registry, violations);
  return {
    nodes,
    hosts,
    unfit: { ...registry.unfit, violationSubjects: violations.unfit },
    violations: violations.total,
    rebirthRequestsSent,
    legacyStates,
  };
}

/** A copy of what is known of one Edge Node. */
export function nodeView(
  node: EdgeNode,
  { violations, withMetrics }: { violations: ViolationLog; withMetrics: boolean },
): NodeView {
  const { owner } = node;
  return {
    group: node.group,
    name: node.name,
    connected: owner !== null,
    heard: node.heard,
    online: node.born,
    clientIdentifier: owner?.clientIdentifier ?? null,
    bdSeq: node.bdSeq,
    lastBdSeq: node.lastBdSeq,
    seq: node.seq < 0 ? null : node.seq,
    needsRebirth: node.needsRebirth,
    primaryHost: owner === null ? null : watchedHost(owner),
    births: node.births,
    deaths: node.deaths,
    rebirthsAsked: node.rebirthsAsked,
    lastRebirthMs: node.lastRebirthMs,
    lastRebirthCause: node.lastRebirthCause,
    messages: node.messages,
    bytes: node.bytes,
    messagesPerS: node.messagesPerS,
    bytesPerS: node.bytesPerS,
    withheld: node.withheld,
    seqGaps: node.seqGaps,
    lastBirthMs: node.lastBirthMs,
    lastDeathMs: node.lastDeathMs,
    lastDeathCause: node.lastDeathCause,
    lastMessageMs: node.lastMessageMs,
    clockSkewMs: node.clockSkewMs,
    metrics: withMetrics ? metricViews(node.metrics) : [],
    devices: [...node.devices.values()].map((device) => deviceView(device, withMetrics)),
    violations: Object.fromEntries(violations.countsOf(node.key)),
  };
}

function deviceView(device: Device, withMetrics: boolean): DeviceView {
  return {
    name: device.name,
    online: device.born,
    births: device.births,
    deaths: device.deaths,
    messages: device.messages,
    lastBirthMs: device.lastBirthMs,
    lastDeathMs: device.lastDeathMs,
    lastDeathCause: device.lastDeathCause,
    lastMessageMs: device.lastMessageMs,
    metrics: withMetrics ? metricViews(device.metrics) : [],
  };
}

function metricViews(table: MetricTable): MetricView[] {
  return table.metrics.map(({ name, alias, dataType }) => ({
    name,
    alias: alias === null ? null : String(alias),
    dataType: dataTypeName(dataType),
  }));
}

/** All hosts, with those who watch them. */
export function hostViews(registry: Registry, violations: ViolationLog): HostView[] {
  const watching = new Map<string, string[]>();
  for (const { key, owner } of registry.nodes) {
    const name = owner === null ? null : watchedHost(owner);
    if (name === null) continue;
    const keys = watching.get(name);
    if (keys === undefined) watching.set(name, [key]);
    else keys.push(key);
  }
  return [...registry.hosts.values()].map((host) =>
    hostView(host, watching.get(host.name) ?? [], violations)
  );
}

function hostView(
  host: Host,
  watchedBy: readonly string[],
  violations: ViolationLog,
): HostView {
  return {
    name: host.name,
    connected: host.owner !== null,
    clientIdentifier: host.owner?.clientIdentifier ?? null,
    online: host.state?.online ?? null,
    timestamp: host.state?.timestamp ?? null,
    births: host.births,
    deaths: host.deaths,
    watchedBy,
    violations: Object.fromEntries(violations.countsOf(`STATE/${host.name}`)),
  };
}
