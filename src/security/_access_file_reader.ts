/** Reads an access file line by line; see `access_rules.ts` for what may stand in it. */
import {
  type AccessRule,
  type Operation,
  OPERATION_BIT,
  OPERATIONS,
  type RuleAction,
} from "./access_rule.ts";
import type { PrincipalRules } from "./client_rules.ts";
import { CONTROL_CHARACTER, Diagnostics, type ParsedFile } from "./file_diagnostic.ts";
import { linesOf } from "./_in_slices.ts";
import { LineWords, type Word, type WordFault } from "./_line_words.ts";
import { parseRuleFilter } from "./_rule_filter.ts";
import type { RuleTemplates } from "./rule_template.ts";
import { RuleTrie } from "./rule_trie.ts";

/** What a file comes to. */
export interface AccessFileContent {
  readonly rules: readonly AccessRule[];
  /** By kind and name: `user alice`. */
  readonly principals: ReadonlyMap<string, PrincipalRules>;
  /** The groups of a member, by its kind and name. */
  readonly groups: ReadonlyMap<string, readonly string[]>;
}

/** Most UTF-16 code units of an access file. */
export const ACCESS_FILE_LENGTH_MAX = 4_194_304;
const LINE_LENGTH_MAX = 8_192;
const LINES_PER_STEP = 16;
/** A rule below a line that names several counts for each of them. */
const RULES_MAX = 200_000;

const NAMED_KINDS = ["user", "group", "client", "certificate"];
const PLAIN_KINDS = ["authenticated", "anonymous", "everyone"];
const MEMBER_KINDS = ["user", "client", "certificate"];
const VERBS = [...NAMED_KINDS, ...PLAIN_KINDS, "members", "allow", "deny", "use"];

/** Reads the text of a file, in steps. */
export function readAccessFile(
  text: string,
  templates: RuleTemplates,
): Generator<void, ParsedFile<AccessFileContent>> {
  return new AccessFileReader(templates).read(text);
}

class AccessFileReader {
  readonly #templates: RuleTemplates;
  readonly #diagnostics = new Diagnostics();
  readonly #rules: AccessRule[] = [];
  readonly #principals = new Map<string, PrincipalRules & { rules: AccessRule[] }>();
  readonly #groups = new Map<string, string[]>();
  /** Where groups are first given members and rules. */
  readonly #withMembers = new Map<string, { line: number; column: number }>();
  readonly #withRules = new Map<string, { line: number; column: number }>();
  /** Whom the rules are for; null before the first line that says so. */
  #section: { readonly keys: readonly string[]; readonly whom: string } | null = null;
  #placed = 0;
  #line = 0;
  #words = new LineWords("");

  constructor(templates: RuleTemplates) {
    this.#templates = templates;
  }

