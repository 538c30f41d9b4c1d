/** Opening a database: what is refused, why, and that it is left as it was. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { makeMessage } from "../../src/broker/mod.ts";
import {
  openSqliteStore,
  type QuarantineReport,
  SCHEMA_VERSION,
  type StoreProblem,
} from "../../src/store/mod.ts";
import { name, payload } from "../support/wire_client.ts";
import { databasePath, openStore } from "./_sqlite.ts";

async function problem(path: string): Promise<StoreProblem> {
  const store = await openSqliteStore(path);
  if ("problem" in store) return store;
  await store.close();
  throw new Error("Cannot see problem: the store was opened");
}

/** A closed database with a session, a delivery and a retained message. */
async function filledDatabase(): Promise<string> {
  const path = databasePath();
  const store = await openStore(path);
  store.journal.sessionCreated("c");
  store.journal.deliveryAdded({
    clientIdentifier: "c",
    sequence: 1,
    message: makeMessage("t", payload("x".repeat(20_000)), 1),
    qos: 1,
    retain: false,
    packetId: 0,
    sent: 0,
    queuedS: 0,
  });
  store.journal.retainedSet(name("r"), makeMessage("r", payload("kept"), 1), 0);
  await store.commit();
  await store.close();
  return path;
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

Deno.test("SqliteStore makes a database that only its owner can read, and no file beside it after close", async () => {
  const path = await filledDatabase();
  assertEquals(Deno.statSync(path).mode! & 0o777, 0o600);
  const directory = path.slice(0, path.lastIndexOf("/"));
  assertEquals([...Deno.readDirSync(directory)].map((entry) => entry.name), ["relayq.db"]);
});

Deno.test("SqliteStore writes its version and its mark into the file", async () => {
  const database = new DatabaseSync(await filledDatabase());
  assertEquals(database.prepare("PRAGMA user_version").get()?.user_version, SCHEMA_VERSION);
  assertEquals(database.prepare("PRAGMA application_id").get()?.application_id, 0x526c7951);
  database.close();
});

Deno.test("SqliteStore refuses a newer version, and says so, and leaves the file as it is", async () => {
  const path = await filledDatabase();
  change(path, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
  const before = Deno.readFileSync(path);
  const refused = await problem(path);
  assertEquals(refused.kind, "foreign");
  assertStringIncludes(refused.problem, `its schema version is ${SCHEMA_VERSION + 1}`);
  assertEquals(Deno.readFileSync(path), before);
  change(path, `PRAGMA user_version = ${SCHEMA_VERSION}`);
  const store = await openStore(path);
  assertEquals(store.load().sessions[0]?.deliveries.length, 1);
  await store.close();
});

Deno.test("SqliteStore refuses a database of another program, and leaves it as it is", async () => {
  const path = databasePath();
  change(path, "CREATE TABLE theirs (x)");
  const before = Deno.readFileSync(path);
  assertEquals((await problem(path)).kind, "foreign");
  assertEquals(Deno.readFileSync(path), before);
});

Deno.test("SqliteStore sets a damaged file aside, says so, and opens", async () => {
  const damages: Record<string, (path: string) => void> = {
    "text": (path) => Deno.writeTextFileSync(path, "not a database\n".repeat(500)),
    "all NUL": (path) => Deno.writeFileSync(path, new Uint8Array(Deno.statSync(path).size)),
    "cut in the middle": (path) => Deno.truncateSync(path, Deno.statSync(path).size / 2),
    "a page of NUL": (path) => {
      const file = Deno.openSync(path, { write: true });
      file.seekSync(4096 * 2, Deno.SeekMode.Start);
      file.writeSync(new Uint8Array(4096));
      file.close();
    },
    "delivery without session": (path) => change(path, "DELETE FROM session"),
    "delivery without message": (path) => change(path, "DELETE FROM message"),
    "message without delivery": (path) => change(path, "DELETE FROM delivery"),
    "Topic Name cut off": (path) => change(path, "UPDATE message SET body = x'ffff00'"),
    "no Topic Name": (path) =>
      change(path, "PRAGMA ignore_check_constraints = ON; UPDATE message SET body = x''"),
    "QoS 3": (path) =>
      change(path, "PRAGMA ignore_check_constraints = ON; UPDATE delivery SET qos = 3"),
    "a number beyond 2^53": (path) =>
      change(path, "PRAGMA ignore_check_constraints = ON; UPDATE delivery SET sequence = 1 << 60"),
    "a table is missing": (path) => change(path, "DROP TABLE will"),
  };
  for (const [what, damage] of Object.entries(damages)) {
    const path = await filledDatabase();
    damage(path);
    const reports: QuarantineReport[] = [];
    const store = await openSqliteStore(path, {}, (report) => reports.push(report));
    if ("problem" in store) throw new Error(`${what}: ${store.problem}`);
    store.load();
    await store.close();
    assertEquals(reports.map(({ trouble }) => trouble), [null], what);
    assert(Deno.statSync(reports[0]!.movedTo).isFile, what);
    (await openStore(path)).close();
  }
});

Deno.test("SqliteStore takes an empty file as a new database", async () => {
  const path = databasePath();
  Deno.writeFileSync(path, new Uint8Array(0));
  const store = await openStore(path);
  assertEquals(store.load().sessions, []);
  await store.close();
});

Deno.test("SqliteStore says what keeps it from the file", async () => {
  const path = `${databasePath()}/missing/relayq.db`;
  assertEquals((await problem(path)).kind, "unusable");
  const directory = databasePath();
  Deno.mkdirSync(directory);
  assertEquals((await problem(directory)).kind, "unusable");
});

Deno.test("a database is open in one store at a time, in this process and in others", async () => {
  const path = await filledDatabase();
  const store = await openStore(path);
  assertEquals((await problem(path)).kind, "locked");
  const script = new URL("./_open_child.ts", import.meta.url).pathname;
  const options = { args: ["run", "--no-prompt", "-RW", script, path] };
  const { stdout } = await new Deno.Command(Deno.execPath(), options).output();
  assertEquals(new TextDecoder().decode(stdout), "locked\n");
  store.journal.retainedDeleted(name("r"));
  await store.commit();
  await store.close();
  const again = await openStore(path);
  assertEquals(again.load().retained, []);
  await again.close();
});

Deno.test("what comes and goes within a group is not written, and waits for nothing", async () => {
  const store = await openStore(databasePath());
  const { journal, statistics } = store;
  journal.sessionCreated("c");
  await store.commit();
  const { commits, changesWritten } = statistics;
  const message = makeMessage("t", payload("x"), 2);
  const will = { topic: name("w"), payload: payload("w"), qos: 1 as const, retain: false };
  const delivery = {
    clientIdentifier: "c",
    sequence: 1,
    message,
    retain: false,
    packetId: 0,
    sent: 0,
    queuedS: 0,
  };
  journal.deliveryAdded({ ...delivery, qos: 2 });
  journal.deliverySent("c", 1, { packetId: 5, sent: 2 });
  journal.deliveryReleased("c", 1);
  journal.deliveryFinished("c", 1);
  journal.receiveStarted("c", 9);
  journal.receiveFinished("c", 9);
  journal.willSet("d", will, "user d");
  journal.willDeleted("d");
  journal.sessionCreated("e");
  journal.subscribed("e", "f" as never, 1);
  journal.sessionDiscarded("e");
  journal.awaitCommit();
  const { batch } = journal;
  assertEquals(store.commit(), batch, "at once, not as a promise");
  assertEquals(statistics.commits, commits);
  for (const content of ["1", "2", "3"]) {
    journal.retainedSet(name("r"), makeMessage("r", payload(content), 1), 0);
  }
  const promise = store.commit();
  assert(promise instanceof Promise);
  await promise;
  assertEquals(statistics.changesWritten, changesWritten + 1);
  await store.close();
});

Deno.test("the file shrinks when what it held is gone", async () => {
  const path = databasePath();
  const store = await openStore(path, { walBytesMax: 65_536 });
  const topics = Array.from({ length: 200 }, (_, i) => name(`t${i}`));
  const content = payload("x".repeat(60_000));
  for (const topic of topics) store.journal.retainedSet(topic, makeMessage(topic, content, 1), 0);
  await store.commit();
  while (store.statistics.checkpoints === 0) await new Promise((r) => setTimeout(r, 5));
  const full = Deno.statSync(path).size;
  for (const topic of topics) store.journal.retainedDeleted(topic);
  await store.commit();
  for (let round = 0; Deno.statSync(path).size * 2 > full; round++) {
    assert(round < 1_000, "the file is as long as it was");
    const other = payload(`${round}`.repeat(20_000)); // the same again would not be written
    store.journal.retainedSet(topics[0]!, makeMessage("t", other, 1), 0);
    await store.commit();
  }
  await store.close();
});
