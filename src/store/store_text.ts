/** What the log and `$SYS` say of a store. */
import type { QuarantineReport } from "./quarantine.ts";
import type { Store } from "./store.ts";

/** What `$SYS` says of the store. */
export function storeFacts({ statistics, journal }: Store): Record<string, number> {
  if (statistics === null) return {};
  return {
    "commits": statistics.commits,
    "syncs": statistics.syncs,
    "checkpoints": statistics.checkpoints,
    "failures": statistics.failures,
    "records/waiting": statistics.recordsWaiting,
    "backlog/bytes": journal.backlogBytes,
    "latency/last": Math.round(statistics.latencyMsLast),
    "latency/maximum": Math.round(statistics.latencyMsMax),
    "checkpoint/maximum": Math.round(statistics.checkpointMsMax),
  };
}

/** What happened to a damaged database, line by line; the last one is for the audit. */
export function quarantineText(report: QuarantineReport): readonly string[] {
  const { movedTo, reason, trouble, tables, pagesLost, orphans, orphansLeftOut } = report;
  const tallies = Object.entries(tables).map(([table, { rescued, lost }]) =>
    `${table} ${rescued}${lost > 0 ? ` (${lost} lost)` : ""}`
  );
  const leftOut = orphansLeftOut > 0 ? ` (${orphansLeftOut} more left out)` : "";
  const lines = [
    `store damaged: ${reason}`,
    `store damaged: set aside as ${movedTo}; ${report.setAside} such by now, delete them yourself`,
    `store damaged: rescued in ${Math.round(report.tookMs)} ms: ${
      tallies.join(", ") || "nothing"
    }` +
    `; pages lost: ${pagesLost}; messages without a session: ${orphans.length}, in the dead letters${leftOut}`,
  ];
  if (trouble !== null) lines.push(`store damaged: not everything was rescued: ${trouble}`);
  lines.push(`audit: database quarantined: ${JSON.stringify({ movedTo, reason, tables })}`);
  return lines;
}
