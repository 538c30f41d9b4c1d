/**
 * Fuzzing, reproducible from a seed:
 * `deno run fuzz/main.ts [--target NAME] [--inputs N] [--seconds S] [--seed N]`
 */
import { parseArgs } from "@std/cli";
import { runTarget } from "./run_target.ts";
import type { Target } from "./target.ts";
import { TARGETS } from "./targets.ts";

const USAGE = `usage: deno run fuzz/main.ts [--target NAME] [--inputs N] [--seconds S] [--seed N]
targets: ${TARGETS.map(({ name }) => name).join(", ")}`;

/** What the command line asks for. */
interface Request {
  readonly targets: readonly Target[];
  readonly inputs: number | null;
  readonly seconds: number;
  readonly seed: number;
}

// deno-lint-ignore no-console -- this is a program of the command line
if (import.meta.main) Deno.exit(main(Deno.args, (line) => console.log(line)));

/** Gives the exit code: 0 if nothing failed, 1 if an input failed, 2 for a wrong command line. */
export function main(args: readonly string[], print: (line: string) => void): number {
  const request = readRequest(args);
  if (request === null) {
    print(USAGE);
    return 2;
  }
  return request.targets.every((target) => fuzz(target, request, print)) ? 0 : 1;
}

function fuzz(
  target: Target,
  { inputs, seconds, seed }: Request,
  print: (line: string) => void,
): boolean {
  const bounds = {
    seed,
    seconds,
    inputs: inputs ?? (seconds < Infinity ? Infinity : target.inputs),
  };
  const report = runTarget(target, bounds);
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

function readRequest(args: readonly string[]): Request | null {
  const known = ["target", "inputs", "seconds", "seed"];
  let valid = true;
  const flags = parseArgs(args, { string: known, unknown: () => valid = false });
  const inputs = numberOf(flags["inputs"], null);
  const seconds = numberOf(flags["seconds"], Infinity);
  const seed = numberOf(flags["seed"], Date.now() % 1_000_000_000);
  if (!valid || Number.isNaN(inputs) || Number.isNaN(seconds) || Number.isNaN(seed)) return null;
  const name = flags["target"];
  const targets = TARGETS.filter((target) => name === undefined || target.name === name);
  if (targets.length === 0) return null;
  return { targets, inputs, seconds, seed };
}

function numberOf<T>(flag: unknown, absent: T): T | number {
  if (flag === undefined) return absent;
  const value = Number(flag);
  return flag !== "" && value >= 0 ? value : NaN;
}
