/**
 * The schema of the durable store, its version and its migrations: the one place that says what the
 * file holds. Times are milliseconds since 1970, QoS and flags are as in MQTT.
 */
import type { DatabaseSync } from "node:sqlite";

/** Marks the file as ours, in its header: "RlyQ". */
export const APPLICATION_ID = 0x526c7951;

/** Numbers of ours are exact in JavaScript. */
const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

const VERSION_1 = `
  -- Persistent sessions (Clean Session 0). A key is never used again for another session.
  CREATE TABLE session (
    key INTEGER PRIMARY KEY CHECK (key BETWEEN 1 AND ${NUMBER_MAX}),
    client TEXT NOT NULL UNIQUE,              -- Client Identifier
    stored_since_ms INTEGER NOT NULL          -- when the client left (age clock, which began as
                                              -- the wall clock); 0 while it is connected
  ) STRICT;

  CREATE TABLE subscription (
    session INTEGER NOT NULL,
    filter TEXT NOT NULL,                     -- Topic Filter
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2), -- granted
    PRIMARY KEY (session, filter)
  ) STRICT, WITHOUT ROWID;

  -- Application Messages that deliveries refer to, each once; gone with the last delivery.
  CREATE TABLE message (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND ${NUMBER_MAX}),
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2), -- of the PUBLISH it came in
    -- length of the Topic Name (2 bytes), Topic Name, payload
    body BLOB NOT NULL CHECK (length(body) >= 2)
  ) STRICT;

  -- What waits for a session or is in flight to it, in the order of sequence.
  CREATE TABLE delivery (
    session INTEGER NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence BETWEEN 1 AND ${NUMBER_MAX}),
    message INTEGER NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    -- 0 while it waits in the queue
    packet_id INTEGER NOT NULL CHECK (packet_id BETWEEN 0 AND 65535),
    -- 1 after PUBREC: PUBREL is what is sent again
    released INTEGER NOT NULL CHECK (released IN (0, 1)),
    PRIMARY KEY (session, sequence)
  ) STRICT, WITHOUT ROWID;

  -- Packet Identifiers of QoS 2 messages of a client whose PUBREL has not come.
  CREATE TABLE receiving (
    session INTEGER NOT NULL,
    packet_id INTEGER NOT NULL CHECK (packet_id BETWEEN 1 AND 65535),
    PRIMARY KEY (session, packet_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE retained (
    topic TEXT PRIMARY KEY NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    payload BLOB NOT NULL
  ) STRICT;

  -- Wills of the clients that are connected, also of those without a persistent session.
  CREATE TABLE will (
    client TEXT PRIMARY KEY NOT NULL,
    topic TEXT NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    payload BLOB NOT NULL
  ) STRICT;
`;

/** Ages are told on the age clock: see `clock`. */
const VERSION_2 = `
  -- Place in the order of sending; 0 while it waits. What version 1 has sent keeps its old order.
  ALTER TABLE delivery ADD COLUMN sent INTEGER NOT NULL DEFAULT 0
    CHECK (sent BETWEEN 0 AND ${NUMBER_MAX});
  UPDATE delivery SET sent = sequence WHERE packet_id > 0;
  -- When it began to wait, in s; 0 if it did not, or if that is not known.
  ALTER TABLE delivery ADD COLUMN queued_s INTEGER NOT NULL DEFAULT 0
    CHECK (queued_s BETWEEN 0 AND ${NUMBER_MAX});
  -- 1 while retained messages for it have still to be sent
  ALTER TABLE subscription ADD COLUMN replay INTEGER NOT NULL DEFAULT 0 CHECK (replay IN (0, 1));
  -- When it was retained, in s; 0 if that is not known.
  ALTER TABLE retained ADD COLUMN at_s INTEGER NOT NULL DEFAULT 0
    CHECK (at_s BETWEEN 0 AND ${NUMBER_MAX});

  -- Messages that were given up, oldest first.
  CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND ${NUMBER_MAX}),
    reason TEXT NOT NULL,
    wall_ms INTEGER NOT NULL,                 -- when, on the wall clock of that moment
    age_s INTEGER NOT NULL,                   -- when, on the age clock
    publisher TEXT NOT NULL,                  -- Client Identifier; '' if it is not known
    session TEXT NOT NULL,                    -- Client Identifier of who does not get it; '' if nobody does
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    bytes INTEGER NOT NULL,                   -- what it counts against the bound
    body BLOB NOT NULL CHECK (length(body) >= 2) -- as in message
  ) STRICT;

  -- Dead letters that were replayed while no broker ran: published at the next start.
  CREATE TABLE publication (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND ${NUMBER_MAX}),
    topic TEXT NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    payload BLOB NOT NULL
  ) STRICT;

  -- The clock by which things grow old: it goes on while the broker runs, whatever is done to the
  -- wall clock, and is set forward at the start by the time that has plausibly passed.
  CREATE TABLE clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    age_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL                  -- the wall clock when it was saved
  ) STRICT;
`;

