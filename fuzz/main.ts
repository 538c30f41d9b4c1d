/**
 * Fuzzing, reproducible from a seed:
 * `deno run fuzz/main.ts [--target NAME] [--inputs N] [--seconds S] [--seed N] [--jobs N]`
 */
import { parseArgs } from "@std/cli";
import { type ProcessReport, PROGRESS_OPTION, runProcesses } from "./processes.ts";
import { type Progress, runTarget } from "./run_target.ts";
import type { Target } from "./target.ts";
import { TARGETS } from "./targets.ts";

const USAGE =
  `usage: deno run fuzz/main.ts [--target NAME] [--inputs N] [--seconds S] [--seed N] [--jobs N]
  --jobs     targets side by side, each in a process of its own
             (default: as many as there are processors; one process with --target)
targets: ${TARGETS.map(({ name }) => name).join(", ")}`;

/** What the command line asks for. */
interface Request {
  readonly targets: readonly Target[];
  readonly inputs: number | null;
  readonly seconds: number;
  readonly seed: number;
  /** Processes side by side, or null for this one alone. */
  readonly jobs: number | null;
  /** Whether to tell on the way which input it is at: for the process that watches this one. */
  readonly progress: boolean;
}

if (import.meta.main) {
  // deno-lint-ignore no-console -- this is a program of the command line
  Deno.exit(await main(Deno.args, (line) => console.log(line)));
}

/** Gives the exit code: 0 if nothing failed, 1 if an input failed, 2 for a wrong command line. */
export async function main(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const request = readRequest(args);
  if (request === null) {
    print(USAGE);
    return 2;
  }
  const { targets, jobs } = request;
  if (jobs !== null) return await fuzzSideBySide(request, jobs, print) ? 0 : 1;
  return targets.every((target) => fuzz(target, request, print)) ? 0 : 1;
}

/** Whether every target passed; a failure does not end the others. */
async function fuzzSideBySide(
  { targets, inputs, seconds, seed }: Request,
  jobs: number,
  print: (line: string) => void,
): Promise<boolean> {
  const bounds = [
    ...["--seed", `${seed}`],
    ...(inputs === null ? [] : ["--inputs", `${inputs}`]),
    ...(seconds === Infinity ? [] : ["--seconds", `${seconds}`]),
  ];
  const startedMs = performance.now();
  const names = targets.map(({ name }) => name);
  const reports = await runProcesses(names, { jobs, args: bounds, print });
  print(summaryOf(reports, (performance.now() - startedMs) / 1000));
  return reports.every(({ passed }) => passed);
}

function summaryOf(reports: readonly ProcessReport[], seconds: number): string {
  const failed = reports.filter(({ passed }) => !passed).map(({ name }) => name);
  const outcome = failed.length === 0 ? "none failed" : `failed: ${failed.join(", ")}`;
  return `${reports.length} targets in ${seconds.toFixed(0)} s, ${outcome}`;
}

function fuzz(
  target: Target,
  { inputs, seconds, seed, progress }: Request,
  print: (line: string) => void,
): boolean {
  const bounds = {
    seed,
    seconds,
    inputs: inputs ?? (seconds < Infinity ? Infinity : target.inputs),
  };
  const report = runTarget(target, bounds, progress ? tellProgress : undefined);
  const rate = Math.round(report.inputs / report.seconds);
  print(
    `target=${target.name} inputs=${report.inputs} seconds=${report.seconds.toFixed(2)} ` +
      `seed=${seed} inputs_per_second=${rate}`,
  );
  const { failure } = report;
  if (failure === null) return true;
  print(`FAILED: ${failure.problem}`);
  print(`replay: deno run fuzz/main.ts --target ${target.name} --seed ${failure.seed} --inputs 1`);
  print(`input: ${[...failure.input].map((b) => b.toString(16).padStart(2, "0")).join("")}`);
  return false;
}

/** A line for the process that watches this one: at once, for the next input may never end. */
function tellProgress({ inputs, seed }: Progress): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`progress ${inputs} ${seed}\n`));
}

function readRequest(args: readonly string[]): Request | null {
  const known = ["target", "inputs", "seconds", "seed", "jobs"];
  let valid = true;
  const flags = parseArgs(args, {
    string: known,
    boolean: [PROGRESS_OPTION],
    unknown: () => valid = false,
  });
  const inputs = numberOf(flags["inputs"], null);
  const seconds = numberOf(flags["seconds"], Infinity);
  const seed = numberOf(flags["seed"], Date.now() % 1_000_000_000);
  const name = flags["target"];
  const jobs = numberOf(
    flags["jobs"],
    name === undefined ? navigator.hardwareConcurrency : null,
  );
  if (!valid || [inputs, seconds, seed, jobs].some((value) => Number.isNaN(value))) return null;
  if (jobs !== null && !(Number.isInteger(jobs) && jobs > 0)) return null;
  const targets = TARGETS.filter((target) => name === undefined || target.name === name);
  if (targets.length === 0) return null;
  return { targets, inputs, seconds, seed, jobs, progress: flags[PROGRESS_OPTION] === true };
}

function numberOf<T>(flag: unknown, absent: T): T | number {
  if (flag === undefined) return absent;
  const value = Number(flag);
  return flag !== "" && value >= 0 ? value : NaN;
}
