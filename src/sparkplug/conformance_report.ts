/** Is this Edge Node conforming? Its violations, rule by rule. */
import type { Severity, TckId } from "./rule.ts";
import { RULE_NAMES, RULES } from "./rules.ts";
import type { Referee } from "./referee.ts";

/** One statement in a report. */
export interface ReportRow {
  readonly tckId: TckId;
  readonly severity: Severity;
  /** How often it was broken. */
  readonly count: number;
  readonly says: string;
  /** The latest breach, in words; empty if it is not kept any more. */
  readonly example: string;
}

/** The report on one Edge Node. */
export interface NodeReport {
  /** `G/E`. */
  readonly node: string;
  /** `conforming`: nothing; `remarks`: nothing worse than info and warn; else `violations`. */
  readonly grade: "conforming" | "remarks" | "violations";
  readonly messages: number;
  /** What was broken, worst first. */
  readonly rows: readonly ReportRow[];
  /** Statements that were watched and not broken. */
  readonly kept: number;
}

const ORDER: Readonly<Record<Severity, number>> = { fatal: 0, error: 1, warn: 2, info: 3 };

/** Reports on every Edge Node that is known. */
export function reportsOf(referee: Referee): NodeReport[] {
  return referee.plant.names().flatMap((name) => reportOn(referee, name) ?? []);
}

/** The report on one Edge Node; null if it was not here. */
export function reportOn(
  referee: Referee,
  of: { readonly group: string; readonly name: string },
): NodeReport | null {
  const known = referee.plant.node(of.group, of.name, { withMetrics: false });
  if (!known?.heard) return null;
  const { messages } = known;
  const node = `${of.group}/${of.name}`;
  const counts = referee.violations.countsOf(node);
  const latest = referee.violations.latest(node);
  const rows = [...counts].map(([tckId, count]): ReportRow => {
    const example = latest.findLast((violation) => violation.tckId === tckId);
    const name = example?.rule ?? RULE_NAMES.find((one) => RULES[one].ids.includes(tckId))!;
    const { severity, says } = RULES[name];
    return { tckId, severity, count, says, example: example?.detail ?? "" };
  });
  rows.sort((a, b) => ORDER[a.severity] - ORDER[b.severity] || b.count - a.count);
  const worst = rows[0] === undefined ? 4 : ORDER[rows[0].severity];
  const grade = worst === 4 ? "conforming" : worst >= ORDER.warn ? "remarks" : "violations";
  return { node, grade, messages, rows, kept: EDGE_IDS.size - rows.length };
}

/** Statements that an Edge Node can break. */
const EDGE_IDS: ReadonlySet<TckId> = new Set(
  RULE_NAMES.filter((name) => !RULES[name].on.every((place) => /^(STATE|NCMD|DCMD)$/.test(place)))
    .flatMap((name) => RULES[name].ids),
);

/** A report as text, for a terminal. */
export function reportText(reports: readonly NodeReport[]): string {
  if (reports.length === 0) return "No Edge Node was seen.\n";
  const lines: string[] = [];
  for (const { node, grade, messages, rows, kept } of reports) {
    lines.push(`${printable(node)}: ${grade} (${messages} messages, ${kept} statements kept)`);
    for (const { tckId, severity, count, says, example } of rows) {
      lines.push(`  ${severity.padEnd(5)} ${String(count).padStart(7)} x ${tckId}`);
      lines.push(`          ${says}${example === "" ? "" : `; last: ${printable(example)}`}`);
    }
  }
  return lines.join("\n") + "\n";
}

/** Names come from the wire: nothing of them may steer a terminal. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?").slice(0, 200);
}
