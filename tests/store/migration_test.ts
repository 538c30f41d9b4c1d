/** A database of version 1 opens, keeps everything, and is one of the present version then. */
import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { makeMessage } from "../../src/broker/mod.ts";
import { SCHEMA_VERSION } from "../../src/store/mod.ts";
import { filter, name, payload, text } from "../support/wire_client.ts";
import { Core } from "../broker/_core.ts";
import { canonicalState } from "./_canonical_state.ts";
import { databasePath, openStore } from "./_sqlite.ts";

/** The schema that version 1 wrote; it never changes. */
const VERSION_1 = `
  CREATE TABLE session (
    key INTEGER PRIMARY KEY CHECK (key BETWEEN 1 AND 9007199254740991),
    client TEXT NOT NULL UNIQUE,
    stored_since_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE subscription (
    session INTEGER NOT NULL,
    filter TEXT NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    PRIMARY KEY (session, filter)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE message (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    body BLOB NOT NULL CHECK (length(body) >= 2)
  ) STRICT;
  CREATE TABLE delivery (
    session INTEGER NOT NULL,
    sequence INTEGER NOT NULL CHECK (sequence BETWEEN 1 AND 9007199254740991),
    message INTEGER NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    packet_id INTEGER NOT NULL CHECK (packet_id BETWEEN 0 AND 65535),
    released INTEGER NOT NULL CHECK (released IN (0, 1)),
    PRIMARY KEY (session, sequence)
  ) STRICT, WITHOUT ROWID;
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
  CREATE TABLE will (
    client TEXT PRIMARY KEY NOT NULL,
    topic TEXT NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    payload BLOB NOT NULL
  ) STRICT;
  PRAGMA application_id = 0x526c7951;
  PRAGMA user_version = 1;
`;

/** What made version 2 of it; it never changes. */
const VERSION_2 = `
  ALTER TABLE delivery ADD COLUMN sent INTEGER NOT NULL DEFAULT 0
    CHECK (sent BETWEEN 0 AND 9007199254740991);
  UPDATE delivery SET sent = sequence WHERE packet_id > 0;
  ALTER TABLE delivery ADD COLUMN queued_s INTEGER NOT NULL DEFAULT 0
    CHECK (queued_s BETWEEN 0 AND 9007199254740991);
  ALTER TABLE subscription ADD COLUMN replay INTEGER NOT NULL DEFAULT 0 CHECK (replay IN (0, 1));
  ALTER TABLE retained ADD COLUMN at_s INTEGER NOT NULL DEFAULT 0
    CHECK (at_s BETWEEN 0 AND 9007199254740991);
  CREATE TABLE dead_letter (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    reason TEXT NOT NULL,
    wall_ms INTEGER NOT NULL,
    age_s INTEGER NOT NULL,
    publisher TEXT NOT NULL,
    session TEXT NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL CHECK (length(body) >= 2)
  ) STRICT;
  CREATE TABLE publication (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 9007199254740991),
    topic TEXT NOT NULL,
    qos INTEGER NOT NULL CHECK (qos BETWEEN 0 AND 2),
    retain INTEGER NOT NULL CHECK (retain IN (0, 1)),
    payload BLOB NOT NULL
  ) STRICT;
  CREATE TABLE clock (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    age_ms INTEGER NOT NULL,
    wall_ms INTEGER NOT NULL
  ) STRICT;
  PRAGMA user_version = 2;
`;

/** When the client of the session left. */
const STORED_SINCE_MS = 1_760_000_000_123;

/** 1 and 3 were sent, 3 is released; 2 and 5 wait. The clients of two Wills were connected. */
const CONTENT = `
  INSERT INTO session VALUES (7, 'c', ${STORED_SINCE_MS}), (9, 'connected', 0);
  INSERT INTO subscription VALUES (7, 't/#', 2), (7, 'r', 0), (9, 'x', 1);
  INSERT INTO message VALUES
    (11, 2, ${body("one")}), (12, 1, ${body("two")}),
    (13, 2, ${body("three")}), (15, 1, ${body("five")});
  INSERT INTO delivery VALUES (7, 1, 11, 2, 0, 100, 0), (7, 2, 12, 1, 0, 0, 0),
    (7, 3, 13, 2, 1, 50, 1), (7, 5, 15, 1, 0, 0, 0), (9, 4, 12, 1, 0, 0, 0);
  INSERT INTO receiving VALUES (7, 1), (7, 65535);
  INSERT INTO retained VALUES ('r', 1, CAST('kept' AS BLOB)), ('s', 0, CAST('too' AS BLOB));
  INSERT INTO will VALUES ('connected', 'w', 1, 1, CAST('gone' AS BLOB));
`;

