/**
 * The last known value of every metric (7.3): births say what there is, data changes it, deaths and
 * the ends of connections make it stale. It decides by topic and judges nobody.
 */
import { bdSeqOf } from "./birth_book.ts";
import type { Payload } from "./payload.ts";
import type { PayloadCodec } from "./payload_codec.ts";
import { contentOf, type ContentParts, decodePayload } from "./referee_parts.ts";
import type { Inflate } from "./referee_options.ts";
import { parseTopic, type SparkplugTopic } from "./topic.ts";
import { type ValueMessage, ValueReader, type ValueRoom, ValueTable } from "./value_table.ts";

/** How much is kept. */
export interface LastValuesBounds {
  readonly metricsMax: number;
  readonly bytesMax: number;
  /** Null where compressed payloads are not looked into. */
  readonly inflate: Inflate | null;
}

/** What is kept, and what is not. */
export interface ValueFigures {
  readonly metrics: number;
  readonly bytes: number;
  /** Values and metrics that found no room. */
  readonly unkept: number;
  /** Edge Nodes and Devices that were away and made room for others. */
  readonly evicted: number;
  /** Metrics that no birth knew, and messages of who was not born. */
  readonly unknown: number;
  readonly unborn: number;
  /** Messages that could not be read. */
  readonly unread: number;
}

/** An Edge Node itself, or one of its Devices. */
export class ValueScope {
  readonly node: ValueNode;
  /** Null for the Edge Node itself. */
  readonly device: string | null;
  table: ValueTable | null = null;
  alive = false;
  /** Since when it is alive, or is not, on the wall clock. */
  sinceMs = 0;
  /** Why it is not alive. */
  cause = "";
  births = 0;
  /** Whether it was given up: another one may have its place. */
  gone = false;

  constructor(node: ValueNode, device: string | null) {
    this.node = node;
    this.device = device;
  }
}

/** An Edge Node with its Devices. */
export class ValueNode {
  readonly key: string;
  readonly own: ValueScope = new ValueScope(this, null);
  readonly devices = new Map<string, ValueScope>();
  /** Whose birth it was that came last; null if that client is gone. */
  owner: object | null = null;
  /** bdSeq of its birth. */
  bdSeq: number | null = null;

  constructor(key: string) {
    this.key = key;
  }
}

/** What a scope takes besides its metrics, about. */
const SCOPE_BYTES = 1000;

/** Keeps the values of one broker. */
export class LastValues {
  readonly #parts: ContentParts;
  readonly #bounds: LastValuesBounds;
  readonly #nodes = new Map<string, ValueNode>();
  /** Scopes that are not alive, the one first that has been so for longest. */
  readonly #dead = new Set<ValueScope>();
  readonly #owned = new Map<object, Set<ValueNode>>();
  readonly #reader = new ValueReader();
  readonly #room: ValueRoom;
  #metrics = 0;
  #bytes = 0;
  #left = 0;
  #evicted = 0;
  #unborn = 0;
  #unread = 0;

