/** Retained messages as a tree of topic levels (sections 3.3.1.3 and 4.7). */
import type { TopicFilter, TopicName } from "../mqtt/mod.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Message } from "./message.ts";
import { isPassingTopic, isSparkplugTree } from "./server_topics.ts";

/** What retained messages take together. */
interface RetainedAccount {
  /** Number of messages. */
  count: number;
  /** Bytes of their Topic Names and payloads, and of the tree that holds them. */
  bytes: number;
}

/** Moments on the age clock, in s, in their order. */
type Ages = Map<TopicName, number>;

/** A topic, and when its message was retained. */
interface RetainedAge {
  readonly topic: TopicName;
  readonly atS: number;
}

interface RetainedNode {
  children: Map<string, RetainedNode> | null;
  message: Message | null;
  /** Number of the message, in the order in which messages were retained. */
  sequence: number;
  /** Where it counts; null where the server makes its messages anew all the time. */
  readonly account: RetainedAccount | null;
}

/** Levels of topics that stand below the same ones, by their names. */
export type RetainedLevels = ReadonlyMap<string, {
  /** Null where there are no deeper ones. */
  readonly children: RetainedLevels | null;
  /** What is retained on the topic that ends here. */
  readonly message: Message | null;
}>;

/** Memory that one level of a topic costs, in bytes, as measured. */
const NODE_BYTES = 230;

/**
 * The last retained message of every topic. Those of the server itself (`$SYS`) are not counted: its
 * clients' limits are not for them. Certificates have an account of their own.
 */
export class RetainedMessages {
  readonly #root: RetainedNode = { children: null, message: null, sequence: 0, account: null };
  /** When each topic was retained, oldest first; null if nobody wants to know. */
  readonly #ages: Ages | null;
  readonly #certificateAges: Ages | null;
  #sequence = 0;
  /** What clients retained. */
  readonly published: RetainedAccount = { count: 0, bytes: 0 };
  /** The births that the server keeps. */
  readonly certificates: RetainedAccount = { count: 0, bytes: 0 };

  /** Whether `oldest` will be asked, and whether `oldestCertificate` will. */
  constructor(
    { ordered, orderedCertificates = false }: { ordered: boolean; orderedCertificates?: boolean },
  ) {
    this.#ages = ordered ? new Map() : null;
    this.#certificateAges = orderedCertificates ? new Map() : null;
  }

  /** With what these limits ask for. */
  static within(limits: BrokerLimits): RetainedMessages {
    const { retainedExpiryMs, retainedFull, certificatesExpiryMs } = limits;
    return new RetainedMessages({
      ordered: retainedExpiryMs > 0 || retainedFull === "drop_oldest",
      orderedCertificates: certificatesExpiryMs > 0,
    });
  }

