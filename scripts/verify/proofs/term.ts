/** Terms of SMT-LIB as they are written in the systems: read, expanded, renamed and printed. */

/** A symbol, a number, or a list of terms. */
export type Term = string | readonly Term[];

/** An abbreviation that is put in place of its name; its body may speak of the variables. */
export interface Macro {
  readonly parameters: readonly string[];
  readonly body: string;
}

/** Reads one term. Throws for parentheses that do not match. */
export function readTerm(text: string): Term {
  const tokens = text.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  function next(): Term {
    const token = tokens[at++];
    if (token === undefined || token === ")") throw new Error(`Cannot read term: ${text}`);
    if (token !== "(") return token;
    const items: Term[] = [];
    while (tokens[at] !== ")") items.push(next());
    at++;
    return items;
  }
  const term = next();
  if (at !== tokens.length) throw new Error(`Cannot read term: more behind its end: ${text}`);
  return term;
}

/** The text of a term. */
export function printTerm(term: Term): string {
  return typeof term === "string" ? term : `(${term.map(printTerm).join(" ")})`;
}

/** Puts other terms in the place of symbols, at once. */
export function substitute(term: Term, by: ReadonlyMap<string, Term>): Term {
  if (typeof term === "string") return by.get(term) ?? term;
  return term.map((item) => substitute(item, by));
}

/** Reads a term, and puts the bodies of macros in the place of their names. */
export function expand(text: string, macros: Readonly<Record<string, Macro>>): Term {
  return expandTerm(readTerm(text), macros);
}

function expandTerm(term: Term, macros: Readonly<Record<string, Macro>>): Term {
  const isList = typeof term !== "string";
  const name = isList ? term[0] : term;
  const args = isList ? term.slice(1).map((item) => expandTerm(item, macros)) : [];
  const macro = typeof name === "string" ? macros[name] : undefined;
  if (macro === undefined) {
    return isList ? [typeof name === "string" ? name : expandTerm(name!, macros), ...args] : term;
  }
  if (args.length !== macro.parameters.length) {
    throw new Error(`Cannot expand ${String(name)}: it takes ${macro.parameters.length} terms`);
  }
  const by = new Map(macro.parameters.map((parameter, i) => [parameter, args[i]!]));
  return substitute(expandTerm(readTerm(macro.body), macros), by);
}
