/** Carries out terms: the same text that Z3 is given, as functions of a state. */
import { cellOf, type TableName, type Tables } from "./table.ts";
import type { Term } from "./term.ts";

/** An element of a finite sort is its name. */
export type Value = number | boolean | string | ArrayValue;

/** Values by the names of variables, choices and parameters. */
export type Values = Readonly<Record<string, Value>>;

/** Gives the value of a term. */
export type Evaluation = (values: Values) => Value;

/** A total map; never changed. */
export class ArrayValue {
  readonly #rest: Value;
  readonly #entries: ReadonlyMap<Value, Value>;

  constructor(rest: Value, entries: ReadonlyMap<Value, Value> = new Map()) {
    this.#rest = rest;
    this.#entries = entries;
  }

  select(index: Value): Value {
    return this.#entries.get(index) ?? this.#rest;
  }

  store(index: Value, value: Value): ArrayValue {
    const entries = new Map(this.#entries);
    if (keyOf(value) === keyOf(this.#rest)) entries.delete(index);
    else entries.set(index, value);
    return new ArrayValue(this.#rest, entries);
  }

  /** The same text for the same map. */
  get key(): string {
    const entries = [...this.#entries].map(([index, value]) => `${String(index)}:${keyOf(value)}`);
    return `[${keyOf(this.#rest)};${entries.sort().join(",")}]`;
  }
}

/** The same text for the same value. */
export function keyOf(value: Value): string {
  return value instanceof ArrayValue ? value.key : String(value);
}

/** Makes a term a function. Throws for functions that are not known. */
export function compileTerm(term: Term, tables: Tables): Evaluation {
  if (typeof term === "string") return compileSymbol(term);
  const [head, ...rest] = term;
  if (typeof head !== "string") return compileConstantArray(term, tables);
  if (head === "let") return compileLet(term, tables);
  const args = rest.map((item) => compileTerm(item, tables));
  const table = /^(\w+)\.(has|next|emits)$/.exec(head);
  if (table !== null) return compileLookUp(table, args, tables);
  return compileOperator(head, args);
}

function compileSymbol(symbol: string): Evaluation {
  if (/^\d+$/.test(symbol)) {
    const number = Number(symbol);
    return () => number;
  }
  if (symbol === "true" || symbol === "false") return () => symbol === "true";
  // Names with a mark are elements of sorts.
  if (/[./!]/.test(symbol)) return () => symbol;
  return (values) => {
    const value = values[symbol];
    if (value === undefined) throw new Error(`Cannot evaluate ${symbol}: it has no value`);
    return value;
  };
}

/** `((as const SORT) VALUE)`. */
function compileConstantArray(term: readonly Term[], tables: Tables): Evaluation {
  const value = compileTerm(term[1]!, tables);
  return (values) => new ArrayValue(value(values));
}

function compileLet(term: readonly Term[], tables: Tables): Evaluation {
  const bindings = (term[1] as readonly Term[]).map((binding) => ({
    name: binding[0] as string,
    value: compileTerm(binding[1]!, tables),
  }));
  const body = compileTerm(term[2]!, tables);
  return (values) => {
    const inner: Record<string, Value> = { ...values };
    for (const { name, value } of bindings) inner[name] = value(values);
    return body(inner);
  };
}

function compileLookUp(
  match: RegExpExecArray,
  args: readonly Evaluation[],
  tables: Tables,
): Evaluation {
  const name = match[1] as TableName;
  const table = tables[name];
  const [state, event] = args as [Evaluation, Evaluation];
  return (values) => {
    const from = String(state(values)).slice(name.length + 1);
    const cell = cellOf(table, from, String(event(values)).slice(name.length + 1));
    if (match[2] === "has") return cell.isDefined;
    return match[2] === "next" ? `${name}.${cell.to}` : `${name}!${cell.emits}`;
  };
}

function compileOperator(name: string, args: readonly Evaluation[]): Evaluation {
  const [a, b, c] = args as [Evaluation, Evaluation, Evaluation];
  switch (name) {
    case "and":
      return (values) => args.every((arg) => arg(values) === true);
    case "or":
      return (values) => args.some((arg) => arg(values) === true);
    case "not":
      return (values) => a(values) !== true;
    case "=>":
      return (values) => a(values) !== true || b(values) === true;
    case "ite":
      return (values) => a(values) === true ? b(values) : c(values);
    case "=":
      return (values) => keyOf(a(values)) === keyOf(b(values));
    case "select":
      return (values) => (a(values) as ArrayValue).select(b(values));
    case "store":
      return (values) => (a(values) as ArrayValue).store(b(values), c(values));
    case "+":
      return (values) => args.reduce((sum, arg) => sum + (arg(values) as number), 0);
    default:
      return compileArithmetic(name, a, b);
  }
}

function compileArithmetic(name: string, a: Evaluation, b: Evaluation): Evaluation {
  switch (name) {
    case "-":
      return (values) => (a(values) as number) - (b(values) as number);
    case "*":
      return (values) => (a(values) as number) * (b(values) as number);
    case "<":
      return (values) => a(values) < b(values);
    case "<=":
      return (values) => a(values) <= b(values);
    case ">":
      return (values) => a(values) > b(values);
    case ">=":
      return (values) => a(values) >= b(values);
    default:
      throw new Error(`Cannot evaluate ${name}: no such function`);
  }
}
