/** The tables about the log and about the process as its supervisor sees it. */
import type { TableSchema } from "./_schema_types.ts";

const DAY_MS = 86_400_000;

/** A part of the schema. */
export const SERVICE_TABLES = [
  {
    name: "log",
    repeated: false,
    doc:
      "What the broker says about itself: one line for each event, on standard error or in a file. It never waits for whoever reads it, and never for a disk.",
    keys: [
      {
        name: "level",
        type: "enum",
        values: ["debug", "info", "warn", "error"],
        default: "info",
        doc: "Lines below this level are not written.",
      },
      {
        name: "levels",
        type: "string",
        form: "log levels",
        default: "",
        doc:
          'Other levels for single rooms, with blanks between, such as "security=debug broker=warn". The rooms are broker (clients that come and go), security (refusals, certificates, audit log), store, system (memory, supervisor, log), transport (listeners), sparkplug, admin and server (start, end, reloads).',
      },
      {
        name: "format",
        type: "enum",
        values: ["text", "json"],
        default: "text",
        doc:
          '"text": time, level and text. "json": an object for each line, with time, level, room, text, and, where they are known, client, user, address and listener.',
      },
      {
        name: "journald",
        type: "enum",
        values: ["auto", "on", "off"],
        default: "auto",
        doc:
          'Begin each line on standard error with its priority, such as <4>, which journald takes off again. "auto": where JOURNAL_STREAM says that standard error is the journal.',
      },
      {
        name: "file",
        type: "string",
        form: "path or nothing",
        default: "",
        doc:
          "Write the log to this file instead of standard error. SIGHUP opens it anew, for those who move it themselves.",
      },
      {
        name: "file_bytes_max",
        type: "integer",
        default: 10_485_760,
        min: 4096,
        max: 1_073_741_824,
        doc:
          "A file that would grow beyond this is renamed, to its name with .1 behind it, and followed by an empty one.",
      },
      {
        name: "files_max",
        type: "integer",
        default: 5,
        min: 1,
        max: 1000,
        doc:
          "Files that are kept, with the one that is written; the oldest is removed for a further one.",
      },
      {
        name: "repeats_per_second_max",
        type: "integer",
        default: 100,
        min: 0,
        max: 1_000_000,
        doc:
          "Lines of one kind in a second; what is beyond is counted in a line of its own. Refusals have their own bound and are not counted here. 0 means no limit.",
      },
    ],
  },
  {
    name: "service",
    repeated: false,
    doc: "How the process ends, and what it tells a supervisor such as systemd.",
    keys: [
      {
        name: "drain_ms",
        type: "integer",
        default: 5_000,
        min: 0,
        max: 600_000,
        doc:
          "When the broker is told to end, it takes no more messages and gives clients so long to take what is on its way to them: acknowledgements that wait for the disk, and messages.",
      },
      {
        name: "store_stuck_ms_max",
        type: "integer",
        default: 300_000,
        min: 0,
        max: DAY_MS,
        doc:
          "The watchdog of systemd is not fed any more when something has waited for the disk for so long, so that the broker is started again, or the machine. 0 means that it is fed all the same.",
      },
    ],
  },
] as const satisfies readonly TableSchema[];
