/** Every statement that the referee judges by: its breach is found, the correct form is not flagged. */
import { assert, assertEquals } from "@std/assert";
import {
  JUDGED_IDS,
  RULE_NAMES,
  type RuleName,
  RULES,
  type TckId,
  UNJUDGED_IDS,
} from "../../src/sparkplug/judging.ts";
import { ALLOWED, CASES } from "./_all_cases.ts";
import { type Outcome, Plant } from "./_plant.ts";
import { SPARKPLUG_STATEMENTS } from "./statements.ts";

const STRENGTH: Readonly<Record<Outcome, number>> = { count: 0, fix: 1, drop: 2, close: 3 };

function brokenIn(plant: Plant): Set<RuleName> {
  return new Set(plant.referee.violations.latest().map(({ rule }) => rule));
}

Deno.test("every rule has a case", () => {
  assertEquals(RULE_NAMES.filter((name) => CASES[name] === undefined), []);
});

Deno.test("every statement about traffic is judged, or it is said why not", () => {
  const known = new Set<string>([...JUDGED_IDS, ...UNJUDGED_IDS.keys()]);
  const traffic = SPARKPLUG_STATEMENTS.filter(({ part }) => part === "traffic").map(({ id }) => id);
  assertEquals(traffic.filter((id) => !known.has(id)), []);
  assertEquals([...known].filter((id) => !traffic.includes(id)), []);
});

Deno.test("what no server can observe is not judged", () => {
  const hidden = SPARKPLUG_STATEMENTS.filter(({ notObservable }) => notObservable !== null);
  assertEquals(hidden.filter(({ id }) => JUDGED_IDS.has(id as TckId)).map(({ id }) => id), []);
});

Deno.test("no statement is both judged and said not to be", () => {
  assertEquals([...UNJUDGED_IDS.keys()].filter((id) => JUDGED_IDS.has(id)), []);
});

for (const name of RULE_NAMES) {
  const { ids, says, severity, action, on } = RULES[name];
  const one = CASES[name];
  if (one === undefined) continue;
  for (const id of ids) {
    Deno.test(`${says} [${id}]`, () => {
      const wrong = new Plant(one.options);
      one.breach(wrong);
      const all = wrong.referee.violations.latest();
      const found = all.filter((violation) => violation.rule === name && violation.tckId === id);
      assert(found.length > 0, `not found; ${[...brokenIn(wrong)].join(", ")}`);
      assertEquals(found[0]!.severity, severity);
      assert(found[0]!.detail !== "", "it says what is wrong");
      const right = new Plant(one.options);
      one.correct(right);
      const flagged = right.referee.violations.latest().filter(({ rule }) => rule === name);
      assertEquals(flagged.map(({ detail }) => detail), []);
    });
  }
  const visible = !on.includes("CLOSE") && !on.includes("TIME");
  if (!visible) continue;
  Deno.test(`strict mode answers a breach of ${name} with ${action}`, () => {
    const plant = new Plant({ ...one.options, mode: "strict" });
    one.breach(plant);
    const others = [...brokenIn(plant)].filter((other) => STRENGTH[RULES[other].action] > 0);
    assert(brokenIn(plant).has(name));
    // Where another rule is broken by the same thing, the stronger one decides.
    const expected = Math.max(...others.map((other) => STRENGTH[RULES[other].action]), 0);
    assert(expected >= STRENGTH[action]);
    const worst = Math.max(...plant.outcomes.map((outcome) => STRENGTH[outcome]));
    const refused = plant.outcomes.includes("drop") && expected >= STRENGTH.drop;
    assert(worst === expected || refused, `${plant.outcomes} for ${[...brokenIn(plant)]}`);
  });
}

for (const [id, reason] of UNJUDGED_IDS) {
  if (reason !== "allows") continue;
  Deno.test(`what is allowed is not flagged [${id}]`, () => {
    const plant = new Plant();
    ALLOWED[id]!(plant);
    assert(plant.outcomes.length > 0);
    assertEquals([...brokenIn(plant)], []);
  });
}
