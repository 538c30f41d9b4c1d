/** A damaged database is set aside whole, its rows are rescued, and a crash in between costs none. */
import {
  assert,
  assertEquals,
  assertGreater,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type OpenedDatabase, openOrQuarantine } from "../../src/store/quarantine.ts";
import { problemOf, StoreError } from "../../src/store/sqlite_problem.ts";
import { SCHEMA_VERSION } from "../../src/store/sqlite_schema.ts";
import { PageSource } from "../../src/store/salvage/page_source.ts";
import { ROW_SHAPES } from "../../src/store/salvage/row_shapes.ts";
import { salvage } from "../../src/store/salvage/salvage.ts";
import { migrate } from "../../src/store/sqlite_schema.ts";
import { quarantineText } from "../../src/store/store_text.ts";
import { laidOut, PAGE_BYTES, type PlantFiles, plantFiles, rowsOf } from "./_plant.ts";
import { databasePath } from "./_sqlite.ts";

const OPTIONS = { walBytesMax: 4_194_304, durability: "commit" } as const;
const CLEAN = plantFiles(7, { keepLog: false });
const WITH_LOG = plantFiles(8, { keepLog: true });

function open(path: string): OpenedDatabase {
  return openOrQuarantine(path, OPTIONS, Date.UTC(2026, 0, 1));
}

