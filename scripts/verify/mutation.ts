/** The section "mutation": the tests have to notice when `src/mqtt` or `src/broker` is broken. */
import { describeMutant, isNoticed, type MutantOutcome } from "../mutation/mutant.ts";
import { mutate, NOTICED_MIN, ROOMS } from "../mutation/main.ts";
import type { VerifyOptions, VerifyRow } from "./verify_row.ts";

const SECTION = "mutation";
/** So many are tried with `quick`. A sample so small may be unlucky by three times its deviation. */
const QUICK_SAMPLE = 40;
const QUICK_NOTICED_MIN = 0.68;

/** Tries all mutants, or with `quick` a sample of them. */
export async function run({ quick }: VerifyOptions): Promise<VerifyRow[]> {
  const startedMs = performance.now();
  const outcomes = await mutate({
    sample: quick ? QUICK_SAMPLE : Infinity,
    seed: 1,
    file: "",
    jobs: navigator.hardwareConcurrency,
  });
  const seconds = (performance.now() - startedMs) / 1000;
  return [mutationRow(outcomes, { quick, seconds })];
}

/** What became of them, with the survivors as detail. */
export function mutationRow(
  outcomes: readonly MutantOutcome[],
  { quick, seconds }: { readonly quick: boolean; readonly seconds: number },
): VerifyRow {
  const rooms = ROOMS.map((room) => {
    const ours = outcomes.filter(({ mutant }) => mutant.file.startsWith(`${room}/`));
    return `${room} ${ours.filter(isNoticed).length} of ${ours.length}`;
  });
  const noticed = outcomes.filter(isNoticed).length;
  const survivors = outcomes.filter((outcome) => !isNoticed(outcome));
  const bound = quick ? QUICK_NOTICED_MIN : NOTICED_MIN;
  return {
    section: SECTION,
    name: `broken source is noticed by the tests: at least ${100 * bound} %`,
    tool: "scripts/mutation",
    size: `${(100 * noticed / outcomes.length).toFixed(1)} %: ${rooms.join(", ")}`,
    seconds,
    ok: noticed >= bound * outcomes.length && outcomes.length > 0,
    detail: survivors.map(({ mutant, result }) => `${result}: ${describeMutant(mutant)}`).join(
      "\n",
    ),
  };
}
