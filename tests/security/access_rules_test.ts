/** What an access file allows: default deny, deny wins, substitution, subscriptions, explanations. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ACCESS_RULES } from "../../fuzz/access_rules.ts";
import { runTarget } from "../../fuzz/run_target.ts";
import type { TopicFilter, TopicName } from "../../src/mqtt/mod.ts";
import {
  AccessRules,
  type ClientIdentity,
  type ClientRules,
  type Operation,
  type RuleTemplates,
} from "../../src/security/mod.ts";

const NOBODY: ClientIdentity = { userName: null, clientIdentifier: "c", certificate: null };

function rules(text: string, identity: Partial<ClientIdentity> = {}): ClientRules {
  const parsed = AccessRules.parse(text);
  assert(parsed.ok, JSON.stringify(parsed));
  return parsed.value.for({ ...NOBODY, ...identity });
}

/** Whether verdict and explanation allow it; they must not differ. */
function allows(client: ClientRules, operation: Operation, topic: string): boolean {
  const { allowed } = client.explain(operation, topic as TopicFilter);
  const verdict = operation === "subscribe"
    ? client.subscribe(topic as TopicFilter, 2) === 2
    : client[operation](topic as TopicName);
  assertStrictEquals(verdict, allowed);
  return verdict;
}

Deno.test("compiled rules agree with the naive evaluator and with every topic tried", () => {
  const report = runTarget(ACCESS_RULES, { seed: 7, inputs: 1_500, seconds: 60 });
  assertEquals(report.failure, null);
});

Deno.test("what no rule allows is denied, to everybody and for each operation", () => {
  for (const text of ["", "everyone\nallow read a", "user x\nallow all #"]) {
    const client = rules(text);
    assert(!allows(client, "publish", "a"));
    assert(!allows(client, "subscribe", "a"));
    assert(!allows(client, "read", "b"));
  }
});

Deno.test("each operation has rules of its own", () => {
  const client = rules("everyone\nallow publish p/#\nallow subscribe,read s/#\nallow all a");
  const answers: [string, boolean[]][] = [
    ["p/1", [true, false, false]],
    ["s/1", [false, true, true]],
    ["a", [true, true, true]],
  ];
  for (const [topic, wanted] of answers) {
    const operations: Operation[] = ["publish", "subscribe", "read"];
    assertEquals(operations.map((operation) => allows(client, operation, topic)), wanted);
  }
});

Deno.test("a rule that denies wins, whatever the order and however special the other is", () => {
  for (
    const lines of [["allow all plant/a/b", "deny all plant/#"], ["deny all #", "allow all #"]]
  ) {
    for (const order of [lines, lines.toReversed()]) {
      const client = rules(["everyone", ...order].join("\n"));
      assert(!allows(client, "publish", "plant/a/b"));
      assert(!allows(client, "subscribe", "plant/a/b"));
    }
  }
  const group = "members g user x\ngroup g\ndeny publish a\nuser x\nallow all #";
  assert(!allows(rules(group, { userName: "x" }), "publish", "a"));
});

Deno.test("rules are for whom their section names, and for nobody else", () => {
  const cases: [string, Partial<ClientIdentity>, Partial<ClientIdentity>][] = [
    ["user alice", { userName: "alice" }, { userName: "Alice", clientIdentifier: "alice" }],
    ['user bob "karl otto"', { userName: "karl otto" }, { userName: "karl" }],
    ["client c1", { clientIdentifier: "c1" }, { userName: "c1", certificate: "c1" }],
    ["certificate gw", { certificate: "gw" }, { userName: "gw", clientIdentifier: "gw" }],
    ["anonymous", {}, { userName: "" }],
    ["anonymous", {}, { certificate: "gw" }],
    ["authenticated", { userName: "x" }, {}],
    ["authenticated", { certificate: "x" }, { clientIdentifier: "x" }],
    ["members g user x\ngroup g", { userName: "x" }, { clientIdentifier: "x" }],
    ["members g certificate x\ngroup g", { certificate: "x" }, { userName: "x" }],
    ["members g client x\nmembers g\ngroup g", { clientIdentifier: "x" }, { userName: "x" }],
    ["user __proto__", { userName: "__proto__" }, { userName: "constructor" }],
  ];
  for (const [section, member, other] of cases) {
    const text = `${section}\n  allow publish t`;
    assert(allows(rules(text, member), "publish", "t"), section);
    assert(!allows(rules(text, other), "publish", "t"), section);
  }
});

