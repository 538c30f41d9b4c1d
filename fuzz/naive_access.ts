/**
 * The access rules as `src/security/access_rules.ts` tells them in words, rule by rule and topic by
 * topic, as slow as it likes to be: what the compiled rules are held to.
 */
import { naiveMatchLevels } from "./naive_matcher.ts";

/** A rule and whom it is for, before it is written down. */
export interface NaiveRule {
  readonly whom: string;
  readonly action: "allow" | "deny";
  readonly operations: readonly string[];
  readonly filter: string;
}

/** Who belongs to a group: `user x`, `client x` or `certificate x`. */
export interface NaiveMember {
  readonly group: string;
  readonly member: string;
}

/** What an access file says. */
export interface NaiveFile {
  readonly rules: readonly NaiveRule[];
  readonly members: readonly NaiveMember[];
}

/** Who asks. */
export interface NaiveClient {
  readonly userName: string | null;
  readonly clientIdentifier: string;
  readonly certificate: string | null;
}

/** Says of a topic, given as its levels, whether it is allowed. */
export type NaiveJudge = (topic: readonly string[]) => boolean;

/** What a client may do, asked topic by topic; the rules that are not for him are left out once. */
export function naiveJudge(
  { rules, members }: NaiveFile,
  client: NaiveClient,
  operation: string,
): NaiveJudge {
  const groups = members.filter(({ member }) => isFor(member, client)).map(({ group }) => group);
  const applying = rules.filter((rule) =>
    (isFor(rule.whom, client) || groups.some((group) => rule.whom === `group ${group}`)) &&
    rule.operations.includes(operation)
  );
  const allowing = matchersOf(applying, client, "allow");
  const denying = matchersOf(applying, client, "deny");
  return (topic) =>
    allowing.some((matches) => matches(topic)) && !denying.some((matches) => matches(topic));
}

function matchersOf(
  rules: readonly NaiveRule[],
  client: NaiveClient,
  action: NaiveRule["action"],
): readonly NaiveJudge[] {
  return rules.filter((rule) => rule.action === action).map((rule) => matcher(rule, client));
}

function isFor(whom: string, client: NaiveClient): boolean {
  const known = client.userName !== null || client.certificate !== null;
  return whom === "everyone" ||
    (whom === "authenticated" && known) ||
    (whom === "anonymous" && !known) ||
    (client.userName !== null && whom === `user ${client.userName}`) ||
    whom === `client ${client.clientIdentifier}` ||
    (client.certificate !== null && whom === `certificate ${client.certificate}`);
}

/** Which topics a rule is about. */
function matcher({ action, filter }: NaiveRule, client: NaiveClient): NaiveJudge {
  const levels: string[] = [];
  for (const [index, written] of filter.split("/").entries()) {
    const value = written.includes("%u")
      ? client.userName ?? ""
      : written.includes("%c")
      ? client.clientIdentifier
      : "unused";
    const unusable = value === "" || value.includes("+") || value.includes("#") ||
      value.includes("/");
    const opens = index === 0 && value.startsWith("$") && /^%[uc]/.test(written);
    if (action === "allow" && (unusable || opens)) return () => false;
    if (unusable) return (topic) => naiveFrom(levels, topic);
    levels.push(written.replace(/%[uc%]/g, (found) => found === "%%" ? "%" : value));
  }
  return (topic) => naiveMatchLevels(levels, topic);
}

/** Whether the topic begins with these levels and has one more, at least. */
function naiveFrom(levels: readonly string[], topic: readonly string[]): boolean {
  if (topic.length <= levels.length) return false;
  return levels.length === 0 || naiveMatchLevels(levels, topic.slice(0, levels.length));
}
