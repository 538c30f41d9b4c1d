/** A short run of every fuzz target, from a fixed seed, and of the command line. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { main } from "./main.ts";
import { runProcesses } from "./processes.ts";
import { runTarget } from "./run_target.ts";
import type { Target } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** Seconds for all targets together. */
const SECONDS = 3;
const INPUTS_MIN = 64;

for (const target of TARGETS) {
  Deno.test(`fuzz target ${target.name} finds nothing in a short run`, () => {
    const seconds = SECONDS / TARGETS.length;
    // However slow the machine, so many inputs are tried.
    const first = runTarget(target, { seed: 1, inputs: INPUTS_MIN, seconds: 120 });
    assertEquals([first.failure, first.inputs], [null, INPUTS_MIN]);
    const { failure } = runTarget(target, { seed: 1 + INPUTS_MIN, inputs: Infinity, seconds });
    assertEquals(failure, null);
  });
}

Deno.test("a failing input is made again from its seed alone", () => {
  const target: Target = {
    name: "picky",
    inputs: 1,
    try: (random) => {
      const value = random.bits();
      return value % 1000 === 7 ? { problem: `${value}`, input: new Uint8Array(0) } : null;
    },
  };
  const { failure } = runTarget(target, { seed: 5, inputs: 100_000, seconds: 60 });
  if (failure === null) throw new Error("Cannot see a failure: none in 100,000 inputs");
  const again = runTarget(target, { seed: failure.seed, inputs: 1, seconds: 60 });
  assertEquals(again.failure, failure);
});

Deno.test("the fuzz command prints target, inputs, seconds and seed", async () => {
  const lines: string[] = [];
  const args = ["--target", "round_trip", "--inputs", "10", "--seed", "3"];
  assertEquals(await main(args, (line) => lines.push(line)), 0);
  assertEquals(lines.length, 1);
  assertMatch(lines[0]!, /^target=round_trip inputs=10 seconds=[\d.]+ seed=3 /);
});

Deno.test("the fuzz command refuses what it does not know", async () => {
  for (
    const args of [["--target", "none"], ["--seconds", "soon"], ["--speed", "1"], ["--jobs", "0"]]
  ) {
    const lines: string[] = [];
    assertEquals(await main(args, (line) => lines.push(line)), 2, args.join(" "));
    assertStringIncludes(lines.join(), "usage:");
  }
});

Deno.test("targets side by side each print their line, and one that fails does not end the others", async () => {
  const lines: string[] = [];
  const reports = await runProcesses(["round_trip", "none", "decoder"], {
    jobs: 2,
    args: ["--inputs", "10", "--seed", "3"],
    print: (line) => lines.push(line),
  });
  const byName = reports.toSorted((a, b) => a.name < b.name ? -1 : 1);
  assertEquals(byName.map(({ name, passed }) => `${name} ${passed}`), [
    "decoder true",
    "none false",
    "round_trip true",
  ]);
  for (const name of ["decoder", "round_trip"]) {
    assertEquals(lines.filter((line) => line.startsWith(`target=${name} inputs=10 `)).length, 1);
  }
  assertEquals(lines.includes("FAILED: target none ended with 2"), true);
});

Deno.test("a process that tells nothing for too long is ended, and its seed is said", async () => {
  const lines: string[] = [];
  const reports = await runProcesses(["decoder"], {
    jobs: 1,
    args: ["--seed", "3"],
    print: (line) => lines.push(line),
    silenceMs: 1,
  });
  assertEquals(reports, [{ name: "decoder", passed: false }]);
  assertMatch(lines.join("\n"), /^FAILED: target decoder hangs, at seed /);
});
