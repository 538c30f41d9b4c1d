/** The tables about what outlives a connection. */
import { COUNT_MAX, MEMORY_BYTES_MAX, TEN_YEARS_MS } from "./_schema_bounds.ts";
import type { TableSchema } from "./_schema_types.ts";

/** A part of the schema. */
export const STATE_TABLES = [
  {
    name: "retained",
    repeated: false,
    doc: "The last message of each topic, kept for whoever subscribes later.",
    keys: [
      {
        name: "expiry_ms",
        type: "integer",
        default: 0,
        min: 0,
        max: TEN_YEARS_MS,
        doc:
          "A Retained message that has not been replaced for longer, to the second, is removed. Time that the broker is off counts. 0 means never.",
      },
      {
        name: "full",
        type: "enum",
        values: ["drop_newest", "drop_oldest"],
        default: "drop_newest",
        doc:
          "What goes when limits.retained_messages_max or limits.retained_bytes_max is reached: the new message is not retained (it is still delivered, and what its topic held before is removed), or the ones that were retained first make room for it.",
      },
    ],
  },
  {
    name: "session",
    repeated: false,
    doc: "State that outlives a connection.",
    keys: [
      {
        name: "expiry_ms",
        type: "integer",
        default: 1_209_600_000,
        min: 0,
        max: TEN_YEARS_MS,
        doc:
          "The stored state of a client with Clean Session 0 that stays away for so long is discarded. Time that the broker is off counts; a wall clock that is set does not. The default is 14 days. 0 means never.",
      },
      {
        name: "full",
        type: "enum",
        values: ["drop_newest", "drop_oldest"],
        default: "drop_newest",
        doc:
          "What happens to a CONNECT for a new session when limits.sessions_max is reached: it is refused with return code 3, or the session whose client has been away for longest is discarded for it.",
      },
    ],
  },
  {
    name: "store",
    repeated: false,
    doc: "Where state is kept.",
    keys: [
      {
        name: "kind",
        type: "enum",
        values: ["memory", "sqlite"],
        default: "sqlite",
        doc:
          'What keeps sessions, queued and retained messages, Wills and dead letters. "sqlite" keeps them in the data directory, over restarts, crashes and power cuts. "memory" forgets everything when the broker stops.',
      },
      {
        name: "durability",
        type: "enum",
        values: ["commit", "interval"],
        default: "commit",
        doc:
          '"commit": what is acknowledged has been through fsync. "interval": it is acknowledged first; a power cut takes back at most what was acknowledged within store.sync_interval_ms, and so does a crash. Traffic that needs no durability never waits, whatever this says.',
      },
      {
        name: "sync_interval_ms",
        type: "integer",
        default: 1000,
        min: 10,
        max: 60_000,
        doc:
          'With durability "interval": the longest stretch of acknowledgements that can be lost. While the disk is too slow for that, acknowledgements wait.',
      },
      {
        name: "syncs_per_second_max",
        type: "integer",
        default: 1000,
        min: 1,
        max: 100_000,
        doc:
          "Most calls of fsync in a second, on the average, to spare flash memory. Commits that have to wait for their turn share one; so this is also how long an acknowledgement may have to wait.",
      },
      {
        name: "wal_bytes_max",
        type: "integer",
        default: 4_194_304,
        min: 65_536,
        max: 1_073_741_824,
        doc:
          "Size of the write-ahead log from which on it is moved to the database. Larger means fewer writes to the flash memory, and more to read at the start after a crash.",
      },
      {
        name: "backlog_bytes_max",
        type: "integer",
        default: 16_777_216,
        min: 65_536,
        max: MEMORY_BYTES_MAX,
        doc:
          "Most bytes that may wait for the disk. Beyond it whoever publishes what has to be stored is not read until the disk has caught up; others are.",
      },
      {
        name: "data_dir",
        type: "string",
        form: "path",
        default: "relayq-data",
        doc:
          "Directory of everything the broker writes. A relative path starts at the directory the broker was started in.",
      },
    ],
  },
  {
    name: "dead_letters",
    repeated: false,
    doc:
      "Messages that the broker had to give up, with the reason. They are kept in the store, oldest first to go; `relayq dlq` lists, shows, replays and purges them.",
    keys: [
      {
        name: "messages_max",
        type: "integer",
        default: 10_000,
        min: 0,
        max: COUNT_MAX,
        doc: "Most dead letters that are kept. 0 keeps none; they are counted all the same.",
      },
      {
        name: "bytes_max",
        type: "integer",
        default: 67_108_864,
        min: 1024,
        max: MEMORY_BYTES_MAX,
        doc: "Most bytes of dead letters that are kept.",
      },
      {
        name: "expiry_ms",
        type: "integer",
        default: 2_592_000_000,
        min: 0,
        max: TEN_YEARS_MS,
        doc: "A dead letter older than this is forgotten. The default is 30 days. 0 means never.",
      },
      {
        name: "per_second_max",
        type: "integer",
        default: 100,
        min: 1,
        max: 1_000_000,
        doc:
          "Most dead letters that are kept in a second, on the average; a burst of dead_letters.messages_max is always free. Beyond it they are counted only, so that a flood does not wear out the flash memory.",
      },
      {
        name: "republish",
        type: "boolean",
        default: false,
        doc:
          "Also publish every dead letter, as it comes, on $dead-letter/ followed by its topic. Clients cannot publish there.",
      },
    ],
  },
] as const satisfies readonly TableSchema[];
