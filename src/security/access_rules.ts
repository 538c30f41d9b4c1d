/**
 * The access file: who may publish, subscribe and read what. What no rule allows is denied.
 *
 *     # Lines that begin with # are comments.
 *     members operators user alice bob       # no comment behind a rule: # is a wildcard
 *     members gateways certificate gw-1.plant.example
 *
 *     everyone
 *     allow subscribe,read plant/status/#
 *
 *     user alice "Karl Otto"
 *     allow publish plant/setpoint/+
 *
 *     group operators
 *     allow all plant/%u/#
 *     deny publish plant/+/safety/#
 *
 * A line says whom the rules below it are for: `user`, `group`, `client` (Client Identifier) or
 * `certificate`, each with one name or several, or `authenticated`, `anonymous`, `everyone`. A name
 * with blanks stands in quotation marks, as in JSON. `members GROUP user|client|certificate NAME…`
 * makes up a group, in several lines if need be; `members GROUP` alone leaves it empty. A rule is
 * `allow` or `deny`, then `publish`, `subscribe`, `read` or several of them with commas between, or
 * `all`, then a Topic Filter, which goes to the end of the line. `use TEMPLATE ARGUMENT…` stands for
 * the rules of a template that the program brings along.
 *
 * Order means nothing, and neither does how special a filter is: an operation is allowed if a rule
 * that applies to the client allows it and none denies it. Topic Filters match as in MQTT 3.1.1
 * section 4.7: `#` matches its parent, and no wildcard at the beginning matches a topic with `$`.
 *
 * `publish` and `read`, the delivery of a message, are about one topic. `subscribe` is about all
 * topics that a subscription may match: the rules that allow must cover them all together, and no
 * rule that denies may touch one. Who may subscribe to more than he may read writes
 * `allow subscribe #` and has the deliveries filtered by `read`.
 *
 * `%u` stands for the user name, `%c` for the Client Identifier, at most one in a level; `%%` is a
 * percent sign. A value that is empty or contains `+`, `#` or `/` is not used: a rule that allows then
 * allows nothing, a rule that denies denies everything from that level on. A value that begins with
 * `$` never opens a topic that is allowed.
 *
 * The format is one of lines, not TOML, because Mosquitto's users know it, because a Topic Filter
 * needs no quotation marks in it, and because each rule has its line, by which it can be named.
 */
import { type AccessFileContent, readAccessFile } from "./_access_file_reader.ts";
import { VerdictMemory } from "./_verdict_memory.ts";
import { type AccessRule, OPERATION_BIT, type RuleLevel } from "./access_rule.ts";
import { atOnce } from "./_in_slices.ts";
import { type ClientIdentity, ClientRules, type PrincipalRules } from "./client_rules.ts";
import type { FileDiagnostic, ParsedFile } from "./file_diagnostic.ts";
import type { RuleTemplates } from "./rule_template.ts";
import { RuleTrie } from "./rule_trie.ts";

/** An access file that has been read and compiled; never changes. */
export class AccessRules {
  /** Every rule, in the order of the file. */
  readonly rules: readonly AccessRule[];
  readonly #principals: ReadonlyMap<string, PrincipalRules>;
  readonly #groups: ReadonlyMap<string, readonly string[]>;
  readonly #verdicts = new VerdictMemory();

  private constructor({ rules, principals, groups }: AccessFileContent) {
    this.rules = rules;
    this.#principals = principals;
    this.#groups = groups;
  }

  /** Reads the text of a file. One mistake refuses all of it. */
  static parse(
    text: string,
    options: { templates?: RuleTemplates } = {},
  ): ParsedFile<AccessRules> {
    return atOnce(AccessRules.reading(text, options));
  }

  /** The same in steps: the rules of a large plant take a while. */
  static *reading(
    text: string,
    options: { templates?: RuleTemplates } = {},
  ): Generator<void, ParsedFile<AccessRules>> {
    const read = yield* readAccessFile(text, options.templates ?? new Map());
    if (!read.ok) return read;
    return { ok: true, value: new AccessRules(read.value) };
  }

  /** What this client may do. The rules themselves are shared by all clients. */
  for(identity: ClientIdentity): ClientRules {
    const { userName, clientIdentifier, certificate } = identity;
    const anonymous = userName === null && certificate === null;
    const own = [`client ${clientIdentifier}`];
    if (userName !== null) own.push(`user ${userName}`);
    if (certificate !== null) own.push(`certificate ${certificate}`);
    const groups = own.flatMap((member) => this.#groups.get(member) ?? []);
    const keys = ["everyone", anonymous ? "anonymous" : "authenticated", ...own];
    for (const group of new Set(groups)) keys.push(`group ${group}`);
    const principals = keys.flatMap((key) => this.#principals.get(key) ?? []);
    return new ClientRules(principals, identity, this.#verdicts);
  }

  /** What is allowed in the file and yet of no use; nothing that keeps it from being used. */
  warnings(): readonly FileDiagnostic[] {
    const readable = new RuleTrie("allow");
    for (const { action, operations, levels } of this.rules) {
      if (action === "allow") readable.add({ operations, levels: anyValue(levels) });
    }
    const values = { u: null, c: null };
    return this.rules.filter(({ action, operations, levels }) => {
      if (action === "deny" || (operations & OPERATION_BIT.subscribe) === 0) return false;
      const operation = OPERATION_BIT.read;
      return !readable.overlaps({ levels: anyValue(levels), operation, values });
    }).map(({ line }) => ({
      line,
      column: 1,
      message: "no rule allows read of anything that is subscribed to here",
    }));
  }
}

/** The levels with a wildcard for each substitution: as far as the rule may reach for anybody. */
function anyValue(levels: readonly RuleLevel[]): readonly string[] {
  return levels.map((level) => typeof level === "string" ? level : "+");
}