  /** The topic that a client retained first, and when; null if there is none. */
  oldest(): RetainedAge | null {
    return firstOf(this.#ages);
  }

  /** The certificate that was kept first, and when; null if there is none. */
  oldestCertificate(): RetainedAge | null {
    return firstOf(this.#certificateAges);
  }

  /** The retained message of a topic, or null. */
  get(topic: TopicName): Message | null {
    let node: RetainedNode | undefined = this.#root;
    for (const level of topic.split("/")) {
      node = node.children?.get(level);
      if (node === undefined) return null;
    }
    return node.message;
  }

  /** What a message would count in bytes if it were the only one. */
  bytesAlone(topic: TopicName, message: Message): number {
    return message.size + topic.split("/").length * NODE_BYTES;
  }

  /** Bytes that the tree would grow by for this topic. */
  growth(topic: TopicName): number {
    let node: RetainedNode | undefined = this.#root;
    let levels = 0;
    for (const level of topic.split("/")) {
      node = node?.children?.get(level);
      if (node === undefined) levels++;
    }
    return levels * NODE_BYTES;
  }

  /**
   * Stores or replaces the message of a topic. The message must own its memory (`detach`). `atS`: the
   * time, which is not before that of any other.
   */
  set(topic: TopicName, message: Message, atS: number): void {
    const account = this.#accountOf(topic);
    const ages = this.#agesOf(account);
    ages?.delete(topic);
    ages?.set(topic, atS);
    let node = this.#root;
    for (const level of topic.split("/")) {
      const children = node.children ??= new Map();
      let child = children.get(level);
      if (child === undefined) {
        child = { children: null, message: null, sequence: 0, account };
        children.set(level, child);
        if (account !== null) account.bytes += NODE_BYTES;
      }
      node = child;
    }
    if (account !== null) {
      if (node.message === null) account.count++;
      account.bytes += message.size - (node.message?.size ?? 0);
    }
    node.message = message;
    node.sequence = ++this.#sequence;
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
    const account = this.#accountOf(topic);
    this.#agesOf(account)?.delete(topic);
    if (account !== null) {
      account.count--;
      account.bytes -= node.message.size;
    }
    node.message = null;
    for (let depth = levels.length; depth > 0; depth--) {
      const child = path[depth]!;
      if (child.message !== null || child.children !== null) break;
      const siblings = path[depth - 1]!.children!;
      siblings.delete(levels[depth - 1]!);
      if (child.account !== null) child.account.bytes -= NODE_BYTES;
      if (siblings.size === 0) path[depth - 1]!.children = null;
    }
    return true;
  }

  /**
   * Walks the retained messages whose topic matches, node by node: null stands for a node without
   * one, so that the caller can stop and go on later. The tree may change between two steps; what is
   * retained after this call is left out, unless it is in `scope.missed`. [MQTT-3.3.1-6]
   */
  matching(filter: TopicFilter, scope: WalkScope = this.scope()): Generator<Message | null, void> {
    return walk(this.#root, { levels: filter.split("/"), scope }, 0);
  }

  /** The levels right below these, live; null if there are none. */
  below(levels: readonly string[]): RetainedLevels | null {
    let node: RetainedNode | undefined = this.#root;
    for (const level of levels) node = node?.children?.get(level);
    return node?.children ?? null;
  }

  #accountOf(topic: TopicName): RetainedAccount | null {
    if (isPassingTopic(topic)) return null;
    return isSparkplugTree(topic) ? this.certificates : this.published;
  }

  #agesOf(account: RetainedAccount | null): Ages | null {
    if (account === this.published) return this.#ages;
    return account === this.certificates ? this.#certificateAges : null;
  }

  /** The messages that are retained now. */
  scope(): WalkScope {
    return { until: this.#sequence, missed: null };
  }
}

/** What a walk reports. */
export interface WalkScope {
  /** The number of the youngest message. */
  readonly until: number;
  /** Younger messages that count nevertheless. */
  missed: WeakSet<Message> | null;
}

function firstOf(ages: Ages | null): RetainedAge | null {
  const first = ages?.entries().next().value;
  return first === undefined ? null : { topic: first[0], atS: first[1] };
}

interface Walk {
  readonly levels: readonly string[];
  readonly scope: WalkScope;
}

function* walk(node: RetainedNode, search: Walk, depth: number): Generator<Message | null, void> {
  const level = search.levels[depth];
  const isLast = level === undefined || level === "#";
  const counts = isLast && inScope(node, search.scope);
  yield counts ? node.message : null;
  if (level === undefined || node.children === null) return;
  if (level !== "#" && level !== "+") {
    const child = node.children.get(level);
    if (child !== undefined) yield* walk(child, search, depth + 1);
    return;
  }
  for (const [name, child] of node.children) {
    if (depth === 0 && name.startsWith("$")) continue; // [MQTT-4.7.2-1]
    yield* level === "#" ? walkAll(child, search.scope) : walk(child, search, depth + 1);
  }
}

function inScope({ message, sequence }: RetainedNode, scope: WalkScope): boolean {
  if (message === null) return false;
  return sequence <= scope.until || scope.missed?.has(message) === true;
}

function* walkAll(node: RetainedNode, scope: WalkScope): Generator<Message | null, void> {
  yield inScope(node, scope) ? node.message : null;
  if (node.children === null) return;
  for (const child of node.children.values()) yield* walkAll(child, scope);
}