  constructor(codec: PayloadCodec, bounds: LastValuesBounds) {
    this.#parts = { codec, options: bounds };
    this.#bounds = bounds;
    this.#room = {
      take: (bytes, metrics) => this.#take(bytes, metrics),
      give: (bytes, metrics) => {
        this.#bytes -= bytes;
        this.#metrics -= metrics;
      },
    };
  }

  /** What is kept now, and what was not since the start. */
  get figures(): ValueFigures {
    return {
      metrics: this.#metrics,
      bytes: this.#bytes,
      unkept: this.#left + this.#reader.unkept,
      evicted: this.#evicted,
      unknown: this.#reader.unknown,
      unborn: this.#unborn,
      unread: this.#unread,
    };
  }

  /** The Edge Node, or one of its Devices; null if nothing is known of it. */
  find(group: string, node: string, device: string | null = null): ValueScope | null {
    const found = this.#nodes.get(`${group}/${node}`);
    if (found === undefined) return null;
    return device === null ? found.own : found.devices.get(device) ?? null;
  }

  /**
   * A message that passed. Gives the scope that its topic belongs to, which the caller may keep with
   * the topic and bring along the next time.
   */
  published(
    client: object,
    topic: SparkplugTopic,
    message: ValueMessage & { readonly scope: ValueScope | null },
  ): ValueScope | null {
    const kept = message.scope;
    const scope = kept !== null && !kept.gone
      ? kept
      : this.find(topic.group, topic.node, topic.device);
    switch (topic.type) {
      case "NDATA":
      case "DDATA":
        this.#data(scope, message);
        return scope;
      case "NBIRTH":
        return this.#nbirth(client, topic, message);
      case "DBIRTH":
        return this.#dbirth(topic, message);
      case "DDEATH":
        if (scope !== null) this.#die(scope, "DDEATH", message.nowMs);
        return scope;
      case "NDEATH":
        if (scope !== null) this.#ndeath(scope.node, message);
        return scope;
      default:
        return null;
    }
  }

  /** A client is gone: who was born by it is so, too. */
  closed(client: object, nowMs: number): void {
    for (const node of this.#owned.get(client) ?? []) {
      node.owner = null;
      this.#dieAll(node, "connection closed", nowMs);
    }
    this.#owned.delete(client);
  }

  /** A Will went out. */
  willPublished(topicName: string, payload: Uint8Array, nowMs: number): void {
    const topic = parseTopic(topicName);
    if (topic?.kind !== "topic" || topic.type !== "NDEATH") return;
    const node = this.#nodes.get(`${topic.group}/${topic.node}`);
    const message = { bytes: payload, start: 0, end: payload.length, nowMs };
    if (node !== undefined) this.#ndeath(node, message);
  }

  #data(scope: ValueScope | null, message: ValueMessage): void {
    if (scope === null || !scope.alive || scope.table === null) {
      this.#unborn++;
      return;
    }
    this.#read(scope.table, message);
  }

  #nbirth(client: object, topic: SparkplugTopic, message: ValueMessage): ValueScope | null {
    const { nowMs } = message;
    const key = `${topic.group}/${topic.node}`;
    let node = this.#nodes.get(key);
    const decoded = decodePayload(this.#parts, message);
    if ("problem" in decoded) {
      this.#unread++;
      if (node !== undefined) this.#dieAll(node, "a birth that could not be read", nowMs);
      return node?.own ?? null;
    }
    if (node === undefined) {
      node = new ValueNode(key);
      if (!this.#takeScope(node.own)) return null;
      this.#nodes.set(key, node);
    }
    this.#own(client, node);
    // None of its Devices is born any more.
    for (const device of node.devices.values()) this.#die(device, "NBIRTH", nowMs);
    node.bdSeq = bdSeqOf(decoded.payload)?.value ?? null;
    this.#beBorn(node.own, decoded, message);
    return node.own;
  }

  #dbirth(topic: SparkplugTopic, message: ValueMessage): ValueScope | null {
    const node = this.#nodes.get(`${topic.group}/${topic.node}`);
    if (node === undefined || !node.own.alive) {
      this.#unborn++;
      return null;
    }
    const name = topic.device!;
    let scope = node.devices.get(name);
    const decoded = decodePayload(this.#parts, message);
    if ("problem" in decoded) {
      this.#unread++;
      if (scope !== undefined) this.#die(scope, "a birth that could not be read", message.nowMs);
      return scope ?? null;
    }
    if (scope === undefined) {
      scope = new ValueScope(node, name);
      if (!this.#takeScope(scope)) return null;
      node.devices.set(name, scope);
    }
    this.#beBorn(scope, decoded, message);
    return scope;
  }

  #beBorn(
    scope: ValueScope,
    { payload }: { readonly payload: Payload },
    message: ValueMessage,
  ): void {
    // Alive before room is made, so that it does not make room for itself.
    this.#dead.delete(scope);
    scope.alive = true;
    scope.sinceMs = message.nowMs;
    scope.cause = "";
    scope.births++;
    scope.table?.release();
    scope.table = new ValueTable(payload.metrics, this.#room);
    this.#left += scope.table.left;
    this.#read(scope.table, message);
  }

  /** An NDEATH of a session that another one has followed means nothing. */
  #ndeath(node: ValueNode, message: ValueMessage): void {
    const decoded = decodePayload(this.#parts, message);
    const bdSeq = "problem" in decoded ? null : bdSeqOf(decoded.payload);
    if (bdSeq !== null && node.bdSeq !== null && bdSeq.value !== node.bdSeq) return;
    this.#dieAll(node, "NDEATH", message.nowMs);
  }

  #dieAll(node: ValueNode, cause: string, nowMs: number): void {
    for (const device of node.devices.values()) this.#die(device, cause, nowMs);
    // Behind its Devices: who makes room for others goes in this order.
    this.#die(node.own, cause, nowMs);
  }

  #die(scope: ValueScope, cause: string, nowMs: number): void {
    if (!scope.alive) return;
    scope.alive = false;
    scope.sinceMs = nowMs;
    scope.cause = cause;
    this.#dead.add(scope);
  }

  #read(table: ValueTable, message: ValueMessage): void {
    let outcome = this.#reader.read(table, message, { mayBeCompressed: true });
    if (outcome === "compressed") {
      const content = contentOf(this.#parts, message);
      const { nowMs } = message;
      outcome = content !== null &&
        this.#reader.read(table, { ...content, nowMs }, { mayBeCompressed: false });
    }
    if (outcome === false) this.#unread++;
  }

  #own(client: object, node: ValueNode): void {
    if (node.owner === client) return;
    if (node.owner !== null) this.#owned.get(node.owner)?.delete(node);
    node.owner = client;
    let nodes = this.#owned.get(client);
    if (nodes === undefined) this.#owned.set(client, nodes = new Set());
    nodes.add(node);
  }

  #takeScope(scope: ValueScope): boolean {
    if (this.#take(SCOPE_BYTES + 4 * (scope.device ?? scope.node.key).length, 0)) return true;
    this.#left++;
    return false;
  }

  #take(bytes: number, metrics: 0 | 1): boolean {
    const { metricsMax, bytesMax } = this.#bounds;
    while (this.#bytes + bytes > bytesMax || this.#metrics + metrics > metricsMax) {
      if (!this.#evict()) return false;
    }
    this.#bytes += bytes;
    this.#metrics += metrics;
    return true;
  }

  /** Gives up who has been away for longest; false if nobody is. */
  #evict(): boolean {
    const [scope] = this.#dead;
    if (scope === undefined) return false;
    const { node } = scope;
    const gone = scope.device === null ? [...node.devices.values(), scope] : [scope];
    for (const one of gone) this.#forget(one);
    if (scope.device === null) {
      this.#nodes.delete(node.key);
      if (node.owner !== null) this.#owned.get(node.owner)?.delete(node);
    } else node.devices.delete(scope.device);
    return true;
  }

  #forget(scope: ValueScope): void {
    this.#dead.delete(scope);
    this.#evicted++;
    scope.gone = true;
    scope.table?.release();
    scope.table = null;
    this.#bytes -= SCOPE_BYTES + 4 * (scope.device ?? scope.node.key).length;
  }
}
