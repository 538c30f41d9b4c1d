/** Topic Filters of all sessions as a tree of topic levels, and the matching of section 4.7. */
import type { Qos, TopicFilter, TopicName } from "../mqtt/mod.ts";

/** A level of a filter. Levels are chosen by clients, hence `Map` and never a plain object. */
interface TrieNode<S> {
  readonly parent: TrieNode<S> | null;
  readonly level: string;
  children: Map<string, TrieNode<S>> | null;
  /** Who subscribes to the filter that ends here. */
  subscribers: Map<S, Qos> | null;
}

/** Subscribers by Topic Filter. `S` is whatever stands for a subscriber, compared by identity. */
export class TopicTrie<S> {
  readonly #root: TrieNode<S> = makeNode<S>(null, "");
  /** Grows with every change: what was matched under another generation is stale. */
  generation = 0;

  /** What was matched until now is stale, although no subscription has changed. */
  touch(): void {
    this.generation++;
  }
  /** Number of subscriptions. */
  size = 0;
  /** Levels held, long ones counted more than once: what the memory of the tree goes with. */
  levels = 0;

  /** Adds or replaces a subscription; gives whether it is new. [MQTT-3.8.4-3] */
  add(filter: TopicFilter, subscriber: S, qos: Qos): boolean {
    let node = this.#root;
    for (const level of filter.split("/")) {
      const children = node.children ??= new Map();
      let child = children.get(level);
      if (child === undefined) {
        child = makeNode(node, level);
        children.set(level, child);
        this.levels += weight(level);
      }
      node = child;
    }
    const subscribers = node.subscribers ??= new Map();
    const known = subscribers.get(subscriber);
    if (known === qos) return false;
    const isNew = known === undefined;
    subscribers.set(subscriber, qos);
    if (isNew) this.size++;
    this.generation++;
    return isNew;
  }

  /** Removes a subscription, compared character by character. [MQTT-3.10.4-1] */
  remove(filter: TopicFilter, subscriber: S): boolean {
    let node: TrieNode<S> | undefined = this.#root;
    for (const level of filter.split("/")) {
      node = node.children?.get(level);
      if (node === undefined) return false;
    }
    if (node.subscribers?.delete(subscriber) !== true) return false;
    this.size--;
    this.generation++;
    this.levels -= prune(node);
    return true;
  }

  /**
   * Calls `found` for every subscription that matches; a subscriber with overlapping filters is
   * reported once for each.
   */
  match(topic: TopicName, found: (subscriber: S, qos: Qos) => void): void {
    const levels = topic.split("/");
    // Filters that begin with a wildcard do not match $-topics. [MQTT-4.7.2-1]
    matchLevel(this.#root, { levels, found, wildcards: !topic.startsWith("$") }, 0);
  }
}

interface Match<S> {
  readonly levels: readonly string[];
  readonly found: (subscriber: S, qos: Qos) => void;
  /** Whether wildcards count on the first level. */
  readonly wildcards: boolean;
}

function matchLevel<S>(node: TrieNode<S>, match: Match<S>, depth: number): void {
  const wildcards = depth > 0 || match.wildcards;
  const children = node.children;
  // "sport/#" also matches "sport": # stands for the parent level and any number below it.
  if (wildcards && children !== null) report(children.get("#"), match);
  if (depth === match.levels.length) {
    report(node, match);
    return;
  }
  if (children === null) return;
  const exact = children.get(match.levels[depth]!);
  if (exact !== undefined) matchLevel(exact, match, depth + 1);
  if (!wildcards) return;
  const plus = children.get("+");
  if (plus !== undefined) matchLevel(plus, match, depth + 1);
}

function report<S>(node: TrieNode<S> | undefined, match: Match<S>): void {
  if (node === undefined || node.subscribers === null) return;
  for (const [subscriber, qos] of node.subscribers) match.found(subscriber, qos);
}

function makeNode<S>(parent: TrieNode<S> | null, level: string): TrieNode<S> {
  return { parent, level, children: null, subscribers: null };
}

/** How many levels this one counts for. */
function weight(level: string): number {
  return 1 + Math.floor(level.length / 64);
}

/** Drops nodes that hold nothing any more, upwards; gives the levels that are gone. */
function prune<S>(from: TrieNode<S>): number {
  let node = from;
  let levels = 0;
  if (node.subscribers !== null && node.subscribers.size === 0) node.subscribers = null;
  while (node.parent !== null && node.subscribers === null && node.children === null) {
    const parent: TrieNode<S> = node.parent;
    parent.children!.delete(node.level);
    levels += weight(node.level);
    if (parent.children!.size === 0) parent.children = null;
    node = parent;
  }
  return levels;
}
