/** Joins the statements of Sparkplug with the results of the tests that carry their identifiers. */
import { type SparkplugStatement, tckIdsOf } from "../tests/sparkplug/statements.ts";
import type { TestResult } from "./_conformance_junit.ts";
import { type Tally, tally, verdictOf } from "./_conformance_tally.ts";

/**
 * The table as text, and whether everything that can be proved is proved: what binds the server, and
 * that it judges its clients by every statement that shows on the wire.
 */
export function sparkplugReport(
  statements: readonly SparkplugStatement[],
  results: readonly TestResult[],
): { text: string; passed: boolean } {
  const tallies = tally(results, tckIdsOf);
  const lines = [
    "Sparkplug 3.0.0: normative statements, and the tests that prove over a socket that the server",
    "fulfils its own and judges those of its clients",
  ];
  let place = "";
  for (const statement of statements) {
    const { where, notObservable } = statement;
    const header = notObservable === null ? where : `not observable: ${notObservable}`;
    if (header !== place) lines.push("", header);
    place = header;
    lines.push(`   ${statement.id}  ${state(statement, tallies.get(statement.id))}`);
  }
  const faults = findFaults(statements, results, tallies);
  lines.push("", summary(statements, results, tallies));
  if (faults.length > 0) lines.push("", "FAULTS", ...faults.map((fault) => `  ${fault}`));
  return { text: lines.join("\n") + "\n", passed: faults.length === 0 };
}

function state({ notObservable }: SparkplugStatement, counts: Tally | undefined): string {
  if (counts === undefined) return notObservable === null ? "NOT TESTED" : "n/a";
  return verdictOf(counts);
}

function findFaults(
  statements: readonly SparkplugStatement[],
  results: readonly TestResult[],
  tallies: ReadonlyMap<string, Tally>,
): string[] {
  const known = new Set(statements.map(({ id }) => id));
  const unproved = statements.filter(({ id, notObservable }) =>
    notObservable === null && (tallies.get(id)?.passed ?? 0) === 0
  );
  const failed = results.filter(({ outcome }) => outcome === "failed");
  return [
    ...unproved.map(({ id }) => `${id}: no test of it passes`),
    ...[...tallies.keys()].filter((id) => !known.has(id))
      .map((id) => `${id}: in the name of a test, but not in the specification`),
    ...failed.map(({ name, file, message }) => `${file}: ${name}: ${message}`),
  ];
}

function summary(
  statements: readonly SparkplugStatement[],
  results: readonly TestResult[],
  tallies: ReadonlyMap<string, Tally>,
): string {
  const tested = statements.filter(({ id }) => tallies.has(id)).length;
  const others = statements.filter(({ id }) => !tallies.has(id));
  const hidden = others.filter(({ notObservable }) => notObservable !== null).length;
  const counts = results.reduce((sums, { outcome }) => {
    sums[outcome]++;
    return sums;
  }, { passed: 0, failed: 0, skipped: 0 });
  return `${statements.length} statements: ${tested} tested, ${hidden} not observable by a server, ` +
    `${others.length - hidden} untested\n` +
    `${results.length} tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}
