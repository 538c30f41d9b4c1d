/** Breaches that show because nothing comes. */
import { REBIRTH_PATIENCE_MS } from "./edge_judge.ts";
import type { EdgeNode } from "./node_state.ts";
import type { RefereeParts } from "./referee_parts.ts";

/** How long an Edge Node may stay after its host went offline. */
const LEAVE_PATIENCE_MS = 10_000;
/** How long a host may be silent that was told it is offline. */
const ANSWER_PATIENCE_MS = 5000;

/** Judges every Edge Node and host by the time. */
export function judgeTime(parts: RefereeParts, nowMs: number): void {
  for (const node of parts.registry.nodes) {
    if (node.owner !== null) judgeNode(parts, node, nowMs);
  }
  const { judgement } = parts;
  for (const host of parts.registry.hosts.values()) {
    if (host.toldOfflineMs === 0 || nowMs - host.toldOfflineMs <= ANSWER_PATIENCE_MS) continue;
    host.toldOfflineMs = 0;
    judgement.begin(`STATE/${host.name}`, host.owner?.clientIdentifier ?? "", nowMs);
    judgement.breach("hostAnswers", "it was told that it is offline and did not answer");
  }
}

function judgeNode({ judgement }: RefereeParts, node: EdgeNode, nowMs: number): void {
  judgement.begin(node.key, node.owner!.clientIdentifier, nowMs);
  if (node.rebirthAskedMs > 0 && nowMs - node.rebirthAskedMs > REBIRTH_PATIENCE_MS) {
    node.rebirthAskedMs = 0;
    judgement.breach("rebirthDone", "no NBIRTH after the request");
  }
  if (node.awaitedDevices !== null && nowMs > node.awaitedUntilMs) {
    const [first] = node.awaitedDevices;
    if (first !== undefined) judgement.breach("rebirthDone", `no DBIRTH of ${first}`);
    node.awaitedDevices = null;
  }
  if (node.hostOfflineMs > 0 && nowMs - node.hostOfflineMs > LEAVE_PATIENCE_MS) {
    if (node.born) judgement.breach("primaryOffline", "it stays without its host");
    node.hostOfflineMs = 0;
  }
}
