/** Breaks tables in memory, one cell at a time. */
import { EMITS_NOTHING, NO_TRANSITION } from "../../../src/broker/mod.ts";
import type { Table, TableName, Tables } from "./table.ts";

/** One broken table. */
export interface TableMutant {
  readonly table: TableName;
  /** The cell and what was done to it. */
  readonly name: string;
  readonly kind: "removed" | "leads elsewhere" | "emits something else" | "added";
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
      const isEntry = table.next[at] !== NO_TRANSITION;
      if (isEntry) {
        const broken = cellSet(table, { at, next: NO_TRANSITION, emission: EMITS_NOTHING });
        mutants.push(mutant(`${here} removed`, "removed", broken));
      }
      for (const [to, next] of states) {
        if (next === table.next[at]) continue;
        const broken = cellSet(table, { at, next, emission: table.emission[at]! });
        mutants.push(mutant(`${here} → ${to}`, isEntry ? "leads elsewhere" : "added", broken));
      }
      for (const [emitted, emission] of isEntry ? emissions : []) {
        if (emission === table.emission[at]) continue;
        const broken = cellSet(table, { at, next: table.next[at]!, emission });
        mutants.push(mutant(`${here} emits ${emitted}`, "emits something else", broken));
      }
    }
  }
  return mutants;

  function mutant(text: string, kind: TableMutant["kind"], broken: Table): TableMutant {
    return { table: name, name: text, kind, tables: { ...tables, [name]: broken } };
  }
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
