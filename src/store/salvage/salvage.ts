/** Rescues the rows of a damaged file to a new database. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { isPassing } from "../sqlite_problem.ts";
import { type BtreePage, readCell } from "./btree_page.ts";
import { makeConsistent, type OrphanMessage } from "./consistency.ts";
import { PageMap } from "./page_map.ts";
import type { PageSource } from "./page_source.ts";
import { decodeRow, ROW_SHAPES, type RowShape, type Value } from "./row_shapes.ts";

/** Beside its values, what a row takes in a file, about. */
const ROW_BYTES = 16;

/** What became of the rows of a table. */
export interface TableTally {
  rescued: number;
  /** Rows that are known to be missing, or could be read but not kept. There may be more. */
  lost: number;
}

/** What was rescued. */
export interface Salvage {
  readonly tables: Readonly<Record<string, TableTally>>;
  /** Pages that rows may have been in, and that are not there or make no sense. */
  readonly pagesLost: number;
  /** Messages that are left without a session to deliver them to. */
  readonly orphans: readonly OrphanMessage[];
  /** Orphans beyond the limits of `orphans`. */
  readonly orphansLeftOut: number;
}

/** The room that there is for rows. */
export interface Budget {
  /** Rows are taken as long as they are not more than this. */
  readonly bytesMax: number;
  /** Bytes of rows that were taken. */
  bytesTaken: number;
}

/**
 * Reads all that can be read of `source` and writes it to `database`, which has the present schema,
 * no rows and an open transaction. Throws only what the new database throws.
 */
export function salvage(source: PageSource, database: DatabaseSync, budget: Budget): Salvage {
  const map = new PageMap(source);
  const tables: Record<string, TableTally> = {};
  for (const shape of ROW_SHAPES) {
    const writer = TableWriter.for(shape, database, budget);
    if (writer === null) continue;
    const tally = tables[shape.table] ??= { rescued: 0, lost: 0 };
    if (shape.root === shape.table) tally.lost += rescueTable(shape, map, writer);
    // What an index knows of a lost row is better than nothing.
    else if (map.isBroken(shape.table)) {
      rescueTable(shape, map, writer);
      tally.lost = Math.max(0, tally.lost - writer.written);
    }
  }
  const { orphans, orphansLeftOut } = makeConsistent(database, tables);
  for (const [table, tally] of Object.entries(tables)) {
    const count = database.prepare(`SELECT count(*) AS count FROM ${table}`).get();
    tally.rescued = Number(count?.count);
  }
  return { tables, pagesLost: map.pagesLost, orphans, orphansLeftOut };
}

/** Writes the rows of a table; gives how many are lost. */
function rescueTable(shape: RowShape, map: PageMap, writer: TableWriter): number {
  let lost = 0;
  const isSession = shape.table === "session";
  // What the tree reaches goes first: of two rows with one key, it is the one that was in use.
  for (const pages of [map.owned(shape), map.strays(shape)]) {
    const rows: Value[][] = [];
    for (const page of pages) {
      const unreadable = readRows(page, { shape, map }, rows);
      if (unreadable > 0) map.markBroken(shape);
      lost += unreadable;
      if (!isSession) lost += writer.write(rows.splice(0));
    }
    if (isSession) lost += writer.write(rows.sort(newestFirst(shape)));
  }
  return lost;
}

/** Adds the rows of a page to `rows`; gives how many cannot be read. */
function readRows(
  page: BtreePage,
  { shape, map }: { readonly shape: RowShape; readonly map: PageMap },
  rows: Value[][],
): number {
  let lost = page.badCells;
  for (const at of page.cells) {
    const cell = readCell(page, at, map);
    const row = cell === null ? null : decodeRow(shape, cell);
    if (row === null) {
      lost++;
      continue;
    }
    map.claim(cell!.overflow);
    rows.push(row);
  }
  return lost;
}

/** Of two sessions of one client, the one that was created later is the client's. */
function newestFirst(shape: RowShape): (a: Value[], b: Value[]) => number {
  const key = shape.columns.findIndex(({ name }) => name === "key");
  return (a, b) => Number(b[key]) - Number(a[key]);
}

/** Writes the rows of a shape. */
class TableWriter {
  readonly #insert: StatementSync;
  /** For each parameter, the place of its value in the row. */
  readonly #places: readonly number[];
  readonly #budget: Budget;
  /** Rows that were new. */
  written = 0;

  private constructor(insert: StatementSync, places: readonly number[], budget: Budget) {
    this.#insert = insert;
    this.#places = places;
    this.#budget = budget;
  }

  /** Null if the schema of the new database has no such table. */
  static for(shape: RowShape, database: DatabaseSync, budget: Budget): TableWriter | null {
    const known = new Set(
      database.prepare(`PRAGMA table_info(${shape.table})`).all().map(({ name }) => String(name)),
    );
    if (known.size === 0) return null;
    const columns = shape.columns.filter(({ name }) => known.has(name));
    const names = columns.map(({ name }) => name);
    const marks: string[] = names.map(() => "?");
    if (shape.table === "session" && !names.includes("stored_since_ms")) {
      names.push("stored_since_ms");
      marks.push("0"); // as if it had been connected: it is away since now
    }
    const insert = database.prepare(
      `INSERT OR IGNORE INTO ${shape.table} (${names.join(", ")}) VALUES (${marks.join(", ")})`,
    );
    return new TableWriter(insert, columns.map((column) => shape.columns.indexOf(column)), budget);
  }

  /** Writes rows whose keys are new; gives how many could not be written. */
  write(rows: readonly Value[][]): number {
    let lost = 0;
    for (const row of rows) if (!this.#write(row)) lost++;
    return lost;
  }

  #write(row: readonly Value[]): boolean {
    const values = this.#places.map((place) => row[place]!);
    const budget = this.#budget;
    const bytes = values.reduce<number>((sum, value) => sum + sizeOf(value), ROW_BYTES);
    if (budget.bytesTaken + bytes > budget.bytesMax) return false;
    try {
      this.written += Number(this.#insert.run(...values).changes);
    } catch (error) {
      if (isPassing(error)) throw error;
      return false; // a constraint that the shapes do not know
    }
    budget.bytesTaken += bytes;
    return true;
  }
}

function sizeOf(value: Value): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : 8;
}
