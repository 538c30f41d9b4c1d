/** Regressions: what the topic cache and the trie of filters hold at most. */
import { OPEN_ACCESS } from "../../src/broker/mod.ts";
import { assert, assertEquals, assertGreater, assertStrictEquals } from "@std/assert";
import { isProtocolError, SUBACK_FAILURE } from "../../src/mqtt/mod.ts";
import { Session } from "../../src/broker/session.ts";
import { TopicCache, type TopicEntry } from "../../src/broker/topic_cache.ts";
import { TopicTrie } from "../../src/broker/topic_trie.ts";
import { filter, payload } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import { TEST_LIMITS } from "./_limits.ts";

function resolve(cache: TopicCache, topic: string): TopicEntry {
  const bytes = payload(topic);
  const entry = cache.resolve(bytes, 0, bytes.length);
  if (isProtocolError(entry)) throw new Error(`Cannot resolve topic: ${entry.reason}`);
  return entry;
}

Deno.test("the topic cache keeps short names and no long ones", () => {
  const cache = new TopicCache(TEST_LIMITS);
  const short = "s".repeat(200);
  assertStrictEquals(resolve(cache, short), resolve(cache, short));
  const long = "l".repeat(300);
  assert(resolve(cache, long) !== resolve(cache, long));
});

Deno.test("the topic cache forgets when its entries hold too many sessions", () => {
  const cache = new TopicCache(TEST_LIMITS);
  const trie = new TopicTrie<Session>();
  for (let i = 0; i < 10_000; i++) trie.add(filter("#"), new Session(`${i}`, false), 0);
  for (let i = 0; i < 99; i++) cache.refresh(resolve(cache, `t/${i}`), trie, OPEN_ACCESS);
  const kept = resolve(cache, "t/98");
  assertEquals(kept.sessions.length, 10_000);
  assertStrictEquals(resolve(cache, "t/98"), kept);
  for (let i = 99; i < 102; i++) cache.refresh(resolve(cache, `t/${i}`), trie, OPEN_ACCESS);
  assert(resolve(cache, "t/98") !== kept);
});

Deno.test("subscribing again at the same QoS leaves what is cached of topics valid", () => {
  const trie = new TopicTrie<string>();
  trie.add(filter("a/+"), "s", 1);
  const { generation } = trie;
  assertEquals(trie.add(filter("a/+"), "s", 1), false);
  assertEquals(trie.generation, generation);
  assertEquals(trie.add(filter("a/+"), "s", 2), false);
  assertGreater(trie.generation, generation);
});

/** A filter of 16 levels that shares none with that of another number. */
function deepFilter(number: number): string {
  return `${number}` + "/a".repeat(15);
}

Deno.test("deep filters are refused when the trie has as many levels as it may [MQTT-3.9.3-2]", () => {
  const core = new Core({ limits: { subscriptionsMax: 20 } }); // 160 levels
  const client = core.connect();
  for (let i = 0; i < 10; i++) assertEquals(client.subscribe(deepFilter(i)).returnCodes, [0]);
  assertEquals(client.subscribe(deepFilter(10)).returnCodes, [SUBACK_FAILURE]);
  assertEquals(core.connect().subscribe("a").returnCodes, [SUBACK_FAILURE]);
  assertEquals(client.subscribe(deepFilter(0), 1).returnCodes, [1]); // replaces, adds no level
  assertEquals(core.statistics.subscriptions, 10);
  client.send({ type: "UNSUBSCRIBE", packetId: 1, filters: [filter(deepFilter(0))] });
  client.take("UNSUBACK");
  assertEquals(client.subscribe(deepFilter(10)).returnCodes, [0]);
});

Deno.test("a client that leaves frees the levels of its filters", () => {
  const core = new Core({ limits: { subscriptionsMax: 20 } });
  for (let round = 0; round < 5; round++) {
    const client = core.connect();
    for (let i = 0; i < 10; i++) assertEquals(client.subscribe(deepFilter(i)).returnCodes, [0]);
    client.lose();
  }
  assertEquals(core.statistics.subscriptions, 0);
});

Deno.test("long levels count for more than one, and are given back as they were counted", () => {
  const trie = new TopicTrie<string>();
  const long = filter("x".repeat(640) + "/y");
  trie.add(long, "s", 0);
  assertGreater(trie.levels, 10);
  trie.remove(long, "s");
  assertEquals(trie.levels, 0);
});
