/** Breaks the broker in every known way, and sees whether the simulation notices. */
import { type Mutant, MUTANTS } from "./mutants.ts";

/** Seeds that a mutant may survive. */
const SEEDS_MAX = 2_000;
const ROOT = new URL("../../", import.meta.url);
/** What a run of the simulation reads. */
const NEEDED = ["src", "fuzz", "tests/simulation", "tests/support", "tests/broker"];

interface Verdict {
  readonly mutant: Mutant;
  /** The promise that was broken; null if none was. */
  readonly promise: string | null;
  readonly seed: number;
  readonly seeds: number;
}

/** Tries all mutants; gives whether every one was caught. */
export async function mutate(
  directory: string,
  { only, print }: { only: string | undefined; print: (line: string) => void },
): Promise<boolean> {
  const chosen = MUTANTS.filter(({ name }) => only === undefined || name.includes(only));
  const waiting = [...chosen];
  const verdicts: Verdict[] = [];
  async function work(name: string): Promise<void> {
    for (;;) {
      const mutant = waiting.shift();
      if (mutant === undefined) return;
      const verdict = await tryMutant(mutant, `${directory}/${name}`);
      verdicts.push(verdict);
      print(row(verdict));
    }
  }
  print(row(null));
  await Promise.all([work("one"), work("two")]);
  const survivors = verdicts.filter(({ promise }) => promise === null).length;
  print(`${chosen.length} mutants, ${chosen.length - survivors} caught, ${survivors} survived`);
  return survivors === 0;
}

async function tryMutant(mutant: Mutant, directory: string): Promise<Verdict> {
  Deno.mkdirSync(`${directory}/tests`, { recursive: true });
  for (const name of NEEDED) copy(new URL(name, ROOT), `${directory}/${name}`);
  for (const name of ["deno.json", "deno.lock"]) {
    Deno.copyFileSync(new URL(name, ROOT), `${directory}/${name}`);
  }
  breakSource(mutant, `${directory}/${mutant.file}`);
  const options = ["--seed", "1", "--seeds", String(SEEDS_MAX), "--jobs", "1", "--first"];
  const command = new Deno.Command("deno", {
    args: [
      ...["run", "--frozen", "--no-prompt", "--allow-all"],
      ...[`${directory}/tests/simulation/main.ts`, ...options],
    ],
    cwd: directory,
    stdout: "piped",
    stderr: "inherit",
  });
  const { stdout } = await command.output();
  const text = new TextDecoder().decode(stdout);
  Deno.removeSync(directory, { recursive: true });
  if (!text.includes("\nseeds=") && !text.startsWith("seeds=")) {
    throw new Error(`Cannot judge mutant "${mutant.name}": its simulation did not end`);
  }
  // What was thrown has a stack, over several lines.
  const found = /^FAILED: (.*)$(?:\n(?!replay: ).*)*\nreplay: .* --seed (\d+)$/m.exec(text);
  const seed = Number(found?.[2] ?? 0);
  const promise = found?.[1]?.split(":")[0] ?? null;
  return { mutant, promise, seed, seeds: found === null ? SEEDS_MAX : seed };
}

function breakSource({ name, original, replacement }: Mutant, path: string): void {
  const source = Deno.readTextFileSync(path);
  const parts = source.split(original);
  if (parts.length !== 2) {
    throw new Error(`Cannot make mutant "${name}": its text stands ${parts.length - 1} times`);
  }
  Deno.writeTextFileSync(path, parts.join(replacement));
}

function copy(from: URL, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const entry of Deno.readDirSync(from)) {
    const source = new URL(`${from}/${entry.name}`);
    if (entry.isDirectory) copy(source, `${to}/${entry.name}`);
    else Deno.copyFileSync(source, `${to}/${entry.name}`);
  }
}

/** One line of the table. */
function row(verdict: Verdict | null): string {
  const cells = verdict === null
    ? ["mutant", "caught by", "seed", "seeds"]
    : [verdict.mutant.name, verdict.promise ?? "SURVIVED", verdict.seed, verdict.seeds];
  const widths = [56, 56, 6, 6];
  return cells.map((cell, i) => String(cell).padEnd(widths[i]!)).join(" ").trimEnd();
}