/** A file as version 1 left it, or version 2 after it. */
function oldDatabase(content = CONTENT, { version = 1 } = {}): string {
  const path = databasePath();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL");
  database.exec(VERSION_1);
  database.exec(content);
  if (version === 2) database.exec(VERSION_2);
  database.close();
  return path;
}

/** A message on "t" as SQL. */
function body(content: string): string {
  const bytes = [0, 1, ...payload(`t${content}`)];
  return `x'${bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("")}'`;
}

function pragma(path: string, what: string): unknown {
  const database = new DatabaseSync(path);
  const row = database.prepare(`PRAGMA ${what}`).get();
  database.close();
  return row?.[what];
}

Deno.test("a database of version 1 opens with everything that is in it", async () => {
  const path = oldDatabase();
  const store = await openStore(path);
  const { sessions, retained, wills, ...rest } = store.load();
  assertEquals(rest, { deadLetters: [], publications: [], clock: null, edgeNodes: [] });
  const [first, second] = sessions;
  assertEquals(sessions.length, 2);
  assertEquals(first!.clientIdentifier, "c");
  assertEquals(first!.storedSinceMs, STORED_SINCE_MS);
  assertEquals(first!.subscriptions.map((s) => ({ ...s, filter: s.filter as string })), [
    { filter: "r", qos: 0, replayPending: false },
    { filter: "t/#", qos: 2, replayPending: false },
  ]);
  const deliveries = first!.deliveries.map(({ message, ...delivery }) => ({
    ...delivery,
    content: `${message.topic} ${text(message.payload)} ${message.qos}`,
  }));
  const common = { queuedS: 0, released: false, retain: false };
  assertEquals(deliveries, [
    { ...common, sequence: 1, qos: 2, packetId: 100, sent: 1, content: "t one 2" },
    {
      ...common,
      sequence: 3,
      qos: 2,
      packetId: 50,
      sent: 3,
      content: "t three 2",
      released: true,
      retain: true,
    },
    { ...common, sequence: 2, qos: 1, packetId: 0, sent: 0, content: "t two 1" },
    { ...common, sequence: 5, qos: 1, packetId: 0, sent: 0, content: "t five 1" },
  ]);
  assertEquals([...first!.receiving], [1, 65_535]);
  assertEquals([second!.clientIdentifier, second!.storedSinceMs], ["connected", 0]);
  assertEquals(second!.deliveries.map(({ message }) => text(message.payload)), ["two"]);
  assertEquals(
    retained.map(({ topic, message, atS }) => [topic, text(message.payload), message.qos, atS]),
    [["r", "kept", 1, 0], ["s", "too", 0, 0]].map((
      [topic, ...more],
    ) => [name(`${topic}`), ...more]),
  );
  assertEquals(wills.map(({ clientIdentifier, will }) => [clientIdentifier, text(will.payload)]), [
    ["connected", "gone"],
  ]);
  await store.close();
  assertEquals(pragma(path, "user_version"), SCHEMA_VERSION);
  assertEquals(pragma(path, "application_id"), 0x526c7951);
});

Deno.test("a database of version 1 says the same when it is opened again", async () => {
  const path = oldDatabase();
  const store = await openStore(path);
  const before = canonicalState(store.load());
  await store.close();
  const again = await openStore(path);
  assertEquals(canonicalState(again.load()), before);
  await again.close();
});

Deno.test("what version 2 adds can be written into a database of version 1", async () => {
  const path = oldDatabase();
  const store = await openStore(path);
  store.load();
  const { journal } = store;
  journal.deliverySent("c", 2, { packetId: 7, sent: 6 });
  journal.replayPending("c", filter("r"), true);
  const message = makeMessage("t", payload("lost"), 1);
  journal.deadLetterAdded({
    id: 1,
    reason: "message-expired",
    wallMs: 5,
    ageS: 6,
    publisher: "p",
    session: "c",
    message,
    qos: 1,
    retain: false,
    bytes: 300,
  });
  journal.retainedSet(name("s"), message, 77);
  journal.clockSaved({ ageMs: 1, wallMs: 2 });
  await store.commit();
  await store.close();
  const again = await openStore(path);
  const state = again.load();
  assertEquals(state.sessions[0]!.deliveries.map(({ sequence }) => sequence), [1, 3, 2, 5]);
  assertEquals(state.sessions[0]!.subscriptions[0]!.replayPending, true);
  assertEquals(state.deadLetters, [{ id: 1, ageS: 6, bytes: 300 }]);
  assertEquals(state.retained.map(({ atS }) => atS), [0, 77]);
  assertEquals(state.clock, { ageMs: 1, wallMs: 2 });
  await again.close();
});

