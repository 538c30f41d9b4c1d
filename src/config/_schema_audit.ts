/** The tables about what is recorded, and about Client Identifiers in two places. */
import { MEMORY_BYTES_MAX } from "./_schema_bounds.ts";
import type { TableSchema } from "./_schema_types.ts";

const DAY_MS = 86_400_000;

/** A part of the schema. */
export const AUDIT_TABLES = [
  {
    name: "audit",
    repeated: false,
    doc:
      "The audit log: who came, who was refused and why, what was denied, taken over, reloaded and shed, in JSON lines that are chained by SHA-256. `relayq audit verify` finds what was changed afterwards.",
    keys: [
      {
        name: "enabled",
        type: "boolean",
        default: true,
        doc: "Write an audit log. A broker that cannot open it does not start.",
      },
      {
        name: "dir",
        type: "string",
        form: "path or nothing",
        default: "",
        doc:
          "Directory of the audit log, for one broker alone. Empty means audit in store.data_dir.",
      },
      {
        name: "file_bytes_max",
        type: "integer",
        default: 8_388_608,
        min: 65_536,
        max: 1_073_741_824,
        doc: "A file that would grow beyond this is followed by another.",
      },
      {
        name: "file_age_ms_max",
        type: "integer",
        default: 7 * DAY_MS,
        min: 1000,
        max: 3650 * DAY_MS,
        doc: "So is one whose first line is older than this. The default is 7 days.",
      },
      {
        name: "files_max",
        type: "integer",
        default: 16,
        min: 2,
        max: 100_000,
        doc:
          "Files that are kept; the oldest is removed for a further one. With audit.file_bytes_max this bounds what the log takes of the disk.",
      },
      {
        name: "flush_ms",
        type: "integer",
        default: 1000,
        min: 10,
        max: 60_000,
        doc:
          "How long an entry may wait before it is written and synced. A crash loses no more than that; a longer time spares flash memory.",
      },
      {
        name: "waiting_bytes_max",
        type: "integer",
        default: 4_194_304,
        min: 65_536,
        max: MEMORY_BYTES_MAX,
        doc:
          "Most bytes of entries that may wait for a disk that is full or slow. Beyond it they are counted, and the count is recorded as soon as there is room: traffic never waits for the audit log.",
      },
      {
        name: "per_origin_max",
        type: "integer",
        default: 10,
        min: 1,
        max: 1_000_000,
        doc:
          "Refusals of one reason to one address, and denials of one kind to one client, that are written in a minute. The others are counted.",
      },
      {
        name: "per_minute_max",
        type: "integer",
        default: 60,
        min: 1,
        max: 1_000_000,
        doc:
          "Refusals of all addresses together that are written in a minute, on the average; as many denials of all clients. An attacker must not be able to fill the files with them, so that older ones go.",
      },
      {
        name: "connections_per_client_max",
        type: "integer",
        default: 120,
        min: 1,
        max: 1_000_000,
        doc:
          "Connects of one client from one address that are written in a minute, and as many disconnects. The others are counted.",
      },
      {
        name: "head_interval_ms",
        type: "integer",
        default: 3_600_000,
        min: 100,
        max: DAY_MS,
        doc:
          "How often the log names number and hash of the last line, besides at every new file and at the end. Kept on another machine, they show when lines have been cut off behind them.",
      },
    ],
  },
  {
    name: "take_over",
    repeated: false,
    doc:
      "The same Client Identifier in two places: each connection ends the other one, in a loop. It is damped: whoever has the Client Identifier keeps it, and the others are refused, for twice as long each time.",
    keys: [
      {
        name: "returns_max",
        type: "integer",
        default: 5,
        min: 0,
        max: 1000,
        doc:
          "So many take-overs within the window by addresses that had lost the Client Identifier within it are a loop. A client that moves from one address to the next is none. 0 damps nothing.",
      },
      {
        name: "same_address_max",
        type: "integer",
        default: 60,
        min: 0,
        max: 100_000,
        doc:
          "So many take-overs within the window between connections of one address, such as two devices behind one router. A client on a bad link takes its own place, too, but not so often. 0 damps nothing.",
      },
      {
        name: "window_ms",
        type: "integer",
        default: 60_000,
        min: 100,
        max: DAY_MS,
        doc: "The window in which take-overs are counted.",
      },
      {
        name: "damp_ms",
        type: "integer",
        default: 10_000,
        min: 100,
        max: DAY_MS,
        doc: "How long the first damping lasts.",
      },
      {
        name: "damp_ms_max",
        type: "integer",
        default: 600_000,
        min: 100,
        max: DAY_MS,
        doc: "The longest damping; so long behind its end the doubling is forgotten.",
      },
    ],
  },
] as const satisfies readonly TableSchema[];
