/** Tables and lists of facts for people. Nothing in them acts on a terminal. */
import { printable } from "./_format.ts";

const GAP = "  ";
/** A column is cut no shorter than this. */
const WIDTH_MIN = 8;
const INDENT = "  ";

/** A JSON value. */
export type Json = unknown;
type JsonObject = Readonly<Record<string, Json>>;

/** Rows as a table that is at most so wide, if that can be; long cells are cut. Null: as wide as it is. */
export function table(
  rows: readonly JsonObject[],
  columns: readonly string[],
  widthMax: number | null,
): string {
  const head = columns.map((column) => column.replaceAll("_", " ").toUpperCase());
  const cells = rows.map((row) => columns.map((column) => cellOf(row[column], column)));
  const widths = columns.map((_, i) =>
    Math.max(...[head, ...cells].map((line) => [...line[i]!].length))
  );
  if (widthMax !== null) shrink(widths, widthMax - GAP.length * (columns.length - 1));
  const numeric = columns.map((column) => rows.every((row) => typeof row[column] === "number"));
  return [head, ...cells].map((line) =>
    `${
      line.map((cell, i) => fitted(cell, widths[i]!, numeric[i]! && rows.length > 0)).join(GAP)
        .trimEnd()
    }\n`
  ).join("");
}

/** An object as lines of names and values; lists of objects in it become tables. */
export function facts(object: JsonObject, widthMax: number | null, indent = ""): string {
  const names = Object.keys(object);
  const width = Math.max(0, ...names.map((name) => name.length));
  return names.map((name) => {
    const value = object[name];
    const label = `${indent}${printable(name).replaceAll("_", " ").padEnd(width)}`;
    const inner = widthMax === null ? null : widthMax - indent.length - INDENT.length;
    if (isObject(value)) return `${label.trimEnd()}\n${facts(value, widthMax, indent + INDENT)}`;
    if (Array.isArray(value) && value.length > 0 && value.every(isObject)) {
      const lines = table(value, columnsOf(value), inner).trimEnd().split("\n");
      return `${label.trimEnd()}\n${lines.map((line) => `${indent}${INDENT}${line}\n`).join("")}`;
    }
    return `${label}${GAP}${cellOf(value, name)}\n`;
  }).join("");
}

/** The names of what a table can show of these objects. */
export function columnsOf(rows: readonly JsonObject[]): readonly string[] {
  const names = new Set(rows.flatMap((row) => Object.keys(row)));
  return [...names].filter((name) => !rows.some((row) => isObject(row[name])));
}

/** One value on one line. */
function cellOf(value: Json, name: string): string {
  if (value === null || value === undefined || value === "") return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map((item) => cellOf(item, name)).join(", ") || "-";
  if (typeof value === "object") return printable(JSON.stringify(value));
  const text = printable(String(value));
  const moment = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/.exec(text);
  return moment === null ? text : `${moment[1]} ${moment[2]}`;
}

/** Takes from the widest column until all fit. */
function shrink(widths: number[], widthMax: number): void {
  let excess = widths.reduce((sum, width) => sum + width, 0) - widthMax;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= WIDTH_MIN) return;
    widths[widths.indexOf(widest)] = widest - 1;
    excess--;
  }
}

function fitted(cell: string, width: number, isNumber: boolean): string {
  const characters = [...cell];
  const cut = characters.length > width ? `${characters.slice(0, width - 1).join("")}…` : cell;
  const blanks = " ".repeat(Math.max(0, width - [...cut].length));
  return isNumber ? blanks + cut : cut + blanks;
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
