/** What the configuration says about single rules: `payloads-nbirth-qos=drop topics-ncmd-mqtt=off`. */
import type { RuleAction, TckId } from "./rule.ts";
import { FIXES, JUDGED_IDS, RULE_NAMES, type RuleName, RULES } from "./rules.ts";

/** What an override may say. */
export type OverrideAction = "off" | RuleAction;

/** Overrides by statement. */
export type Overrides = ReadonlyMap<TckId, OverrideAction>;

/** Why overrides cannot be read. */
export interface OverrideProblem {
  readonly problem: string;
  /** Where in the text the word begins that is wrong. */
  readonly at: number;
  /** The part of the word that is not known, and what is; empty where that is not the problem. */
  readonly unknown: string;
  readonly known: readonly string[];
}

const PREFIX = "tck-id-";
const ACTIONS: readonly OverrideAction[] = ["off", "count", "fix", "drop", "close"];
const STRENGTH: Readonly<Record<OverrideAction, number>> = {
  off: 0,
  count: 1,
  fix: 2,
  drop: 3,
  close: 4,
};

/**
 * Reads overrides that are separated by blanks; `tck-id-` may be left off. An override governs every
 * rule that judges by its statement; of several for one rule the strongest holds.
 */
export function parseOverrides(text: string): Overrides | OverrideProblem {
  const overrides = new Map<TckId, OverrideAction>();
  for (const { 0: word, index: at } of text.matchAll(/\S+/g)) {
    const plain = { at, unknown: "", known: [] };
    const [name = "", action, rest] = word.split("=");
    if (name === "" || action === undefined || rest !== undefined) {
      return { ...plain, problem: `${JSON.stringify(word)} is not of the form tck-id=action` };
    }
    const id: TckId = name.startsWith(PREFIX) ? name as TckId : `${PREFIX}${name}`;
    if (!JUDGED_IDS.has(id)) {
      const known = [...JUDGED_IDS].map((one) => name === id ? one : one.slice(PREFIX.length));
      return { at, unknown: name, known, problem: `no rule judges by ${JSON.stringify(id)}` };
    }
    if (!ACTIONS.includes(action as OverrideAction)) {
      const problem = `unknown action ${JSON.stringify(action)}; known: ${ACTIONS.join(", ")}`;
      return { at: at + name.length + 1, unknown: action, known: ACTIONS, problem };
    }
    if (overrides.has(id)) return { ...plain, problem: `${id} stands there twice` };
    if (action === "fix" && !rulesOf(id).some((rule) => rule in FIXES)) {
      return { ...plain, problem: `${id} cannot be fixed` };
    }
    overrides.set(id, action as OverrideAction);
  }
  return overrides;
}

/** What is wrong with overrides; null if nothing is. */
export function overrideMistake(text: string): OverrideProblem | null {
  const overrides = parseOverrides(text);
  return "problem" in overrides ? overrides : null;
}

/** What happens on a breach of one rule. */
export interface Penalty {
  readonly off: boolean;
  readonly action: RuleAction;
  readonly rebirth: boolean;
}

/** The penalty of every rule: monitor mode only counts, strict mode does what table and overrides say. */
export function penalties(
  mode: "monitor" | "strict",
  overrides: Overrides,
): Readonly<Record<RuleName, Penalty>> {
  const result: Partial<Record<RuleName, Penalty>> = {};
  for (const name of RULE_NAMES) {
    const { ids, action, rebirth } = RULES[name];
    const named = ids.flatMap((id) => overrides.get(id) ?? []);
    named.sort((a, b) => STRENGTH[b] - STRENGTH[a]);
    const strongest = named[0] ?? action;
    const off = strongest === "off";
    const wanted = off ? "count" : strongest;
    const possible = wanted === "fix" && !(name in FIXES) ? "count" : wanted;
    result[name] = {
      off,
      action: mode === "monitor" ? "count" : possible,
      rebirth: rebirth && (named.length === 0 || possible === "drop" || possible === "close"),
    };
  }
  return result as Record<RuleName, Penalty>;
}

function rulesOf(id: TckId): RuleName[] {
  return RULE_NAMES.filter((name) => RULES[name].ids.includes(id));
}
