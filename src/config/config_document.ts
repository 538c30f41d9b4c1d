/** The configuration as a program reads it: tables and keys by their names in the file. */
import { SCHEMA } from "./_schema.ts";
import { camelCase, type KeySchema, type StringKey, type TableSchema } from "./_schema_types.ts";
import type { Config } from "./config.ts";

/** What stands for a secret. */
const SECRET = "***";

/** One table. */
type TableDocument = Readonly<Record<string, string | number | boolean>>;

/** Every table with all its keys, those that were left out included. */
export function configDocument(
  config: Config,
): Readonly<Record<string, TableDocument | readonly TableDocument[]>> {
  const values = config as unknown as Readonly<Record<string, unknown>>;
  const tables: readonly TableSchema[] = SCHEMA;
  return Object.fromEntries(tables.map(({ name, repeated, keys }) => {
    const table = values[camelCase(name)];
    const one = (row: unknown) => tableDocument(row as TableDocument, keys);
    return [name, repeated ? (table as readonly unknown[]).map(one) : one(table)];
  }));
}

function tableDocument(table: TableDocument, keys: readonly KeySchema[]): TableDocument {
  return Object.fromEntries(keys.map((key) => {
    const value = table[camelCase(key.name)]!;
    return [key.name, key.type === "string" ? shown(String(value), key.form) : value];
  }));
}

/** Of a URL its server: what stands around that may be a password, or as good as one. */
function shown(value: string, form: StringKey["form"]): string {
  if (value === "") return value;
  if (form === "sha256 or nothing") return SECRET;
  if (form !== "url or nothing") return value;
  const { origin, href } = new URL(value);
  return href === `${origin}/` ? value : `${origin}/${SECRET}`;
}
