/** Joins the statements of the standard with the results of the tests that carry their tags. */
import { type Statement, tagsOf } from "../tests/conformance/statements.ts";
import type { TestResult } from "./_conformance_junit.ts";
import { type Tally, tally, verdictOf } from "./_conformance_tally.ts";

/** Chapters of the standard, by the number its tags begin with. */
const CHAPTERS: ReadonlyMap<string, string> = new Map([
  ["1", "Introduction: data representation"],
  ["2", "Control Packet format"],
  ["3", "Control Packets"],
  ["4", "Operational behaviour"],
  ["6", "WebSocket as a transport"],
  ["7", "Conformance"],
]);

/** The table as text, and whether everything that must be proved is proved. */
export function conformanceReport(
  statements: readonly Statement[],
  results: readonly TestResult[],
): { text: string; passed: boolean } {
  const tallies = tally(results, tagsOf);
  const lines = [
    "MQTT 3.1.1, appendix B: mandatory normative statements, and the tests that prove them over a socket",
  ];
  let chapter = "";
  for (const statement of statements) {
    const number = statement.tag.slice("MQTT-".length, "MQTT-".length + 1);
    if (number !== chapter) lines.push("", `${number}  ${CHAPTERS.get(number) ?? ""}`);
    chapter = number;
    lines.push(row(statement, tallies.get(statement.tag), statements));
  }
  const faults = findFaults(statements, results, tallies);
  lines.push("", summary(statements, results, tallies));
  if (faults.length > 0) lines.push("", "FAULTS", ...faults.map((fault) => `  ${fault}`));
  return { text: lines.join("\n") + "\n", passed: faults.length === 0 };
}

function row(
  statement: Statement,
  counts: Tally | undefined,
  statements: readonly Statement[],
): string {
  const { tag, summary, binds } = statement;
  const tagWidth = Math.max(...statements.map((each) => each.tag.length));
  const summaryWidth = Math.max(...statements.map((each) => each.summary.length));
  const columns = [tag.padEnd(tagWidth), summary.padEnd(summaryWidth), binds.padEnd(6)];
  return `   ${columns.join("  ")}  ${state(statement, counts)}`;
}

function state({ notApplicable }: Statement, counts: Tally | undefined): string {
  if (counts !== undefined) return verdictOf(counts);
  return notApplicable === null ? "NOT TESTED" : `n/a   ${notApplicable}`;
}

function findFaults(
  statements: readonly Statement[],
  results: readonly TestResult[],
  tallies: ReadonlyMap<string, Tally>,
): string[] {
  const known = new Set(statements.map(({ tag }) => tag));
  const unproved = statements.filter(({ tag, notApplicable }) =>
    notApplicable === null && (tallies.get(tag)?.passed ?? 0) === 0
  );
  const unknown = [...tallies.keys()].filter((tag) => !known.has(tag));
  const failed = results.filter(({ outcome }) => outcome === "failed");
  return [
    ...unproved.map(({ tag }) => `${tag}: no test of it passes`),
    ...unknown.map((tag) => `${tag}: in the name of a test, but not in the standard`),
    ...failed.map(({ name, file, message }) => `${file}: ${name}: ${message}`),
  ];
}

function summary(
  statements: readonly Statement[],
  results: readonly TestResult[],
  tallies: ReadonlyMap<string, Tally>,
): string {
  const tested = statements.filter(({ tag }) => tallies.has(tag));
  const others = statements.filter(({ tag }) => !tallies.has(tag));
  const notApplicable = others.filter((each) => each.notApplicable !== null).length;
  const untested = others.length - notApplicable;
  const counts = results.reduce((sums, { outcome }) => {
    sums[outcome]++;
    return sums;
  }, { passed: 0, failed: 0, skipped: 0 });
  return `${statements.length} statements: ${tested.length} tested, ${notApplicable} not applicable, ` +
    `${untested} untested\n` +
    `${results.length} tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}
