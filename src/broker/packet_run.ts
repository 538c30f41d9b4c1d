/** QoS 0 packets of one topic that stand one behind the other in the bytes they came in. */
import type { PublishView } from "../mqtt/mod.ts";
import type { Message, MessageArena } from "./message.ts";
import type { TopicEntry } from "./topic_cache.ts";

/** A run of packets. */
export interface PacketRun {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly packets: number;
}

/**
 * The end of the QoS 0 PUBLISH at `start` if it is complete within `limit`, not longer than
 * `packetBytesMax`, and has this topic; else 0.
 */
export function sameTopicEnd(
  bytes: Uint8Array,
  range: { start: number; limit: number; packetBytesMax: number },
  entry: TopicEntry,
): number {
  const { start, limit } = range;
  if (start + 4 >= limit || bytes[start] !== 0x30) return 0;
  let at = start + 1;
  let remaining = bytes[at++]!;
  if (remaining > 0x7f) {
    const high = bytes[at++]!;
    // Long packets gain nothing from a run, and a wasteful length is not handed on.
    if (high > 0x7f || high === 0) return 0;
    remaining = (remaining & 0x7f) | (high << 7);
  }
  const end = at + remaining;
  if (end > limit || end - start > range.packetBytesMax) return 0;
  const topicBytes = (bytes[at]! << 8) | bytes[at + 1]!;
  const topicEnd = at + 2 + topicBytes;
  if (topicEnd > end || !entry.equals(bytes, at + 2, topicEnd)) return 0;
  return end;
}

/** The single messages of a run; `view` describes the first one, and changes. */
export function splitRun(run: PacketRun, view: PublishView, arena: MessageArena): Message[] {
  const topicBytes = view.topicEnd - view.topicStart;
  const messages: Message[] = [];
  let position = run.start;
  while (position < run.end) {
    let at = position + 1;
    let remaining = 0;
    for (let shift = 0;; shift += 7) {
      const byte = run.bytes[at++]!;
      remaining |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    view.topicStart = at + 2;
    view.topicEnd = view.topicStart + topicBytes;
    view.payloadStart = view.topicEnd;
    view.end = at + remaining;
    messages.push(arena.copy(run.bytes, view));
    position = view.end;
  }
  return messages;
}
