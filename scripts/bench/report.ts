/** From the figures of all rounds to a table and a JSON document. */

import type { BrokerKind } from "./brokers.ts";
import type { MachineFacts } from "./machine.ts";
import { median, type Spread, spread } from "./statistics.ts";
import type { Figures, Goal, Metric, Workload } from "./workload.ts";

/** One round: the figures of each broker; a failed measurement has an error instead. */
export interface Round {
  order: readonly BrokerKind[];
  figures: Partial<Record<BrokerKind, Figures>>;
  errors: Partial<Record<BrokerKind, string>>;
  /** CPU that processes outside the rig used meanwhile, 100 for one core. */
  otherCpuPercent: Partial<Record<BrokerKind, number>>;
}

/** All rounds of a work item. */
export interface Outcome {
  workload: Workload;
  rounds: readonly Round[];
}

/** A metric of a work item over all rounds. */
interface Comparison {
  metric: Metric;
  first: Spread;
  second?: Spread;
  /** Median of the first broker by the median of the second. */
  ratioOfMedians?: number;
  /** Median of the ratios of single rounds: a noisy minute hits both sides of a round. */
  medianOfRatios?: number;
  verdicts: { goal: string; met: boolean | undefined }[];
}

/** The table, one row for each metric. */
export function formatTable(outcomes: readonly Outcome[], kinds: readonly BrokerKind[]): string {
  const [first = "relayq", second] = kinds;
  const spreadTitle = (kind: BrokerKind) => `${kind}: median (min–max)`;
  const title = ["work item", "metric", spreadTitle(first)];
  if (second !== undefined) title.push(spreadTitle(second), "ratio", "by round");
  title.push("goal");
  const rows = [title];
  for (const outcome of outcomes) {
    let name = outcome.workload.name;
    for (const comparison of compare(outcome, kinds)) {
      rows.push(formatRow(name, { comparison, compared: second !== undefined }));
      name = "";
    }
  }
  return align(rows);
}

/** What a reader must know before believing the table: a busy machine, failures, doubled messages. */
export function formatNotes(outcomes: readonly Outcome[]): string[] {
  const rounds = outcomes.flatMap((outcome) => outcome.rounds);
  const others = rounds.flatMap((round) => Object.values(round.otherCpuPercent));
  const busy = spread(others);
  const notes = [
    `Processes outside the rig used ${format(busy.median, 0)} % of a core in the median, ` +
    `${format(busy.max, 0)} % at most.`,
  ];
  for (const { workload, rounds } of outcomes) {
    for (const round of rounds) {
      for (const [kind, error] of Object.entries(round.errors)) {
        notes.push(`FAILED: ${workload.name} of ${kind}: ${error}`);
      }
      for (const [kind, figures] of Object.entries(round.figures)) {
        const lost = figures["lost_acknowledged"] ?? 0;
        if (lost > 0) {
          notes.push(`${workload.name} of ${kind}: ${lost} acknowledged messages LOST.`);
        }
        const disorder = figures["disorder"] ?? 0;
        if (disorder > 0) {
          notes.push(`${workload.name} of ${kind}: ${disorder} messages doubled or out of order.`);
        }
      }
    }
  }
  return notes;
}

/** The document that is written to a file: facts, every figure of every round, and the summary. */
export function toJson(
  outcomes: readonly Outcome[],
  about: { machine: MachineFacts; kinds: readonly BrokerKind[]; settings: unknown },
): string {
  const items = outcomes.map((outcome) => ({
    name: outcome.workload.name,
    about: outcome.workload.about,
    profile: outcome.workload.profile,
    summary: compare(outcome, about.kinds).map((comparison) => summarise(comparison, about.kinds)),
    rounds: outcome.rounds,
  }));
  const { machine, settings, kinds } = about;
  return JSON.stringify({ machine, settings, brokers: kinds, items }, null, 2) + "\n";
}

function summarise(comparison: Comparison, kinds: readonly BrokerKind[]): Record<string, unknown> {
  const { metric, first, second, ...rest } = comparison;
  const spreads = { [kinds[0] ?? ""]: first, ...(second && { [kinds[1] ?? ""]: second }) };
  return { metric: metric.name, ...spreads, ...rest };
}

function compare(outcome: Outcome, kinds: readonly BrokerKind[]): Comparison[] {
  const [first = "relayq", second] = kinds;
  return outcome.workload.metrics.map(function ofMetric(metric): Comparison {
    const firsts = outcome.rounds.map((round) => round.figures[first]?.[metric.name] ?? NaN);
    const comparison: Comparison = { metric, first: spread(firsts), verdicts: [] };
    if (second !== undefined) {
      const seconds = outcome.rounds.map((round) => round.figures[second]?.[metric.name] ?? NaN);
      const ratios = firsts.map((value, index) => value / (seconds[index] ?? NaN));
      comparison.second = spread(seconds);
      comparison.ratioOfMedians = comparison.first.median / comparison.second.median;
      comparison.medianOfRatios = median(ratios.filter((ratio) => !Number.isNaN(ratio)));
    }
    if (first === "relayq") {
      comparison.verdicts = (metric.goals ?? []).map((goal) => judge(goal, comparison));
    }
    return comparison;
  });
}

function judge(goal: Goal, comparison: Comparison): Comparison["verdicts"][number] {
  const { first, second, ratioOfMedians } = comparison;
  switch (goal.kind) {
    case "ratio_at_least":
      return {
        goal: `ratio ≥ ${goal.value}`,
        met: ratioOfMedians === undefined ? undefined : ratioOfMedians >= goal.value,
      };
    case "at_least":
      return {
        goal: `≥ ${goal.value.toLocaleString("en-US")}`,
        met: first.median >= goal.value,
      };
    case "at_most":
      return { goal: `≤ ${goal.value}`, met: first.median <= goal.value };
    case "not_above_peer":
      return {
        goal: "≤ peer",
        met: second === undefined ? undefined : first.median <= second.median,
      };
  }
}

function formatRow(
  name: string,
  of: { comparison: Comparison; compared: boolean },
): string[] {
  const { metric, first, second, ratioOfMedians, medianOfRatios, verdicts } = of.comparison;
  const row = [name, metric.name, formatSpread(first, metric)];
  if (of.compared && second !== undefined) {
    row.push(
      formatSpread(second, metric),
      formatRatio(ratioOfMedians),
      formatRatio(medianOfRatios),
    );
  }
  row.push(verdicts.map(formatVerdict).join(", "));
  return row;
}

function formatVerdict(verdict: Comparison["verdicts"][number]): string {
  if (verdict.met === undefined) return verdict.goal;
  return `${verdict.goal} ${verdict.met ? "met" : "MISSED"}`;
}

function formatSpread(of: Spread, metric: Metric): string {
  const { digits } = metric;
  const [middle, least, most] = [of.median, of.min, of.max].map((value) => format(value, digits));
  return `${middle} (${least}–${most})`;
}

function formatRatio(ratio: number | undefined): string {
  if (ratio === undefined || !Number.isFinite(ratio)) return "–";
  return ratio.toFixed(2);
}

function format(value: number, digits: number): string {
  if (!Number.isFinite(value)) return "–";
  const rounded = value.toLocaleString("en-US", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return Number(value.toFixed(digits)) === 0 ? rounded.replace("-", "") : rounded;
}

function align(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length))
  );
  const lines = rows.map((row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0;
      const isText = column < 2 || column === row.length - 1;
      return isText ? cell.padEnd(width) : cell.padStart(width);
    }).join("  ").trimEnd()
  );
  lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return lines.join("\n");
}
