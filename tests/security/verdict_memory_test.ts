/** Verdicts that the rules of clients keep: the same as the first time, in bounded memory. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import type { TopicName } from "../../src/mqtt/mod.ts";
import { type KnownVerdicts, VerdictMemory } from "../../src/security/_verdict_memory.ts";
import { AccessRules, type ClientRules } from "../../src/security/mod.ts";

function client(text: string, clientIdentifier: string): ClientRules {
  const parsed = AccessRules.parse(text);
  assert(parsed.ok);
  return parsed.value.for({ userName: null, clientIdentifier, certificate: null });
}

Deno.test("publish and read of one topic are told apart, whichever is asked first", () => {
  for (const [allowed, refused] of [["publish", "read"], ["read", "publish"]] as const) {
    for (const order of [[allowed, refused], [refused, allowed]] as const) {
      const rules = client(`everyone\nallow ${allowed} t\n`, "c");
      for (const operation of [...order, ...order]) {
        assertEquals(rules[operation]("t" as TopicName), operation === allowed);
      }
    }
  }
});

Deno.test("clients of one file keep their verdicts apart", () => {
  const parsed = AccessRules.parse("everyone\nallow publish %c\n");
  assert(parsed.ok);
  const [a, b] = ["a", "b"].map((clientIdentifier) =>
    parsed.value.for({ userName: null, clientIdentifier, certificate: null })
  );
  for (let i = 0; i < 2; i++) {
    assertEquals(["a", "b"].map((topic) => a!.publish(topic as TopicName)), [true, false]);
    assertEquals(["a", "b"].map((topic) => b!.publish(topic as TopicName)), [false, true]);
  }
});

Deno.test("all clients together keep no more verdicts than fit, and none on long topics", () => {
  const memory = new VerdictMemory(100);
  const clients: KnownVerdicts[] = Array.from({ length: 20 }, () => new Map());
  const random = new Random(3);
  for (let i = 0; i < 10_000; i++) {
    memory.keep(random.pick(clients), `t/${random.below(500)}` as TopicName, random.below(64));
    const kept = clients.reduce((sum, verdicts) => sum + verdicts.size, 0);
    assertEquals(kept, memory.count);
    assertLessOrEqual(kept, 100);
  }
  const [first] = clients;
  memory.keep(first!, "x".repeat(300) as TopicName, 1);
  assertEquals(first!.has("x".repeat(300) as TopicName), false);
});

Deno.test("a client that tries every topic there is gets the same verdicts, kept or not", () => {
  const rules = client("everyone\nallow publish a/+/b\ndeny publish a/7/#\n", "c");
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 70_000; i++) {
      const verdict = rules.publish(`a/${i % 35_000}/${i % 2 === 0 ? "b" : "c"}` as TopicName);
      assertEquals(verdict, i % 2 === 0 && i % 35_000 !== 7);
    }
  }
});
