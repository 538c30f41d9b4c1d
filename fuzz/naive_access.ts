/**
 * The access rules as `src/security/access_rules.ts` tells them in words, rule by rule and topic by
 * topic, as slow as it likes to be: what the compiled rules are held to.
 */
import { naiveMatch } from "./naive_matcher.ts";

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

/** Whether a client may do something with one topic. */
export function naiveVerdict(
  { rules, members }: NaiveFile,
  client: NaiveClient,
  { operation, topic }: { operation: string; topic: string },
): boolean {
  const groups = members.filter(({ member }) => isFor(member, client)).map(({ group }) => group);
  const applying = rules.filter((rule) =>
    (isFor(rule.whom, client) || groups.some((group) => rule.whom === `group ${group}`)) &&
    rule.operations.includes(operation) && matches(rule, client, topic)
  );
  return applying.some(({ action }) => action === "allow") &&
    !applying.some(({ action }) => action === "deny");
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

function matches({ action, filter }: NaiveRule, client: NaiveClient, topic: string): boolean {
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
    if (action === "allow" && (unusable || opens)) return false;
    if (unusable) return naiveFrom(levels, topic);
    levels.push(written.replace(/%[uc%]/g, (found) => found === "%%" ? "%" : value));
  }
  return naiveMatch(levels.join("/"), topic);
}

/** Whether the topic begins with these levels and has one more, at least. */
function naiveFrom(levels: readonly string[], topic: string): boolean {
  const parts = topic.split("/");
  if (parts.length <= levels.length) return false;
  return levels.length === 0 ||
    naiveMatch(levels.join("/"), parts.slice(0, levels.length).join("/"));
}