function change(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function copyOf({ main, wal }: PlantFiles): { main: Uint8Array<ArrayBuffer>; wal: Uint8Array } {
  return { main: main.slice(), wal };
}

function filesBeside(path: string): string[] {
  const directory = path.slice(0, path.lastIndexOf("/"));
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

/** The pages at the top of the trees. */
function roots(path: string): Map<string, number> {
  const database = new DatabaseSync(path);
  const rows = database.prepare("SELECT name, rootpage FROM sqlite_schema").all();
  database.close();
  return new Map(rows.map(({ name, rootpage }) => [String(name), Number(rootpage)]));
}

/** Rows of `path` beside those of the files it was made of. */
function share(found: ReadonlyMap<string, string>, of: ReadonlyMap<string, string>): number {
  const kept = [...found].filter(([key, value]) => of.get(key) === value);
  return kept.length / of.size;
}

Deno.test("a database that is whole is opened as it is, and nothing is set aside", () => {
  for (const files of [CLEAN, WITH_LOG]) {
    const path = laidOut(files);
    const expected = rowsOf(laidOut(files));
    const { database, quarantine } = open(path);
    database.close();
    assertEquals(quarantine, null);
    assertEquals(rowsOf(path), expected);
    assertEquals(filesBeside(path), ["relayq.db"]);
  }
});

Deno.test("the rescue reads from the pages of a whole database what SQLite reads", () => {
  for (let seed = 20; seed < 30; seed++) {
    const files = plantFiles(seed, { keepLog: seed % 2 === 0 });
    const path = laidOut(files);
    const target = databasePath();
    const database = new DatabaseSync(target);
    migrate(database);
    const source = PageSource.open(path);
    database.exec("BEGIN");
    const result = salvage(source, database, { bytesMax: Infinity, bytesTaken: 0 });
    database.exec("COMMIT");
    source.close();
    database.close();
    const rows = rowsOf(path);
    assertEquals(rowsOf(target), rows, `seed ${seed}`);
    assertEquals(result.pagesLost, 0);
    assertEquals(result.orphans, []);
    for (const [table, { rescued, lost }] of Object.entries(result.tables)) {
      assertEquals([rescued, lost], [rows[table as keyof typeof rows].size, 0], table);
    }
  }
});

Deno.test("every table of the schema is described for the rescue, with all its columns", () => {
  const database = new DatabaseSync(":memory:");
  migrate(database);
  const tables = database.prepare("PRAGMA table_list").all()
    .filter(({ name }) => !String(name).startsWith("sqlite_"));
  for (const { name, wr } of tables) {
    const shape = ROW_SHAPES.find(({ root }) => root === name);
    assert(shape !== undefined, `${name} has no shape`);
    assertEquals(shape.tree, wr === 1 ? "index" : "table");
    const columns = database.prepare(`PRAGMA table_info(${name})`).all();
    const known = shape.columns.map((column) => column.name);
    assertEquals(columns.map((column) => String(column.name)), known.slice(0, columns.length));
  }
  database.close();
});

Deno.test("one leaf page of NUL costs the rows of that page, and no others", () => {
  const before = rowsOf(laidOut(CLEAN));
  const tops = new Set(roots(laidOut(CLEAN)).values());
  const losses: number[] = [];
  for (let page = 2; page <= CLEAN.main.length / PAGE_BYTES; page += 7) {
    const { main, wal } = copyOf(CLEAN);
    const type = main[(page - 1) * PAGE_BYTES];
    if (tops.has(page) || (type !== 0x0d && type !== 0x0a)) continue;
    main.fill(0, (page - 1) * PAGE_BYTES, page * PAGE_BYTES);
    const path = laidOut({ main, wal });
    const { database, quarantine } = open(path);
    database.close();
    const rows = rowsOf(path);
    if (quarantine === null) continue; // the page was free
    assertGreater(quarantine.pagesLost, 0);
    const kept = share(rows.delivery, before.delivery);
    losses.push(1 - kept);
    assertGreater(kept, 0.8, `page ${page}`); // one leaf holds up to some 170 of 1,800 deliveries
    assertEquals(share(rows.session, before.session), 1, `page ${page}`);
    const { delivery, message } = quarantine.tables;
    assertEquals(delivery!.rescued, rows.delivery.size);
    assertEquals(message!.rescued, rows.message.size);
  }
  assertGreater(losses.length, 10);
  assertGreater(0.02, losses.reduce((sum, loss) => sum + loss) / losses.length);
});

Deno.test("without its first page a database loses nothing, and what was deleted stays so", () => {
  for (const files of [CLEAN, plantFiles(9, { keepLog: false })]) {
    const before = rowsOf(laidOut(files));
    const { main, wal } = copyOf(files);
    const path = laidOut({ main: main.fill(0, 0, PAGE_BYTES), wal });
    const { database, quarantine } = open(path);
    database.close();
    assert(quarantine !== null);
    assertEquals(rowsOf(path), before);
    assertEquals(quarantine.orphans, []);
  }
});

Deno.test("without the page at the top of a table its rows are found", () => {
  const tops = roots(laidOut(CLEAN));
  const before = rowsOf(laidOut(CLEAN));
  for (const table of ["message", "delivery", "retained"] as const) {
    const { main, wal } = copyOf(CLEAN);
    const at = (tops.get(table)! - 1) * PAGE_BYTES;
    const path = laidOut({ main: main.fill(0, at, at + PAGE_BYTES), wal });
    open(path).database.close();
    const rows = rowsOf(path);
    for (const other of ["session", "subscription", "message", "delivery", "retained"] as const) {
      // The page at the top of a tree of keys holds rows itself.
      assertGreater(share(rows[other], before[other]), 0.98, `${other} without ${table}`);
    }
  }
});

Deno.test("sessions without their page are known by their index, and keep their deliveries", () => {
  const at = (roots(laidOut(CLEAN)).get("session")! - 1) * PAGE_BYTES;
  const before = rowsOf(laidOut(CLEAN));
  const { main, wal } = copyOf(CLEAN);
  const path = laidOut({ main: main.fill(0, at, at + PAGE_BYTES), wal });
  const { database, quarantine } = open(path);
  database.close();
  assertEquals(rowsOf(path), before);
  assertEquals(quarantine!.tables.session, { rescued: 30, lost: 0 });
});

Deno.test("messages whose session is lost are handed out", () => {
  const path = laidOut(CLEAN);
  change(path, "DELETE FROM session WHERE client = 'press-3'");
  const before = rowsOf(path);
  const { database, quarantine } = open(path);
  database.close();
  assert(quarantine !== null);
  assertEquals(quarantine.reason, "subscription without session");
  assertGreater(quarantine.orphans.length, 10);
  assertEquals(quarantine.orphansLeftOut, 0);
  const payloads = new Set(before.message.values());
  for (const { topic, payload, qos } of quarantine.orphans) {
    assert(topic.startsWith("line/"));
    assert(payloads.has(new TextDecoder().decode(payload)));
    assertEquals(qos, 1);
  }
  const { session, message } = quarantine.tables;
  assertEquals(session, { rescued: 29, lost: 1 });
  assertEquals(message!.rescued + quarantine.orphans.length, before.message.size);
});

Deno.test("of two sessions of one client the younger is the client's", () => {
  const model = databasePath();
  open(model).database.close();
  const schema = new DatabaseSync(model);
  const tables = schema.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  schema.close();
  const path = databasePath();
  change(path, tables.map(({ sql }) => String(sql).replace(" UNIQUE", "")).join(";"));
  change(
    path,
    `PRAGMA application_id = ${0x526c7951}; PRAGMA user_version = ${SCHEMA_VERSION};
     INSERT INTO session VALUES (1, 'a', 0, ''), (2, 'b', 0, ''), (3, 'a', 0, '');
     INSERT INTO subscription (session, filter, qos) VALUES (1, 'old', 0), (3, 'new', 0), (9, 'x', 0)`,
  );
  open(path).database.close();
  const { session, subscription } = rowsOf(path);
  assertEquals([...session].sort(), [["2", "b"], ["3", "a"]]);
  assertEquals([...subscription.keys()], ["3 new"]);
});

Deno.test("a Packet Identifier that a session uses twice stays with what is released, then the oldest", () => {
  const path = databasePath();
  open(path).database.close();
  change(
    path,
    `INSERT INTO session VALUES (1, 'a', 0, ''), (2, 'b', 0, '');
     INSERT INTO message VALUES (1, 2, x'000174');
     INSERT INTO delivery (session, sequence, message, qos, retain, packet_id, released) VALUES
       (1, 1, 1, 1, 0, 7, 0), (1, 2, 1, 2, 0, 7, 1), (1, 3, 1, 2, 0, 7, 1), (1, 4, 1, 1, 0, 8, 0),
       (2, 5, 1, 1, 0, 7, 0), (2, 6, 1, 1, 0, 7, 0), (9, 9, 1, 1, 0, 7, 0)`,
  );
  open(path).database.close();
  const after = new DatabaseSync(path);
  const rows = after.prepare("SELECT * FROM delivery ORDER BY sequence").all();
  after.close();
  assertEquals(
    rows.map(({ session, sequence, packet_id }) => [session, sequence, packet_id]),
    [[1, 1, 0], [1, 2, 7], [1, 4, 8], [2, 5, 7], [2, 6, 0]],
  );
});

Deno.test("a log that is broken in front of whole commits is damage, and costs one commit at most", () => {
  const before = rowsOf(laidOut(WITH_LOG));
  const { main, wal } = WITH_LOG;
  const broken = wal.slice();
  broken.fill(0xff, 32 + 20 * 4120 + 100, 32 + 20 * 4120 + 200);
  const path = laidOut({ main, wal: broken });
  const { database, quarantine } = open(path);
  database.close();
  assert(quarantine !== null);
  assertGreater(share(rowsOf(path).delivery, before.delivery), 0.85);
  // SQLite by itself ends at the broken frame, without a word.
  const alone = laidOut({ main, wal: broken });
  const lost = rowsOf(alone);
  assertGreater(0.85, share(lost.delivery, before.delivery));
});

Deno.test("a commit that a power cut has torn is no damage", () => {
  const { main, wal } = WITH_LOG;
  const frames = Math.floor((wal.length - 32) / 4120);
  const view = new DataView(wal.buffer);
  let previous = 0;
  for (let frame = 0; frame < frames; frame++) {
    if (view.getUint32(32 + frame * 4120 + 4) > 0 && frame < frames - 1) previous = frame + 1;
  }
  const torn = wal.slice();
  torn.fill(0, 32 + previous * 4120, 32 + previous * 4120 + 4000); // the last commit's first frame
  const { database, quarantine } = open(laidOut({ main, wal: torn }));
  database.close();
  assertEquals(quarantine, null);
});

Deno.test("a start that is killed between any two steps is followed by one that rescues all", async () => {
  const script = new URL("./_quarantine_child.ts", import.meta.url).pathname;
  // The page at the top of the deliveries: all that is left of them is found, log and all.
  const { main, wal } = copyOf(WITH_LOG);
  const page = (roots(laidOut(WITH_LOG)).get("will")! - 1) * PAGE_BYTES;
  main.fill(0, page, page + PAGE_BYTES);
  const whole = laidOut({ main, wal });
  const expected = open(whole);
  expected.database.close();
  if (expected.quarantine === null) throw new Error("Cannot test: no damage");
  const rows = rowsOf(whole);
  let killed = 0;
  for (let step = 1;; step++) {
    const path = laidOut({ main, wal });
    const args = ["run", "--no-prompt", "-A", script, path, `${step}`];
    const child = await new Deno.Command(Deno.execPath(), { args }).output();
    if (child.success) break;
    assertEquals(child.signal, "SIGKILL", new TextDecoder().decode(child.stderr));
    killed++;
    const { database } = open(path);
    database.close();
    assertEquals(rowsOf(path), rows, `step ${step}`);
    const moved = `${path}.damaged-20260101T000000Z`;
    assertEquals(Deno.readFileSync(moved), main, `step ${step}`);
    assertEquals(Deno.readFileSync(`${moved}-wal`), wal, `step ${step}`);
    const names = ["", ".damaged-20260101T000000Z", ".damaged-20260101T000000Z-wal"];
    assertEquals(filesBeside(path), names.map((name) => `relayq.db${name}`), `step ${step}`);
  }
  assertGreater(killed, 4);
});

Deno.test({
  name: "where the disk is too full for all rows, those are rescued that there is room for",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const script = new URL("./_quarantine_child.ts", import.meta.url).pathname;
    const { main, wal } = copyOf(CLEAN);
    const path = laidOut({ main: main.fill(0, 0, PAGE_BYTES), wal });
    // A limit on the size of files stands for the full disk.
    const limited = `trap "" XFSZ; exec prlimit --fsize=600000 -- "$0" "$@"`;
    const args = ["-c", limited, Deno.execPath(), "run", "--no-prompt", "-A", script, path];
    const { stdout } = await new Deno.Command("sh", { args }).output();
    assert(/full|I\/O/.test(new TextDecoder().decode(stdout)), new TextDecoder().decode(stdout));
    const rows = rowsOf(path);
    const before = rowsOf(laidOut(CLEAN));
    assertEquals(share(rows.session, before.session), 1);
    assertEquals(share(rows.subscription, before.subscription), 1);
    assertGreater(rows.delivery.size, 10);
    assertGreater(before.delivery.size, rows.delivery.size);
    assertEquals(Deno.readFileSync(`${path}.damaged-20260101T000000Z`), main);
  },
});

Deno.test({
  name: "where there is no room for an empty database, it is said what has become of the old one",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const script = new URL("./_quarantine_child.ts", import.meta.url).pathname;
    const { main, wal } = copyOf(CLEAN);
    const path = laidOut({ main: main.fill(0, 0, PAGE_BYTES), wal });
    const limited = `trap "" XFSZ; exec prlimit --fsize=8192 -- "$0" "$@"`;
    const args = ["-c", limited, Deno.execPath(), "run", "--no-prompt", "-A", script, path];
    const { success, stderr } = await new Deno.Command("sh", { args }).output();
    assert(!success);
    assertStringIncludes(
      new TextDecoder().decode(stderr),
      `Cannot make a new database in the place of the damaged one, set aside as ${path}.damaged-`,
    );
    const { database, quarantine } = open(path); // there is room again
    database.close();
    assertEquals(quarantine!.trouble, null);
    assertGreater(rowsOf(path).delivery.size, 10);
  },
});

