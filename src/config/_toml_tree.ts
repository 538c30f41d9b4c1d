import { formatPath } from "./_text.ts";

/** One part of a key as written: its decoded name and where it stands. */
export interface KeyPart {
  readonly name: string;
  readonly offset: number;
}

/** What a value was written as. `invalid` is a value that could not be read and was reported. */
export type LeafType = "string" | "integer" | "float" | "boolean" | "date" | "invalid";

/** A value that holds no other values. */
export interface TomlLeaf {
  readonly kind: "leaf";
  readonly keyOffset: number;
  readonly offset: number;
  readonly type: LeafType;
  readonly value: unknown;
  /** The value as written, for messages. */
  readonly raw: string;
}

/** A table; `origin` says how it came to be, which decides what may still be added to it. */
export interface TomlTable {
  readonly kind: "table";
  readonly keyOffset: number;
  readonly offset: number;
  origin: "implicit" | "header" | "element" | "dotted" | "inline";
  /** A `Map`: keys are foreign text, and `__proto__` is only a name here. */
  readonly entries: Map<string, TomlNode>;
}

/** An array, either `[ … ]` or the tables under one `[[header]]`. */
export interface TomlArray {
  readonly kind: "array";
  readonly keyOffset: number;
  readonly offset: number;
  readonly origin: "inline" | "header";
  readonly items: TomlNode[];
}

/** Anything that may stand behind a key. */
export type TomlNode = TomlLeaf | TomlTable | TomlArray;

/** A place in the text where it is no valid TOML. */
export interface TomlProblem {
  readonly offset: number;
  readonly key: string;
  readonly message: string;
  readonly suggestion?: string;
  /** Where the clashing first definition stands; the message ends with its line. */
  readonly firstOffset?: number;
}

/** Makes an empty table that stands at `at`. */
export function newTable(at: KeyPart, origin: TomlTable["origin"]): TomlTable {
  return { kind: "table", keyOffset: at.offset, offset: at.offset, origin, entries: new Map() };
}

/**
 * Builds the tree of one document from its headers and assignments, in order. Clashes go to `report`;
 * after one, the first definition stands and the rest of the document is still taken in.
 */
export class TomlTreeBuilder {
  readonly root: TomlTable = newTable({ name: "", offset: 0 }, "header");
  readonly #report: (problem: TomlProblem) => void;
  #current: TomlTable = this.root;
  #currentPath: readonly string[] = [];

  constructor(report: (problem: TomlProblem) => void) {
    this.#report = report;
  }

  /** The path of the header that is open. */
  get currentPath(): readonly string[] {
    return this.#currentPath;
  }

  /** Takes in `[path]`. */
  openTable(path: readonly KeyPart[]): void {
    this.#enter(path, (parent, last) => {
      const existing = parent.entries.get(last.name);
      if (existing === undefined) return addTable(parent, last, "header");
      if (existing.kind === "table" && existing.origin === "implicit") {
        existing.origin = "header";
        return existing;
      }
      this.#clash(names(path), last, existing);
      return existing.kind === "table" ? existing : undefined;
    });
  }

  /** Takes in `[[path]]`. */
  openArrayTable(path: readonly KeyPart[]): void {
    this.#enter(path, (parent, last) => {
      const existing = parent.entries.get(last.name);
      const element = newTable(last, "element");
      if (existing === undefined) {
        const { offset } = last;
        const items = [element];
        parent.entries.set(last.name, {
          kind: "array",
          keyOffset: offset,
          offset,
          origin: "header",
          items,
        });
        return element;
      }
      if (existing.kind === "array" && existing.origin === "header") {
        existing.items.push(element);
        return element;
      }
      this.#clash(names(path), last, existing);
      return undefined;
    });
  }

  /** Takes in a header that could not be read: what stands below it goes nowhere. */
  openUnreadable(): void {
    this.#current = newTable({ name: "", offset: 0 }, "header");
    this.#currentPath = [];
  }

  /** Takes in `key = node` below the header that is open. */
  assign(key: readonly KeyPart[], node: TomlNode): void {
    this.assignIn(this.#current, key, { node, prefix: this.#currentPath });
  }

  /** Takes in `key = node` in `table`, whose own path is `prefix`. */
  assignIn(
    table: TomlTable,
    key: readonly KeyPart[],
    { node, prefix }: { node: TomlNode; prefix: readonly string[] },
  ): void {
    const path = [...prefix];
    let parent = table;
    for (const [index, part] of key.entries()) {
      path.push(part.name);
      const existing = parent.entries.get(part.name);
      if (index === key.length - 1) {
        if (existing === undefined) parent.entries.set(part.name, node);
        else this.#clash(path, part, existing);
      } else if (existing === undefined) {
        parent = addTable(parent, part, "dotted");
      } else if (existing.kind === "table" && existing.origin === "dotted") {
        parent = existing;
      } else {
        this.#clash(path, part, existing);
        return;
      }
    }
  }

  #enter(
    path: readonly KeyPart[],
    open: (parent: TomlTable, last: KeyPart) => TomlTable | undefined,
  ): void {
    const last = path.at(-1);
    if (last === undefined) return;
    const parent = this.#descend(path.slice(0, -1));
    // What stands under a clashing header goes nowhere, so that it cannot be blamed twice.
    this.#current = (parent && open(parent, last)) ?? newTable(last, "header");
    this.#currentPath = names(path);
  }

  #descend(path: readonly KeyPart[]): TomlTable | undefined {
    let table = this.root;
    for (const [index, part] of path.entries()) {
      const existing = table.entries.get(part.name);
      const next = existing?.kind === "array" && existing.origin === "header"
        ? existing.items.at(-1)
        : existing;
      if (next === undefined) {
        table = addTable(table, part, "implicit");
      } else if (next.kind === "table" && next.origin !== "inline") {
        table = next;
      } else {
        this.#clash(names(path.slice(0, index + 1)), part, next);
        return undefined;
      }
    }
    return table;
  }

  #clash(path: readonly string[], part: KeyPart, existing: TomlNode): void {
    const key = formatPath(path);
    const manyAllowed = existing.kind === "array" && existing.origin === "header";
    this.#report({
      offset: part.offset,
      key,
      message: `${key}: is set already`,
      firstOffset: existing.keyOffset,
      ...(manyAllowed ? { suggestion: `[[${key}]]` } : {}),
    });
  }
}

function addTable(parent: TomlTable, part: KeyPart, origin: TomlTable["origin"]): TomlTable {
  const table = newTable(part, origin);
  parent.entries.set(part.name, table);
  return table;
}

function names(path: readonly KeyPart[]): string[] {
  return path.map((part) => part.name);
}
