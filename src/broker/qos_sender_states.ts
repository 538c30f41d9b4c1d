/** Delivery of one Application Message to a client at QoS 1 or 2 (sections 4.3.2, 4.3.3 and 4.4). */
import { compileTable, type TransitionTable } from "./transition_table.ts";

/**
 * One machine for each Packet Identifier. `resume` is the return of the client with Clean Session 0,
 * `withdraw` the same where it may not have the message any more.
 * An acknowledgement for an identifier that is not in use is no fault: a PUBLISH that was re-sent
 * is acknowledged twice, and a PUBREC is answered so that the client can finish.
 */
export const QOS_SENDER_TABLE = {
  idle: {
    sendQos1: { to: "awaitPuback", emit: "PUBLISH" }, // [MQTT-4.3.2-1]
    sendQos2: { to: "awaitPubrec", emit: "PUBLISH" }, // [MQTT-4.3.3-1]
    PUBACK: { to: "idle" },
    PUBREC: { to: "idle", emit: "PUBREL" },
    PUBCOMP: { to: "idle" },
  },
  awaitPuback: {
    PUBACK: { to: "idle", emit: "finish" },
    resume: { to: "awaitPuback", emit: "PUBLISH_DUP" }, // [MQTT-4.4.0-1] [MQTT-3.3.1-1]
    withdraw: { to: "idle", emit: "finish" },
  },
  awaitPubrec: {
    PUBREC: { to: "awaitPubcomp", emit: "PUBREL" },
    resume: { to: "awaitPubrec", emit: "PUBLISH_DUP" },
    // The client may have it: the exchange has to end before its identifier is used again.
    withdraw: { to: "awaitPubcomp", emit: "PUBREL" },
  },
  awaitPubcomp: {
    // The PUBLISH is not sent again behind its PUBREL. [MQTT-4.3.3-1]
    PUBREC: { to: "awaitPubcomp", emit: "PUBREL" },
    PUBCOMP: { to: "idle", emit: "finish" },
    resume: { to: "awaitPubcomp", emit: "PUBREL" }, // [MQTT-4.4.0-1]
    withdraw: { to: "awaitPubcomp", emit: "PUBREL" },
  },
} as const satisfies TransitionTable;

/** The table as numbers. */
export const QOS_SENDER = compileTable(QOS_SENDER_TABLE);
