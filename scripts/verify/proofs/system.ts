/**
 * A transition system: a table that ships, and the world round it. It is written once, in terms of
 * SMT-LIB; Z3 proves it, and the same terms are carried out step by step to search for
 * counterexamples and to be replayed on the real code.
 */
import type { TableName } from "./table.ts";
import { expand, type Macro, type Term } from "./term.ts";

/** A variable of the state. */
export interface Variable {
  readonly sort: string;
  /** Its first value. */
  readonly init: string;
}

/** Something that can happen. */
export interface Step {
  /** What is chosen when it happens: a sort, and the values that a search tries. */
  readonly choices?: Readonly<Record<string, { sort: string; values: readonly string[] }>>;
  readonly guard: string;
  /** New values of the variables that change, all told of the old state. */
  readonly updates: Readonly<Record<string, string>>;
}

/** Why every exchange ends once faults stop. */
export interface Ranking {
  /** When there is nothing left to do. */
  readonly done: string;
  /** What holds while there are no faults. */
  readonly assuming: string;
  /** Steps that are faults, or begin something new. */
  readonly excluded: readonly string[];
  /** Steps that bring the end nearer under these conditions, which imply their guards. */
  readonly helpful: Readonly<Record<string, string>>;
  /** Natural numbers, the first one counts most. */
  readonly rank: readonly string[];
}

/** A system, what is claimed of it, and why it holds. */
export interface System {
  readonly name: string;
  /** The source that it speaks of. */
  readonly mirrors: readonly string[];
  readonly tables: readonly TableName[];
  /** Sorts with finitely many elements. */
  readonly sorts?: Readonly<Record<string, readonly string[]>>;
  readonly macros?: Readonly<Record<string, Macro>>;
  readonly variables: Readonly<Record<string, Variable>>;
  readonly steps: Readonly<Record<string, Step>>;
  /**
   * The invariant holds for all values of these integers; the terms are the values at which a
   * proof uses it, besides those for which it is to be proved.
   */
  readonly forAll?: Readonly<Record<string, readonly string[]>>;
  /** Parts of the inductive invariant. */
  readonly invariant: Readonly<Record<string, string>>;
  /** What is claimed: it follows from the invariant. */
  readonly claims: Readonly<Record<string, string>>;
  readonly ranking?: Ranking;
  /** How far a search goes: a term that holds of the states from which it goes on. */
  readonly bound: string;
  /** What tells states apart in a search: all variables, if nothing is said. */
  readonly view?: readonly string[];
  /** A broken table that this proof must notice, among others; none where there is no table. */
  readonly tableMutant?: string;
  /** Faults of the code round the table that the proof must notice. */
  readonly mutants: readonly SystemMutant[];
}

/** One piece of the text of a system, replaced by another. */
export interface SystemMutant {
  readonly name: string;
  readonly step: string;
  readonly original: string;
  readonly replacement: string;
}

/** A step with its macros expanded. */
export interface ReadStep {
  readonly name: string;
  readonly choices: Readonly<Record<string, { sort: string; values: readonly string[] }>>;
  readonly guard: Term;
  readonly updates: ReadonlyMap<string, Term>;
}

/** A system with its macros expanded. */
export interface ReadSystem {
  readonly system: System;
  readonly init: ReadonlyMap<string, Term>;
  readonly steps: readonly ReadStep[];
  readonly invariant: ReadonlyMap<string, Term>;
  readonly claims: ReadonlyMap<string, Term>;
  readonly bound: Term;
  read(text: string): Term;
}

/** Expands the macros of a system. Throws for updates of variables that there are not. */
export function readSystem(system: System): ReadSystem {
  const macros = system.macros ?? {};
  function read(text: string): Term {
    return expand(text, macros);
  }
  function readAll(texts: Readonly<Record<string, string>>): Map<string, Term> {
    return new Map(Object.entries(texts).map(([name, text]) => [name, read(text)]));
  }
  const steps = Object.entries(system.steps).map(([name, step]) => {
    for (const variable of Object.keys(step.updates)) {
      if (!(variable in system.variables)) {
        throw new Error(`Cannot read ${system.name}: ${name} updates unknown ${variable}`);
      }
    }
    return {
      name,
      choices: step.choices ?? {},
      guard: read(step.guard),
      updates: readAll(step.updates),
    };
  });
  const init = Object.fromEntries(
    Object.entries(system.variables).map(([name, variable]) => [name, variable.init]),
  );
  return {
    system,
    init: readAll(init),
    steps,
    invariant: readAll(system.invariant),
    claims: readAll(system.claims),
    bound: read(system.bound),
    read,
  };
}

/** The system with one of its own mutants in it. */
export function mutateSystem(system: System, mutant: SystemMutant): System {
  const step = system.steps[mutant.step]!;
  let found = 0;
  function replace(text: string): string {
    const parts = text.split(mutant.original);
    found += parts.length - 1;
    return parts.join(mutant.replacement);
  }
  const guard = replace(step.guard);
  const updates = Object.fromEntries(
    Object.entries(step.updates).map(([name, text]) => [name, replace(text)]),
  );
  if (found === 0) throw new Error(`Cannot make mutant ${mutant.name}: its text is not there`);
  return { ...system, steps: { ...system.steps, [mutant.step]: { ...step, guard, updates } } };
}
