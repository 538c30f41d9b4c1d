/**
 * The changes that are tried: those of the usual tools (Stryker, PIT). Texts are left alone, since
 * they are for people, and so are types and the keys of tables.
 */
import ts from "typescript";

/** A change of one node: the text that stands in its place while the mutant is awake. */
export interface Change {
  readonly operator: string;
  readonly replacement: string;
}

const BINARY: Readonly<Record<string, readonly [string, readonly string[]]>> = {
  "+": ["arithmetic", ["-"]],
  "-": ["arithmetic", ["+"]],
  "*": ["arithmetic", ["/"]],
  "/": ["arithmetic", ["*"]],
  "%": ["arithmetic", ["*"]],
  "&": ["bits", ["|"]],
  "|": ["bits", ["&"]],
  "^": ["bits", ["&"]],
  "<<": ["bits", [">>"]],
  ">>": ["bits", ["<<"]],
  ">>>": ["bits", ["<<"]],
  "<": ["comparison", ["<=", ">="]],
  "<=": ["comparison", ["<", ">"]],
  ">": ["comparison", [">=", "<="]],
  ">=": ["comparison", [">", "<"]],
  "===": ["equality", ["!=="]],
  "!==": ["equality", ["==="]],
  "&&": ["logic", ["||"]],
  "||": ["logic", ["&&"]],
};

const ASSIGNMENTS: Readonly<Record<string, string>> = {
  "+=": "-=",
  "-=": "+=",
  "*=": "/=",
  "/=": "*=",
  "&=": "|=",
  "|=": "&=",
  "<<=": ">>=",
  ">>=": "<<=",
  ">>>=": "<<=",
};

/** The changes of an expression; none for most. */
export function expressionChanges(node: ts.Node, source: ts.SourceFile): readonly Change[] {
  if (ts.isBinaryExpression(node)) return binaryChanges(node, source);
  if (ts.isPrefixUnaryExpression(node)) return prefixChanges(node, source);
  if (ts.isPostfixUnaryExpression(node)) {
    const other = node.operator === ts.SyntaxKind.PlusPlusToken ? "--" : "++";
    return [{ operator: "update", replacement: `${node.operand.getText(source)}${other}` }];
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
    const value = node.kind === ts.SyntaxKind.TrueKeyword ? "false" : "true";
    return [{ operator: "boolean", replacement: value }];
  }
  if (isCondition(node)) {
    return ["true", "false"].map((replacement) => ({ operator: "condition", replacement }));
  }
  return [];
}

/** Whether a statement does something by a call, an assignment or a step, and so can be left out. */
export function isRemovable(node: ts.Node): node is ts.ExpressionStatement {
  if (!ts.isExpressionStatement(node)) return false;
  const { expression } = node;
  return ts.isCallExpression(expression) ? !isSuper(expression) : ts.isBinaryExpression(expression);
}

/** Whether a block is the body of a function whose result nobody needs. */
export function isRemovableBody(node: ts.Node): node is ts.Block {
  const { parent } = node;
  if (!ts.isBlock(node) || parent === undefined) return false;
  if (!ts.isMethodDeclaration(parent) && !ts.isFunctionDeclaration(parent)) return false;
  return node.statements.length > 0;
}

function binaryChanges(node: ts.BinaryExpression, source: ts.SourceFile): Change[] {
  const [left, right] = [node.left.getText(source), node.right.getText(source)];
  const token = node.operatorToken.getText(source);
  const assigned = ASSIGNMENTS[token];
  if (assigned !== undefined) {
    return [{ operator: "assignment", replacement: `${left} ${assigned} ${right}` }];
  }
  if (token === "??") return [{ operator: "logic", replacement: right }];
  const entry = BINARY[token];
  if (entry === undefined || isText(node.left) || isText(node.right)) return [];
  const [operator, others] = entry;
  const changes = others.map((other) => ({ operator, replacement: `${left} ${other} ${right}` }));
  return isCondition(node) ? [...changes, ...always(node)] : changes;
}

/** A comparison that decides is also tried as a constant, where that is another change. */
function always(node: ts.BinaryExpression): Change[] {
  const token = node.operatorToken.kind;
  const composed = token === ts.SyntaxKind.AmpersandAmpersandToken ||
    token === ts.SyntaxKind.BarBarToken;
  if (composed) return [];
  return ["true", "false"].map((replacement) => ({ operator: "condition", replacement }));
}

function prefixChanges(node: ts.PrefixUnaryExpression, source: ts.SourceFile): Change[] {
  const operand = node.operand.getText(source);
  switch (node.operator) {
    case ts.SyntaxKind.ExclamationToken:
      return [{ operator: "negation", replacement: operand }];
    case ts.SyntaxKind.PlusPlusToken:
      return [{ operator: "update", replacement: `--${operand}` }];
    case ts.SyntaxKind.MinusMinusToken:
      return [{ operator: "update", replacement: `++${operand}` }];
    case ts.SyntaxKind.TildeToken:
      return [{ operator: "bits", replacement: operand }];
    case ts.SyntaxKind.MinusToken:
      return [{ operator: "arithmetic", replacement: operand }];
    default:
      return [];
  }
}

/** Whether the expression decides over an `if`, a loop or a conditional expression. */
function isCondition(node: ts.Node): boolean {
  const { parent } = node;
  if (parent === undefined) return false;
  if (ts.isIfStatement(parent)) return parent.expression === node;
  // Not of a loop: `while (true)` only waits for the time to run out.
  return ts.isConditionalExpression(parent) && parent.condition === node;
}

function isText(node: ts.Node): boolean {
  return ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);
}

function isSuper(call: ts.CallExpression): boolean {
  return call.expression.kind === ts.SyntaxKind.SuperKeyword;
}
