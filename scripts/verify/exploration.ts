/**
 * The section "exploration": every interleaving of a few clients, of turns, commits and a crash, on
 * the real core.
 */
import { explore } from "./exploration/explore.ts";
import { runMutants } from "./exploration/mutants.ts";
import { SCENARIOS } from "./exploration/scenarios.ts";
import type { VerifyOptions, VerifyRow } from "./verify_row.ts";

const SECTION = "exploration";

/** Explores the scenarios, and the same with a broken core. */
export async function run({ quick }: VerifyOptions): Promise<VerifyRow[]> {
  const rows: VerifyRow[] = [];
  for (const scenario of SCENARIOS) {
    if (quick && !scenario.quick) continue;
    const startedMs = performance.now();
    const { states, transitions, ends, depth, broken, isComplete } = explore(scenario);
    rows.push({
      section: SECTION,
      name: scenario.name,
      tool: "the core itself",
      size: `${states} states, ${transitions} transitions, depth ${depth}, ${ends} ends`,
      seconds: (performance.now() - startedMs) / 1000,
      ok: broken === null && isComplete && ends > 0,
      ...broken === null ? {} : { detail: broken },
    });
  }
  const startedMs = performance.now();
  const verdicts = await runMutants({ quick });
  const survivors = verdicts.filter(({ broken }) => broken === null);
  rows.push({
    section: SECTION,
    name: "a broken core is noticed",
    tool: "the core itself",
    size: `${verdicts.length - survivors.length} of ${verdicts.length} mutants`,
    seconds: (performance.now() - startedMs) / 1000,
    ok: survivors.length === 0,
    detail: survivors.length > 0
      ? `survived: ${survivors.map(({ name }) => name).join("; ")}`
      : verdicts.map(({ name, broken }) => `${name}: ${broken!.split(" after ")[0]}`).join("; "),
  });
  return rows;
}