Deno.test("%u and %c stand for one level or a part of it, and %% for a percent sign", () => {
  const text = "everyone\nallow publish u/%u/#\nallow publish c/gw-%c-1\nallow publish 100%%/x";
  const client = rules(text, { userName: "alice", clientIdentifier: "7" });
  for (const topic of ["u/alice", "u/alice/x", "c/gw-7-1", "100%/x"]) {
    assert(allows(client, "publish", topic), topic);
  }
  for (const topic of ["u/%u", "u/bob", "u", "c/gw-8-1", "c/gw-7-1/x", "100%%/x"]) {
    assert(!allows(client, "publish", topic), topic);
  }
});

Deno.test("a substituted value never widens what a rule allows", () => {
  for (const value of ["+", "#", "a/b", "a+", "/", "", "+/#"]) {
    const client = rules("everyone\nallow all u/%u/#\nallow all %c/#", {
      userName: value,
      clientIdentifier: value,
    });
    for (const topic of ["u", "u/a", "u/", "u//", "u/a/b", "a/b", "a", "/", "$SYS/x"]) {
      for (const operation of ["publish", "subscribe", "read"] as const) {
        assert(!allows(client, operation, topic), `${value}: ${operation} ${topic}`);
      }
    }
    for (const filter of ["u/+", "u/#", "#", "+/#", "u/+/#", "a/+"]) {
      assert(!allows(client, "subscribe", filter), `${value}: ${filter}`);
    }
  }
  const server = rules("everyone\nallow all %c/#\nallow all $SYS/%c", { clientIdentifier: "$SYS" });
  assert(!allows(server, "read", "$SYS/broker"));
  assert(allows(server, "read", "$SYS/$SYS"));
});

Deno.test("a substituted value never narrows what a rule denies", () => {
  const text = "everyone\nallow all #\nallow all $SYS/#\ndeny all locked/%u/state\ndeny read %c/#";
  for (const value of ["+", "a/b", "", "$SYS/broker"]) {
    const client = rules(text, { userName: value, clientIdentifier: value });
    assert(!allows(client, "publish", "locked/a/b/state"), value);
    assert(!allows(client, "publish", "locked/a"), value);
    assert(allows(client, "publish", "locked"), value);
    assert(!allows(client, "read", "a/b"), value);
    assert(!allows(client, "read", "$SYS/broker"), value);
  }
  const plain = rules(text, { userName: "a", clientIdentifier: "$SYS" });
  assert(!allows(plain, "publish", "locked/a/state"));
  assert(allows(plain, "publish", "locked/b/state"));
  assert(!allows(plain, "read", "$SYS/broker"));
});

Deno.test("a subscription is granted only if every topic it matches is allowed", () => {
  const cases: [string[], string, boolean][] = [
    [["allow a/#"], "a", true],
    [["allow a/#"], "a/#", true],
    [["allow a/#"], "a/+/b", true],
    [["allow a/#"], "+/b", false],
    [["allow a/#"], "#", false],
    [["allow a/+"], "a/+", true],
    [["allow a/+"], "a/#", false],
    [["allow a/+"], "a/", true],
    [["allow #"], "+/+", true],
    [["allow #"], "$SYS/#", false],
    [["allow $SYS/#"], "$SYS/a", true],
    [["allow +/#"], "#", true],
    [["allow +", "allow +/+/#"], "#", true],
    [["allow a", "allow a/+/#"], "a/#", true],
    [["allow a/+/#"], "a/#", false],
    [["allow a", "allow a/+/+/#"], "a/#", false],
    [["allow a/b", "allow a/c"], "a/+", false],
    [["allow #", "deny a/b"], "a/+", false],
    [["allow #", "deny a/b"], "+/c", true],
    [["allow #", "deny a/b"], "#", false],
    [["allow #", "deny a/+/c"], "a/b/+", false],
    [["allow #", "deny a/+/c"], "a/b", true],
    [["allow #", "deny a/#"], "+", false],
    [["allow #", "deny +/x"], "a/x/b", true],
    [["allow #", "deny $SYS/#"], "#", true],
    [["allow $SYS/#", "deny +/secret"], "$SYS/#", true],
  ];
  for (const [lines, filter, granted] of cases) {
    const text = lines.map((line) => line.replace(" ", " subscribe ")).join("\n");
    const client = rules(`everyone\n${text}`);
    assertEquals(allows(client, "subscribe", filter), granted, `${lines}: ${filter}`);
    assertEquals(client.subscribe(filter as TopicFilter, 0), granted ? 0 : null);
  }
});

