/** How the tests of each statement ended. */
import type { TestResult } from "./_conformance_junit.ts";

/** Tests of one statement; those that were skipped do not count. */
export interface Tally {
  passed: number;
  failed: number;
}

/** Tallies by statement; `idsOf` gives the statements that the name of a test carries. */
export function tally(
  results: readonly TestResult[],
  idsOf: (name: string) => Iterable<string>,
): Map<string, Tally> {
  const tallies = new Map<string, Tally>();
  for (const { name, outcome } of results) {
    if (outcome === "skipped") continue;
    for (const id of new Set(idsOf(name))) {
      const counts = tallies.get(id) ?? { passed: 0, failed: 0 };
      counts[outcome]++;
      tallies.set(id, counts);
    }
  }
  return tallies;
}

/** A tally for people. */
export function verdictOf({ passed, failed }: Tally): string {
  const total = passed + failed;
  const verdict = failed === 0 ? "pass" : `FAIL (${failed} of ${total})`;
  return `${verdict}  ${total} ${total === 1 ? "test" : "tests"}`;
}
