/** Figures of all Edge Nodes and hosts together: what is worth a look at any time. */
import type { Registry } from "./registry.ts";
import type { ViolationLog } from "./violation_log.ts";

/** Counts; those of what has happened only grow, but for Edge Nodes that were forgotten. */
export interface Census {
  readonly nodesConnected: number;
  readonly nodesOnline: number;
  readonly nodesKnown: number;
  readonly hostsKnown: number;
  readonly devicesOnline: number;
  readonly hostsOnline: number;
  readonly births: number;
  readonly deaths: number;
  readonly messages: number;
  readonly withheld: number;
  readonly seqGaps: number;
  readonly rebirthRequests: number;
  readonly legacyStates: number;
  readonly violations: number;
  /** What found no room, and is not judged. */
  readonly unfit: {
    readonly nodes: number;
    readonly devices: number;
    readonly metrics: number;
    readonly hosts: number;
    readonly violationSubjects: number;
  };
}

/** Counts what is known. */
export function censusOf(
  registry: Registry,
  about: {
    readonly violations: ViolationLog;
    readonly rebirthRequests: number;
    readonly legacyStates: number;
  },
): Census {
  const { violations, rebirthRequests, legacyStates } = about;
  const sums = {
    nodesConnected: 0,
    nodesOnline: 0,
    devicesOnline: 0,
    births: 0,
    deaths: 0,
    messages: 0,
    withheld: 0,
    seqGaps: 0,
  };
  for (const node of registry.nodes) {
    if (node.owner !== null) sums.nodesConnected++;
    if (node.born) sums.nodesOnline++;
    sums.births += node.births;
    sums.deaths += node.deaths;
    sums.messages += node.messages;
    sums.withheld += node.withheld;
    sums.seqGaps += node.seqGaps;
    for (const device of node.devices.values()) {
      if (device.born) sums.devicesOnline++;
      sums.births += device.births;
      sums.deaths += device.deaths;
    }
  }
  const hosts = [...registry.hosts.values()];
  return {
    ...sums,
    nodesKnown: registry.nodes.size,
    hostsKnown: hosts.length,
    hostsOnline: hosts.filter(({ state }) => state?.online === true).length,
    rebirthRequests,
    legacyStates,
    violations: violations.total,
    unfit: { ...registry.unfit, violationSubjects: violations.unfit },
  };
}