Deno.test("the log does not count messages as dead letters that were left out", () => {
  const report = {
    movedTo: "d.damaged-1",
    reason: "r",
    trouble: null,
    setAside: 1,
    tookMs: 1,
    tables: {},
    pagesLost: 0,
    orphans: [{ topic: "t", payload: new Uint8Array(0), qos: 1 as const }],
    orphansLeftOut: 2,
  };
  const [, , rescued] = quarantineText(report);
  assertStringIncludes(rescued!, "without a session: 1, in the dead letters (2 more left out)");
});

Deno.test("a second database of the same second gets a number, and none is ever removed", () => {
  const path = databasePath();
  for (let count = 1; count <= 12; count++) {
    Deno.writeFileSync(path, new Uint8Array(5000 + count));
    const { database, quarantine } = open(path);
    database.close();
    assertEquals(quarantine!.setAside, count);
    const number = count === 1 ? "" : `-${count}`;
    assertEquals(quarantine!.movedTo, `${path}.damaged-20260101T000000Z${number}`);
    assertEquals(Deno.statSync(quarantine!.movedTo).size, 5000 + count);
  }
});

Deno.test("a link to the database is followed: the file it leads to is set aside and replaced", () => {
  const target = laidOut({ main: CLEAN.main.slice().fill(0), wal: new Uint8Array() });
  const link = databasePath();
  Deno.symlinkSync(target, link);
  const { database, quarantine } = open(link);
  database.close();
  assertEquals(quarantine!.movedTo, `${target}.damaged-20260101T000000Z`);
  assert(Deno.lstatSync(link).isSymlink);
  assertEquals(filesBeside(target).length, 2);
});

