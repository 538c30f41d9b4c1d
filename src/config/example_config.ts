import { describeBounds, formatDefault } from "./_describe_key.ts";
import { SCHEMA } from "./_schema.ts";
import type { KeySchema, TableSchema } from "./_schema_types.ts";

const COMMENT_WIDTH = 90;

/** A complete TOML file with a comment for every key. Loading it gives exactly `DEFAULT_CONFIG`. */
export function exampleConfig(): string {
  const head = comment(
    "RelayQ configuration. Every key stands here with its default; a key that is left out has the same value.",
  );
  return [head, ...SCHEMA.map(exampleTable)].join("\n\n") + "\n";
}

function exampleTable({ name, repeated, doc, keys }: TableSchema): string {
  const header = repeated ? `[[${name}]]` : `[${name}]`;
  const entries = keys.map(exampleKey);
  return `${comment(doc)}\n${header}\n${entries.join("\n\n")}`;
}

function exampleKey(key: KeySchema): string {
  const bounds = describeBounds(key);
  const lines = [comment(key.doc), `${key.name} = ${formatDefault(key)}`];
  if (bounds !== "") lines.splice(1, 0, comment(`Allowed: ${bounds}`));
  return lines.join("\n");
}

function comment(text: string): string {
  const lines: string[] = [];
  let line = "#";
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > COMMENT_WIDTH) {
      lines.push(line);
      line = "#";
    }
    line += ` ${word}`;
  }
  return [...lines, line].join("\n");
}
