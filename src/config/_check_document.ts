import { formatPath } from "./_text.ts";
import { type CheckedValue, checkValue, describeNode } from "./_check_value.ts";
import { LISTENERS_MAX, SCHEMA } from "./_schema.ts";
import type { TableSchema } from "./_schema_types.ts";
import { nearestKey, nearestTable, sameKeyElsewhere } from "./_suggest.ts";
import {
  newTable,
  type TomlArray,
  type TomlNode,
  type TomlProblem,
  type TomlTable,
} from "./_toml_tree.ts";

/** The values of one table by the keys' names in the file; every key of the schema is there. */
export interface CheckedTable {
  readonly offset: number;
  readonly values: ReadonlyMap<string, CheckedValue>;
}

/** All tables by name. A table that is not repeated is there exactly once. */
export type CheckedDocument = ReadonlyMap<string, readonly CheckedTable[]>;

type Report = (problem: TomlProblem) => void;

/** Checks every key of the document against the schema, one by one; relations come later. */
export function checkDocument(root: TomlTable, report: Report): CheckedDocument {
  return new DocumentChecker(report).check(root);
}

class DocumentChecker {
  readonly #report: Report;

  constructor(report: Report) {
    this.#report = report;
  }

  check(root: TomlTable): CheckedDocument {
    const document = new Map<string, readonly CheckedTable[]>();
    for (const schema of SCHEMA) {
      document.set(schema.name, this.#checkTables(schema, root.entries.get(schema.name)));
    }
    for (const [name, node] of root.entries) {
      if (!document.has(name)) this.#reportUnknownAtTop(name, node);
    }
    return document;
  }

  #checkTables(schema: TableSchema, node: TomlNode | undefined): CheckedTable[] {
    if (node === undefined) {
      return [this.#checkTable(schema, newTable({ name: "", offset: 0 }, "implicit"))];
    }
    if (node.kind === "leaf" && node.type === "invalid") return [];
    const { name, repeated } = schema;
    const isList = node.kind === "array";
    if (node.kind === "leaf" || isList !== repeated) {
      const header = repeated ? `[[${name}]]` : `[${name}]`;
      const message = `${name}: must be written ${header}, not as ${describeNode(node)}`;
      this.#report({ offset: node.keyOffset, key: name, message, suggestion: header });
    }
    if (!isList) return node.kind === "table" ? [this.#checkTable(schema, node)] : [];
    if (repeated) this.#checkCount(name, node);
    const tables: CheckedTable[] = [];
    for (const item of node.items) {
      if (item.kind === "table") {
        tables.push(this.#checkTable(schema, item));
      } else {
        const message = `${name}: must hold tables, not ${describeNode(item)}`;
        this.#report({ offset: item.offset, key: name, message });
      }
    }
    return tables;
  }

  #checkCount(name: string, { items, offset }: TomlArray): void {
    if (items.length === 0) {
      this.#report({ offset, key: name, message: `${name}: at least one is needed` });
    }
    const excess = items[LISTENERS_MAX];
    if (excess === undefined) return;
    const message = `${name}: ${items.length} are above the maximum of ${LISTENERS_MAX}`;
    this.#report({ offset: excess.offset, key: name, message });
  }

  #checkTable(schema: TableSchema, table: TomlTable): CheckedTable {
    const values = new Map<string, CheckedValue>();
    for (const key of schema.keys) {
      const node = table.entries.get(key.name);
      const path = `${schema.name}.${key.name}`;
      const value = node === undefined
        ? { valid: true, value: key.default, raw: String(key.default) }
        : checkValue(key, node, { path, report: this.#report });
      values.set(key.name, value);
    }
    for (const [name, node] of table.entries) {
      if (values.has(name)) continue;
      this.#reportUnknownKey([schema.name, name], node, {
        suggestion: nearestKey(name, schema.name),
      });
    }
    return { offset: table.offset, values };
  }

  #reportUnknownKey(
    path: readonly string[],
    { keyOffset }: TomlNode,
    { suggestion }: { suggestion: string | undefined },
  ): void {
    const key = formatPath(path);
    this.#report({
      offset: keyOffset,
      key,
      message: `${key}: unknown key`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  #reportUnknownAtTop(name: string, node: TomlNode): void {
    const tables = tablesIn(node);
    if (tables.length === 0) {
      this.#reportUnknownKey([name], node, { suggestion: nearestKey(name, "") });
      return;
    }
    const meant = nearestTable(name);
    const key = formatPath([name]);
    this.#report({
      offset: node.keyOffset,
      key,
      message: `${key}: unknown table`,
      ...(meant === undefined ? {} : { suggestion: meant.name }),
    });
    for (const table of tables) {
      // A slip in a table's name must not hide the mistakes below it.
      if (meant !== undefined) this.#checkTable(meant, table);
      else this.#reportMisplacedKeys(name, table);
    }
  }

  #reportMisplacedKeys(tableName: string, table: TomlTable): void {
    for (const [name, node] of table.entries) {
      const elsewhere = sameKeyElsewhere(name, tableName);
      if (elsewhere !== undefined) {
        this.#reportUnknownKey([tableName, name], node, { suggestion: elsewhere });
      }
    }
  }
}

function tablesIn(node: TomlNode): TomlTable[] {
  if (node.kind === "table") return [node];
  if (node.kind === "leaf") return [];
  return node.items.filter((item) => item.kind === "table");
}
