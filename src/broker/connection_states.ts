/** The life of a Network Connection as the server sees it (sections 3.1.4, 3.14 and 4.8). */
import { compileTable, type TransitionTable } from "./transition_table.ts";

/**
 * Events are the Control Packets that arrive, the verdict on the CONNECT, and `close`: the end of
 * the Network Connection, whoever ended it.
 */
export const CONNECTION_TABLE = {
  awaitConnect: {
    CONNECT: { to: "authenticating", emit: "authenticate" }, // [MQTT-3.1.0-1]
    close: { to: "closed" },
  },
  authenticating: {
    accept: { to: "connected", emit: "CONNACK" }, // [MQTT-3.1.4-4]
    refuse: { to: "closed", emit: "CONNACK" }, // [MQTT-3.2.2-5]
    close: { to: "closed" },
  },
  // A second CONNECT, and the packets that only a server sends, have no entry. [MQTT-3.1.0-2]
  connected: {
    PUBLISH: { to: "connected" },
    PUBACK: { to: "connected" },
    PUBREC: { to: "connected" },
    PUBREL: { to: "connected" },
    PUBCOMP: { to: "connected" },
    SUBSCRIBE: { to: "connected", emit: "SUBACK" }, // [MQTT-3.8.4-1]
    UNSUBSCRIBE: { to: "connected", emit: "UNSUBACK" }, // [MQTT-3.10.4-4]
    PINGREQ: { to: "connected", emit: "PINGRESP" }, // [MQTT-3.12.4-1]
    DISCONNECT: { to: "closed", emit: "discardWill" }, // [MQTT-3.14.4-3]
    close: { to: "closed", emit: "publishWill" }, // [MQTT-3.1.2-8]
  },
  // Nothing is processed behind the end. [MQTT-3.1.4-5]
  closed: {},
} as const satisfies TransitionTable;

/** The table as numbers. */
export const CONNECTION = compileTable(CONNECTION_TABLE);
