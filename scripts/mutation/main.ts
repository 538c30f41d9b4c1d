/**
 * Mutation testing of the rooms that carry the protocol: every comparison, condition, sum and
 * statement of `src/mqtt` and `src/broker` is broken once, and some test has to notice.
 * All mutants sleep in one instrumented copy of the source, so that none has to be compiled alone.
 */
import { parseArgs } from "@std/cli";
import { say, tell } from "../bench/terminal.ts";
import { copyInstrumented, repositoryFiles } from "../instrumented_copy.ts";
import { describeMutant, isNoticed, type Mutant, type MutantOutcome } from "./mutant.ts";
import { instrument } from "./instrument.ts";
import { RunnerProcess } from "./runner_process.ts";
import { shuffled } from "./shuffled.ts";

/** What is broken. */
export const ROOMS = ["src/mqtt", "src/broker"];
/** Tests that run the rooms in this process: the core alone, beside a model, or behind real sockets. */
const TESTS = [
  "tests/mqtt",
  "tests/broker",
  "tests/wire_cases",
  "tests/verify",
  "tests/conformance",
  "tests/simulation",
];
/** Those that start a process, run for minutes, or look at the text of the source. */
const LEFT_OUT =
  /attack_socket_test|review_log_test|server_test|verify\/(main|lcov|spin|systems|exploration)|coverage_test/;
const LEFT_OUT_NAMES =
  /every mutant still has the text|same run every time|command of the simulation/;
/** A test may take so many times as long as without a mutant. */
const PATIENCE = 10;
const PATIENCE_FLOOR_MS = 4_000;
/** Tests of one mutant take at most so long in all; the quickest and most special come first. */
const BUDGET_MS = 8_000;
/** So many of those that reach most run whatever they cost. */
const BROAD = 3;
/** After so many mutants the tests of the last one run once more without any. */
const CONTROL_EVERY = 20;
/** The share of all mutants that has to be noticed. */
export const NOTICED_MIN = 0.85;
/** How often it says how far it is. */
const TELL_MS = 10_000;

const USAGE =
  `usage: deno task mutation [--sample N] [--seed N] [--file TEXT] [--jobs N] [--json FILE]
  --sample   so many mutants, drawn by the seed (default: all)
  --seed     which ones (default: 1)
  --file     only of files whose path holds this
  --jobs     processes side by side (default: 2)
  --json     writes every outcome to a file`;

/** Which mutants to try, and how. */
export interface MutateOptions {
  /** So many; Infinity for all. */
  readonly sample: number;
  /** What draws the sample. */
  readonly seed: number;
  /** Only of files whose path holds this. */
  readonly file: string;
  /** Processes side by side. */
  readonly jobs: number;
}

interface Options extends MutateOptions {
  /** Where the outcomes are written to, or empty. */
  readonly json: string;
}

/** A copy of the repository with all mutants in it. */
interface Plantation {
  readonly root: string;
  readonly mutants: readonly Mutant[];
  readonly modules: readonly string[];
}

/** What each test reaches. */
interface Reach {
  readonly names: readonly string[];
  /** By test, in milliseconds; NaN where the test cannot be used. */
  readonly times: readonly number[];
  /** Numbers of tests by mutant, in the order in which they are tried. */
  readonly tests: ReadonlyMap<number, readonly number[]>;
  /** Mutants that only loading the modules reaches, with tests; those of their files come first. */
  readonly loading: ReadonlyMap<number, readonly number[]>;
}

/** What decides which tests fit. */
interface Costs {
  /** By test, in milliseconds. */
  readonly times: readonly number[];
  readonly broad: ReadonlySet<number>;
}

