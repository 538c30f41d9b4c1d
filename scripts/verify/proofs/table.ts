/**
 * The transition tables that ship, as functions of SMT-LIB. What is exported are the byte arrays
 * that the broker looks up, with the names that its source gives to their numbers.
 */
import {
  CONNECTION,
  EMITS_NOTHING,
  NO_TRANSITION,
  QOS_RECEIVER,
  QOS_SENDER,
  SESSION,
} from "../../../src/broker/mod.ts";

/** A compiled table, of whatever names. */
export interface Table {
  readonly states: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
  readonly emissions: Readonly<Record<string, number>>;
  readonly stride: number;
  readonly next: Uint8Array;
  readonly emission: Uint8Array;
}

/** The tables by the name that terms call them. */
export type Tables = Readonly<Record<TableName, Table>>;

/** The four tables of the core. */
export type TableName = "connection" | "receiver" | "sender" | "session";

/** The tables that ship. */
export const SHIPPED_TABLES: Tables = {
  connection: CONNECTION,
  receiver: QOS_RECEIVER,
  sender: QOS_SENDER,
  session: SESSION,
};

/** What `NAME!nothing` stands for: no emission. */
export const NOTHING = "nothing";

/** One cell: what an event does in a state. */
export interface Cell {
  readonly isDefined: boolean;
  /** The state itself where there is no entry. */
  readonly to: string;
  readonly emits: string;
}

/** What an event does in a state; both by their names in the table. */
export function cellOf(table: Table, state: string, event: string): Cell {
  const at = table.states[state]! * table.stride + table.events[event]!;
  const to = table.next[at]!;
  if (to === NO_TRANSITION) return { isDefined: false, to: state, emits: NOTHING };
  const emitted = table.emission[at]!;
  const emits = emitted === EMITS_NOTHING ? NOTHING : nameOf(table.emissions, emitted);
  return { isDefined: true, to: nameOf(table.states, to), emits };
}

/**
 * Sorts and functions for a table called `name`: states are `name.idle`, events `name/PUBACK`,
 * emissions `name!finish`; `name.has`, `name.next` and `name.emits` take a state and an event.
 */
export function exportTable(name: TableName, table: Table): string {
  const states = Object.keys(table.states);
  const events = Object.keys(table.events);
  const emissions = [NOTHING, ...Object.keys(table.emissions)];
  const has: string[] = [];
  const next: string[] = [];
  const emits: string[] = [];
  for (const state of states) {
    for (const event of events) {
      const cell = cellOf(table, state, event);
      if (!cell.isDefined) continue;
      const here = `(and (= s ${name}.${state}) (= e ${name}/${event}))`;
      has.push(here);
      next.push(`(ite ${here} ${name}.${cell.to} `);
      emits.push(`(ite ${here} ${name}!${cell.emits} `);
    }
  }
  const args = `((s ${name}.State) (e ${name}.Event))`;
  return [
    enumeration(`${name}.State`, states.map((state) => `${name}.${state}`)),
    enumeration(`${name}.Event`, events.map((event) => `${name}/${event}`)),
    enumeration(`${name}.Emission`, emissions.map((emission) => `${name}!${emission}`)),
    `(define-fun ${name}.has ${args} Bool (or false ${has.join(" ")}))`,
    `(define-fun ${name}.next ${args} ${name}.State ${next.join("")}s${")".repeat(next.length)})`,
    `(define-fun ${name}.emits ${args} ${name}.Emission ${emits.join("")}${name}!${NOTHING}${
      ")".repeat(emits.length)
    })`,
  ].join("\n");
}

/** The declaration of a sort with finitely many elements. */
export function enumeration(sort: string, elements: readonly string[]): string {
  return `(declare-datatypes ((${sort} 0)) ((${elements.map((name) => `(${name})`).join(" ")})))`;
}

function nameOf(numbers: Readonly<Record<string, number>>, number: number): string {
  return Object.keys(numbers).find((name) => numbers[name] === number)!;
}
