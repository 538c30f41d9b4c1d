/** Trie and retained tree against section 4.7 word by word. */
import { assert, assertEquals } from "@std/assert";
import { makeMessage } from "../../src/broker/mod.ts";
import { RetainedMessages } from "../../src/broker/retained.ts";
import { TopicTrie } from "../../src/broker/topic_trie.ts";
import { naiveMatch } from "../../fuzz/naive_matcher.ts";
import { Random } from "../../fuzz/random.ts";
import { randomFilter, randomTopic, TOPIC_FILTER } from "../../fuzz/topic_filter.ts";
import { runTarget } from "../../fuzz/run_target.ts";
import { filter, name } from "../support/wire_client.ts";

/** Examples of section 4.7, and what they leave open. */
const EXAMPLES: readonly (readonly [string, string, boolean])[] = [
  ["sport/tennis/player1/#", "sport/tennis/player1", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking", true],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true],
  ["sport/tennis/player1/#", "sport/tennis/player12", false],
  ["sport/#", "sport", true],
  ["sport/#", "sport/", true],
  ["sport/#", "sports", false],
  ["sport/tennis/+", "sport/tennis/player1", true],
  ["sport/tennis/+", "sport/tennis/player1/ranking", false],
  ["sport/+", "sport", false],
  ["sport/+", "sport/", true],
  ["+/+", "/finance", true],
  ["/+", "/finance", true],
  ["+", "/finance", false],
  ["#", "/", true],
  ["#", "a/b/c", true],
  ["+/#", "a", true],
  ["#", "$SYS/x", false],
  ["+/monitor/Clients", "$SYS/monitor/Clients", false],
  ["$SYS/#", "$SYS/monitor", true],
  ["$SYS/#", "$SYS", true],
  ["$SYS/monitor/+", "$SYS/monitor/Clients", true],
  ["a/+", "a/$b", true],
  ["a/#", "a/$SYS/x", true],
  ["+/+", "$a/b", false],
  ["/#", "/", true],
  ["//", "//", true],
  ["+/+/+", "//", true],
  ["ACCOUNTS", "Accounts", false],
  ["__proto__", "__proto__", true],
  ["constructor", "toString", false],
];

for (const [topicFilter, topic, expected] of EXAMPLES) {
  Deno.test(`"${topicFilter}" ${expected ? "matches" : "does not match"} "${topic}"`, () => {
    assertEquals(naiveMatch(topicFilter, topic), expected);
    const trie = new TopicTrie<string>();
    trie.add(filter(topicFilter), "s", 1);
    const found: number[] = [];
    trie.match(name(topic), (_subscriber, qos) => found.push(qos));
    assertEquals(found, expected ? [1] : []);
    const retained = new RetainedMessages({ ordered: false });
    retained.set(name(topic), makeMessage(topic, new Uint8Array(1), 0), 0);
    let replayed = 0;
    for (const message of retained.matching(filter(topicFilter))) if (message !== null) replayed++;
    assertEquals(replayed, expected ? 1 : 0);
  });
}

Deno.test("the trie agrees with the naive matcher on 200,000 random pairs [MQTT-4.7.2-1]", () => {
  const random = new Random(4711);
  let matches = 0;
  for (let round = 0; round < 200; round++) {
    const trie = new TopicTrie<string>();
    const filters = [...new Set(Array.from({ length: 25 }, () => randomFilter(random)))];
    for (const f of filters) trie.add(f, f, 0);
    for (let question = 0; question < 50; question++) {
      const topic = randomTopic(random);
      const found: string[] = [];
      trie.match(topic, (subscriber) => found.push(subscriber));
      const expected = filters.filter((f) => naiveMatch(f, topic));
      assertEquals(found.sort(), expected.sort(), topic);
      matches += found.length;
    }
  }
  assert(matches > 10_000);
});

Deno.test("random histories of trie and retained tree agree with a naive list and end empty", () => {
  const report = runTarget(TOPIC_FILTER, { seed: 99, inputs: 4_000, seconds: 60 });
  assertEquals(report.failure, null);
  assertEquals(report.inputs, 4_000);
});

Deno.test("a subscription that is replaced counts once and keeps the new QoS [MQTT-3.8.4-3]", () => {
  const trie = new TopicTrie<string>();
  assertEquals(trie.add(filter("a/+"), "s", 0), true);
  assertEquals(trie.add(filter("a/+"), "s", 2), false);
  assertEquals(trie.size, 1);
  const found: number[] = [];
  trie.match(name("a/b"), (_s, qos) => found.push(qos));
  assertEquals(found, [2]);
});

Deno.test("removing compares filters by character and changes nothing where none is [MQTT-3.10.4-1]", () => {
  const trie = new TopicTrie<string>();
  trie.add(filter("a/b"), "s", 0);
  const { generation } = trie;
  for (const other of ["a/+", "a/#", "a", "a/b/", "A/b", "a/b/c"]) {
    assertEquals(trie.remove(filter(other), "s"), false, other);
  }
  assertEquals(trie.remove(filter("a/b"), "t"), false);
  assertEquals([trie.size, trie.generation], [1, generation]);
});

Deno.test("every change of the trie makes older matches stale", () => {
  const trie = new TopicTrie<string>();
  const seen = new Set([trie.generation]);
  trie.add(filter("a"), "s", 0);
  seen.add(trie.generation);
  trie.add(filter("a"), "s", 1);
  seen.add(trie.generation);
  trie.remove(filter("a"), "s");
  seen.add(trie.generation);
  assertEquals(seen.size, 4);
});