/** Runs the command; gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === null) {
    say(USAGE);
    return 2;
  }
  const outcomes = await mutate(options);
  if (options.json !== "") {
    await Deno.writeTextFile(options.json, JSON.stringify(outcomes, null, 1));
  }
  return report(outcomes);
}

/** Tries mutants; gives what became of them, in their order. Says on standard error how far it is. */
export async function mutate(options: MutateOptions): Promise<MutantOutcome[]> {
  const root = await Deno.makeTempDir({ prefix: "relayq-mutation-" });
  try {
    const plantation = await plant(root);
    const reach = await explore(plantation);
    const chosen = choose(plantation.mutants, options);
    tell(
      `${plantation.mutants.length} mutants, ${chosen.length} of them tried by ${reach.names.length} tests`,
    );
    return await tryAll(chosen, { plantation, reach, jobs: options.jobs });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function parse(args: readonly string[]): Options | null {
  let unknown = false;
  const flags = parseArgs([...args], {
    string: ["sample", "seed", "file", "jobs", "json"],
    unknown: () => {
      unknown = true;
      return false;
    },
  });
  const { sample = "Infinity", seed = "1", jobs = "2", file = "", json = "" } = flags;
  const numbers = [Number(sample), Number(seed), Number(jobs)];
  if (unknown || !numbers.every((value) => value >= 1)) return null;
  return {
    sample: numbers[0]!,
    seed: numbers[1]!,
    jobs: numbers[2]!,
    file: String(file),
    json: String(json),
  };
}

/** Copies what the tests need, the rooms instrumented. */
async function plant(root: string): Promise<Plantation> {
  const mutants: Mutant[] = [];
  const switchboard = `file://${root}/scripts/mutation/switchboard.ts`;
  await copyInstrumented(root, {
    rooms: ROOMS,
    rewrite: (text, file) => instrument(text, { file, switchboard, mutants }),
  });
  const modules = TESTS.flatMap(repositoryFiles)
    .filter((file) => file.endsWith("_test.ts") && !LEFT_OUT.test(file))
    .map((file) => `${root}/${file}`);
  return { root, mutants, modules };
}

/** Runs every test once without a mutant. */
async function explore({ root, modules, mutants }: Plantation): Promise<Reach> {
  const runner = new RunnerProcess({ root, modules });
  await runner.start();
  const times: number[] = [];
  const reached: (readonly number[])[] = [];
  const byLoading = runner.reachedByLoading;
  try {
    for (const [test, name] of runner.names.entries()) {
      const found = LEFT_OUT_NAMES.test(name) ? null : await runner.reach(test, 120_000);
      const usable = found !== null && found.passed;
      if (found !== null && !usable) say(`not usable, since it fails without a mutant: ${name}`);
      times.push(usable ? found.ms : NaN);
      reached.push(usable ? found.mutants : []);
    }
  } finally {
    await runner.end();
  }
  const byMutant = new Map<number, number[]>(mutants.map((_, number) => [number, []]));
  for (const [test, numbers] of reached.entries()) {
    for (const number of numbers) byMutant.get(number)!.push(test);
  }
  // Who reaches little is about little; and what is quick costs nothing.
  const cost = (test: number) => times[test]! * (1 + reached[test]!.length);
  const broad = broadest(reached);
  const tests = new Map<number, readonly number[]>();
  for (const [number, all] of byMutant) {
    tests.set(number, withinBudget(all.toSorted((a, b) => cost(a) - cost(b)), { times, broad }));
  }
  const loading = new Map<number, readonly number[]>();
  for (const number of byLoading) {
    if (byMutant.get(number)!.length > 0) continue;
    const { file } = mutants[number]!;
    const near = mutants.flatMap((other, i) => other.file === file ? byMutant.get(i)! : []);
    const sorted = (some: Iterable<number>) => [...some].sort((a, b) => cost(a) - cost(b));
    // Everybody may use what was built then.
    const usable = times.keys().filter((test) => !Number.isNaN(times[test]));
    const all = new Set([...sorted(new Set(near)), ...sorted(usable)]);
    loading.set(number, withinBudget([...all], { times, broad }));
  }
  return { names: runner.names, times, tests, loading };
}

/** The tests that reach most. */
function broadest(reached: readonly (readonly number[])[]): ReadonlySet<number> {
  const tests = [...reached.keys()].sort((a, b) => reached[b]!.length - reached[a]!.length);
  return new Set(tests.slice(0, BROAD));
}

/** As many of the tests as fit; those of the simulator always: they see most. */
function withinBudget(tests: readonly number[], { times, broad }: Costs): number[] {
  const chosen: number[] = [];
  let ms = 0;
  for (const test of tests) {
    if (broad.has(test)) continue;
    ms += times[test]!;
    if (ms > BUDGET_MS) break;
    chosen.push(test);
  }
  const always = tests.filter((test) => broad.has(test));
  return [...chosen.slice(0, 20), ...always, ...chosen.slice(20)];
}

/** The mutants that are tried, as numbers. */
function choose(mutants: readonly Mutant[], { sample, seed, file }: MutateOptions): number[] {
  const numbers = mutants.flatMap((mutant, number) => mutant.file.includes(file) ? [number] : []);
  return sample >= numbers.length
    ? numbers
    : shuffled(numbers, seed).slice(0, sample).sort((a, b) => a - b);
}

/** Tries the mutants, some side by side. */
async function tryAll(
  chosen: readonly number[],
  { plantation, reach, jobs }: { plantation: Plantation; reach: Reach; jobs: number },
): Promise<MutantOutcome[]> {
  const { mutants, root, modules } = plantation;
  const outcomes = new Map<number, MutantOutcome>();
  const waiting = [...chosen];
  const limitMs = (test: number) => reach.times[test]! * PATIENCE + PATIENCE_FLOOR_MS;
  async function work(): Promise<void> {
    const runner = new RunnerProcess({ root, modules });
    await runner.start();
    try {
      for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
        const mutant = mutants[number]!;
        const tests = reach.tests.get(number)!;
        const loading = reach.loading.get(number);
        if (loading !== undefined) {
          outcomes.set(number, await tryLoading(number, loading));
          continue;
        }
        if (tests.length === 0) {
          outcomes.set(number, { mutant, result: "not covered", killedBy: "" });
          continue;
        }
        const noticed = await runner.notice({ mutant: number, tests, limitMs });
        outcomes.set(number, outcomeOf(mutant, noticed, reach));
        // Tests that fail by themselves would kill everything.
        if (outcomes.size % CONTROL_EVERY === 0) {
          const control = await runner.notice({ mutant: -1, tests: tests.slice(0, 20), limitMs });
          if (control.test !== null) {
            throw new Error(
              `Cannot trust "${reach.names[control.test]}": it fails without a mutant`,
            );
          }
        }
        if (outcomes.size % 100 === 0) say(`  ${outcomes.size} of ${chosen.length}`);
      }
    } finally {
      await runner.end();
    }
  }
  /** One that is awake while the modules are loaded: it needs a process of its own. */
  async function tryLoading(number: number, tests: readonly number[]): Promise<MutantOutcome> {
    const mutant = mutants[number]!;
    const runner = new RunnerProcess({ root, modules, loadAwake: number });
    try {
      await runner.start();
      return outcomeOf(mutant, await runner.notice({ mutant: number, tests, limitMs }), reach);
    } catch {
      return { mutant, result: "killed", killedBy: "loading the modules" };
    } finally {
      await runner.end();
    }
  }
  const telling = setInterval(() => {
    const noticed = [...outcomes.values()].filter(isNoticed).length;
    tell(`${outcomes.size} of ${chosen.length} mutants tried, ${noticed} noticed`);
  }, TELL_MS);
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    clearInterval(telling);
  }
  return chosen.map((number) => outcomes.get(number)!);
}

