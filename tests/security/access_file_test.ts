/** The access file as a text: how it is written, and what is wrong with it. */
import { assert, assertEquals } from "@std/assert";
import type { TopicName } from "../../src/mqtt/mod.ts";
import { ACCESS_FILE_LENGTH_MAX, AccessRules } from "../../src/security/mod.ts";

const NOBODY = { userName: null, clientIdentifier: "c", certificate: null };

function mistakes(text: string): [number, number, string][] {
  const parsed = AccessRules.parse(text);
  return parsed.ok ? [] : parsed.diagnostics.map((d) => [d.line, d.column, d.message]);
}

Deno.test("blanks, comments, line ends and quotation marks do not change a rule", () => {
  const texts = [
    "everyone\nallow publish a b/#",
    "# x\r\n\r\neveryone\r\n\tallow   publish \t a b/# \r\n  # y",
    'everyone\nallow publish "a b/#"',
    "everyone\nallow publish,publish a b/#",
  ];
  for (const text of texts) {
    const parsed = AccessRules.parse(text);
    assert(parsed.ok, JSON.stringify(parsed));
    assertEquals(parsed.value.rules.length, 1);
    assert(parsed.value.for(NOBODY).publish("a b/c" as TopicName));
    assert(!parsed.value.for(NOBODY).publish("a" as TopicName));
  }
  const quoted = AccessRules.parse('everyone\nallow publish " \\"\\u00e9 "');
  assert(quoted.ok);
  assert(quoted.value.for(NOBODY).publish(' "é ' as TopicName));
});

Deno.test("every mistake is told by line and column, and refuses the whole file", () => {
  const verbs =
    "user, group, client, certificate, authenticated, anonymous, everyone, members, allow, deny, use";
  const filter = "the Topic Filter is wrong:";
  const cases: [string, number, string][] = [
    ["alow publish a", 1, `unknown verb "alow"; it is none of ${verbs}`],
    ["  allow", 8, "operations is missing"],
    ["allow a/b", 7, '"a/b" is none of publish, subscribe, read, all'],
    ["allow publish,writ a", 15, '"writ" is none of publish, subscribe, read, all'],
    ["allow publish,all a", 15, '"all" is none of publish, subscribe, read, all'],
    ["allow publish, read a", 15, '"" is none of publish, subscribe, read, all'],
    ["deny read ", 10, "a Topic Filter is missing"],
    ['deny read ""', 11, "the Topic Filter is empty"],
    ["deny read a/#/b", 11, `${filter} # is not the whole last level`],
    ["deny read a/b+", 11, `${filter} + does not occupy an entire level`],
    ["deny read a/+%u", 11, `${filter} + does not occupy an entire level`],
    ["deny read a/b%d", 14, '"%d" is none of %u, %c and %%, which is a percent sign'],
    ["deny read a/b%", 14, '"%" is none of %u, %c and %%, which is a percent sign'],
    ["deny read a/%u%c", 15, "a level holds two substitutions"],
    ["deny read a\u0007b", 12, "the Topic Filter contains a control character"],
    ["deny read a\u202eb", 12, "the Topic Filter contains a control character"],
    ["deny read " + "a/".repeat(128), 11, "the Topic Filter has more than 128 levels"],
    ["deny read " + "a".repeat(9_000), 8_193, "the line is longer than 8192 characters"],
    ['deny read "a" b', 14, "something stands behind the quotation mark"],
    ['deny read "a\\x"', 11, "the text in quotation marks is not written as in JSON"],
    ["user", 5, "user wants a name"],
    ['user "a', 6, "the quotation mark is never closed"],
    ['user a"b', 6, "a quotation mark stands inside a word"],
    ['user a ""', 8, "the name is empty or contains a control character"],
    ["everyone else", 10, "nothing may follow here"],
    ["members", 8, "the name of a group is missing"],
    ["members g2 alice", 12, '"alice" is none of user, client, certificate'],
    ["use x", 5, 'unknown template "x"; known: there are none'],
  ];
  const found = mistakes(["everyone", ...cases.map(([line]) => line)].join("\n"));
  const wanted = cases.map(([, column, message], i) => [i + 2, column, message]);
  const last = found.pop();
  assertEquals(found, wanted as typeof found);
  assertEquals(last, [28, 9, 'no line "group g2" gives rules to this group']);
});

Deno.test("a rule before the first section is for nobody, and said so", () => {
  const message = "it is not said whom the rule is for: user, group, …, or everyone";
  assertEquals(mistakes("allow read a"), [[1, 1, message]]);
});

Deno.test("a group has members and rules, or its name is a slip of the pen", () => {
  assertEquals(mistakes("group opertors\ndeny all #\nmembers operators user a"), [
    [1, 7, 'no line "members opertors" says who is in this group'],
    [3, 9, 'no line "group operators" gives rules to this group'],
  ]);
});

Deno.test("a file that is too long, too rich or of another kind is refused with few words", () => {
  assertEquals(mistakes("#".repeat(ACCESS_FILE_LENGTH_MAX + 1)).length, 1);
  assertEquals(mistakes("{}\n".repeat(5_000)).length, 101);
  const names = Array.from({ length: 1_000 }, (_, i) => `u${i}`).join(" ");
  const crowd = `user ${names}\n` + "allow read a\n".repeat(201);
  assertEquals(mistakes(crowd), [[202, 12, "there are more than 200000 rules"]]);
});

Deno.test("a subscription of which nothing can ever be read is worth a warning", () => {
  const parsed = AccessRules.parse(
    "everyone\nallow subscribe a/#\nallow subscribe,read b/%u\nallow subscribe b/+/c\nallow subscribe #",
  );
  assert(parsed.ok);
  assertEquals(parsed.value.warnings().map(({ line }) => line), [2, 4]);
});