Deno.test("a broker goes on with a database of version 1: order, identifiers, Wills and expiry", async () => {
  const path = oldDatabase();
  const store = await openStore(path);
  const limits = { sessionExpiryMs: 3_600_000 };
  const core = new Core({ store, limits, wallMs: STORED_SINCE_MS + 1_800_000 });
  await settled(core);
  const { sessions, queuedMessages, inFlightMessages, willsPublished, retainedMessages } =
    core.statistics;
  assertEquals([sessions, queuedMessages, inFlightMessages], [2, 3, 2]);
  assertEquals([willsPublished, retainedMessages], [1, 3]);
  const client = core.open();
  client.sendConnect({ clientIdentifier: "c", cleanSession: false });
  await settled(core);
  const got = client.takeAll().map((packet) =>
    packet.type === "PUBLISH"
      ? `${text(packet.payload)} ${packet.packetId} ${packet.dup}`
      : packet.type
  );
  assertEquals(got.slice(0, 3), ["CONNACK", "one 100 true", "PUBREL"]);
  // Where the Packet Identifiers of new messages begin, the age clock says.
  const rest = got.slice(3).map((packet) => packet.replace(/ \d+ /, " "));
  assertEquals(rest, ["two false", "five false"]);
  core.advance(3_700_000, 10_000);
  assertEquals(core.statistics.sessions, 1, "the one that was connected before has expired");
  await settled(core);
  await store.close();
});

/** Releases what the store commits. */
async function settled(core: Core): Promise<void> {
  const { journal } = core.store;
  while (journal.backlogBytes > 0 || core.store.dirty) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    core.release(journal.batch - 1);
  }
}

Deno.test("in a database of version 2 sessions belong to nobody, and whose Wills they are is not known", async () => {
  const path = oldDatabase(CONTENT, { version: 2 });
  const store = await openStore(path);
  const { sessions, wills } = store.load();
  assertEquals(sessions.map(({ owner }) => owner), ["", ""]);
  assertEquals(wills.map(({ owner }) => owner), [null]);
  const { journal } = store;
  journal.sessionOwned("c", "user alice");
  journal.willSet("c", { ...wills[0]!.will, retain: false }, "");
  await store.commit();
  await store.close();
  const again = await openStore(path);
  const state = again.load();
  assertEquals(state.sessions.map(({ owner }) => owner), ["user alice", ""]);
  assertEquals(state.wills.map(({ clientIdentifier, owner }) => [clientIdentifier, owner]), [
    ["c", ""],
    ["connected", null],
  ]);
  assertEquals(state.sessions[0]!.deliveries.map(({ sent }) => sent), [1, 3, 0, 0]);
  await again.close();
  assertEquals(pragma(path, "user_version"), SCHEMA_VERSION);
});

Deno.test("an empty database of version 1 is migrated, too", async () => {
  const path = oldDatabase("");
  const store = await openStore(path);
  assertEquals(store.load().sessions, []);
  await store.close();
  assertEquals(pragma(path, "user_version"), SCHEMA_VERSION);
});

Deno.test("of a database of version 1 that is damaged what makes sense is rescued", async () => {
  // A session has lost its row: what belongs to it is lost, and nothing else.
  const path = oldDatabase(CONTENT.replace("INTO session VALUES (7,", "INTO session VALUES (8,"));
  const store = await openStore(path);
  const { sessions, retained, wills } = store.load();
  assertEquals(
    sessions.map(({ clientIdentifier, deliveries }) => [
      clientIdentifier,
      ...deliveries.map(({ message }) => text(message.payload)),
    ]),
    [["c"], ["connected", "two"]],
  );
  assertEquals(retained.map(({ message }) => text(message.payload)), ["kept", "too"]);
  assertEquals(wills.length, 1);
  await store.close();
  assertEquals(pragma(path, "user_version"), SCHEMA_VERSION);
});
