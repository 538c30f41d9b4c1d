/** The table about Sparkplug B. */
import { COUNT_MAX, MEMORY_BYTES_MAX } from "./_schema_bounds.ts";
import type { TableSchema } from "./_schema_types.ts";

/** A part of the schema. */
export const SPARKPLUG_TABLES = [
  {
    name: "sparkplug",
    repeated: false,
    doc:
      "Sparkplug B. Whatever this says, clients cannot publish under $sparkplug/: the tree is the broker's own.",
    keys: [
      {
        name: "mode",
        type: "enum",
        values: ["off", "aware"],
        default: "aware",
        doc:
          '"aware": the last NBIRTH and DBIRTH of everybody is kept on $sparkplug/certificates/ followed by its topic, over restarts, and an NDEATH goes out with the time at which it does. "off": messages of Sparkplug are messages like all others; certificates that were kept before stay as they are.',
      },
      {
        name: "retain_live",
        type: "boolean",
        default: true,
        doc:
          "Send a new certificate with RETAIN 1 to established subscriptions, too, and not only to new ones. The statement about certificates makes no difference between the two.",
      },
      {
        name: "certificates_max",
        type: "integer",
        default: 10_000,
        min: 0,
        max: COUNT_MAX,
        doc:
          "Most certificates, which is most Edge Nodes and Devices together. The births of further ones are delivered and not kept. Retained messages are counted apart, and never take their place. 0 keeps none.",
      },
      {
        name: "certificates_bytes_max",
        type: "integer",
        default: 67_108_864,
        min: 1024,
        max: MEMORY_BYTES_MAX,
        doc:
          "Most bytes of all certificates together. A birth that does not fit is delivered and not kept, and neither is the one that it replaces.",
      },
      {
        name: "ndeath_timestamp",
        type: "boolean",
        default: true,
        doc:
          "Replace the time stamp of an NDEATH, or add one, when it is handed to its subscribers: a Will was made when its Edge Node connected. Nothing else in the payload changes, and a payload that cannot be parsed passes as it is.",
      },
    ],
  },
] as const satisfies readonly TableSchema[];