function outcomeOf(
  mutant: Mutant,
  { test, hung }: { test: number | null; hung: boolean },
  { names }: Reach,
): MutantOutcome {
  const killedBy = test === null ? "" : names[test]!;
  return { mutant, result: hung ? "timeout" : test === null ? "survived" : "killed", killedBy };
}

/** Prints the survivors and the table; gives the exit code. */
function report(outcomes: readonly MutantOutcome[]): number {
  for (const { mutant, result } of outcomes) {
    if (result === "survived" || result === "not covered") {
      say(`${result}: ${describeMutant(mutant)}`);
    }
  }
  say("\nfile                                        mutants  killed  survived  not covered");
  const byFile = Map.groupBy(outcomes, ({ mutant }) => mutant.file);
  for (const [file, some] of [...byFile, ["all", outcomes] as const]) {
    const count = (result: string) => some.filter((outcome) => outcome.result === result).length;
    const killed = some.filter(isNoticed).length;
    const figures = [
      `${some.length}`.padStart(7),
      `${Math.round(100 * killed / some.length)} %`.padStart(7),
      `${count("survived")}`.padStart(9),
      `${count("not covered")}`.padStart(12),
    ];
    say(`${file.padEnd(42)} ${figures.join(" ")}`);
  }
  const killed = outcomes.filter(isNoticed).length;
  const share = killed / outcomes.length;
  say(
    `\n${killed} of ${outcomes.length} mutants killed, ${(100 * share).toFixed(1)} % (at least ${
      100 * NOTICED_MIN
    } %)`,
  );
  return share >= NOTICED_MIN ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