Deno.test("what belongs to others is refused and left alone, log and all", () => {
  const files: Record<string, (path: string) => void> = {
    "another program": (path) => change(path, "CREATE TABLE theirs (x)"),
    "another program with its mark": (path) => change(path, "PRAGMA application_id = 77"),
    "a newer version": (path) => {
      open(path).database.close();
      change(path, `PRAGMA user_version = ${SCHEMA_VERSION + 1}`);
    },
    "another program, with its log": (path) => {
      const other = databasePath();
      const database = new DatabaseSync(other);
      database.exec("PRAGMA journal_mode = WAL; CREATE TABLE theirs (x)");
      Deno.copyFileSync(other, path);
      Deno.copyFileSync(`${other}-wal`, `${path}-wal`);
      database.close();
    },
  };
  for (const [what, make] of Object.entries(files)) {
    const path = databasePath();
    make(path);
    const names = filesBeside(path);
    const before = names.map((name) => Deno.readFileSync(path.replace(/[^/]*$/, name)));
    const error = assertThrows(() => open(path), StoreError);
    assertEquals(error.kind, "foreign", what);
    assertEquals(filesBeside(path), names, what);
    assertEquals(names.map((name) => Deno.readFileSync(path.replace(/[^/]*$/, name))), before);
  }
});

