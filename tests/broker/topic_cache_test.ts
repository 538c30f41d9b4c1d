/** The cache of Topic Names: what stands round a name does not matter, and what is kept is bounded. */
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { TopicCache, TopicEntry } from "../../src/broker/topic_cache.ts";
import { concatenate } from "../support/wire_client.ts";
import { TEST_LIMITS } from "./_limits.ts";

const encoder = new TextEncoder();

function resolve(cache: TopicCache, topic: string, around = ["", ""]): TopicEntry {
  const [before, name, behind] = [around[0]!, topic, around[1]!].map((t) => encoder.encode(t));
  const source = concatenate([before!, name!, behind!]);
  const entry = cache.resolve(source, before!.length, before!.length + name!.length);
  assert(entry instanceof TopicEntry);
  return entry;
}

Deno.test("a Topic Name leads to the same entry wherever it stands in the bytes", () => {
  const cache = new TopicCache(TEST_LIMITS);
  const entry = resolve(cache, "plant/line/1");
  assertEquals(entry.name, "plant/line/1");
  for (const around of [["x", ""], ["", "y"], ["xyz", "more"], ["\x01", "\x02"]]) {
    assertStrictEquals(resolve(cache, "plant/line/1", around), entry);
  }
});

Deno.test("names that differ in one byte have entries of their own", () => {
  const cache = new TopicCache(TEST_LIMITS);
  const names = ["abc", "xbc", "axc", "abx", "ab", "abcd", "bc"];
  const entries = names.map((name) => resolve(cache, name));
  assertEquals(entries.map(({ name }) => name), names as typeof entries[0]["name"][]);
  assertEquals(new Set(entries).size, names.length);
});

Deno.test("an entry is only equal to exactly its own bytes", () => {
  const bytes = encoder.encode("abc");
  const entry = new TopicEntry(bytes, "abc" as TopicEntry["name"]);
  const source = encoder.encode("-abcd");
  assertEquals(entry.equals(source, 1, 4), true);
  assertEquals(entry.equals(source, 1, 3), false);
  assertEquals(entry.equals(source, 1, 5), false);
  assertEquals(entry.equals(source, 0, 3), false);
  for (const other of ["xbc", "axc", "abx"]) {
    assertEquals(entry.equals(encoder.encode(other), 0, 3), false, other);
  }
});

Deno.test("the cache keeps names of up to 256 bytes, and no longer one", () => {
  const cache = new TopicCache(TEST_LIMITS);
  const [short, long] = ["s".repeat(256), "l".repeat(257)];
  assertStrictEquals(resolve(cache, short), resolve(cache, short));
  assert(resolve(cache, long) !== resolve(cache, long));
});

Deno.test("many topics in use keep their entries: few share a slot", () => {
  const cache = new TopicCache(TEST_LIMITS);
  const names = Array.from({ length: 500 }, (_, i) => `plant/line-${i % 7}/sensor-${i}`);
  const entries = names.map((name) => resolve(cache, name));
  const kept = entries.filter((entry, i) => resolve(cache, names[i]!) === entry).length;
  assert(kept > 400, `${kept} of ${names.length}`);
});

Deno.test("a cleared cache judges every name anew", () => {
  const cache = new TopicCache(TEST_LIMITS);
  const entry = resolve(cache, "a/b");
  cache.clear();
  assert(resolve(cache, "a/b") !== entry);
});
