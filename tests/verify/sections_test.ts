/** What the sections of `deno task verify` that run other commands call good, and what not. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { MutantOutcome } from "../../scripts/mutation/mutant.ts";
import { coverageRows } from "../../scripts/verify/coverage.ts";
import { fuzzingRow } from "../../scripts/verify/fuzzing.ts";
import { mutationRow } from "../../scripts/verify/mutation.ts";
import { protocolRows } from "../../scripts/verify/protocol.ts";
import type { TestResult } from "../../scripts/_conformance_junit.ts";

const FIGURES = "target=decoder inputs=6000000 seconds=33.27 seed=1 inputs_per_second=180319";

Deno.test("a fuzz target that ends well is a row with its inputs and its time", () => {
  const row = fuzzingRow({ name: "decoder", passed: true }, [FIGURES]);
  assertEquals([row.ok, row.size, row.seconds], [true, "6,000,000 inputs", 33.27]);
});

Deno.test("a fuzz target that fails, hangs or tells nothing does not hold, and says why", () => {
  const failed = fuzzingRow({ name: "decoder", passed: false }, [FIGURES, "FAILED: it differs"]);
  assertEquals(failed.ok, false);
  assertStringIncludes(failed.detail!, "it differs");
  const hangs = fuzzingRow({ name: "decoder", passed: false }, ["FAILED: target decoder hangs"]);
  assertEquals([hangs.ok, hangs.size], [false, "0 inputs"]);
  assertEquals(fuzzingRow({ name: "decoder", passed: true }, []).ok, false);
});

function outcomes(noticed: number, survived: number): MutantOutcome[] {
  const mutant = { line: 1, operator: "boolean", original: "true", replacement: "false" };
  const of = (result: MutantOutcome["result"], file: string): MutantOutcome => ({
    mutant: { ...mutant, file },
    result,
    killedBy: "",
  });
  return [
    ...Array.from({ length: noticed - 1 }, () => of("killed", "src/mqtt/a.ts")),
    of("timeout", "src/broker/b.ts"),
    ...Array.from({ length: survived - 1 }, () => of("survived", "src/broker/b.ts")),
    of("not covered", "src/broker/c.ts"),
  ];
}

Deno.test("mutants: 85 % have to be noticed, those that no test reaches count as survivors", () => {
  const whole = { quick: false, seconds: 1 };
  const good = mutationRow(outcomes(85, 15), whole);
  assertEquals(
    [good.ok, good.size],
    [true, "85.0 %: src/mqtt 84 of 84, src/broker 1 of 16"],
  );
  assertEquals(good.detail!.split("\n").length, 15);
  assertStringIncludes(good.detail!, "not covered: src/broker/c.ts:1 boolean: true -> false");
  assertEquals(mutationRow(outcomes(84, 16), whole).ok, false);
  assertEquals(mutationRow([], whole).ok, false);
});

Deno.test("mutants: a small sample may be unlucky, not hopeless", () => {
  const sample = { quick: true, seconds: 1 };
  assertEquals(mutationRow(outcomes(28, 12), sample).ok, true);
  assertEquals(mutationRow(outcomes(27, 13), sample).ok, false);
});

Deno.test("coverage: a room outside its bounds does not hold", () => {
  const share = { share: 0.5, text: " 50.0 % of 10" };
  const room = { room: "mqtt", files: 1, lines: share, branches: share };
  const rows = coverageRows([{ ...room, isWithin: true }, { ...room, isWithin: false }], 1);
  assertEquals(rows.map(({ ok }) => ok), [true, false]);
  assertEquals(rows[0]!.size, "lines 50.0 % of 10, branches 50.0 % of 10");
});

function cases(length: number, outcome: TestResult["outcome"] = "passed"): TestResult[] {
  const letters = (n: number) => String.fromCodePoint(0x4e00 + n);
  return Array.from({ length }, (_, i) => ({
    name: `case ${letters(i)}`,
    file: "",
    outcome,
    message: "",
  }));
}

Deno.test("protocol: 1,100 distinct cases are enough, and one that fails or is left out is too much", () => {
  const verdicts = (results: TestResult[]) =>
    protocolRows([{ name: "MQTT", results, seconds: 1 }]).map(({ ok }) => ok);
  assertEquals(verdicts(cases(1_100)), [true, true]);
  assertEquals(verdicts(cases(1_099)), [true, false]);
  assertEquals(verdicts([...cases(1_100), ...cases(1, "failed")]), [false, true]);
  assertEquals(verdicts([...cases(1_100), ...cases(1, "skipped")]), [false, true]);
  assertEquals(verdicts([]), [false, false]);
});

Deno.test("protocol: names that differ in a number or a tag only are one case", () => {
  const results = ["reads 1 byte", "reads 2 byte", "reads 3 byte [MQTT-1.5.3-1]"].map((name) => ({
    name,
    file: "",
    outcome: "passed" as const,
    message: "",
  }));
  const [row] = protocolRows([{ name: "MQTT", results, seconds: 1 }]);
  assertEquals(row!.size, "1 named cases");
});