Deno.test("a header that has lost our mark, or has an impossible version, is damage", () => {
  const sql = [
    "PRAGMA application_id = 0",
    "PRAGMA application_id = 77",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = -5",
    "PRAGMA user_version = 33554433",
  ];
  for (const statement of sql) {
    const path = laidOut(CLEAN);
    change(path, statement);
    const { database, quarantine } = open(path);
    database.close();
    assert(quarantine !== null, statement);
    assertEquals(rowsOf(path), rowsOf(laidOut(CLEAN)), statement);
  }
});

Deno.test("faults of the world set nothing aside", () => {
  const directory = databasePath();
  Deno.mkdirSync(directory);
  const missing = `${databasePath()}/missing/relayq.db`;
  const logIsDirectory = laidOut(CLEAN);
  Deno.mkdirSync(`${logIsDirectory}-wal`);
  for (const path of [directory, missing, logIsDirectory]) {
    let kind = "";
    try {
      open(path).database.close();
    } catch (error) {
      ({ kind } = problemOf(error));
    }
    assertEquals(kind, "unusable", path);
  }
  const busy = laidOut(CLEAN);
  const { database } = open(busy);
  assertEquals(assertThrows(() => open(busy), StoreError).kind, "locked");
  database.close();
  assertEquals(filesBeside(busy), ["relayq.db"]);
});
