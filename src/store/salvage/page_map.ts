/**
 * Which page of a damaged file belongs to what. What the trees of the tables reach is live. What is
 * on the list of free pages is not, although it often looks like it: it holds rows that were
 * deleted. The rest has lost the page above it, and is told by the shape of its rows.
 */
import { type BtreePage, type OverflowPages, parsePage, readCell } from "./btree_page.ts";
import type { PageSource } from "./page_source.ts";
import { type ColumnShape, decodeRow, ROW_SHAPES, type RowShape } from "./row_shapes.ts";

const NOBODY = 0;
/** The number of a shape is its place in ROW_SHAPES and 1. */
const FIRST_SHAPE = 1;
const FREE = 254;
const OTHER = 255;

/** Tables and indexes of a fresh database have their roots here, and roots never become free. */
const ROOTS_LAST = 1 + ROW_SHAPES.length;
/** Rows of a page that are looked at to learn its shape. */
const SAMPLE_ROWS = 8;

const TEXT = { kind: "text" } as const;
const SCHEMA_COLUMNS: readonly ColumnShape[] = [
  { name: "type", ...TEXT },
  { name: "name", ...TEXT },
  { name: "tbl_name", ...TEXT },
  { name: "rootpage", kind: "integer" },
  { name: "sql", ...TEXT, nullable: true },
];
const SCHEMA_SHAPE: RowShape = {
  table: "sqlite_schema",
  root: "sqlite_schema",
  tree: "table",
  columns: SCHEMA_COLUMNS,
};

/** What a file says about its tables. */
export interface FileSchema {
  /** Names of tables and indexes, with the pages at the top of their trees. */
  readonly roots: ReadonlyMap<string, number>;
  /** Whether a part of it cannot be read. */
  readonly isBroken: boolean;
}

/** Finds the pages of each table. */
export class PageMap implements OverflowPages {
  readonly schema: FileSchema;
  /** Pages that something refers to and that are not what they should be, or not there at all. */
  pagesLost = 0;
  readonly #source: PageSource;
  readonly #owners: Uint8Array;
  /** The shapes of pages that nothing refers to, once somebody has asked. */
  #strays: Uint8Array | null = null;
  readonly #broken = new Set<RowShape>();