Deno.test("who may subscribe to more than he may read is to have deliveries filtered", () => {
  const client = rules("everyone\nallow subscribe #\nallow read plant/#\ndeny read plant/secret/#");
  assertEquals(client.subscribe("#" as TopicFilter, 1), 1);
  assert(allows(client, "read", "plant/a"));
  assert(!allows(client, "read", "plant/secret/a"));
});

Deno.test("an explanation names the deciding rule, its line and whom it is for", () => {
  const text = `# plant
members ops user alice
group ops
allow publish,read plant/#
deny read plant/%u/#
everyone
allow subscribe a
allow subscribe a/+/#`;
  const client = rules(text, { userName: "alice" });
  const reasons: [Operation, string, string, number | null][] = [
    ["publish", "plant/x", "allowed by line 4: allow publish,read plant/# (group ops)", 4],
    ["read", "plant/alice", "denied by line 5: deny read plant/%u/# (group ops)", 5],
    ["publish", "x", "denied: no rule allows it", null],
    ["subscribe", "#", "denied: no rule allows all that the filter matches", null],
    ["subscribe", "a/#", "allowed by line 7: allow subscribe a (everyone)", 7],
  ];
  for (const [operation, topic, reason, line] of reasons) {
    const said = client.explain(operation, topic as TopicFilter);
    assertEquals([said.reason, said.rule?.line ?? null], [reason, line]);
  }
});

Deno.test("use stands for the rules of a template, each told by the line that uses it", () => {
  const templates: RuleTemplates = new Map([["sparkplug-node", {
    parameters: ["GROUP", "NODE"],
    expand: ([group = "", node = ""]) =>
      group.includes("#") ? { problem: "GROUP is no group" } : [
        { action: "allow", operations: ["publish"], filter: `spBv1.0/${group}/+/${node}/#` },
        { action: "allow", operations: ["subscribe", "read"], filter: `spBv1.0/STATE/+` },
      ],
  }]]);
  const parsed = AccessRules.parse("user gw\nuse sparkplug-node plant %u", { templates });
  assert(parsed.ok, JSON.stringify(parsed));
  const client = parsed.value.for({ ...NOBODY, userName: "gw" });
  assert(allows(client, "publish", "spBv1.0/plant/NBIRTH/gw"));
  assert(!allows(client, "publish", "spBv1.0/plant/NBIRTH/other"));
  assert(allows(client, "subscribe", "spBv1.0/STATE/+"));
  const topic = "spBv1.0/plant/NDATA/gw" as TopicName;
  assertEquals(
    client.explain("publish", topic).reason,
    'allowed by line 2: allow publish spBv1.0/plant/+/%u/#, of "use sparkplug-node plant %u" (user gw)',
  );
  const wrong = AccessRules.parse(
    "user gw\nuse sparkplug-node a\nuse sparkplug-node # b\nuse x\nuse sparkplug-node a b#",
    { templates },
  );
  assert(!wrong.ok);
  assertEquals(wrong.diagnostics.map(({ line, column, message }) => [line, column, message]), [
    [2, 20, '1 arguments do not fit "use sparkplug-node GROUP NODE"'],
    [3, 20, "GROUP is no group"],
    [4, 5, 'unknown template "x"; known: sparkplug-node'],
    [5, 20, 'in "spBv1.0/a/+/b#/#" the Topic Filter is wrong: # is not the whole last level'],
  ]);
});

Deno.test("a verdict with many rules looks at few of them", () => {
  const lines = ["everyone"];
  for (let i = 0; i < 20_000; i++) lines.push(`allow all plant/line${i}/+/state`);
  for (let i = 0; i < 20_000; i++) lines.push(`deny all plant/line${i}/secret/#`);
  const client = rules(lines.join("\n"));
  const topic = "plant/line19999/x/state" as TopicName;
  const startedMs = performance.now();
  let allowed = 0;
  for (let i = 0; i < 20_000; i++) if (client.publish(topic)) allowed++;
  const tookMs = performance.now() - startedMs;
  assertEquals(allowed, 20_000);
  // One after the other they would take minutes.
  assert(tookMs < 5_000, `${tookMs} ms`);
});
