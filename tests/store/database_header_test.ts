/** What the head of a database file says, as `relayq doctor` reads it while a broker has it open. */
import { assertEquals, assertRejects } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { readDatabaseHeader, SCHEMA_VERSION } from "../../src/store/mod.ts";
import { databasePath, openStore } from "./_sqlite.ts";

/** A closed database of ours, changed by `sql`. */
async function database(sql = ""): Promise<string> {
  const path = databasePath();
  await (await openStore(path)).close();
  const connection = new DatabaseSync(path);
  connection.exec(sql);
  connection.close();
  return path;
}

Deno.test("the header of a database tells its schema version, and whether that is old", async () => {
  const present = { schemaVersion: SCHEMA_VERSION, isOld: false };
  assertEquals(await readDatabaseHeader(await database()), present);
  const old = await database("PRAGMA user_version = 1");
  assertEquals(await readDatabaseHeader(old), { schemaVersion: 1, isOld: true });
});

Deno.test("the header of a new database tells no version: it is in the log still", async () => {
  const unknown = { schemaVersion: null, isOld: false };
  const path = databasePath();
  await Deno.writeFile(path, new Uint8Array());
  assertEquals(await readDatabaseHeader(path), unknown);
  const unused = await database("PRAGMA user_version = 0; PRAGMA application_id = 0");
  assertEquals(await readDatabaseHeader(unused), unknown);
});

Deno.test("the header of a file that is no database, or not ours, says so", async () => {
  const noDatabase = { problem: "it is no SQLite database" };
  const path = databasePath();
  await Deno.writeTextFile(path, "SQLite format 3\0");
  assertEquals(await readDatabaseHeader(path), noDatabase); // it ends in its header
  await Deno.writeTextFile(path, "x".repeat(4096));
  assertEquals(await readDatabaseHeader(path), noDatabase);
  const foreign = await database("PRAGMA application_id = 1");
  assertEquals(await readDatabaseHeader(foreign), { problem: "it is not a RelayQ database" });
});

Deno.test("the header of a database of a newer program names both versions", async () => {
  const newer = SCHEMA_VERSION + 1;
  const path = await database(`PRAGMA user_version = ${newer}`);
  assertEquals(await readDatabaseHeader(path), {
    problem: `its schema version is ${newer}, this program knows versions up to ${SCHEMA_VERSION}`,
  });
});

Deno.test("a database that is not there has no header", async () => {
  await assertRejects(() => readDatabaseHeader(databasePath()), Deno.errors.NotFound);
});
