/** The texts of a proof: sorts, variables before and after a step, and what is asked about them. */
import type { Obligation } from "./prove.ts";
import type { ReadStep, ReadSystem } from "./system.ts";
import { enumeration, exportTable, type Tables } from "./table.ts";
import { printTerm, substitute, type Term } from "./term.ts";

/** Makes the questions of one system. */
export class Script {
  readonly read: ReadSystem;
  readonly preamble: string;
  /** Variables, after the step. */
  readonly #after: ReadonlyMap<string, Term>;

  constructor(read: ReadSystem, tables: Tables) {
    this.read = read;
    const { system } = read;
    this.#after = new Map(Object.keys(system.variables).map((name) => [name, `${name}!`]));
    this.preamble = [
      ...system.tables.map((name) => exportTable(name, tables[name])),
      ...Object.entries(system.sorts ?? {}).map(([sort, names]) => enumeration(sort, names)),
      ...Object.entries(system.variables).flatMap(([name, { sort }]) => [
        `(declare-const ${name} ${sort})`,
        `(declare-const ${name}! ${sort})`,
      ]),
      ...Object.keys(system.forAll ?? {}).map((name) => `(declare-const ${name} Int)`),
      ...(["invariant", "claims"] as const).flatMap((kind) =>
        [...read[kind]].map(([name, term]) =>
          `(define-const ${kind}.${name} Bool ${printTerm(term)})`
        )
      ),
    ].join("\n");
  }

  /** The names of the parts of the invariant, or of the claims. */
  parts(kind: "invariant" | "claims"): string[] {
    return [...this.read[kind].keys()].map((name) => `${kind}.${name}`);
  }

  someFalse(names: readonly string[]): string {
    return `(not (and true ${names.join(" ")}))`;
  }

  initialState(): string[] {
    return [...this.read.init].map(([name, term]) => `(= ${name} ${printTerm(term)})`);
  }

  /** The invariant, at its own parameters and at all instances that a proof uses. */
  hypotheses(): string[] {
    let instances: ReadonlyMap<string, Term>[] = [new Map()];
    for (const [name, texts] of Object.entries(this.read.system.forAll ?? {})) {
      const terms = [name, ...texts.map((text) => this.read.read(text))];
      instances = instances.flatMap((one) => terms.map((term) => new Map([...one, [name, term]])));
    }
    const parts = [...this.read.invariant.values()];
    return instances.map((instance) =>
      `(and true ${parts.map((part) => printTerm(substitute(part, instance))).join(" ")})`
    );
  }

  /** What is true when a step happens. */
  step({ choices, guard, updates }: ReadStep): { declarations: string[]; assertions: string[] } {
    const declarations = Object.entries(choices).map(([name, { sort }]) =>
      `(declare-const ${name} ${sort})`
    );
    const variables = Object.keys(this.read.system.variables);
    const changes = variables.map((name) => `(= ${name}! ${printTerm(updates.get(name) ?? name)})`);
    return { declarations, assertions: [printTerm(guard), ...changes] };
  }

  /** The parts of the invariant after a step, by names of their own. */
  partsAfter(): { declarations: string[]; names: string[] } {
    const parts = [...this.read.invariant];
    return {
      names: parts.map(([name]) => `after.${name}`),
      declarations: parts.map(([name, term]) =>
        `(define-const after.${name} Bool ${this.after(term)})`
      ),
    };
  }

  /** The text of a term, told of the variables after a step. */
  after(term: Term): string {
    return printTerm(substitute(term, this.#after));
  }

  obligation(
    name: string,
    parts: {
      declarations?: readonly string[];
      assertions: readonly string[];
      watched?: readonly string[];
      expects: "sat" | "unsat";
    },
  ): Obligation {
    const { declarations = [], assertions, watched = [], expects } = parts;
    return { question: { name, declarations, assertions, watched }, expects };
  }
}