const VERSION_3 = `
  -- Whom it belongs to: 'user' or 'certificate', a blank, and the name; '' for nobody in particular.
  ALTER TABLE session ADD COLUMN owner TEXT NOT NULL DEFAULT '';
  -- The same; NULL where it was not written down.
  ALTER TABLE will ADD COLUMN owner TEXT;
`;

const VERSION_4 = `
  -- Sparkplug Edge Nodes that have connected.
  CREATE TABLE edge_node (
    edge_node TEXT PRIMARY KEY NOT NULL,      -- Group ID, '/', Edge Node ID
    bd_seq INTEGER NOT NULL CHECK (bd_seq BETWEEN 0 AND 255) -- in the Will of its last CONNECT
  ) STRICT;
`;

/** Migration `n` leads from version `n` to `n + 1`; version 0 is an empty file. */
const MIGRATIONS: readonly string[] = [VERSION_1, VERSION_2, VERSION_3, VERSION_4];

/** The version this program writes: `PRAGMA user_version`. */
export const SCHEMA_VERSION: number = MIGRATIONS.length;

/**
 * Rows that refer to nothing, asked for in this order. There are no foreign keys: they cost a
 * look-up for each insert.
 */
const CONSISTENCY: Readonly<Record<string, string>> = {
  "subscription without session":
    "SELECT 1 FROM subscription WHERE session NOT IN (SELECT key FROM session)",
  "delivery without session":
    "SELECT 1 FROM delivery WHERE session NOT IN (SELECT key FROM session)",
  "delivery without message":
    "SELECT 1 FROM delivery WHERE message NOT IN (SELECT id FROM message)",
  // Every delivery has its message: it is enough to count, in half the time.
  "message without delivery":
    "SELECT 1 WHERE (SELECT count(*) FROM message) > (SELECT count(DISTINCT message) FROM delivery)",
  "receiving without session":
    "SELECT 1 FROM receiving WHERE session NOT IN (SELECT key FROM session)",
};

/** Why a file is not ours to write, or null. It is left as it is. */
export function foreignReason(database: DatabaseSync): string | null {
  const id = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  const isEmpty = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
  if (isEmpty && id === 0 && version === 0) return null;
  if (id !== APPLICATION_ID) return "the file is not a RelayQ database";
  if (version <= SCHEMA_VERSION) return null;
  return `its schema version is ${version}, this program knows versions up to ${SCHEMA_VERSION}`;
}

/** Brings the schema to the present version, in one transaction. */
export function migrate(database: DatabaseSync): void {
  const version = pragma(database, "user_version");
  if (version === SCHEMA_VERSION) return;
  database.exec("BEGIN IMMEDIATE");
  for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  database.exec("COMMIT");
}

/** What is wrong with the file or with what it says, or null. Reads all of it. */
export function damageReason(database: DatabaseSync): string | null {
  return pageDamage(database) ?? inconsistency(database);
}

/** What is wrong with the pages of the file, whatever its version, or null. */
export function pageDamage(database: DatabaseSync): string | null {
  const check = database.prepare("PRAGMA quick_check(1)").get();
  const verdict = check === undefined ? "no answer" : String(Object.values(check)[0]);
  return verdict === "ok" ? null : `quick_check: ${verdict.replaceAll("\n", " ")}`;
}

/** What rows of the present schema refer to and is not there, or null. */
export function inconsistency(database: DatabaseSync): string | null {
  for (const [fault, query] of Object.entries(CONSISTENCY)) {
    if (database.prepare(`${query} LIMIT 1`).get() !== undefined) return fault;
  }
  return null;
}

function pragma(database: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
