/**
 * The simulation: `deno task sim [--seed N] [--seeds COUNT] [--seconds S] [--jobs N] [--trace]`, or
 * `deno task sim --mutate [--only TEXT]` to see that it finds what is broken on purpose.
 */
import { parseArgs } from "@std/cli";
import { mutate } from "./mutate.ts";
import { type RunReport, runSeeds, type SeedRange } from "./run_seeds.ts";

const USAGE = `usage: deno task sim [--seed N] [--seeds COUNT] [--seconds S] [--jobs N] [--trace]
       deno task sim --mutate [--only TEXT]`;
/**
 * Memory as a disk, where there is such a thing: no fsync has to wait for a real one. The runtime
 * gives it only to programs that are allowed everything.
 */
const SHARED_MEMORY = "/dev/shm";

/** What the command line asks for. */
interface Request extends SeedRange {
  readonly jobs: number;
  readonly mutate: boolean;
  readonly only: string | undefined;
}

// deno-lint-ignore no-console -- this is a program of the command line
if (import.meta.main) Deno.exit(await main(Deno.args, (line) => console.log(line)));

/** Gives the exit code: 0 if nothing failed, 1 if a seed failed, 2 for a wrong command line. */
export async function main(
  args: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  const request = readRequest(args);
  if (request === null) {
    print(USAGE);
    return 2;
  }
  const directory = temporaryDirectory();
  try {
    if (request.mutate) return await mutate(directory, { only: request.only, print }) ? 0 : 1;
    const startedMs = performance.now();
    const report = request.jobs === 1
      ? await runSeeds(request, { directory, print })
      : await runJobs(request, print);
    const seconds = (performance.now() - startedMs) / 1_000;
    print(
      `seeds=${report.seeds} from=${request.from} failures=${report.failures} ` +
        `crashes=${report.crashes} events=${report.events} seconds=${seconds.toFixed(1)} ` +
        `seeds_per_second=${(report.seeds / seconds).toFixed(1)}`,
    );
    return report.failures === 0 ? 0 : 1;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

/** A directory for virtual disks, to be removed afterwards. */
export function temporaryDirectory(): string {
  try {
    return Deno.makeTempDirSync({ dir: SHARED_MEMORY, prefix: "relayq-sim-" });
  } catch {
    return Deno.makeTempDirSync({ prefix: "relayq-sim-" });
  }
}

/** Spreads the seeds over processes. */
async function runJobs(request: Request, print: (line: string) => void): Promise<RunReport> {
  const total = { seeds: 0, failures: 0, events: 0, crashes: 0 };
  const share = Math.ceil(request.count / request.jobs);
  const jobs = Array.from({ length: request.jobs }, async (_, i) => {
    const from = request.from + i * share;
    const count = Math.min(share, request.from + request.count - from);
    if (count <= 0) return;
    for await (const line of linesOf(request, { from, count })) {
      const summary = /^seeds=(\d+) .*failures=(\d+) crashes=(\d+) events=(\d+) /.exec(line);
      if (summary === null) {
        print(line);
        continue;
      }
      total.seeds += Number(summary[1]);
      total.failures += Number(summary[2]);
      total.crashes += Number(summary[3]);
      total.events += Number(summary[4]);
    }
  });
  await Promise.all(jobs);
  return total;
}

/** What a process of its own prints that runs these seeds. */
async function* linesOf(
  { seconds, first }: Request,
  { from, count }: { from: number; count: number },
): AsyncGenerator<string> {
  const options = ["--seed", String(from), "--seeds", String(count), "--jobs", "1"];
  if (seconds < Infinity) options.push("--seconds", String(seconds));
  if (first) options.push("--first");
  const child = new Deno.Command("deno", {
    args: [
      ...["run", "--frozen", "--no-prompt", "--allow-all"],
      ...[new URL(import.meta.url).pathname, ...options],
    ],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let rest = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}

function readRequest(args: readonly string[]): Request | null {
  let valid = true;
  const flags = parseArgs([...args], {
    string: ["seed", "seeds", "seconds", "jobs", "only"],
    boolean: ["mutate", "trace", "first"],
    unknown: () => valid = false,
  });
  const many = flags["seeds"] !== undefined || flags["seconds"] !== undefined;
  const request = {
    from: numberOf(flags["seed"], Date.now() % 1_000_000_000),
    count: numberOf(flags["seeds"], flags["seconds"] === undefined ? 1 : 1_000_000),
    seconds: numberOf(flags["seconds"], Infinity),
    jobs: numberOf(flags["jobs"], many ? 2 : 1),
    first: flags["first"] === true,
    trace: flags["trace"] === true,
    mutate: flags["mutate"] === true,
    only: typeof flags["only"] === "string" ? flags["only"] : undefined,
  };
  const numbers = [request.from, request.count, request.seconds, request.jobs];
  return valid && !numbers.some(Number.isNaN) ? request : null;
}

function numberOf(flag: unknown, absent: number): number {
  if (flag === undefined) return absent;
  const value = Number(flag);
  return flag !== "" && value >= 0 ? value : NaN;
}
