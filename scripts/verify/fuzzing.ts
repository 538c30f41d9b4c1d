/** The section "fuzzing": every target of `fuzz/`, each in a process of its own. */
import { type ProcessReport, runProcesses } from "../../fuzz/processes.ts";
import { TARGETS } from "../../fuzz/targets.ts";
import type { VerifyOptions, VerifyRow } from "./verify_row.ts";

const SECTION = "fuzzing";
/** Always the same: a red run must mean a change. */
const SEED = 1;
const QUICK_SECONDS = 10;

/** Runs all targets: for so many inputs as each asks for, or `quick`, for a few seconds. */
export async function run({ quick }: VerifyOptions): Promise<VerifyRow[]> {
  const names = TARGETS.map(({ name }) => name);
  const lines = new Map<string, string[]>(names.map((name) => [name, []]));
  const reports = await runProcesses(names, {
    jobs: navigator.hardwareConcurrency,
    args: ["--seed", `${SEED}`, ...quick ? ["--seconds", `${QUICK_SECONDS}`] : []],
    print: (line, target) => lines.get(target)!.push(line),
  });
  return names.map((name) => {
    const report = reports.find((report) => report.name === name)!;
    return fuzzingRow(report, lines.get(name)!);
  });
}

/** A target by what its process printed. */
export function fuzzingRow(
  { name, passed }: ProcessReport,
  lines: readonly string[],
): VerifyRow {
  const [, inputs = "0", seconds = "0"] =
    lines.map((line) => /^target=\S+ inputs=(\d+) seconds=([\d.]+) /.exec(line))
      .find((match) => match !== null) ?? [];
  const ok = passed && Number(inputs) > 0;
  return {
    section: SECTION,
    name: `${name}: no crash, no hang, no difference`,
    tool: "fuzz/",
    size: `${Number(inputs).toLocaleString("en")} inputs`,
    seconds: Number(seconds),
    ok,
    ...ok ? {} : { detail: lines.join("\n") },
  };
}
