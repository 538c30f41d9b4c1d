import { SCHEMA } from "./_schema.ts";
import { snakeCase, type TableSchema } from "./_schema_types.ts";
import { nearestName } from "./nearest_name.ts";

const TABLES: readonly TableSchema[] = SCHEMA;

/** The table that an unknown table's name was probably meant to be. */
export function nearestTable(name: string): TableSchema | undefined {
  const nearest = nearestName(snakeCase(name), TABLES.map((table) => table.name));
  return TABLES.find((table) => table.name === nearest);
}

/**
 * What the unknown key `name` in the table `tableName` ("" for the top of the file) was probably meant
 * to be: the name of a key of that table, or else the full path of a key of another one.
 */
export function nearestKey(name: string, tableName: string): string | undefined {
  const wanted = snakeCase(name);
  // Of equally near ones the first is taken: the table's own keys come before all others.
  const meant = new Map<string, string>();
  for (const table of TABLES) {
    if (table.name === tableName) { for (const key of table.keys) meant.set(key.name, key.name); }
  }
  for (const table of TABLES) {
    for (const key of table.keys) {
      if (!meant.has(key.name)) meant.set(key.name, `${table.name}.${key.name}`);
    }
  }
  const nearest = nearestName(wanted, meant.keys());
  return nearest === undefined ? undefined : meant.get(nearest);
}

/** The full path of a key with exactly this name, in any spelling, in another table. */
export function sameKeyElsewhere(name: string, tableName: string): string | undefined {
  const wanted = snakeCase(name);
  const others = TABLES.filter((table) => table.name !== tableName);
  const holders = others.filter((table) => table.keys.some((key) => key.name === wanted));
  return holders[0] === undefined ? undefined : `${holders[0].name}.${wanted}`;
}
