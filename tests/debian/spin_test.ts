/** The models of concurrency hold, their mutants do not, and the code takes their steps. */
import { assert, assertEquals } from "@std/assert";
import { SPIN_MODELS } from "../../scripts/verify/_spin_models.ts";
import { run } from "../../scripts/verify/spin.ts";

Deno.test("all models hold, nothing in them is idle, and the code does what they do", async () => {
  const rows = await run({ quick: true });
  const faults = rows.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  assertEquals(faults, []);
  assert(rows.length >= SPIN_MODELS.length * 4);
});

Deno.test("a model that is broken fails, and so does its replay", async () => {
  const broken = {
    ...SPIN_MODELS.find(({ name }) => name === "outbox")!,
    defines: { MUTANT_LOST_WAKE_UP: 1 },
    formulas: [],
    mutants: ["MUTANT_FORGETS"],
    unreached: [{ statement: "own = true", reason: "for this test" }],
  };
  const rows = await run({ quick: true }, [broken]);
  const [assertions, steps, mutants] = rows.map(({ detail }) => detail ?? "");
  assert(assertions?.includes("an assertion does not hold"), assertions);
  assert(assertions?.includes("explained and reached all the same: own = true"), assertions);
  assert(steps?.includes("held is 0, in the model 1"), steps);
  assertEquals(mutants, "", "what is broken twice is rejected twice");
});
