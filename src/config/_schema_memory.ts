/** The table about the memory of the process. */
import { MEMORY_BYTES_MAX } from "./_schema_bounds.ts";
import type { TableSchema } from "./_schema_types.ts";

/** A part of the schema. */
export const MEMORY_TABLES = [
  {
    name: "memory",
    repeated: false,
    doc:
      "What the broker gives up before the system ends it for want of memory, one stage after the other. The pressure is the larger of two shares: of the process in its limit, of the heap in the heap's own.",
    keys: [
      {
        name: "enabled",
        type: "boolean",
        default: true,
        doc: "Watch the memory.",
      },
      {
        name: "limit_bytes",
        type: "integer",
        default: 0,
        min: 0,
        max: MEMORY_BYTES_MAX,
        doc:
          "What the process may use. The limit of its control group and the memory of the machine count as well, whichever is lowest. 0 means that only they count.",
      },
      {
        name: "refuse_connections_percent",
        type: "integer",
        default: 75,
        min: 10,
        max: 97,
        doc:
          "From this pressure on clients that have no session here are refused with return code 3, and connections beyond 16 without a client are closed at once. Clients whose session is here may come: they take messages away.",
      },
      {
        name: "shed_qos0_percent",
        type: "integer",
        default: 85,
        min: 11,
        max: 98,
        doc: "From here on QoS 0 messages for clients that do not keep up are dropped and counted.",
      },
      {
        name: "shed_queues_percent",
        type: "integer",
        default: 92,
        min: 12,
        max: 99,
        doc:
          "From here on the queues do not grow: the largest give up their oldest messages, which become dead letters; more and more of them as long as that is not enough.",
      },
      {
        name: "shut_down_percent",
        type: "integer",
        default: 97,
        min: 13,
        max: 100,
        doc:
          "If all that has been in force for memory.dwell_ms and the pressure is still here, the broker ends in an orderly way, with exit code 6, for its supervisor to start it again. It does not if it stood there when it started.",
      },
      {
        name: "dwell_ms",
        type: "integer",
        default: 5_000,
        min: 0,
        max: 600_000,
        doc: "A stage ends when the pressure has been 5 percent points below it for so long.",
      },
      {
        name: "loop_lag_ms_max",
        type: "integer",
        default: 1_000,
        min: 0,
        max: 600_000,
        doc:
          "While the event loop comes later than this three times in a row, new connections are closed, too. 0 means never.",
      },
    ],
  },
] as const satisfies readonly TableSchema[];
