/** Runs many seeds, in this process or in several. */
import { BrokenPromise } from "./broken_promise.ts";
import { simulate } from "./simulation.ts";

/** What is to be run. */
export interface SeedRange {
  readonly from: number;
  readonly count: number;
  readonly seconds: number;
  /** Whether the first failure ends the run. */
  readonly first: boolean;
  readonly trace: boolean;
}

/** What came of it. */
export interface RunReport {
  seeds: number;
  failures: number;
  events: number;
  crashes: number;
}

/** Runs the seeds one after the other. */
export async function runSeeds(
  range: SeedRange,
  { directory, print }: { directory: string; print: (line: string) => void },
): Promise<RunReport> {
  const report = { seeds: 0, failures: 0, events: 0, crashes: 0 };
  const endMs = performance.now() + range.seconds * 1_000;
  for (let seed = range.from; seed < range.from + range.count; seed++) {
    if (performance.now() > endMs) break;
    report.seeds++;
    try {
      const run = await simulate(seed, { directory, trace: range.trace ? print : undefined });
      report.events += run.events;
      report.crashes += run.crashes;
    } catch (error) {
      report.failures++;
      print(`FAILED: ${textOf(error)}`);
      print(`replay: deno task sim --seed ${seed}`);
      if (range.first) break;
    }
  }
  return report;
}

function textOf(error: unknown): string {
  if (error instanceof BrokenPromise) return error.message;
  return error instanceof Error ? error.stack ?? error.message : String(error);
}
