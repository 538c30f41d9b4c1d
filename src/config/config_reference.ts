import { describeBounds, formatDefault } from "./_describe_key.ts";
import { SCHEMA } from "./_schema.ts";
import type { TableSchema } from "./_schema_types.ts";

/** A Markdown table of all keys for the README: key, type, default, bounds, meaning. */
export function configReference(): string {
  const rows: string[][] = [["Key", "Type", "Default", "Allowed", "Meaning"], Array(5).fill("---")];
  const tables: readonly TableSchema[] = SCHEMA;
  for (const { name, repeated, keys } of tables) {
    const path = repeated ? `[[${name}]]` : name;
    for (const key of keys) {
      rows.push([
        code(repeated ? `${path} ${key.name}` : `${path}.${key.name}`),
        key.type === "enum" ? "string" : key.type,
        code(formatDefault(key)),
        describeBounds(key),
        key.doc,
      ]);
    }
  }
  return rows.map((cells) => `| ${cells.map(escapeCell).join(" | ")} |\n`).join("");
}

function code(text: string): string {
  return `\`${text}\``;
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}
