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
import type { RuleCase } from "./_case.ts";
import { COMMAND_CASES, DATA_CASES, DBIRTH_CASES, NBIRTH_CASES } from "./_flow_cases.ts";
import { HOST_CASES } from "./_host_cases.ts";
import { METRIC_CASES, STRUCTURE_CASES } from "./_payload_cases.ts";
import { type Outcome, Plant } from "./_plant.ts";
import { SPARKPLUG_STATEMENTS } from "./statements.ts";
import { CONNECT_CASES, DEATH_CASES, TOPIC_CASES } from "./_session_cases.ts";

const CASES: { readonly [N in RuleName]?: RuleCase } = {
  ...TOPIC_CASES,
  ...CONNECT_CASES,
  ...DEATH_CASES,
  ...NBIRTH_CASES,
  ...DBIRTH_CASES,
  ...DATA_CASES,
  ...COMMAND_CASES,
  ...METRIC_CASES,
  ...STRUCTURE_CASES,
  ...HOST_CASES,
};

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

/** What the specification allows or leaves open, done. */
const ALLOWED: Readonly<Record<string, (plant: Plant) => void>> = {
  "tck-id-topic-structure-namespace-duplicate-device-id-across-edge-node": (p) => {
    p.bornDevice();
    p.bornDevice({ node: "E2" });
  },
  "tck-id-operational-behavior-edge-node-intentional-disconnect-packet": (p) => {
    p.bornNode().ndeath();
    p.leave(p.edge, false);
    p.bornNode({ bdSeq: 1 }).ndeath({ metrics: [p.bdSeq(1)] });
    p.leave(p.edge, true);
  },
  "tck-id-operational-behavior-host-application-disconnect-intentional": (p) => {
    p.onlineHost().state(false);
    p.leave(p.host, false);
    p.onlineHost().state(false);
    p.leave(p.host, true);
  },
  "tck-id-payloads-name-cmd-requirement": (p) => {
    p.onlineHost().bornNode().ncmd({ metrics: [{ name: "Count", value: [10, 1] }] });
  },
  "tck-id-payloads-template-instance-members-data": (p) =>
    STRUCTURE_CASES.instanceComplete!.correct(p),
  "tck-id-payloads-template-definition-parameters-default": (p) =>
    STRUCTURE_CASES.parameterValue!.correct(p),
};

for (const [id, reason] of UNJUDGED_IDS) {
  if (reason !== "allows") continue;
  Deno.test(`what is allowed is not flagged [${id}]`, () => {
    const plant = new Plant();
    ALLOWED[id]!(plant);
    assert(plant.outcomes.length > 0);
    assertEquals([...brokenIn(plant)], []);
  });
}
