/** Keeps the last messages of each Edge Node with their verdicts (7.11), within bounds. */
import type { CaptureEntry } from "./capture.ts";
import type { CloseFacts } from "./referee.ts";
import type { ConnectFacts } from "./connect_judge.ts";
import type { EdgeNode, RefereeClient } from "./node_state.ts";
import type { PublishFacts } from "./referee_parts.ts";
import type { RuleName } from "./rules.ts";
import { NAMESPACE } from "./topic.ts";

/** Entries of one Edge Node. */
class NodeRecord {
  /** What left the ring and still matters for what is in it: CONNECT, subscriptions, births. */
  readonly head = new Map<string, CaptureEntry>();
  readonly ring: CaptureEntry[] = [];
  /** Messages that left the ring. */
  lost = 0;
}

/** What a client did before it was known which Edge Node it is. */
const SUBSCRIPTIONS_MAX = 256;

/** Records facts; reading them gives a capture. */
export class Recorder {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #records = new Map<string, NodeRecord>();
  #bytes = 0;
  /** Entries that were not recorded because there was no room. */
  unrecorded = 0;

  constructor(bounds: { recordedMessagesMax: number; recordedBytesMax: number }) {
    this.#entriesMax = bounds.recordedMessagesMax;
    this.#bytesMax = bounds.recordedBytesMax;
  }

  /** Bytes of the payloads that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Keys of the Edge Nodes that there are records of. */
  get nodes(): readonly string[] {
    return [...this.#records.keys()];
  }

  /** A CONNECT of an Edge Node. */
  connected(
    client: RefereeClient,
    facts: ConnectFacts,
    about: { nowMs: number; broken: readonly RuleName[] },
  ): void {
    if (client.node === null) return;
    const { will, cleanSession } = facts;
    this.#add(client.node.key, {
      kind: "connect",
      timeMs: about.nowMs,
      client: client.clientIdentifier,
      cleanSession,
      will: will === null ? null : { ...will, payload: will.payload.slice() },
      broken: [...about.broken],
    });
  }

  /** A subscription of an Edge Node. */
  subscribed(client: RefereeClient, { filter, qos }: { filter: string; qos: number }): void {
    if (client.node === null || !client.filters.has(filter)) return;
    const { clientIdentifier } = client;
    this.#add(client.node.key, { kind: "subscribe", client: clientIdentifier, filter, qos });
  }

  /** The end of a subscription. */
  unsubscribed(client: RefereeClient, filter: string): void {
    if (client.node === null) return;
    const { clientIdentifier } = client;
    this.#add(client.node.key, { kind: "unsubscribe", client: clientIdentifier, filter });
  }

  /** A message of an Edge Node, or a command to it. */
  published(
    client: RefereeClient,
    node: EdgeNode,
    about: {
      readonly facts: PublishFacts;
      readonly action: "route" | "drop" | "close";
      readonly broken: readonly RuleName[];
    },
  ): void {
    this.#add(node.key, {
      kind: "publish",
      client: client.clientIdentifier,
      ...message(about.facts),
      action: about.action,
      broken: [...about.broken],
    });
  }

  /** A Will that went out. */
  announced(node: EdgeNode, facts: PublishFacts): void {
    this.#add(node.key, { kind: "will", ...message(facts) });
  }

  /** The end of an Edge Node's connection. */
  closed(client: RefereeClient, facts: CloseFacts & { broken: readonly RuleName[] }): void {
    if (client.node === null) return;
    this.#add(client.node.key, {
      kind: "close",
      timeMs: facts.nowMs,
      client: client.clientIdentifier,
      disconnect: facts.disconnect,
      broken: [...facts.broken],
    });
  }

  /** The records of one Edge Node, oldest first. */
  entries(key: string): readonly CaptureEntry[] {
    const record = this.#records.get(key);
    if (record === undefined) return [];
    const { head, lost, ring } = record;
    if (lost === 0) return [...head.values(), ...ring];
    const [group = "", node = ""] = key.split("/");
    return [...head.values(), { kind: "gap", group, node, lost }, ...ring];
  }

  /** Forgets an Edge Node. */
  forget(key: string): void {
    const record = this.#records.get(key);
    if (record === undefined) return;
    for (const entry of [...record.head.values(), ...record.ring]) this.#bytes -= bytesOf(entry);
    this.#records.delete(key);
  }

  #add(key: string, entry: CaptureEntry): void {
    const record = this.#records.get(key) ?? new NodeRecord();
    // The order is that of the last entries, so that the first one is the least active.
    this.#records.delete(key);
    this.#records.set(key, record);
    const bytes = bytesOf(entry);
    while (this.#bytes + bytes > this.#bytesMax) {
      if (record.ring.length > 0) this.#retire(record);
      else if (this.#records.size > 1) this.forget(this.#records.keys().next().value!);
      else {
        this.unrecorded++;
        record.lost++;
        return;
      }
    }
    this.#bytes += bytes;
    record.ring.push(entry);
    if (record.ring.length > this.#entriesMax) this.#retire(record);
  }

  /** Takes the oldest entry out of the ring, and keeps what later ones are judged by. */
  #retire(record: NodeRecord): void {
    const { head, ring } = record;
    const entry = ring.shift()!;
    const kept = headKey(entry);
    if (endsSession(entry)) this.#clear(head, "");
    else if (kept === "NBIRTH") this.#clear(head, "DBIRTH ");
    else if (entry.kind === "unsubscribe") this.#clear(head, `subscribe ${entry.filter}`);
    if (kept === null || head.size >= SUBSCRIPTIONS_MAX && !head.has(kept)) {
      this.#bytes -= bytesOf(entry);
      if (entry.kind === "publish") record.lost++;
      return;
    }
    const before = head.get(kept);
    if (before !== undefined) this.#bytes -= bytesOf(before);
    head.delete(kept);
    head.set(kept, entry);
  }

  #clear(head: Map<string, CaptureEntry>, prefix: string): void {
    for (const [key, entry] of head) {
      if (!key.startsWith(prefix)) continue;
      this.#bytes -= bytesOf(entry);
      head.delete(key);
    }
  }
}

function message({ topic, bytes, start, end, qos, retain, nowMs }: PublishFacts) {
  const { group, type, node, device, host } = topic;
  const levels = host === null ? [group, type, node] : ["STATE", host];
  if (device !== null) levels.push(device);
  return {
    timeMs: nowMs,
    topic: `${NAMESPACE}/${levels.join("/")}`,
    payload: bytes.slice(start, end),
    qos,
    retain,
  };
}

/** Under what an entry stays in the head; null if it does not. */
function headKey(entry: CaptureEntry): string | null {
  if (entry.kind === "connect") return "connect";
  if (entry.kind === "subscribe") return `subscribe ${entry.filter}`;
  if (entry.kind !== "publish" || entry.action !== "route") return null;
  const [, , type, , device] = entry.topic.split("/");
  if (type === "NBIRTH") return type;
  return type === "DBIRTH" ? `DBIRTH ${device}` : null;
}

function endsSession({ kind }: CaptureEntry): boolean {
  return kind === "connect" || kind === "close";
}

function bytesOf(entry: CaptureEntry): number {
  // Roughly what an entry costs besides its payload.
  const fixed = 200;
  if (entry.kind === "publish" || entry.kind === "will") return fixed + entry.payload.length;
  return entry.kind === "connect" ? fixed + (entry.will?.payload.length ?? 0) : fixed;
}
