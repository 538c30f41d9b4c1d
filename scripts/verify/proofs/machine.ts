/** A system that can be carried out: its states, and where each step leads. */
import { compileTerm, type Evaluation, keyOf, type Value, type Values } from "./evaluate.ts";
import type { ReadStep, ReadSystem } from "./system.ts";
import type { Tables } from "./table.ts";

/** A step with what was chosen. */
export interface Move {
  readonly step: string;
  readonly choice: Values;
}

interface MachineStep {
  readonly name: string;
  readonly choices: readonly Values[];
  readonly guard: Evaluation;
  readonly updates: readonly (readonly [string, Evaluation])[];
}

/** What of a system is broken in a state. */
export interface Broken {
  readonly kind: "claim" | "invariant";
  readonly name: string;
}

/** Carries out a system. */
export class Machine {
  readonly initial: Values;
  readonly #steps: readonly MachineStep[];
  readonly #claims: readonly (readonly [string, Evaluation])[];
  readonly #invariant: readonly (readonly [string, Evaluation])[];
  readonly #instances: readonly (readonly [string, readonly Evaluation[]])[];
  readonly #bound: Evaluation;
  readonly #view: readonly Evaluation[];

  constructor(read: ReadSystem, tables: Tables) {
    const { system } = read;
    function compile([name, term]: [string, Parameters<typeof compileTerm>[0]]) {
      return [name, compileTerm(term, tables)] as const;
    }
    this.initial = Object.fromEntries(
      [...read.init].map(compile).map(([name, f]) => [name, f({})]),
    );
    this.#steps = read.steps.map((step) => ({
      name: step.name,
      choices: choicesOf(step),
      guard: compileTerm(step.guard, tables),
      updates: [...step.updates].map(compile),
    }));
    this.#claims = [...read.claims].map(compile);
    this.#invariant = [...read.invariant].map(compile);
    this.#instances = Object.entries(system.forAll ?? {}).map(([name, terms]) =>
      [name, terms.map((text) => compileTerm(read.read(text), tables))] as const
    );
    this.#bound = compileTerm(read.bound, tables);
    this.#view = (system.view ?? Object.keys(system.variables))
      .map((text) => compileTerm(read.read(text), tables));
  }

  /** The names of all steps. */
  get steps(): readonly string[] {
    return this.#steps.map(({ name }) => name);
  }

  /** Whether a search goes on from here. */
  isWithinBound(state: Values): boolean {
    return this.#bound(state) === true;
  }

  /** The same text for states that a search need not tell apart. */
  keyOf(state: Values): string {
    return this.#view.map((part) => keyOf(part(state))).join("|");
  }

  /** What can happen. */
  moves(state: Values): Move[] {
    return this.#steps.flatMap(({ name, choices, guard }) =>
      choices.filter((choice) => guard({ ...state, ...choice }) === true)
        .map((choice) => ({ step: name, choice }))
    );
  }

  /** Whether this can happen, whatever is chosen. */
  isPossible(state: Values, { step, choice }: Move): boolean {
    return this.#step(step).guard({ ...state, ...choice }) === true;
  }

  /** Where a step leads that can happen. */
  after(state: Values, { step, choice }: Move): Values {
    const { updates } = this.#step(step);
    const values = { ...state, ...choice };
    const next: Record<string, Value> = { ...state };
    for (const [name, update] of updates) next[name] = update(values);
    return next;
  }

  #step(name: string): MachineStep {
    const step = this.#steps.find((one) => one.name === name);
    if (step === undefined) throw new Error(`Cannot step: there is no ${name}`);
    return step;
  }

  /** The first claim or part of the invariant that does not hold, at the instances of a proof. */
  broken(state: Values): Broken | null {
    let all: Values[] = [state];
    for (const [name, terms] of this.#instances) {
      all = all.flatMap((values) => terms.map((term) => ({ ...values, [name]: term(state) })));
    }
    for (const [name, claim] of this.#claims) {
      if (all.some((values) => claim(values) !== true)) return { kind: "claim", name };
    }
    for (const [name, part] of this.#invariant) {
      if (all.some((values) => part(values) !== true)) return { kind: "invariant", name };
    }
    return null;
  }
}

function choicesOf(step: ReadStep): Values[] {
  let all: Values[] = [{}];
  for (const [name, { sort, values }] of Object.entries(step.choices)) {
    const parsed = values.map((text) => parseValue(text, sort));
    all = all.flatMap((choice) => parsed.map((value) => ({ ...choice, [name]: value })));
  }
  return all;
}

function parseValue(text: string, sort: string): Value {
  if (sort === "Int") return Number(text);
  return sort === "Bool" ? text === "true" : text;
}
