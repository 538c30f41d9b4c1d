/** Any access file: compiled rules, explanations and the naive evaluator agree on every topic. */
import type { TopicFilter, TopicName } from "../src/mqtt/mod.ts";
import { AccessRules, type ClientRules, type Operation } from "../src/security/mod.ts";
import { type NaiveClient, type NaiveFile, naiveJudge, type NaiveRule } from "./naive_access.ts";
import { naiveMatchLevels } from "./naive_matcher.ts";
import { TopicUniverse } from "./_topic_universe.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const RULE_LEVELS = ["a", "a", "b", "", "$s", "%u", "%c", "g%u", "%cg", "$%u", "%u%%", "%%"];
/** Names that clients give themselves; many would like to be more than a name. */
const VALUES = ["a", "a", "a", "$s", "$s", "$s", "", "+", "#", "x/a", "a/b", "g", "%u", "%c", "%%"]
  .concat(["x y", "__proto__"]);
const PLAIN_KINDS = ["everyone", "everyone", "authenticated", "anonymous", "group g", "group h"];
const NAMED_KINDS = ["user", "client", "certificate"];
const GROUPS = ["g", "h"];
const OPERATIONS: readonly Operation[] = ["publish", "subscribe", "read"];
/** One set of rules and one client, asked many questions. */
export const ACCESS_RULES: Target = {
  name: "access_rules",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const depth = 1 + random.below(3);
    const length = 1 + random.below(10);
    const rules = Array.from({ length }, () => randomRule(random, depth));
    const file = { rules, members: randomMembers(rules, random) };
    const client = randomClient(random);
    const text = fileText(file, random);
    const problem = problemOf(file, client, { text, random, depth });
    const input = `${JSON.stringify(client)}\n${text}`;
    return problem === null ? null : { problem, input: new TextEncoder().encode(input) };
  },
};

function problemOf(
  file: NaiveFile,
  client: NaiveClient,
  { text, random, depth }: { text: string; random: Random; depth: number },
): string | null {
  const parsed = AccessRules.parse(text);
  if (!parsed.ok) return `not parsed: ${JSON.stringify(parsed.diagnostics)}`;
  const compiled = parsed.value.for(client);
  const levels = levelsNamed(file.rules, client);
  // The deepest counter-example has a level more than any rule or filter.
  const universe = new TopicUniverse(levels, depth + 1);
  const judges = {
    publish: naiveJudge(file, client, "publish"),
    read: naiveJudge(file, client, "read"),
  };
  for (let i = 0; i < 60; i++) {
    const parts = universe.at(random.below(universe.size));
    const topic = parts.join("/");
    for (const operation of ["publish", "read"] as const) {
      const wanted = judges[operation](parts);
      const problem = disagreement(compiled, { operation, topic, wanted });
      if (problem !== null) return problem;
    }
  }
  const maySubscribe = naiveJudge(file, client, "subscribe");
  for (let i = 0; i < 12; i++) {
    const filter = randomFilter(random, { levels, depth });
    const written = filter.split("/");
    const wanted = universe.every(
      written,
      (topic) => !naiveMatchLevels(written, topic) || maySubscribe(topic),
    );
    const problem = disagreement(compiled, { operation: "subscribe", topic: filter, wanted });
    if (problem !== null) return problem;
  }
  return null;
}

/** What verdict or explanation say that is not wanted. */
function disagreement(
  compiled: ClientRules,
  { operation, topic, wanted }: { operation: Operation; topic: string; wanted: boolean },
): string | null {
  const { allowed, rule, reason } = compiled.explain(operation, topic as TopicFilter);
  const said = operation === "subscribe"
    ? compiled.subscribe(topic as TopicFilter, 1) === 1
    : compiled[operation](topic as TopicName);
  const asked = `${operation} ${JSON.stringify(topic)}`;
  if (said !== wanted) return `${asked} is ${said}, not ${wanted}`;
  if (allowed !== wanted) return `${asked} is explained as ${allowed}: ${reason}`;
  if (rule !== null && (rule.action === "allow") !== wanted) return `${asked}: ${reason}`;
  return wanted && rule === null ? `${asked} is allowed by no rule` : null;
}

