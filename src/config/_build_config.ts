import type { CheckedDocument, CheckedTable } from "./_check_document.ts";
import { SCHEMA } from "./_schema.ts";
import { camelCase } from "./_schema_types.ts";
import type { Config, ListenerConfig } from "./config.ts";

/** Makes the typed configuration of a document without problems; the result is deeply frozen. */
export function buildConfig(document: CheckedDocument): Config {
  const config: Record<string, unknown> = {};
  for (const { name, repeated } of SCHEMA) {
    const tables = (document.get(name) ?? []).map(buildTable);
    config[camelCase(name)] = repeated ? Object.freeze(tables) : tables[0];
  }
  // The checks went through the same schema whose derived type is proven equal to `Config`.
  return Object.freeze(config) as unknown as Config;
}

/** Makes one listener of a table whose values are right. */
export function buildListener(table: CheckedTable): ListenerConfig {
  return buildTable(table) as unknown as ListenerConfig;
}

function buildTable({ values }: CheckedTable): Readonly<Record<string, unknown>> {
  const table: Record<string, unknown> = {};
  for (const [name, { value }] of values) table[camelCase(name)] = value;
  return Object.freeze(table);
}
