/** The life of a Session, by Client Identifier (sections 3.1.2.4 and 4.1). */
import { compileTable, type TransitionTable } from "./transition_table.ts";

/**
 * `transient` and `persistent` have a Network Connection, with Clean Session 1 and 0; `stored` is a
 * Session with Clean Session 0 that waits for its client.
 */
export const SESSION_TABLE = {
  absent: {
    connectClean: { to: "transient", emit: "create" }, // [MQTT-3.2.2-1]
    connectPersistent: { to: "persistent", emit: "create" }, // [MQTT-3.2.2-3]
  },
  transient: {
    disconnect: { to: "absent", emit: "discard" }, // [MQTT-3.1.2-6]
    // The older connection is closed first, so its Session ends. [MQTT-3.1.4-2]
    takeOver: { to: "absent", emit: "discard" },
  },
  persistent: {
    disconnect: { to: "stored", emit: "keep" }, // [MQTT-3.1.2-4]
    takeOver: { to: "stored", emit: "keep" },
  },
  stored: {
    connectClean: { to: "transient", emit: "replace" }, // [MQTT-3.1.2-6]
    connectPersistent: { to: "persistent", emit: "resume" }, // [MQTT-3.2.2-2]
    expire: { to: "absent", emit: "discard" },
  },
} as const satisfies TransitionTable;

/** The table as numbers. */
export const SESSION = compileTable(SESSION_TABLE);
