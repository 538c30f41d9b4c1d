import { readLeaf } from "./_toml_leaf.ts";
import { formatPath, quote } from "./_text.ts";
import {
  type KeyPart,
  newTable,
  type TomlNode,
  type TomlProblem,
  type TomlTable,
  TomlTreeBuilder,
} from "./_toml_tree.ts";

/** Arrays and inline tables in one another beyond this are refused: the stack is finite. */
const NESTING_MAX = 16;

/** The document as a tree in which every key and value knows its place, and all that is wrong with it. */
export interface TomlDocument {
  readonly root: TomlTable;
  readonly problems: readonly TomlProblem[];
}

/**
 * Reads TOML 1.0 with positions, and does not stop at the first mistake: after one it goes on at the
 * next line that looks like a statement. `text` has no byte order mark. Never throws.
 */
export function readToml(text: string): TomlDocument {
  return new TomlReader(text).read();
}

/** Ends the reading of one statement; caught where statements are read. */
class TomlFault extends Error {
  readonly problem: TomlProblem;

  constructor(problem: TomlProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

class TomlReader {
  readonly #text: string;
  readonly #problems: TomlProblem[] = [];
  readonly #tree = new TomlTreeBuilder((problem) => this.#problems.push(problem));
  #at = 0;
  #key: readonly KeyPart[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(): TomlDocument {
    for (;;) {
      this.#skipBlankLines();
      if (this.#at >= this.#text.length) break;
      const start = this.#at;
      this.#key = [];
      try {
        this.#readStatement();
        this.#expectEndOfLine();
      } catch (error) {
        if (!(error instanceof TomlFault)) throw error;
        this.#problems.push(error.problem);
        this.#at = this.#nextStatement(start);
      }
    }
    return { root: this.#tree.root, problems: this.#problems };
  }

  #readStatement(): void {
    if (this.#text[this.#at] === "[") this.#readHeader();
    else this.#readAssignment();
  }

  #readHeader(): void {
    this.#tree.openUnreadable();
    const double = this.#take("[[");
    if (!double) this.#at += 1;
    const path = this.#readKey();
    this.#expect(double ? "]]" : "]", "after the table's name");
    if (double) this.#tree.openArrayTable(path);
    else this.#tree.openTable(path);
  }

  #readAssignment(): void {
    const key = this.#readKey();
    this.#key = key;
    try {
      this.#expect("=", `after the key ${formatPath(key.map((part) => part.name))}`);
      this.#skip(" \t");
      this.#tree.assign(key, this.#readValue(key, 0));
    } catch (error) {
      // The key is known to be there, so that later checks do not judge its default instead.
      this.#tree.assign(key, leafAt(keyOffset(key), this.#at));
      throw error;
    }
  }

  #readKey(): KeyPart[] {
    const parts: KeyPart[] = [];
    do {
      this.#skip(" \t");
      const offset = this.#at;
      const bare = this.#match(/[A-Za-z0-9_-]+/y);
      if (bare !== "") {
        parts.push({ name: bare, offset });
      } else {
        const raw = this.#match(/"(?:[^"\\\n]|\\[^\n])*"|'[^'\n]*'/y);
        if (raw === "") this.#fault(`expected a key, not ${this.#seen()}`, offset);
        parts.push({ name: this.#decodeKey(raw, offset), offset });
      }
      this.#skip(" \t");
    } while (this.#take("."));
    return parts;
  }

  #decodeKey(raw: string, offset: number): string {
    const reading = readLeaf(raw);
    if ("problem" in reading) this.#fault(reading.problem, offset);
    return String(reading.value);
  }

  #readValue(key: readonly KeyPart[], depth: number): TomlNode {
    const offset = this.#at;
    if (depth > NESTING_MAX) this.#fault(`values are nested more than ${NESTING_MAX} deep`, offset);
    const first = this.#text[offset];
    if (first === "[") return this.#readArray(key, depth);
    if (first === "{") return this.#readInlineTable(key, depth);
    const raw = first === '"' || first === "'" ? this.#takeString() : this.#match(
      /\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+/y,
    );
    if (raw === "") this.#fault(`expected a value, not ${this.#seen()}`, offset);
    const reading = readLeaf(raw);
    if ("problem" in reading) this.#fault(reading.problem, offset, reading);
    return { kind: "leaf", keyOffset: keyOffset(key), offset, raw, ...reading };
  }

