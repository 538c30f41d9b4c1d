/** Rules with a name, which other rooms bring along: `use sparkplug-node G E`. */
import type { Operation, RuleAction } from "./access_rule.ts";

/** A rule of a template, as it would stand in the file. */
export interface TemplateRule {
  readonly action: RuleAction;
  readonly operations: readonly Operation[];
  /** Topic Filter, which may hold `%u` and `%c`. */
  readonly filter: string;
}

/** Rules with a name, for `use NAME ARGUMENT…`. */
export interface RuleTemplate {
  /** What its arguments are called, for messages. */
  readonly parameters: readonly string[];
  /** Its rules for as many arguments as parameters, or what is wrong with one of them. */
  expand(args: readonly string[]): readonly TemplateRule[] | { readonly problem: string };
}

/** Templates by the word that `use` names them with. */
export type RuleTemplates = ReadonlyMap<string, RuleTemplate>;
