/** Breaks the tables and the systems, and sees that the proofs fail. */
import { mutateSystem, readSystem, type System } from "./system.ts";
import { type Proof, prove } from "./prove.ts";
import { SHIPPED_TABLES, type TableName } from "./table.ts";
import { type TableMutant, tableMutants } from "./mutate_table.ts";

/** Proofs that run at the same time. */
const PARALLEL = 2;

/** A mutant, and the systems whose proofs it breaks. */
export interface MutantVerdict {
  readonly name: string;
  readonly caughtBy: readonly string[];
  /** Proofs that were tried. */
  readonly tried: number;
}

/**
 * Every mutant of every table, against the systems that speak of the table. `isQuick`: one mutant of
 * each cell, and only until a proof has failed.
 */
export function runTableMutants(
  systems: readonly System[],
  { isQuick }: { isQuick: boolean },
): Promise<MutantVerdict[]> {
  const names: TableName[] = ["sender", "receiver", "session", "connection"];
  const all = names.flatMap((name) => tableMutants(SHIPPED_TABLES, name));
  const mutants = isQuick ? oneOfEachCell(all) : all;
  return inParallel(mutants, async ({ name, table, tables }) => {
    const caughtBy: string[] = [];
    let tried = 0;
    for (const system of systems) {
      if (!system.tables.includes(table)) continue;
      tried++;
      const { failures } = await prove(readSystem(system), { tables, isMutant: true });
      if (failures.length === 0) continue;
      caughtBy.push(system.name);
      if (isQuick) break;
    }
    return { name, caughtBy, tried };
  });
}

/** For each system that speaks of a table, the broken one that it names itself. */
export function runOneMutantEach(systems: readonly System[]): Promise<MutantVerdict[]> {
  const withTables = systems.filter(({ tables }) => tables.length > 0);
  return inParallel(withTables, async (system) => {
    const mutant = system.tables.flatMap((name) => tableMutants(SHIPPED_TABLES, name))
      .find(({ name }) => name === system.tableMutant);
    if (mutant === undefined) {
      throw new Error(`Cannot break a table for ${system.name}: no ${system.tableMutant}`);
    }
    const { tables, name } = mutant;
    const { failures } = await prove(readSystem(system), { tables, isMutant: true });
    return { name, caughtBy: failures.length > 0 ? [system.name] : [], tried: 1 };
  });
}

/** Every fault of the code round the tables, against the proof of its system. */
export function runSystemMutants(systems: readonly System[]): Promise<MutantVerdict[]> {
  const mutants = systems.flatMap((system) => system.mutants.map((mutant) => ({ system, mutant })));
  return inParallel(mutants, async ({ system, mutant }) => {
    const read = readSystem(mutateSystem(system, mutant));
    const { failures }: Proof = await prove(read, { isMutant: true });
    const caughtBy = failures.length > 0 ? [system.name] : [];
    return { name: `${system.name}: ${mutant.name}`, caughtBy, tried: 1 };
  });
}

/** Of each cell one mutant, of another kind each time. */
function oneOfEachCell(mutants: readonly TableMutant[]): TableMutant[] {
  const cells = Map.groupBy(mutants, ({ cell }) => cell);
  return [...cells.values()].map((group, index) => group[index % group.length]!);
}

async function inParallel<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  async function worker(): Promise<void> {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]!);
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return results;
}