  #takeString(): string {
    const offset = this.#at;
    const raw = this.#match(
      /"""(?:[^"\\]|\\[^]|"(?!""))*"""("{0,2})|'''(?:[^']|'(?!''))*'''('{0,2})|"(?!"")(?:[^"\\\n]|\\[^\n])*"|'(?!'')[^'\n]*'/y,
    );
    if (raw === "") this.#fault("the string is not closed", offset);
    return raw;
  }

  #readArray(key: readonly KeyPart[], depth: number): TomlNode {
    const offset = this.#at;
    const items: TomlNode[] = [];
    this.#at += 1;
    for (;;) {
      this.#skipBlankLines();
      if (this.#take("]")) break;
      const element = [{ name: key.at(-1)?.name ?? "", offset: this.#at }];
      items.push(this.#readValue(element, depth + 1));
      this.#skipBlankLines();
      if (this.#take("]")) break;
      this.#expect(",", "or ] after the array's element");
    }
    return { kind: "array", keyOffset: keyOffset(key), offset, origin: "inline", items };
  }

  #readInlineTable(key: readonly KeyPart[], depth: number): TomlNode {
    const offset = this.#at;
    const table: TomlTable = {
      ...newTable({ name: "", offset }, "inline"),
      keyOffset: keyOffset(key),
    };
    const prefix = key.map((part) => part.name);
    this.#at += 1;
    this.#skip(" \t");
    if (this.#take("}")) return table;
    do {
      const inner = this.#readKey();
      this.#expect("=", "after the key in the inline table");
      this.#skip(" \t");
      const node = this.#readValue(inner, depth + 1);
      this.#tree.assignIn(table, inner, { node, prefix });
      this.#skip(" \t");
    } while (this.#take(","));
    this.#expect("}", "or , in the inline table");
    return table;
  }

  #expectEndOfLine(): void {
    this.#skip(" \t");
    this.#match(/#[^\n]*/y);
    if (this.#at >= this.#text.length || this.#match(/\r?\n/y) !== "") return;
    this.#fault(`expected the end of the line, not ${this.#seen()}`, this.#at);
  }

  #expect(token: string, where: string): void {
    this.#skip(" \t");
    if (!this.#take(token)) {
      this.#fault(`expected ${token} ${where}, not ${this.#seen()}`, this.#at);
    }
  }

  /** The first place to go on after a fault in the statement at `start`. */
  #nextStatement(start: number): number {
    const statement = /^[ \t]*(?:\[\[?[^\][\n]*\]\]?[ \t]*(?:#.*)?\r?$|["'\w.-][^=\n]*=)/my;
    let line = this.#lineAfter(start);
    while (line < this.#text.length) {
      statement.lastIndex = line;
      const end = this.#lineAfter(line);
      if (end > this.#at && statement.test(this.#text)) return line;
      line = end;
    }
    return this.#text.length;
  }

  #lineAfter(offset: number): number {
    const newline = this.#text.indexOf("\n", offset);
    return newline === -1 ? this.#text.length : newline + 1;
  }

  #skipBlankLines(): void {
    this.#match(/(?:[ \t\n]|\r\n|#[^\n]*)+/y);
  }

  #skip(characters: string): void {
    while (this.#at < this.#text.length && characters.includes(this.#text.charAt(this.#at))) {
      this.#at += 1;
    }
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #seen(): string {
    if (this.#at >= this.#text.length) return "the end of the file";
    const next = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    return next === "\n" || this.#text.startsWith("\r\n", this.#at)
      ? "the end of the line"
      : quote(next);
  }

  #fault(
    message: string,
    offset: number,
    { suggestion }: { readonly suggestion?: string } = {},
  ): never {
    const path = this.#key.map((part) => part.name);
    const key = path.length === 0 ? "" : formatPath([...this.#tree.currentPath, ...path]);
    throw new TomlFault({
      offset,
      key,
      message: key === "" ? message : `${key}: ${message}`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
}

function leafAt(keyOffset: number, offset: number): TomlNode {
  return { kind: "leaf", keyOffset, offset, type: "invalid", value: undefined, raw: "" };
}

function keyOffset(key: readonly KeyPart[]): number {
  return key.at(-1)?.offset ?? 0;
}
