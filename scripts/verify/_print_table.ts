/** The table that `deno task verify` ends with. */
import { say } from "../bench/terminal.ts";
import type { VerifyRow } from "./verify_row.ts";

const HEAD = ["section", "what", "tool", "size", "seconds", "verdict"] as const;

/** Prints the rows in columns, and below them the details of what failed. */
export function printTable(rows: readonly VerifyRow[]): void {
  const cells = rows.map((row) => [
    row.section,
    row.name,
    row.tool,
    row.size,
    row.seconds.toFixed(1),
    row.ok ? "holds" : "FAILED",
  ]);
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...cells.map((line) => line[column]!.length))
  );
  for (const line of [[...HEAD], widths.map((width) => "-".repeat(width)), ...cells]) {
    say(line.map((cell, column) => cell.padEnd(widths[column]!)).join("  ").trimEnd());
  }
  for (const { section, name, ok, detail } of rows) {
    if (detail === undefined) continue;
    say(`${ok ? "note" : "FAILED"}: ${section}: ${name}: ${detail}`);
  }
}
