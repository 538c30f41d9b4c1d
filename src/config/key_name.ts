import { SCHEMA } from "./_schema.ts";
import { camelCase, type TableSchema } from "./_schema_types.ts";

const TABLES: readonly TableSchema[] = SCHEMA;
const NAMES: ReadonlyMap<string, string> = new Map(
  TABLES.flatMap(({ name, keys }) =>
    keys.map((key) => [`${camelCase(name)}.${camelCase(key.name)}`, `${name}.${key.name}`] as const)
  ),
);

/** A key as it stands in the file, "protocol.mqtt_3_1", by its names in the code. */
export function keyName(table: string, key: string): string {
  const name = NAMES.get(`${table}.${key}`);
  if (name === undefined) throw new RangeError(`Cannot name key: ${table}.${key}`);
  return name;
}
