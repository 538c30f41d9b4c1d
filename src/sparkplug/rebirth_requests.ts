/** Asks Edge Nodes to be born again (7.1), not more often than they can bear. */
import { REBIRTH_METRIC } from "./birth_book.ts";
import type { EdgeNode } from "./node_state.ts";
import { subscribedQos } from "./subscriptions_seen.ts";
import { NAMESPACE } from "./topic.ts";

/** A message to publish, at QoS 0 and not retained. */
export interface RebirthRequest {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** What made it necessary. */
  readonly cause: string;
}

/** Births follow a CONNECT by themselves. */
const DEBOUNCE_MS = 2000;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;
/** Of all Edge Nodes: after a restart of the broker everybody looks unborn. */
const REQUESTS_PER_SECOND = 5;

interface Wish {
  cause: string;
  wanted: boolean;
  notBeforeMs: number;
  pauseMs: number;
  /** Whether it may be forgotten when its time has come. */
  over: boolean;
  /** When it was asked last. */
  sentMs: number;
}

/** Wishes by Edge Node. */
export class RebirthRequests {
  readonly #wishes = new Map<EdgeNode, Wish>();
  #secondStartMs = 0;
  #sentInSecond = 0;
  /** Requests handed out so far, and by what made them necessary: rules, and a few words more. */
  sent = 0;
  readonly sentByCause = new Map<string, number>();

  /** Notes that the Edge Node should be asked. */
  want(node: EdgeNode, cause: string, nowMs: number): void {
    const soonestMs = Math.max(nowMs, (node.owner?.connectedMs ?? nowMs) + DEBOUNCE_MS);
    const wish = this.#wishes.get(node);
    if (wish !== undefined) {
      if (wish.wanted) return;
      wish.cause = cause;
      wish.wanted = true;
      wish.over = false;
      wish.notBeforeMs = Math.max(wish.notBeforeMs, soonestMs);
      return;
    }
    const times = { notBeforeMs: soonestMs, pauseMs: FIRST_PAUSE_MS, sentMs: -FIRST_PAUSE_MS };
    this.#wishes.set(node, { cause, wanted: true, over: false, ...times });
  }

  /**
   * The Edge Node was born, or is gone: nothing is wanted of it any more. The first pause holds on,
   * for one that is in need again at once would be asked every second.
   */
  settled(node: EdgeNode): void {
    const wish = this.#wishes.get(node);
    if (wish === undefined) return;
    wish.wanted = false;
    wish.over = true;
    wish.pauseMs = FIRST_PAUSE_MS;
    wish.notBeforeMs = Math.min(wish.notBeforeMs, wish.sentMs + FIRST_PAUSE_MS);
  }

  /** The requests that are due. An Edge Node that does not listen gets none. */
  due(nowMs: number): RebirthRequest[] {
    if (this.#wishes.size === 0) return [];
    if (nowMs - this.#secondStartMs >= 1000) {
      this.#secondStartMs = nowMs;
      this.#sentInSecond = 0;
    }
    const requests: RebirthRequest[] = [];
    for (const [node, wish] of this.#wishes) {
      if (this.#sentInSecond >= REQUESTS_PER_SECOND) break;
      if (nowMs < wish.notBeforeMs) continue;
      if (wish.over || node.owner === null) this.#wishes.delete(node);
      if (!wish.wanted || node.owner === null) continue;
      const topic = `${NAMESPACE}/${node.group}/NCMD/${node.name}`;
      if (subscribedQos(node.owner, topic) < 0) continue;
      wish.wanted = false;
      wish.sentMs = nowMs;
      wish.notBeforeMs = nowMs + wish.pauseMs;
      wish.pauseMs = Math.min(wish.pauseMs * 2, LONGEST_PAUSE_MS);
      this.#sentInSecond++;
      this.sent++;
      this.sentByCause.set(wish.cause, (this.sentByCause.get(wish.cause) ?? 0) + 1);
      node.rebirthsAsked++;
      node.lastRebirthMs = nowMs;
      node.lastRebirthCause = `the broker: ${wish.cause}`;
      requests.push({ topic, payload: rebirthPayload(nowMs), cause: wish.cause });
    }
    return requests;
  }
}

/** A payload with a timestamp and the metric Node Control/Rebirth, Boolean, true. */
function rebirthPayload(nowMs: number): Uint8Array {
  const stamp = varint(nowMs);
  const name = new TextEncoder().encode(REBIRTH_METRIC);
  const metric = [0x0a, name.length, ...name, 0x18, ...stamp, 0x20, 11, 0x70, 1];
  return Uint8Array.of(0x08, ...stamp, 0x12, metric.length, ...metric);
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
  return bytes;
}
