/** Any access file: compiled rules, explanations and the naive evaluator agree on every topic. */
import type { TopicFilter, TopicName } from "../src/mqtt/mod.ts";
import { AccessRules, type ClientRules, type Operation } from "../src/security/mod.ts";
import { type NaiveClient, type NaiveRule, naiveVerdict } from "./naive_access.ts";
import { naiveMatch } from "./naive_matcher.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

/** Levels of topics: those that rules name, odd ones, and one that no rule names. */
const LEVELS = ["a", "b", "", "$s", "%", "other"];
const RULE_LEVELS = ["a", "a", "b", "", "$s", "%u", "%c", "g%u", "%%"];
const VALUES = ["x", "", "$s", "a", "+", "#", "x/a", "a/b", "g"];
const PRINCIPALS = [
  "everyone",
  "everyone",
  "authenticated",
  "anonymous",
  "user x",
  "client x",
  "certificate x",
  "group g",
  "group h",
];
const OPERATIONS: readonly Operation[] = ["publish", "subscribe", "read"];
/** One set of rules and one client, asked many questions. */
export const ACCESS_RULES: Target = {
  name: "access_rules",
  inputs: 3_000,
  try(random: Random): Failure | null {
    const depth = 1 + random.below(3);
    const length = 1 + random.below(10);
    const rules = Array.from({ length }, () => randomRule(random, depth));
    const client = randomClient(random);
    const text = fileText(rules, random);
    const problem = problemOf(rules, client, { text, random, depth });
    const input = `${JSON.stringify(client)}\n${text}`;
    return problem === null ? null : { problem, input: new TextEncoder().encode(input) };
  },
};

function problemOf(
  rules: readonly NaiveRule[],
  client: NaiveClient,
  { text, random, depth }: { text: string; random: Random; depth: number },
): string | null {
  const parsed = AccessRules.parse(text);
  if (!parsed.ok) return `not parsed: ${JSON.stringify(parsed.diagnostics)}`;
  const compiled = parsed.value.for(client);
  const { userName, clientIdentifier } = client;
  const named = [userName ?? "", clientIdentifier, `g${userName}`];
  const levels = [...new Set([...LEVELS, ...named.filter((value) => !/[+#/]/.test(value))])];
  // The deepest counter-example has a level more than any rule or filter.
  const universe = allTopics(levels, depth + 1);
  for (let i = 0; i < 60; i++) {
    const topic = random.pick(universe);
    for (const operation of ["publish", "read"] as const) {
      const wanted = naiveVerdict(rules, client, { operation, topic });
      const problem = disagreement(compiled, { operation, topic, wanted });
      if (problem !== null) return problem;
    }
  }
  const verdicts = universe.map((topic) => ({
    topic,
    allowed: naiveVerdict(rules, client, { operation: "subscribe", topic }),
  }));
  for (let i = 0; i < 12; i++) {
    const filter = randomFilter(random, { levels, depth });
    const wanted = verdicts.every(({ topic, allowed }) => allowed || !naiveMatch(filter, topic));
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
    whom: random.pick(PRINCIPALS),
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

function randomClient(random: Random): NaiveClient {
  const userName = random.oneIn(4) ? null : random.pick(VALUES);
  const clientIdentifier = random.oneIn(2) ? "x" : random.pick(VALUES);
  const certificate = random.oneIn(2) ? null : "x";
  // As the members lines of `fileText` have it.
  const groups = [
    ...(userName === "x" ? ["g"] : []),
    ...(clientIdentifier === "x" || certificate === "x" ? ["h"] : []),
  ];
  return { userName, clientIdentifier, certificate, groups };
}

function fileText(rules: readonly NaiveRule[], random: Random): string {
  const lines = ["# made by chance"];
  for (const { whom, action, operations, filter } of rules) {
    const all = operations.length === 3 && random.oneIn(2);
    const written = random.oneIn(4) ? JSON.stringify(filter) : filter;
    lines.push(whom, `  ${action} ${all ? "all" : operations.join(",")}  ${written}`);
  }
  if (rules.some(({ whom }) => whom === "group g")) lines.push("members g user x y");
  if (rules.some(({ whom }) => whom === "group h")) {
    lines.push("members h client x", "members h certificate x");
  }
  return lines.join(random.oneIn(2) ? "\n" : "\r\n");
}

/**
 * Every topic of these levels that is at most so deep. The empty one is among them: no message has
 * it, but the compiled rules take it for a parent like any other, as in "/#", which is stricter.
 */
function allTopics(levels: readonly string[], depth: number): readonly string[] {
  const topics: string[] = [];
  let longest = [""];
  for (let at = 0; at < depth; at++) {
    longest = longest.flatMap((start) =>
      levels.map((level) => at === 0 ? level : `${start}/${level}`)
    );
    topics.push(...longest);
  }
  return topics;
}
