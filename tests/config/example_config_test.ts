import { assertEquals, assertStringIncludes } from "@std/assert";
import { configReference, DEFAULT_CONFIG, exampleConfig } from "../../src/config/mod.ts";
import { ALL_PATHS, headerOf, INTEGERS, nameOf, STRINGS, WORDS } from "./_all_keys.ts";
import { accepted } from "./_loading.ts";

Deno.test("loading the example gives exactly the default configuration", () => {
  assertEquals(accepted(exampleConfig()), DEFAULT_CONFIG);
});

Deno.test("the example has every key once, under its table, with a comment above", () => {
  const found: string[] = [];
  let header = "";
  let before = "";
  for (const line of exampleConfig().split("\n")) {
    if (line.startsWith("[")) header = line;
    const name = /^(\w+) = ./.exec(line)?.[1];
    if (name !== undefined) {
      found.push(`${header} ${name}`);
      assertEquals(before.startsWith("# "), true, line);
    }
    before = line;
  }
  assertEquals(found.toSorted(), ALL_PATHS.map((p) => `${headerOf(p)} ${nameOf(p)}`).toSorted());
});

Deno.test("no key of the example is left to its default by accident", () => {
  for (const { path, min, max, default: normal } of INTEGERS) {
    const line = `\n# Allowed: ${min} to ${max}\n${nameOf(path)} = ${normal}\n`;
    assertStringIncludes(exampleConfig(), line);
  }
});

Deno.test("the example is readable in an 80 to 100 column terminal and ends with a line end", () => {
  const longest = Math.max(...exampleConfig().split("\n").map((line) => line.length));
  assertEquals(longest <= 90, true, `${longest} columns`);
  assertEquals(exampleConfig().endsWith("\n"), true);
  assertEquals(exampleConfig().endsWith("\n\n"), false);
});

Deno.test("the reference has one row with five cells for every key, in order, no cell missing", () => {
  const [head, rule, ...rows] = configReference().trimEnd().split("\n").map(cellsOf);
  assertEquals(head, ["Key", "Type", "Default", "Allowed", "Meaning"]);
  assertEquals(rule, Array(5).fill("---"));
  const paths = rows.map(([key = ""]) => key.replaceAll(/[`[\]]/g, "").replace(" ", "."));
  assertEquals(paths.toSorted(), ALL_PATHS.toSorted());
  for (const cells of rows) {
    assertEquals(cells.length, 5, cells.join(" | "));
    for (const index of [0, 1, 2, 4]) assertEquals(cells[index] !== "", true, cells.join(" | "));
  }
});

Deno.test("the reference tells defaults, bounds and allowed words", () => {
  const cells = new Map(
    configReference().split("\n").map(cellsOf).map(([key = "", ...rest]) => [key, rest]),
  );
  for (const { path, default: normal, min, max } of INTEGERS) {
    const row = cells.get(referenceKey(path));
    assertEquals(row?.slice(0, 3), ["integer", `\`${normal}\``, `${min} to ${max}`]);
  }
  for (const { path, default: normal, values } of WORDS) {
    const allowed = values.map((word) => `"${word}"`).join(", ");
    assertEquals(cells.get(referenceKey(path))?.slice(0, 3), [
      "string",
      `\`"${normal}"\``,
      allowed,
    ]);
  }
  assertEquals(STRINGS.length + WORDS.length, 56);
});

/** How the reference writes a key. */
function referenceKey(path: string): string {
  return `\`${path.replace("listeners.", "[[listeners]] ")}\``;
}

function cellsOf(row: string): string[] {
  return row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
}
