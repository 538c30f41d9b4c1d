/** The table about how much clients may send. */
import { COUNT_MAX, MEMORY_BYTES_MAX } from "./_schema_bounds.ts";
import type { TableSchema } from "./_schema_types.ts";

/** A part of the schema. */
export const RATE_TABLE = {
  name: "rate",
  repeated: false,
  doc:
    "How much clients may send. Whoever sends more is not read for a while, and loses nothing by it. A rate of 0 is no limit. A burst is what may be sent at once after a silence; 0 is what the rate gives in a second.",
  keys: [
    {
      name: "client_messages_per_second",
      type: "integer",
      default: 0,
      min: 0,
      max: COUNT_MAX,
      doc: "PUBLISH packets of one client.",
    },
    {
      name: "client_messages_burst",
      type: "integer",
      default: 0,
      min: 0,
      max: COUNT_MAX,
      doc: "Burst of client_messages_per_second.",
    },
    {
      name: "client_bytes_per_second",
      type: "integer",
      default: 0,
      min: 0,
      max: MEMORY_BYTES_MAX,
      doc:
        "Bytes of all packets of one client behind its CONNECT. One that is larger than the burst is taken, and paid for with time.",
    },
    {
      name: "client_bytes_burst",
      type: "integer",
      default: 0,
      min: 0,
      max: MEMORY_BYTES_MAX,
      doc: "Burst of client_bytes_per_second.",
    },
    {
      name: "total_messages_per_second",
      type: "integer",
      default: 0,
      min: 0,
      max: COUNT_MAX,
      doc:
        "PUBLISH packets of all clients together. Where it is reached they take turns, so that one that floods leaves the others their share.",
    },
    {
      name: "total_messages_burst",
      type: "integer",
      default: 0,
      min: 0,
      max: COUNT_MAX,
      doc: "Burst of total_messages_per_second.",
    },
    {
      name: "total_bytes_per_second",
      type: "integer",
      default: 0,
      min: 0,
      max: MEMORY_BYTES_MAX,
      doc: "Bytes of all packets of all clients together.",
    },
    {
      name: "total_bytes_burst",
      type: "integer",
      default: 0,
      min: 0,
      max: MEMORY_BYTES_MAX,
      doc: "Burst of total_bytes_per_second.",
    },
    {
      name: "over_limit",
      type: "enum",
      values: ["hold", "close"],
      default: "hold",
      doc:
        "What becomes of a client that exceeds a limit of its own: it is not read until it is within, or its connection is closed. The limits of all together only ever hold, since who reaches them need not be to blame.",
    },
  ],
} as const satisfies TableSchema;
