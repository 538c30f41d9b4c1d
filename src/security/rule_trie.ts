/** Rules as a tree of topic levels, so that a verdict is one walk whatever the number of rules. */
import type {
  AccessRule,
  LevelTemplate,
  RuleAction,
  RuleLevel,
  SubstitutedValues,
} from "./access_rule.ts";

/** What is asked of a tree. */
export interface RuleQuery {
  /** Levels of a Topic Name or a Topic Filter. */
  readonly levels: readonly string[];
  /** The bit of one operation. */
  readonly operation: number;
  readonly values: SubstitutedValues;
}

/** One level of the filters of rules; the masks are operations. */
class RuleNode {
  texts: Map<string, RuleNode> | null = null;
  plus: RuleNode | null = null;
  templates: { readonly template: LevelTemplate; readonly node: RuleNode }[] | null = null;
  /** Of rules that end here. */
  ends = 0;
  /** Of rules that go on with `#`, which stands for this level and all below it. */
  hashes = 0;
  /** Of all rules that end here or below. */
  below = 0;

  child(level: RuleLevel): RuleNode {
    if (level === "+") return this.plus ??= new RuleNode();
    if (typeof level !== "string") return this.#templateChild(level);
    const texts = this.texts ??= new Map();
    let node = texts.get(level);
    if (node === undefined) texts.set(level, node = new RuleNode());
    return node;
  }

  #templateChild(template: LevelTemplate): RuleNode {
    const templates = this.templates ??= [];
    const known = templates.find(({ template: { before, variable, after } }) =>
      before === template.before && variable === template.variable && after === template.after
    );
    if (known !== undefined) return known.node;
    const node = new RuleNode();
    templates.push({ template, node });
    return node;
  }
}

/**
 * All allowing or all denying rules of one principal. A substituted value that must not be used
 * never widens what a client may do: an allowing rule then matches nothing, a denying one everything
 * from that level on.
 */
export class RuleTrie {
  readonly action: RuleAction;
  readonly root = new RuleNode();

  constructor(action: RuleAction, rules: readonly AccessRule[] = []) {
    this.action = action;
    for (const rule of rules) this.add(rule);
  }

  /** Whether there is no rule in it. */
  get empty(): boolean {
    return this.root.below === 0;
  }

  /** Adds a rule of this action. */
  add({ levels, operations }: Pick<AccessRule, "levels" | "operations">): void {
    let node = this.root;
    node.below |= operations;
    for (const level of levels) {
      if (level === "#") {
        node.hashes |= operations;
        return;
      }
      node = node.child(level);
      node.below |= operations;
    }
    node.ends |= operations;
  }

  /** Whether a rule matches a topic that the query matches, too; for a Topic Name: matches it. */
  overlaps(query: RuleQuery): boolean {
    return this.#overlaps(this.root, 0, query);
  }

  /** The text of a level with a substitution, or null if its value must not be used. */
  resolve(template: LevelTemplate, values: SubstitutedValues): string | null {
    const value = values[template.variable];
    // A wildcard never matches a `$` that opens a topic, nor may a name. [MQTT-4.7.2-1]
    const opensServerTopic = template.opensFilter && value?.startsWith("$") === true;
    if (value === null || (opensServerTopic && this.action === "allow")) return null;
    return template.before + value + template.after;
  }

  #overlaps(node: RuleNode, at: number, query: RuleQuery): boolean {
    const { levels, operation } = query;
    if ((node.below & operation) === 0) return false;
    if (at === levels.length) return ((node.ends | node.hashes) & operation) !== 0;
    const level = levels[at]!;
    if (level === "#" && at > 0) return true;
    const any = level === "#" || level === "+";
    // [MQTT-4.7.2-1]
    if (at > 0 || !level.startsWith("$")) {
      if ((node.hashes & operation) !== 0) return true;
      if (node.plus !== null && this.#onward(node.plus, at, query)) return true;
    }
    if (node.texts !== null) {
      if (any) {
        for (const [text, child] of node.texts) {
          if (at === 0 && text.startsWith("$")) continue;
          if (this.#onward(child, at, query)) return true;
        }
      } else {
        const child = node.texts.get(level);
        if (child !== undefined && this.#onward(child, at, query)) return true;
      }
    }
    return node.templates !== null && this.#overlapsTemplate(node, at, query);
  }

  /** The level at `at` fits this child; `#` fits all below it, too. */
  #onward(child: RuleNode, at: number, query: RuleQuery): boolean {
    if (query.levels[at] === "#") return (child.below & query.operation) !== 0;
    return this.#overlaps(child, at + 1, query);
  }

  #overlapsTemplate(node: RuleNode, at: number, query: RuleQuery): boolean {
    const level = query.levels[at]!;
    const any = level === "#" || level === "+";
    for (const { template, node: child } of node.templates!) {
      const text = this.resolve(template, query.values);
      if (text === null) {
        if (this.action === "deny" && (child.below & query.operation) !== 0) return true;
        continue;
      }
      const fits = any ? at > 0 || !text.startsWith("$") : text === level;
      if (fits && this.#onward(child, at, query)) return true;
    }
    return false;
  }
}

/**
 * Whether the rules of these allowing trees together match every topic that a Topic Filter matches.
 *
 * A `+` of the filter stands for texts that no rule names, so only wildcards of rules cover it, and
 * where a rule covers one such topic it covers all. A `#` of the filter stands for as many such
 * levels as one likes, none included: each number of them has to be covered.
 */
export function coversFilter(tries: readonly RuleTrie[], query: RuleQuery): boolean {
  const { levels, operation } = query;
  let nodes = tries.map((trie) => ({ trie, node: trie.root }));
  for (const [at, level] of levels.entries()) {
    if (level === "#") return coversBelow(nodes.map(({ node }) => node), { at, operation });
    const ordinary = at > 0 || !level.startsWith("$"); // [MQTT-4.7.2-1]
    const next: typeof nodes = [];
    for (const { trie, node } of nodes) {
      if (ordinary && (node.hashes & operation) !== 0) return true;
      if (ordinary && node.plus !== null) next.push({ trie, node: node.plus });
      if (level === "+") continue;
      const child = node.texts?.get(level);
      if (child !== undefined) next.push({ trie, node: child });
      for (const { template, node: child } of node.templates ?? []) {
        if (trie.resolve(template, query.values) === level) next.push({ trie, node: child });
      }
    }
    nodes = next.filter(({ node }) => (node.below & operation) !== 0);
    if (nodes.length === 0) return false;
  }
  return nodes.some(({ node }) => ((node.ends | node.hashes) & operation) !== 0);
}

function coversBelow(
  start: readonly RuleNode[],
  { at, operation }: { at: number; operation: number },
): boolean {
  // "sport/#" matches "sport", but "#" alone does not match a topic of no level: there is none.
  let mayEndHere = at > 0;
  let nodes = start;
  while (nodes.length > 0) {
    if (nodes.some(({ hashes }) => (hashes & operation) !== 0)) return true;
    if (mayEndHere && !nodes.some(({ ends }) => (ends & operation) !== 0)) return false;
    mayEndHere = true;
    nodes = nodes.flatMap(({ plus }) => plus === null ? [] : [plus]);
  }
  return false;
}
