/** Makes a source tell which branches it takes: functions, branches, loops, cases, `?:`, `&&`, `||`, `??`. */
import ts from "typescript";

const EDGE = "__edge";

/** Instruments a file. `edges` is the module that is told; `numbers` counts branches over all files. */
export function instrument(
  text: string,
  { file, edges, numbers }: { file: string; edges: string; numbers: { next: number } },
): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const insertions: [at: number, text: string][] = [];
  new Walk(source, numbers, insertions).visit(source);
  let instrumented = `import { edge as ${EDGE} } from "${edges}";\n`;
  let at = 0;
  // Stable: what was found first at a place stands first.
  for (const [place, inserted] of insertions.toSorted(([a], [b]) => a - b)) {
    instrumented += text.slice(at, place) + inserted;
    at = place;
  }
  return instrumented + text.slice(at);
}

class Walk {
  readonly #source: ts.SourceFile;
  readonly #numbers: { next: number };
  readonly #insertions: [number, string][];

  constructor(source: ts.SourceFile, numbers: { next: number }, insertions: [number, string][]) {
    this.#source = source;
    this.#numbers = numbers;
    this.#insertions = insertions;
  }

  /** Finds the branches of a node and of all in it. */
  visit(node: ts.Node): void {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node)) return;
    const wrapped = this.#wrapped(node);
    if (wrapped !== "") {
      const opening = wrapped === "statement" ? `{ ${this.#call()}; ` : `(${this.#call()}, `;
      this.#insertions.push([node.getStart(this.#source), opening]);
    }
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      if (ts.isBlock(node.body as ts.Node)) {
        this.#enter((node.body as ts.Block).getStart(this.#source) + 1);
      }
    }
    if (ts.isCaseOrDefaultClause(node) && node.statements.length > 0) {
      this.#enter(node.statements[0]!.getStart(this.#source));
    }
    ts.forEachChild(node, (child) => this.visit(child));
    if (wrapped !== "") this.#insertions.push([node.end, wrapped === "statement" ? " }" : ")"]);
  }

  /** What a node is to its parent: a statement that may be passed over, such an expression, or neither. */
  #wrapped(node: ts.Node): "statement" | "expression" | "" {
    const { parent } = node;
    if (parent === undefined) return "";
    if (ts.isIfStatement(parent)) return node === parent.expression ? "" : "statement";
    if (ts.isIterationStatement(parent, false)) return node === parent.statement ? "statement" : "";
    if (ts.isConditionalExpression(parent)) {
      return node === parent.whenTrue || node === parent.whenFalse ? "expression" : "";
    }
    if (!ts.isBinaryExpression(parent) || node !== parent.right) return "";
    switch (parent.operatorToken.kind) {
      case ts.SyntaxKind.AmpersandAmpersandToken:
      case ts.SyntaxKind.BarBarToken:
      case ts.SyntaxKind.QuestionQuestionToken:
        return "expression";
      default:
        return "";
    }
  }

  #enter(at: number): void {
    this.#insertions.push([at, ` ${this.#call()}; `]);
  }

  #call(): string {
    // Spread over 16 bits, so that neighbours do not meet when two are combined.
    const number = Math.imul(++this.#numbers.next, 0x9e3779b1) >>> 16;
    return `${EDGE}(${number})`;
  }
}
