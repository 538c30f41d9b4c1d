/**
 * Pages and cells of b-trees: https://sqlite.org/fileformat2.html#b_tree_pages. Whatever the bytes
 * are, nothing here throws and nothing goes on for longer than the file is.
 */

const INDEX_INTERIOR = 0x02;
const TABLE_INTERIOR = 0x05;
const INDEX_LEAF = 0x0a;
const TABLE_LEAF = 0x0d;
/** In front of the b-tree in the first page. */
const FILE_HEADER_BYTES = 100;
/** No cell is shorter. */
const CELL_BYTES_MIN = 4;

/** `table`: rows by rowid, in leaves only. `index`: rows by key, in every page. */
export type TreeKind = "table" | "index";

/** A page of a b-tree. */
export interface BtreePage {
  readonly tree: TreeKind;
  readonly isLeaf: boolean;
  /** Where the cells are that can be cells. */
  readonly cells: readonly number[];
  /** Cells that stand where none can be. */
  readonly badCells: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Pages below this one. */
  readonly children: readonly number[];
}

/** What a cell holds. */
export interface Cell {
  /** 0 in an index. */
  readonly rowid: number;
  readonly payload: Uint8Array;
  /** The pages the payload goes on in. */
  readonly overflow: readonly number[];
}

/** What cells need of their file. */
export interface OverflowPages {
  readonly pageBytes: number;
  readonly pageCount: number;
  page(number: number): Uint8Array;
  /** Whether a page may be part of a chain: it is in the file and belongs to nothing else. */
  mayOverflow(number: number): boolean;
}

/** Reads a page of a b-tree; null if it is none. */
export function parsePage(bytes: Uint8Array, number: number): BtreePage | null {
  const start = number === 1 ? FILE_HEADER_BYTES : 0;
  const type = bytes[start];
  const isLeaf = type === INDEX_LEAF || type === TABLE_LEAF;
  if (!isLeaf && type !== INDEX_INTERIOR && type !== TABLE_INTERIOR) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint16(start + 3);
  const pointers = start + (isLeaf ? 8 : 12);
  const end = pointers + 2 * count;
  if (end + count * CELL_BYTES_MIN > bytes.length) return null;
  const cells = new Set<number>();
  for (let at = pointers; at < end; at += 2) {
    const cell = view.getUint16(at);
    if (cell >= end && cell + CELL_BYTES_MIN <= bytes.length) cells.add(cell);
  }
  if (count > 0 && cells.size === 0) return null;
  const children: number[] = [];
  if (!isLeaf) {
    for (const cell of cells) children.push(view.getUint32(cell));
    children.push(view.getUint32(start + 8));
  }
  return {
    tree: type === TABLE_LEAF || type === TABLE_INTERIOR ? "table" : "index",
    isLeaf,
    cells: [...cells],
    badCells: count - cells.size,
    bytes,
    view,
    children,
  };
}

/** Reads a cell with a payload; null if the cell or the chain of its overflow pages is broken. */
export function readCell(page: BtreePage, at: number, file: OverflowPages): Cell | null {
  const { bytes } = page;
  const cursor = new Cursor(bytes, page.isLeaf ? at : at + 4);
  const length = cursor.varint();
  const rowid = page.tree === "table" ? cursor.varint() : 0;
  if (length > file.pageCount * file.pageBytes) return null;
  const local = localBytes(length, page.tree, bytes.length);
  const end = cursor.at + local;
  if (end > bytes.length) return null;
  const head = bytes.subarray(cursor.at, end);
  if (local === length) return { rowid, payload: head, overflow: [] };
  if (end + 4 > bytes.length) return null;
  const chain = overflowChain(page.view.getUint32(end), length - local, file);
  if (chain === null) return null;
  const payload = new Uint8Array(length);
  payload.set(head);
  let done = local;
  for (const number of chain) {
    const part = file.page(number).subarray(4, 4 + length - done);
    payload.set(part, done);
    done += part.length;
  }
  return { rowid, payload, overflow: chain };
}

/** Bytes of a payload that stand in the page itself. */
function localBytes(length: number, tree: TreeKind, pageBytes: number): number {
  const most = tree === "table" ? pageBytes - 35 : Math.floor((pageBytes - 12) * 64 / 255) - 23;
  if (length <= most) return length;
  const least = Math.floor((pageBytes - 12) * 32 / 255) - 23;
  const local = least + (length - least) % (pageBytes - 4);
  return local <= most ? local : least;
}

/** The pages that hold `length` bytes from `first` on; null if they are no chain of that length. */
function overflowChain(first: number, length: number, file: OverflowPages): number[] | null {
  const numbers = new Set<number>();
  const count = Math.ceil(length / (file.pageBytes - 4));
  let number = first;
  while (numbers.size < count) {
    if (numbers.has(number) || !file.mayOverflow(number)) return null;
    numbers.add(number);
    const page = file.page(number);
    number = new DataView(page.buffer, page.byteOffset).getUint32(0);
  }
  return number === 0 ? [...numbers] : null;
}

/** Reads numbers of variable length. Behind the end all is zero. */
export class Cursor {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** A number of one to nine bytes; negative ones come out as very large, and all as a double. */
  varint(): number {
    let value = 0;
    for (let count = 0; count < 8; count++) {
      const byte = this.#bytes[this.at++] ?? 0;
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return value * 256 + (this.#bytes[this.at++] ?? 0);
  }
}
