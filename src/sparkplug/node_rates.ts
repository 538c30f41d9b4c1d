/** How much Edge Nodes send in a second. */
import type { EdgeNode } from "./node_state.ts";

/** Brings the rates of all Edge Nodes up to date; `passedMs` since the last time. */
export function rateNodes(nodes: Iterable<EdgeNode>, passedMs: number): void {
  if (passedMs <= 0) return;
  for (const node of nodes) {
    node.messagesPerS = (node.messages - node.ratedMessages) * 1000 / passedMs;
    node.bytesPerS = (node.bytes - node.ratedBytes) * 1000 / passedMs;
    node.ratedMessages = node.messages;
    node.ratedBytes = node.bytes;
  }
}