  constructor(source: PageSource) {
    this.#source = source;
    this.#owners = new Uint8Array(source.pageCount + 1);
    this.schema = this.#readSchema();
    for (const [index, shape] of ROW_SHAPES.entries()) {
      const root = this.schema.roots.get(shape.root);
      const lostBefore = this.pagesLost;
      if (root !== undefined) this.#walk(root, FIRST_SHAPE + index);
      // A file of an older version may lack the table; it has no pages then.
      if (root === undefined || this.pagesLost > lostBefore) this.#broken.add(shape);
    }
    for (const root of this.schema.roots.values()) {
      if (this.#owners[root] === NOBODY) this.#walk(root, OTHER);
    }
    this.#release();
    if (source.hasHeader) this.#walkFreeList();
    else this.#findFreeLists();
  }

  get pageBytes(): number {
    return this.#source.pageBytes;
  }

  get pageCount(): number {
    return this.#source.pageCount;
  }

  page(number: number): Uint8Array {
    return this.#source.page(number);
  }

  mayOverflow(number: number): boolean {
    // What is left of a stale page may belong to a row that has gone since.
    return number >= 2 && this.#source.has(number) && !this.#source.isStale(number) &&
      this.#owners[number] === NOBODY;
  }

  /** No other row may go on in these pages. */
  claim(overflow: readonly number[]): void {
    for (const number of overflow) this.#owners[number] = OTHER;
  }

  /** Pages that the tree of a table reaches, in the order of the file. */
  *owned(shape: RowShape): Generator<BtreePage> {
    const owner = FIRST_SHAPE + ROW_SHAPES.indexOf(shape);
    for (let number = 2; number <= this.pageCount; number++) {
      if (this.#owners[number] !== owner) continue;
      const page = parsePage(this.page(number), number);
      if (page === null || (!page.isLeaf && page.tree === "table")) continue;
      if (page.badCells > 0) this.#broken.add(shape);
      yield page;
    }
  }

  /** Pages with rows of a table that no tree reaches; none if the tree of the table is whole. */
  *strays(shape: RowShape): Generator<BtreePage> {
    if (!this.#broken.has(shape) || shape.root !== shape.table) return;
    this.#strays ??= this.#findStrays();
    const owner = FIRST_SHAPE + ROW_SHAPES.indexOf(shape);
    for (let number = 2; number <= this.pageCount; number++) {
      if (this.#strays[number] !== owner || this.#owners[number] !== NOBODY) continue;
      const page = parsePage(this.page(number), number);
      if (page !== null) yield page;
    }
  }

  /** Says that rows of a table are missing, so that strays of it are wanted. */
  markBroken(shape: RowShape): void {
    this.#broken.add(shape);
  }

  /** Whether a page is on the list of free pages. */
  isFree(number: number): boolean {
    return this.#owners[number] === FREE;
  }

  /** Whether rows of a table may be missing. */
  isBroken(table: string): boolean {
    return [...this.#broken].some((shape) => shape.root === table);
  }

  #readSchema(): FileSchema {
    const roots = new Map<string, number>();
    if (!this.#source.hasHeader) return { roots, isBroken: true };
    this.#walk(1, OTHER);
    let isBroken = this.pagesLost > 0;
    for (let number = 1; number <= this.pageCount; number++) {
      if (this.#owners[number] !== OTHER) continue;
      const page = parsePage(this.page(number), number);
      if (page === null || !page.isLeaf) continue;
      if (page.badCells > 0) isBroken = true;
      for (const at of page.cells) {
        const cell = readCell(page, at, this);
        const row = cell === null ? null : decodeRow(SCHEMA_SHAPE, cell);
        if (row === null) isBroken = true;
        else roots.set(String(row[1]), Number(row[3]));
      }
    }
    return { roots, isBroken };
  }

  #walk(root: number, owner: number): void {
    const waiting = [root];
    let tree: BtreePage["tree"] | null = null;
    for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
      const isFree = number >= 1 && number <= this.pageCount && this.#owners[number] === NOBODY;
      const page = isFree ? parsePage(this.page(number), number) : null;
      if (page === null || (tree !== null && page.tree !== tree)) {
        this.pagesLost++;
        continue;
      }
      tree = page.tree;
      this.#owners[number] = owner;
      waiting.push(...page.children);
      if (page.badCells > 0 && !page.isLeaf) this.pagesLost += page.badCells;
    }
  }

  /** Another table's page in the place of one: it is told by its shape instead. */
  #release(): void {
    for (const shape of ROW_SHAPES) {
      const owner = FIRST_SHAPE + ROW_SHAPES.indexOf(shape);
      for (let number = 2; number <= this.pageCount; number++) {
        if (this.#owners[number] !== owner) continue;
        const page = parsePage(this.page(number), number);
        if (page === null || page.cells.length === 0) continue;
        if ((!page.isLeaf && page.tree === "table") || this.#fits(page, shape, 1) > 0) continue;
        this.#broken.add(shape);
        this.#owners[number] = NOBODY;
      }
    }
  }

  #walkFreeList(): void {
    const header = this.page(1);
    let trunk = new DataView(header.buffer, header.byteOffset).getUint32(32);
    while (this.mayOverflow(trunk)) {
      const leaves = this.#freeLeaves(trunk);
      if (leaves === null) return;
      this.#owners[trunk] = FREE;
      for (const leaf of leaves) if (this.#owners[leaf] === NOBODY) this.#owners[leaf] = FREE;
      const page = this.page(trunk);
      trunk = new DataView(page.buffer, page.byteOffset).getUint32(0);
    }
  }

  /** Without a header nothing says where the list begins: its pages are told by their shape. */
  #findFreeLists(): void {
    const children = new Set<number>();
    const lists: number[][] = [];
    for (let number = 2; number <= this.pageCount; number++) {
      const bytes = this.page(number);
      if (bytes[0] !== 0) {
        for (const child of parsePage(bytes, number)?.children ?? []) children.add(child);
        continue;
      }
      const leaves = this.#freeLeaves(number);
      if (leaves !== null && leaves.length > 0) lists.push([number, ...leaves]);
    }
    for (const list of lists) {
      if (list.some((number) => number <= ROOTS_LAST || children.has(number))) continue;
      for (const number of list) this.#owners[number] = FREE;
    }
  }

  /** The pages a page of the free list names; null if it is none. */
  #freeLeaves(trunk: number): number[] | null {
    const bytes = this.page(trunk);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const next = view.getUint32(0);
    const count = view.getUint32(4);
    if (next > this.pageCount || next === trunk || count > bytes.length / 4 - 2) return null;
    const leaves = new Set<number>();
    for (let at = 8; at < 8 + 4 * count; at += 4) leaves.add(view.getUint32(at));
    const isList = leaves.size === count && !leaves.has(trunk) &&
      [...leaves].every((leaf) => leaf >= 2 && leaf <= this.pageCount);
    return isList ? [...leaves] : null;
  }

  #findStrays(): Uint8Array {
    const strays = new Uint8Array(this.pageCount + 1);
    for (let number = 2; number <= this.pageCount; number++) {
      if (this.#owners[number] !== NOBODY) continue;
      const page = parsePage(this.page(number), number);
      if (page === null || (!page.isLeaf && page.tree === "table")) continue;
      let best = 0;
      for (const [index, shape] of ROW_SHAPES.entries()) {
        // An index alone looks like that of another table.
        const fitting = shape.root === shape.table ? this.#fits(page, shape, SAMPLE_ROWS) : 0;
        if (fitting <= best) continue;
        best = fitting;
        strays[number] = FIRST_SHAPE + index;
      }
    }
    return strays;
  }

  /** How many of the first rows of a page are of a shape; does not count beyond `enough`. */
  #fits(page: BtreePage, shape: RowShape, enough: number): number {
    if (page.tree !== shape.tree) return 0;
    let fitting = 0;
    for (const at of page.cells.slice(0, SAMPLE_ROWS)) {
      const cell = readCell(page, at, this);
      if (cell !== null && decodeRow(shape, cell) !== null) fitting++;
      if (fitting >= enough) break;
    }
    return fitting;
  }
}