function randomRule(random: Random, depth: number): NaiveRule {
  const operations = OPERATIONS.filter(() => random.oneIn(2));
  return {
    whom: random.oneIn(2) ? random.pick(PLAIN_KINDS) : randomNamed(random),
    action: random.oneIn(3) ? "deny" : "allow",
    operations: operations.length === 0 ? OPERATIONS : operations,
    filter: randomFilter(random, { levels: RULE_LEVELS, depth }),
  };
}

/** A filter of at most `depth` levels; wildcards are frequent, so that rules meet. */
function randomFilter(
  random: Random,
  { levels, depth }: { levels: readonly string[]; depth: number },
): string {
  const chosen = Array.from(
    { length: 1 + random.below(depth) },
    () => random.oneIn(3) ? "+" : random.pick(levels),
  );
  if (random.oneIn(3)) chosen[chosen.length - 1] = "#";
  return chosen.join("/") || "/";
}

/** Somebody by name; x is who comes most often. */
function randomNamed(random: Random): string {
  const name = random.oneIn(2) ? "x" : random.pick(VALUES);
  return `${random.pick(NAMED_KINDS)} ${name === "" ? "x" : name}`;
}

/** Members of the groups that there are rules for, one at least in each. */
function randomMembers(
  rules: readonly NaiveRule[],
  random: Random,
): NaiveFile["members"] {
  const groups = GROUPS.filter((group) => rules.some(({ whom }) => whom === `group ${group}`));
  return groups.flatMap((group) =>
    Array.from({ length: 1 + random.below(3) }, () => ({ group, member: randomNamed(random) }))
  );
}

function randomClient(random: Random): NaiveClient {
  function name(): string {
    return random.oneIn(3) ? "x" : random.pick(VALUES);
  }
  const userName = random.oneIn(4) ? null : name();
  const certificate = random.oneIn(2) ? null : name();
  return { userName, clientIdentifier: name(), certificate };
}

/**
 * The levels that the rules name, as they are for this client, his own names, one that no rule
 * names, and one with a `$` that none may name.
 */
function levelsNamed(rules: readonly NaiveRule[], client: NaiveClient): readonly string[] {
  const { userName, clientIdentifier } = client;
  const written = rules.flatMap(({ filter }) => filter.split("/"));
  const values: Readonly<Record<string, string>> = {
    "%u": userName ?? "",
    "%c": clientIdentifier,
    "%%": "%",
  };
  const named = written.map((level) => level.replace(/%[uc%]/g, (found) => values[found]!));
  const levels = ["other", "$s", clientIdentifier, ...named];
  return [...new Set(levels.filter((level) => !/[+#/]/.test(level)))];
}

function fileText({ rules, members }: NaiveFile, random: Random): string {
  const lines = ["# made by chance"];
  for (const { whom, action, operations, filter } of rules) {
    const all = operations.length === 3 && random.oneIn(2);
    const written = random.oneIn(4) ? JSON.stringify(filter) : filter;
    lines.push(principalText(whom, random));
    lines.push(`  ${action} ${all ? "all" : operations.join(",")}  ${written}`);
  }
  for (const { group, member } of members) {
    lines.push(`members ${group} ${principalText(member, random)}`);
  }
  return lines.join(random.oneIn(2) ? "\n" : "\r\n");
}

/** `user x`, with the name in quotation marks now and then, and where it has to be. */
function principalText(whom: string, random: Random): string {
  const at = whom.indexOf(" ");
  if (at < 0) return whom;
  const [kind, name] = [whom.slice(0, at), whom.slice(at + 1)];
  const quoted = name.includes(" ") || name.startsWith("#") || random.oneIn(4);
  return `${kind} ${quoted ? JSON.stringify(name) : name}`;
}
