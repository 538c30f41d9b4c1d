/** Retained messages as a tree of topic levels (sections 3.3.1.3 and 4.7). */
import type { TopicFilter, TopicName } from "../mqtt/mod.ts";
import type { Message } from "./message.ts";

interface RetainedNode {
  children: Map<string, RetainedNode> | null;
  message: Message | null;
  /** Number of the message, in the order in which messages were retained. */
  sequence: number;
}

/** The last retained message of every topic. */
export class RetainedMessages {
  readonly #root: RetainedNode = { children: null, message: null, sequence: 0 };
  #sequence = 0;
  /** Number of retained messages. */
  count = 0;
  /** Bytes of their Topic Names and payloads. */
  bytes = 0;

  /** The retained message of a topic, or null. */
  get(topic: TopicName): Message | null {
    let node: RetainedNode | undefined = this.#root;
    for (const level of topic.split("/")) {
      node = node.children?.get(level);
      if (node === undefined) return null;
    }
    return node.message;
  }

  /** Stores or replaces the message of a topic. The message must own its memory (`detach`). */
  set(topic: TopicName, message: Message): void {
    let node = this.#root;
    for (const level of topic.split("/")) {
      const children = node.children ??= new Map();
      let child = children.get(level);
      if (child === undefined) {
        child = { children: null, message: null, sequence: 0 };
        children.set(level, child);
      }
      node = child;
    }
    if (node.message === null) this.count++;
    else this.bytes -= node.message.size;
    node.message = message;
    node.sequence = ++this.#sequence;
    this.bytes += message.size;
  }

  /** Removes the message of a topic; gives whether there was one. [MQTT-3.3.1-10] */
  delete(topic: TopicName): boolean {
    const path: RetainedNode[] = [this.#root];
    const levels = topic.split("/");
    for (const level of levels) {
      const next = path[path.length - 1]!.children?.get(level);
      if (next === undefined) return false;
      path.push(next);
    }
    const node = path[path.length - 1]!;
    if (node.message === null) return false;
    this.count--;
    this.bytes -= node.message.size;
    node.message = null;
    for (let depth = levels.length; depth > 0; depth--) {
      const child = path[depth]!;
      if (child.message !== null || child.children !== null) break;
      const siblings = path[depth - 1]!.children!;
      siblings.delete(levels[depth - 1]!);
      if (siblings.size === 0) path[depth - 1]!.children = null;
    }
    return true;
  }

  /**
   * The retained messages whose topic matches, one by one. Messages that are retained after this
   * call are left out; the tree may change between two steps. [MQTT-3.3.1-6]
   */
  matching(filter: TopicFilter): Generator<Message, void> {
    return walk(this.#root, { levels: filter.split("/"), until: this.#sequence }, 0);
  }
}

interface Walk {
  readonly levels: readonly string[];
  /** The number of the youngest message that counts. */
  readonly until: number;
}

function* walk(node: RetainedNode, search: Walk, depth: number): Generator<Message, void> {
  const level = search.levels[depth];
  const isLast = level === undefined || level === "#";
  if (isLast && node.message !== null && node.sequence <= search.until) yield node.message;
  if (level === undefined || node.children === null) return;
  if (level !== "#" && level !== "+") {
    const child = node.children.get(level);
    if (child !== undefined) yield* walk(child, search, depth + 1);
    return;
  }
  for (const [name, child] of node.children) {
    if (depth === 0 && name.startsWith("$")) continue; // [MQTT-4.7.2-1]
    yield* level === "#" ? walkAll(child, search.until) : walk(child, search, depth + 1);
  }
}

function* walkAll(node: RetainedNode, until: number): Generator<Message, void> {
  if (node.message !== null && node.sequence <= until) yield node.message;
  if (node.children === null) return;
  for (const child of node.children.values()) yield* walkAll(child, until);
}
