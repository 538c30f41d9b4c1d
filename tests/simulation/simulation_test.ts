/** The seeds that have failed once, some that have not, and the simulation itself. */
import { assertEquals, assertGreater, assertNotEquals, assertStringIncludes } from "@std/assert";
import { main, temporaryDirectory } from "./main.ts";
import { MUTANTS } from "./mutants.ts";
import { simulate } from "./simulation.ts";

/** Run every time besides those of the file. */
const FIXED_SEEDS = Array.from({ length: 12 }, (_, i) => 1 + i);

Deno.test("the simulation finds nothing in the seeds that have failed once", async () => {
  await replay(seedsOfFile());
});

Deno.test("the simulation finds nothing in a few other seeds", async () => {
  const rateHolds = await replay(FIXED_SEEDS);
  assertGreater(rateHolds, 100, "limits of rates are reached");
});

Deno.test("a seed is the same run every time, and another seed is another run", async () => {
  assertEquals(await traceOf(3), await traceOf(3));
  assertNotEquals(await traceOf(3), await traceOf(4));
});

Deno.test("every mutant still has the text that it breaks, once", () => {
  for (const { name, file, original, replacement } of MUTANTS) {
    const source = Deno.readTextFileSync(new URL(`../../${file}`, import.meta.url));
    assertEquals(source.split(original).length - 1, 1, name);
    assertNotEquals(original, replacement, name);
  }
});

Deno.test("the command of the simulation prints what it ran, and refuses what it does not know", async () => {
  const lines: string[] = [];
  function print(line: string): void {
    lines.push(line);
  }
  assertEquals(await main(["--seed", "5"], print), 0);
  assertStringIncludes(lines.join(), "seeds=1 from=5 failures=0");
  assertEquals(await main(["--speed", "5"], print), 2);
  assertStringIncludes(lines.join(), "usage:");
});

/** Runs the seeds; gives how often clients were held for their rates. */
async function replay(seeds: readonly number[]): Promise<number> {
  const directory = temporaryDirectory();
  let rateHolds = 0;
  try {
    for (const seed of seeds) {
      try {
        rateHolds += (await simulate(seed, { directory })).rateHolds;
      } catch (error) {
        throw new Error(`replay: deno task sim --seed ${seed}`, { cause: error });
      }
    }
    return rateHolds;
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

function seedsOfFile(): number[] {
  const text = Deno.readTextFileSync(new URL("./seeds.txt", import.meta.url));
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => Number(line.split(" ")[0]));
}

async function traceOf(seed: number): Promise<string[]> {
  const directory = temporaryDirectory();
  const lines: string[] = [];
  try {
    await simulate(seed, { directory, trace: (line) => lines.push(line) });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
  return lines;
}