  *read(text: string): Generator<void, ParsedFile<AccessFileContent>> {
    if (text.length > ACCESS_FILE_LENGTH_MAX) {
      this.#diagnostics.add(1, 1, `the file is longer than ${ACCESS_FILE_LENGTH_MAX} characters`);
    } else {
      for (const written of linesOf(text)) {
        this.#readLine(written);
        if (this.#line % LINES_PER_STEP === 0) yield;
      }
    }
    this.#checkGroups();
    return this.#diagnostics.finish({
      rules: this.#rules,
      principals: this.#principals,
      groups: this.#groups,
    });
  }

  #readLine(written: string): void {
    this.#line++;
    const line = written.endsWith("\r") ? written.slice(0, -1) : written;
    if (/^[ \t]*(#|$)/.test(line)) return;
    if (line.length > LINE_LENGTH_MAX) {
      this.#complain(LINE_LENGTH_MAX + 1, `the line is longer than ${LINE_LENGTH_MAX} characters`);
      return;
    }
    this.#words = new LineWords(line);
    const verb = this.#word("a verb");
    if (verb === null) return;
    if (verb.text === "allow" || verb.text === "deny") this.#rule(verb.text);
    else if (verb.text === "use") this.#use();
    else if (verb.text === "members") this.#members();
    else if (NAMED_KINDS.includes(verb.text)) this.#header(verb.text);
    else if (PLAIN_KINDS.includes(verb.text)) {
      this.#end();
      this.#section = { keys: [verb.text], whom: verb.text };
    } else {
      const message = `unknown verb ${JSON.stringify(verb.text)}; it is none of ${
        VERBS.join(", ")
      }`;
      this.#complain(verb.column, message);
    }
  }

  #header(kind: string): void {
    const { column } = this.#words;
    const names = this.#names();
    if (names?.length === 0) this.#complain(column, `${kind} wants a name`);
    // The rules below a header with a mistake are still read, but belong to nobody.
    const keys = (names ?? []).map(({ text }) => `${kind} ${text}`);
    this.#section = { keys, whom: keys.length === 0 ? kind : keys.join(", ") };
    if (kind !== "group") return;
    for (const { text, column } of names ?? []) {
      if (!this.#withRules.has(text)) this.#withRules.set(text, { line: this.#line, column });
    }
  }

  #members(): void {
    const group = this.#word("the name of a group");
    if (group === null) return;
    if (!this.#withMembers.has(group.text)) {
      this.#withMembers.set(group.text, { line: this.#line, column: group.column });
    }
    const kind = this.#sound(this.#words.next());
    if (kind === undefined || kind === null) return; // A group may be empty.
    if (!MEMBER_KINDS.includes(kind.text)) {
      const said = JSON.stringify(kind.text);
      this.#complain(kind.column, `${said} is none of ${MEMBER_KINDS.join(", ")}`);
      return;
    }
    for (const { text } of this.#names() ?? []) {
      const key = `${kind.text} ${text}`;
      const groups = this.#groups.get(key);
      if (groups === undefined) this.#groups.set(key, [group.text]);
      else if (!groups.includes(group.text)) groups.push(group.text);
    }
  }

  #rule(action: RuleAction): void {
    const said = this.#word("operations");
    if (said === null) return;
    const operations = this.#operations(said);
    const { column } = this.#words;
    const rest = this.#sound(this.#words.rest());
    if (rest === undefined || operations === 0) return;
    if (rest === null) {
      this.#complain(column, "a Topic Filter is missing");
      return;
    }
    const levels = parseRuleFilter(rest.text);
    if ("fault" in levels) {
      this.#complain(rest.column + levels.offset, levels.fault);
      return;
    }
    const text = `${action} ${said.text} ${rest.text}`;
    this.#place([{ action, operations, levels, text }], column);
  }

  #operations({ text, column }: Word): number {
    if (text === "all") return OPERATIONS.reduce((bits, one) => bits | OPERATION_BIT[one], 0);
    let bits = 0;
    let offset = 0;
    for (const name of text.split(",")) {
      if (!Object.hasOwn(OPERATION_BIT, name)) {
        const message = `${JSON.stringify(name)} is none of ${OPERATIONS.join(", ")}, all`;
        this.#complain(column + offset, message);
        return 0;
      }
      bits |= OPERATION_BIT[name as Operation];
      offset += name.length + 1;
    }
    return bits;
  }

  #use(): void {
    const name = this.#word("the name of a template");
    if (name === null) return;
    const { column } = this.#words;
    const args = this.#names();
    if (args === null) return;
    const template = this.#templates.get(name.text);
    if (template === undefined) {
      const known = [...this.#templates.keys()].join(", ") || "there are none";
      const message = `unknown template ${JSON.stringify(name.text)}; known: ${known}`;
      this.#complain(name.column, message);
      return;
    }
    const { parameters } = template;
    if (args.length !== parameters.length) {
      const wanted = [name.text, ...parameters].join(" ");
      this.#complain(column, `${args.length} arguments do not fit "use ${wanted}"`);
      return;
    }
    const expanded = template.expand(args.map(({ text }) => text));
    if ("problem" in expanded) {
      this.#complain(column, expanded.problem);
      return;
    }
    const used = ["use", name.text, ...args.map(({ text }) => text)].join(" ");
    const rules = expanded.map(({ action, operations, filter }) => {
      const levels = parseRuleFilter(filter);
      if ("fault" in levels) this.#complain(column, `in ${JSON.stringify(filter)} ${levels.fault}`);
      const bits = operations.reduce((sum, one) => sum | OPERATION_BIT[one], 0);
      const text = `${action} ${operations.join(",")} ${filter}, of "${used}"`;
      return { action, operations: bits, levels: "fault" in levels ? [] : levels, text };
    });
    this.#place(rules, column);
  }

  /** Gives rules to everybody whom the section is for. */
  #place(rules: readonly Omit<AccessRule, "line" | "whom">[], column: number): void {
    const section = this.#section;
    if (section === null) {
      this.#complain(1, "it is not said whom the rule is for: user, group, …, or everyone");
      return;
    }
    this.#placed += rules.length * Math.max(1, section.keys.length);
    if (this.#placed > RULES_MAX) {
      this.#complain(column, `there are more than ${RULES_MAX} rules`);
      return;
    }
    for (const part of rules) {
      const rule = { ...part, line: this.#line, whom: section.whom };
      this.#rules.push(rule);
      for (const key of section.keys) {
        const principal = this.#principal(key);
        principal.rules.push(rule);
        principal[rule.action].add(rule);
      }
    }
  }

  #principal(key: string): PrincipalRules & { rules: AccessRule[] } {
    let principal = this.#principals.get(key);
    if (principal === undefined) {
      principal = { allow: new RuleTrie("allow"), deny: new RuleTrie("deny"), rules: [] };
      this.#principals.set(key, principal);
    }
    return principal;
  }

  /** A group without members is a slip of the pen, by which a deny would be lost; so is the other. */
  #checkGroups(): void {
    for (const [group, { line, column }] of this.#withRules) {
      if (this.#withMembers.has(group)) continue;
      const message = `no line "members ${group}" says who is in this group`;
      this.#diagnostics.add(line, column, message);
    }
    for (const [group, { line, column }] of this.#withMembers) {
      if (this.#withRules.has(group)) continue;
      this.#diagnostics.add(line, column, `no line "group ${group}" gives rules to this group`);
    }
  }

  /** The next word; complains where there is none. */
  #word(wanted: string): Word | null {
    const { column } = this.#words;
    const word = this.#sound(this.#words.next());
    if (word === null) this.#complain(column, `${wanted} is missing`);
    return word ?? null;
  }

  /** The words that are left, as names; null if something is wrong with them. */
  #names(): readonly Word[] | null {
    const words = this.#words.all();
    if ("fault" in words) {
      this.#complain(words.column, words.fault);
      return null;
    }
    const odd = words.find(({ text }) => text === "" || CONTROL_CHARACTER.test(text));
    if (odd === undefined) return words;
    this.#complain(odd.column, "the name is empty or contains a control character");
    return null;
  }

  #end(): void {
    const { column } = this.#words;
    if (this.#sound(this.#words.next()) != null) this.#complain(column, "nothing may follow here");
  }

  /** The word itself, or undefined after complaining about it. */
  #sound(word: Word | WordFault | null): Word | null | undefined {
    if (word === null || !("fault" in word)) return word;
    this.#complain(word.column, word.fault);
    return undefined;
  }

  #complain(column: number, message: string): void {
    this.#diagnostics.add(this.#line, column, message);
  }
}
