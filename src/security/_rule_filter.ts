/** The Topic Filter of a rule, with its substitutions. */
import { asTopicFilter, isProtocolError } from "../mqtt/mod.ts";
import type { RuleLevel } from "./access_rule.ts";
import { CONTROL_CHARACTER } from "./file_diagnostic.ts";

const RULE_LEVELS_MAX = 128;

/** What is wrong with a rule's filter, and how many code units into it. */
export interface FilterFault {
  readonly fault: string;
  readonly offset: number;
}

/** Takes a filter apart: `%u` and `%c` are substituted later, `%%` is a percent sign. */
export function parseRuleFilter(text: string): readonly RuleLevel[] | FilterFault {
  if (text === "") return { fault: "the Topic Filter is empty", offset: 0 };
  const control = CONTROL_CHARACTER.exec(text);
  if (control !== null) {
    return { fault: "the Topic Filter contains a control character", offset: control.index };
  }
  if (!text.isWellFormed()) return { fault: "the Topic Filter is not Unicode", offset: 0 };
  const levels: RuleLevel[] = [];
  let offset = 0;
  for (const written of text.split("/")) {
    const level = parseLevel(written, offset);
    if (typeof level === "object" && "fault" in level) return level;
    levels.push(level);
    offset += written.length + 1;
  }
  if (levels.length > RULE_LEVELS_MAX) {
    return { fault: `the Topic Filter has more than ${RULE_LEVELS_MAX} levels`, offset: 0 };
  }
  const plain = levels.map((level) => typeof level === "string" ? level : asText(level));
  const checked = asTopicFilter(plain.join("/"));
  if (typeof checked === "object" && isProtocolError(checked)) {
    return { fault: `the Topic Filter is wrong: ${checked.reason}`, offset: 0 };
  }
  return levels;
}

function parseLevel(written: string, offset: number): RuleLevel | FilterFault {
  let before = "";
  let after = "";
  let variable: "u" | "c" | undefined;
  for (const match of written.matchAll(/%(.?)|[^%]+/gs)) {
    const [piece, letter] = match;
    const at = offset + match.index;
    if (letter === "u" || letter === "c") {
      // "%u%c" would be the same for user "a" with client "bc" as for "ab" with "c".
      if (variable !== undefined) return { fault: "a level holds two substitutions", offset: at };
      variable = letter;
      continue;
    }
    if (letter !== undefined && letter !== "%") {
      const fault = `${JSON.stringify(piece)} is none of %u, %c and %%, which is a percent sign`;
      return { fault, offset: at };
    }
    const text = letter === "%" ? "%" : piece;
    if (variable === undefined) before += text;
    else after += text;
  }
  if (variable === undefined) return before;
  return { before, variable, after, opensFilter: offset === 0 && before === "" };
}

/** A level with its value in place, as good as any other for the check of wildcards. */
function asText({ before, after }: { before: string; after: string }): string {
  return `${before}x${after}`;
}
