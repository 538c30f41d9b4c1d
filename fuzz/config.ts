/** Any text: loading a configuration never throws, points into the text, and means what TOML means. */
import { assertEquals } from "@std/assert";
import { parse } from "@std/toml";
import { exampleConfig, loadConfig } from "../src/config/mod.ts";
import { overDefaults } from "../tests/config/_over_defaults.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

/** The example without its comments, table by table: a whole one costs too much for each input. */
const TABLES = exampleConfig().replaceAll(/^#.*\n/gm, "").split(/\n(?=\[)/)
  .filter((table) => table.trim() !== "");
/** Pieces that mean something somewhere in TOML. */
const FRAGMENTS = [
  ..."\n,\r\n,\r,\t, ,#,=,.,\",',\\,\\u00,\0,[,],{,},[[,]]".split(","),
  ...",|'''|\"\"\"|[limits]|[[listeners]]|listeners = [|log = {|\u{1f4a1}|true|-1|1e9|0x|_|\uFEFF"
    .split("|"),
  ..."\ud800|__proto__|a = 1\n|= = =|1979-05-27|[__proto__]|constructor.x = 1\n".split("|"),
];

/** Mutated tables of the example through the loader. */
export const CONFIG: Target = {
  name: "config",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const text = makeInput(random);
    try {
      checkLoading(text);
      return null;
    } catch (error) {
      const problem = error instanceof Error ? error.stack ?? error.message : String(error);
      return { problem, input: new TextEncoder().encode(text) };
    }
  },
};

/** Throws if anything is wrong with how a text is loaded; gives whether it was accepted. */
export function checkLoading(text: string): boolean {
  const loaded = loadConfig(text);
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (const { line, column, message } of loaded.diagnostics) {
    const length = lines[line - 1]?.length ?? -1;
    assertEquals(column >= 1 && column <= length + 1, true, message);
    assertEquals(/\n|undefined|\[object/.test(message), false, message);
  }
  assertEquals(loaded.ok, loaded.diagnostics.length === 0);
  if (!loaded.ok) return false;
  assertEquals(loaded.config, overDefaults(parse(text.replace(/^\uFEFF/, ""))));
  return true;
}

function makeInput(random: Random): string {
  let text = "";
  for (let tables = 1 + random.below(3); tables > 0; tables--) text += random.pick(TABLES) + "\n";
  for (let edits = random.below(4); edits > 0; edits--) text = mutateText(text, random);
  return text;
}

/** A text with one change: a piece put in, cut out, a line moved, a character other. */
export function mutateText(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const lines = text.split("\n");
  const line = random.below(lines.length);
  switch (random.below(5)) {
    case 0:
      return text.slice(0, at) + random.pick(FRAGMENTS) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + random.below(20));
    case 2:
      return lines.toSpliced(line, 1).join("\n");
    case 3:
      return lines.toSpliced(random.below(lines.length), 0, lines[line] ?? "").join("\n");
    default:
      return text.slice(0, at) + String.fromCharCode(random.below(128)) + text.slice(at + 1);
  }
}
