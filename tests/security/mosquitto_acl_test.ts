/** Mosquitto's `acl_file`, translated. */
import { assert, assertEquals } from "@std/assert";
import type { TopicFilter, TopicName } from "../../src/mqtt/mod.ts";
import { AccessRules, importMosquittoAcl } from "../../src/security/mod.ts";

const SOURCE = `# the example of mosquitto.conf
topic read $SYS/#

user roger
topic foo/bar
topic read  two words/x
topic deny foo/bar/%c
topic read read

# for all
pattern write sensor/%u/data
pattern deny locked/%c/#
pattern readwrite 100%/%c
`;

Deno.test("an acl_file becomes an access file that says the same", () => {
  const imported = importMosquittoAcl(SOURCE);
  assert(imported.ok, JSON.stringify(imported));
  const { text, notes } = imported.value;
  assertEquals(
    text.slice(text.indexOf("everyone")),
    `everyone
allow subscribe #
allow subscribe $SYS/#

# the example of mosquitto.conf

anonymous
allow read $SYS/#

user roger
allow publish,read foo/bar
allow read two words/x
deny publish,read foo/bar/%%c
allow read read

# for all

everyone
allow publish sensor/%u/data
deny publish,read locked/%c/#
allow publish,read 100%%/%c
`,
  );
  assertEquals(notes.map(({ line }) => line), [12, 12]);
  const parsed = AccessRules.parse(text);
  assert(parsed.ok);
  const roger = parsed.value.for({ userName: "roger", clientIdentifier: "c", certificate: null });
  assert(roger.publish("sensor/roger/data" as TopicName));
  assert(!roger.publish("sensor/other/data" as TopicName));
  assert(!roger.publish("foo/bar/%c" as TopicName));
  assert(!roger.read("$SYS/uptime" as TopicName));
  assertEquals(roger.subscribe("#" as TopicFilter, 1), 1);
});

Deno.test("every mistake in an acl_file is told by line and column", () => {
  const imported = importMosquittoAcl("topics a\ntopic reads a b\nuser\ntopic read a/#/b\ntopic");
  assert(!imported.ok);
  assertEquals(imported.diagnostics.map(({ line, column, message }) => [line, column, message]), [
    [1, 1, 'unknown word "topics"; it is none of user, topic, pattern'],
    [2, 7, '"reads" is none of read, write, readwrite, deny'],
    [3, 5, "the user name is missing or contains a control character"],
    [4, 12, "the Topic Filter is wrong: # is not the whole last level"],
    [5, 6, "the Topic Filter is empty"],
  ]);
});
