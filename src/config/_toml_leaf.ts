import { parse } from "@std/toml";
import type { LeafType } from "./_toml_tree.ts";
import { quote } from "./_text.ts";

/** A value as read, or why it is none. */
export type LeafReading =
  | { readonly type: LeafType; readonly value: unknown }
  | { readonly problem: string; readonly suggestion?: string };

/** Reads one value that holds no other values, from exactly the text that is its own. */
export function readLeaf(raw: string): LeafReading {
  const quoted = raw.startsWith('"') || raw.startsWith("'");
  // The parser reads on after a value it has understood; only what can be one token may reach it.
  if (!quoted && !/^[A-Za-z0-9+\-_.:]+( [0-9:.]+[A-Za-z0-9:+\-]*)?$/.test(raw)) {
    return notAValue(raw);
  }
  let value: unknown;
  try {
    value = parse(`value = ${raw}`)["value"];
  } catch (error) {
    if (quoted) return { problem: `cannot read the string: ${stringProblem(error)}` };
    return notAValue(raw);
  }
  const type = leafType(raw, { value, quoted });
  // TOML has one integer zero; JavaScript's -0 would come back as a different number.
  return { type, value: value === 0 ? 0 : value };
}

function leafType(raw: string, { value, quoted }: { value: unknown; quoted: boolean }): LeafType {
  if (quoted) return "string";
  if (typeof value === "boolean") return "boolean";
  if (typeof value !== "number") return "date";
  if (/^[+-]?0[xob]/.test(raw)) return "integer";
  return /^[+-]?[0-9_]+$/.test(raw) ? "integer" : "float";
}

function notAValue(raw: string): LeafReading {
  if (/^(true|false)$/i.test(raw)) {
    return { problem: `${quote(raw)} is not a value: write true or false in lower case` };
  }
  if (/^[0-9_]+ ?[A-Za-z]+$/.test(raw)) {
    return {
      problem: `${quote(raw)} is not a value: write the number alone, the key's name says its unit`,
    };
  }
  const problem = `${quote(raw)} is not a value: a string needs quotes`;
  return /^[\w.:/-]{1,80}$/.test(raw) ? { problem, suggestion: raw } : { problem };
}

function stringProblem(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // The parser saw a text of its own, so its line and column would mislead.
  const reason = message.replace(/^Parse error on line \d+, column \d+: /, "");
  return reason.split("\n", 1)[0] ?? reason;
}
