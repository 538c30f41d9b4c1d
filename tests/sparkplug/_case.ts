/** What a case of a rule is. */
import type { RefereeOptions, RuleName } from "../../src/sparkplug/judging.ts";
import type { Plant } from "./_plant.ts";

/** How a rule is broken, and how the same thing is done right. */
export interface RuleCase {
  breach(plant: Plant): void;
  correct(plant: Plant): void;
  /** Options that it takes. */
  readonly options?: Partial<Pick<RefereeOptions, "reportByException">>;
}

/** Cases by rule. */
export type RuleCases = { readonly [N in RuleName]?: RuleCase };
