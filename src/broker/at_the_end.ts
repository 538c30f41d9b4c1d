/** What still counts when the server is about to end. */
import { PACKET_NAMES, PacketType } from "../mqtt/mod.ts";

const REFUSED: ReadonlySet<number> = new Set([
  PacketType.CONNECT,
  PacketType.PUBLISH,
  PacketType.SUBSCRIBE,
  PacketType.UNSUBSCRIBE,
]);

/**
 * By Control Packet type: what ends something that had begun. What would begin something is passed
 * over without an answer, so that its client sends it again to whoever comes next.
 */
export const COUNTS_AT_THE_END: readonly boolean[] = PACKET_NAMES.map((_, type) =>
  !REFUSED.has(type)
);
