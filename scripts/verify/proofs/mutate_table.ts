/** Breaks tables in memory, one cell at a time. */
import { EMITS_NOTHING, NO_TRANSITION } from "../../../src/broker/mod.ts";
import type { Table, TableName, Tables } from "./table.ts";

/** One broken table. */
export interface TableMutant {
  readonly table: TableName;
  /** The cell and what was done to it. */
  readonly name: string;
  readonly cell: string;
  readonly tables: Tables;
}

/**
 * Every cell of a table broken in every way: an entry removed, led to every other state, with every
 * other emission; and an entry put where there is none, to every state.
 */
export function tableMutants(tables: Tables, name: TableName): TableMutant[] {
  const table = tables[name];
  const states = Object.entries(table.states);
  const emissions = [["nothing", EMITS_NOTHING] as const, ...Object.entries(table.emissions)];
  const mutants: TableMutant[] = [];
  for (const [state, row] of states) {
    for (const [event, column] of Object.entries(table.events)) {
      const at = row * table.stride + column;
      const here = `${name}: ${state}, ${event}`;
      const cell = { tables, name, here };
      const isEntry = table.next[at] !== NO_TRANSITION;
      if (isEntry) {
        const broken = cellSet(table, { at, next: NO_TRANSITION, emission: EMITS_NOTHING });
        mutants.push(mutantOf(cell, " removed", broken));
      }
      for (const [to, next] of states) {
        if (next === table.next[at]) continue;
        const broken = cellSet(table, { at, next, emission: table.emission[at]! });
        mutants.push(mutantOf(cell, ` → ${to}`, broken));
      }
      for (const [emitted, emission] of isEntry ? emissions : []) {
        if (emission === table.emission[at]) continue;
        const broken = cellSet(table, { at, next: table.next[at]!, emission });
        mutants.push(mutantOf(cell, ` emits ${emitted}`, broken));
      }
    }
  }
  return mutants;
}

function mutantOf(
  { tables, name, here }: { tables: Tables; name: TableName; here: string },
  change: string,
  broken: Table,
): TableMutant {
  return { table: name, cell: here, name: here + change, tables: { ...tables, [name]: broken } };
}

function cellSet(
  table: Table,
  { at, next, emission }: { at: number; next: number; emission: number },
): Table {
  const broken = { ...table, next: table.next.slice(), emission: table.emission.slice() };
  broken.next[at] = next;
  broken.emission[at] = emission;
  return broken;
}
