/** Any subscriptions and topics: trie, retained tree and matcher agree with the naive matcher. */
import { makeMessage, type Message } from "../src/broker/mod.ts";
import { RetainedMessages } from "../src/broker/retained.ts";
import { TopicTrie } from "../src/broker/topic_trie.ts";
import { type Qos, type TopicFilter, topicMatches, type TopicName } from "../src/mqtt/mod.ts";
import { naiveMatch } from "./naive_matcher.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const LEVELS = ["", "", "a", "b", "c", "$", "$SYS", "__proto__"];
const EMPTY = new Uint8Array(0);

/** One history of subscriptions and retained messages, with a few questions after each step. */
export const TOPIC_FILTER: Target = {
  name: "topic_filter",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const steps: string[] = [];
    const problem = subscriptions(random, steps) ?? retained(random, steps);
    if (problem === null) return null;
    return { problem, input: new TextEncoder().encode(steps.join("\n")) };
  },
};

/** A random valid Topic Name. */
export function randomTopic(random: Random): TopicName {
  const levels = Array.from({ length: 1 + random.below(4) }, () => random.pick(LEVELS));
  return (levels.join("/") || "/") as TopicName;
}

/** A random valid Topic Filter. */
export function randomFilter(random: Random): TopicFilter {
  const levels = Array.from(
    { length: 1 + random.below(4) },
    () => random.oneIn(3) ? "+" : random.pick(LEVELS),
  );
  if (random.oneIn(3)) levels[levels.length - 1] = "#";
  return (levels.join("/") || "/") as TopicFilter;
}

function subscriptions(random: Random, steps: string[]): string | null {
  const trie = new TopicTrie<string>();
  const model = new Map<string, { filter: TopicFilter; subscriber: string; qos: Qos }>();
  for (let step = random.below(24); step > 0; step--) {
    const filter = randomFilter(random);
    const subscriber = random.pick(["x", "y", "z"]);
    const key = `${subscriber} ${filter}`;
    if (random.oneIn(3)) {
      steps.push(`remove ${key}`);
      if (trie.remove(filter, subscriber) !== model.delete(key)) return `remove ${key} differs`;
    } else {
      const qos = random.below(3) as Qos;
      steps.push(`add ${key} ${qos}`);
      if (trie.add(filter, subscriber, qos) === model.has(key)) return `add ${key} differs`;
      model.set(key, { filter, subscriber, qos });
    }
    if (trie.size !== model.size) return `size is ${trie.size}, not ${model.size}`;
    const topic = randomTopic(random);
    steps.push(`match ${topic}`);
    if (topicMatches(filter, topic) !== naiveMatch(filter, topic)) {
      return `"${filter}" and "${topic}": topicMatches differs`;
    }
    const found: string[] = [];
    trie.match(topic, (who, qos) => found.push(`${who} ${qos}`));
    const expected = [...model.values()].filter((s) => naiveMatch(s.filter, topic))
      .map((s) => `${s.subscriber} ${s.qos}`);
    if (found.sort().join() !== expected.sort().join()) {
      return `"${topic}" matches [${found}], not [${expected}]`;
    }
  }
  for (const { filter, subscriber } of model.values()) trie.remove(filter, subscriber);
  return trie.size === 0 ? null : `size is ${trie.size} in the end`;
}

function retained(random: Random, steps: string[]): string | null {
  const tree = new RetainedMessages({ ordered: false });
  const model = new Map<TopicName, Message>();
  for (let step = random.below(24); step > 0; step--) {
    const topic = randomTopic(random);
    if (random.oneIn(3)) {
      steps.push(`clear ${topic}`);
      if (tree.delete(topic) !== model.delete(topic)) return `clear ${topic} differs`;
    } else {
      steps.push(`retain ${topic}`);
      const message = makeMessage(topic, EMPTY, 0);
      tree.set(topic, message, 0);
      model.set(topic, message);
    }
    const counted = [...model.keys()].filter((name) => !name.startsWith("$SYS/")).length;
    const { count } = tree.published;
    if (count !== counted) return `count is ${count}, not ${counted}`;
    const filter = randomFilter(random);
    steps.push(`replay ${filter}`);
    const found = new Set<Message>();
    for (const message of tree.matching(filter)) if (message !== null) found.add(message);
    const expected = [...model].filter(([name]) => naiveMatch(filter, name)).map(([, m]) => m);
    if (found.size !== expected.length || !expected.every((m) => found.has(m))) {
      return `"${filter}" replays ${found.size} messages, not ${expected.length}`;
    }
  }
  for (const topic of model.keys()) tree.delete(topic);
  const { bytes, count } = tree.published;
  return bytes === 0 && count === 0 ? null : `${bytes} bytes are left in the end`;
}
