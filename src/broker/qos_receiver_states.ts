/** Receipt of one Application Message from a client at QoS 1 or 2 (sections 4.3.2 and 4.3.3). */
import type { Session } from "./session.ts";
import { compileTable, type TransitionTable } from "./transition_table.ts";

/**
 * One machine for each Packet Identifier of a session. Only `awaitPubrel` is remembered: it is what
 * keeps a QoS 2 message from being handed on twice. `route` hands the message on and acknowledges.
 */
export const QOS_RECEIVER_TABLE = {
  idle: {
    publishQos1: { to: "idle", emit: "routeAndPuback" }, // [MQTT-4.3.2-2]
    publishQos2: { to: "awaitPubrel", emit: "routeAndPubrec" }, // [MQTT-4.3.3-2]
    // A PUBREL whose PUBCOMP was lost is answered again.
    PUBREL: { to: "idle", emit: "PUBCOMP" },
  },
  awaitPubrel: {
    // Received already: acknowledged, not handed on. [MQTT-4.3.3-2]
    publishQos2: { to: "awaitPubrel", emit: "PUBREC" },
    PUBREL: { to: "idle", emit: "PUBCOMP" },
    // A client that lost its own state uses the identifier anew: its old exchange is over.
    publishQos1: { to: "idle", emit: "routeAndPuback" },
  },
} as const satisfies TransitionTable;

/** The table as numbers. */
export const QOS_RECEIVER = compileTable(QOS_RECEIVER_TABLE);

/** Where an event of the table leads from the state of a Packet Identifier. */
export function receiverStep(
  session: Session,
  packetId: number,
  event: number,
): { from: number; to: number; emitted: number } {
  const { states, stride, next, emission } = QOS_RECEIVER;
  const from = session.receiving?.has(packetId) === true ? states.awaitPubrel : states.idle;
  const at = from * stride + event;
  return { from, to: next[at]!, emitted: emission[at]! };
}
