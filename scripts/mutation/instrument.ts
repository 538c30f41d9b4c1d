/** Puts all mutants of a file into its source, asleep; a number wakes one of them. */
import ts from "typescript";
import type { Mutant } from "./mutant.ts";
import { expressionChanges, isRemovable, isRemovableBody } from "./operators.ts";

/** The name under which the instrumented source asks whether a mutant is awake. */
const AWAKE = "__awake";

/** Instruments a file; adds its mutants to the list. `switchboard` is the module that is asked. */
export function instrument(
  text: string,
  { file, switchboard, mutants }: { file: string; switchboard: string; mutants: Mutant[] },
): string {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const body = new Instrumenter(source, file, mutants).render(source);
  return `import { awake as ${AWAKE} } from "${switchboard}";\n${body}`;
}

class Instrumenter {
  readonly #source: ts.SourceFile;
  readonly #file: string;
  readonly #mutants: Mutant[];

  constructor(source: ts.SourceFile, file: string, mutants: Mutant[]) {
    this.#source = source;
    this.#file = file;
    this.#mutants = mutants;
  }

  /** The text of a node with the mutants of everything in it. */
  render(node: ts.Node): string {
    if (ts.isTypeNode(node) || isDeclarationOnly(node)) return this.#text(node);
    if (isRemovable(node)) {
      const number = this.#add(node, { operator: "statement", replacement: "" });
      return `{ if (!${AWAKE}(${number})) { ${this.#children(node)} } }`;
    }
    if (isRemovableBody(node)) {
      const number = this.#add(node, { operator: "body", replacement: "{}" });
      return `{ if (!${AWAKE}(${number})) ${this.#children(node)} }`;
    }
    const changes = expressionChanges(node, this.#source);
    if (changes.length === 0) return this.#children(node);
    const choices = changes.map((change) =>
      `${AWAKE}(${this.#add(node, change)}) ? (${change.replacement}) : `
    );
    return `(${choices.join("")}(${this.#children(node)}))`;
  }

  /** The text of a node, its children rendered and everything between them as it was. */
  #children(node: ts.Node): string {
    const { text } = this.#source;
    let rendered = "";
    let at = node.getStart(this.#source);
    ts.forEachChild(node, (child) => {
      const start = child.getStart(this.#source);
      if (start < at) return; // such as the name of a shorthand property, told twice
      rendered += text.slice(at, start) + this.render(child);
      at = child.end;
    });
    return rendered + text.slice(at, node.end);
  }

  #text(node: ts.Node): string {
    return this.#source.text.slice(node.getStart(this.#source), node.end);
  }

  #add(
    node: ts.Node,
    { operator, replacement }: { operator: string; replacement: string },
  ): number {
    const { line } = this.#source.getLineAndCharacterOfPosition(node.getStart(this.#source));
    const original = this.#text(node);
    this.#mutants.push({ file: this.#file, line: line + 1, operator, original, replacement });
    return this.#mutants.length - 1;
  }
}

/** Whether nothing in a node runs. */
function isDeclarationOnly(node: ts.Node): boolean {
  return ts.isImportDeclaration(node) || ts.isExportDeclaration(node) ||
    ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}
