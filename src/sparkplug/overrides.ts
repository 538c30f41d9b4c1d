/** What the configuration says about single rules: `payloads-nbirth-qos=drop topics-ncmd-mqtt=off`. */
import type { RuleAction, TckId } from "./rule.ts";
import { FIXES, JUDGED_IDS, RULE_NAMES, type RuleName, RULES } from "./rules.ts";

/** What an override may say. */
export type OverrideAction = "off" | RuleAction;

/** Overrides by statement. */
export type Overrides = ReadonlyMap<TckId, OverrideAction>;

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
export function parseOverrides(text: string): Overrides | { readonly problem: string } {
  const overrides = new Map<TckId, OverrideAction>();
  for (const word of text.split(/\s+/)) {
    if (word === "") continue;
    const [name, action, rest] = word.split("=");
    if (name === "" || action === undefined || rest !== undefined) {
      return { problem: `${JSON.stringify(word)} is not of the form tck-id=action` };
    }
    const id: TckId = name!.startsWith("tck-id-") ? name as TckId : `tck-id-${name}`;
    if (!JUDGED_IDS.has(id)) return { problem: `no rule judges by ${JSON.stringify(id)}` };
    if (!ACTIONS.includes(action as OverrideAction)) {
      return { problem: `unknown action ${JSON.stringify(action)}; known: ${ACTIONS.join(", ")}` };
    }
    if (overrides.has(id)) return { problem: `${id} stands there twice` };
    if (action === "fix" && !rulesOf(id).some((rule) => rule in FIXES)) {
      return { problem: `${id} cannot be fixed` };
    }
    overrides.set(id, action as OverrideAction);
  }
  return overrides;
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
