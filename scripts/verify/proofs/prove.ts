/**
 * Proves a system by induction: the first state satisfies the invariant, every step keeps it, and
 * the claims follow from it. For any number of steps, messages, batches and connections.
 */
import { rankingQuestions } from "./ranking.ts";
import { Script } from "./script.ts";
import type { ReadSystem } from "./system.ts";
import { SHIPPED_TABLES, type Tables } from "./table.ts";
import { askZ3, type Question, smtLibOf } from "./z3.ts";

/** What came of a proof. */
export interface Proof {
  /** Questions asked of Z3. */
  readonly obligations: number;
  /** What could not be proved, in words; empty if the proof holds. */
  readonly failures: readonly string[];
}

/** A question with the answer that it must have. */
export interface Obligation {
  readonly question: Question;
  readonly expects: "sat" | "unsat";
}

/** Proves a system over these tables. `isMutant`: what cannot happen any more is no failure. */
export async function prove(
  read: ReadSystem,
  { tables = SHIPPED_TABLES, isMutant = false }: { tables?: Tables; isMutant?: boolean } = {},
): Promise<Proof> {
  const script = new Script(read, tables);
  const obligations = obligationsOf(script)
    .filter(({ expects }) => !isMutant || expects === "unsat");
  const answers = await askZ3(script.preamble, obligations.map(({ question }) => question));
  const failures = obligations.flatMap(({ question, expects }) => {
    const { verdict, falsified } = answers.get(question.name)!;
    if (verdict === expects) return [];
    const which = falsified.length === 0 ? "" : ` (${falsified.join(", ")})`;
    return [`${question.name}: ${verdict}, not ${expects}${which}`];
  });
  return { obligations: obligations.length, failures };
}

/** What Z3 is asked about a system, as a file that other solvers read. */
export function proofText(read: ReadSystem): string {
  const script = new Script(read, SHIPPED_TABLES);
  return smtLibOf(script.preamble, obligationsOf(script));
}

function obligationsOf(script: Script): Obligation[] {
  return [
    ...initial(script),
    ...script.read.steps.flatMap((_, index) => inductive(script, index)),
    ...claims(script),
    ...rankingQuestions(script),
  ];
}

function initial(script: Script): Obligation[] {
  const start = script.initialState();
  const parts = script.parts("invariant");
  return [
    script.obligation("init is possible", { assertions: start, expects: "sat" }),
    script.obligation("init satisfies the invariant", {
      assertions: [...start, script.someFalse(parts)],
      watched: parts,
      expects: "unsat",
    }),
  ];
}

function inductive(script: Script, index: number): Obligation[] {
  const step = script.read.steps[index]!;
  const { declarations, assertions } = script.step(step);
  const before = [...script.hypotheses(), ...assertions];
  const after = script.partsAfter();
  return [
    script.obligation(`${step.name} is possible`, {
      declarations,
      assertions: before,
      expects: "sat",
    }),
    script.obligation(`${step.name} keeps the invariant`, {
      declarations: [...declarations, ...after.declarations],
      assertions: [...before, script.someFalse(after.names)],
      watched: after.names,
      expects: "unsat",
    }),
  ];
}

function claims(script: Script): Obligation[] {
  const names = script.parts("claims");
  return names.flatMap((name) => [
    script.obligation(`${name} follows`, {
      assertions: [...script.hypotheses(), `(not ${name})`],
      expects: "unsat",
    }),
    // A claim that nothing could break would say nothing.
    script.obligation(`${name} could be false`, { assertions: [`(not ${name})`], expects: "sat" }),
  ]);
}
