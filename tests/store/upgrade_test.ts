/**
 * Upgrades and downgrades of a whole broker: what brokers of earlier schema versions have left behind,
 * after `kill -9`, is served by this one; what a later one has left is not touched.
 *
 * The fixtures are dumps of databases that those very brokers wrote: a session `historian` that was
 * away with seven messages waiting for it, a session `scada` with two in flight, two retained messages,
 * and `gateway`, which had a Will.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SCHEMA_VERSION } from "../../src/store/mod.ts";
import { ServedBroker } from "../support/served_broker.ts";
import { TestBroker } from "../support/test_broker.ts";
import { inDirectory } from "../support/waiting.ts";
import { text, WireClient } from "../support/wire_client.ts";

const FIXTURES = new URL("./fixtures/", import.meta.url);
const VERSIONS = Array.from({ length: SCHEMA_VERSION }, (_, index) => index + 1);

/** How the process ended that wrote the database: with everything in the log, or in the file. */
type End = "killed" | "closed";

/** Makes the database of a fixture in `directory`, and gives its path. */
async function revive(
  directory: string,
  { version, end, change = "" }: { version: number; end: End; change?: string },
): Promise<string> {
  const dump = await Deno.readTextFile(new URL(`schema_${version}.sql`, FIXTURES));
  const work = `${directory}/work`;
  await Deno.mkdir(work, { recursive: true });
  const database = new DatabaseSync(`${work}/relayq.db`);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
  // Marks first and on their own: a database without them is none of ours.
  const [marks, rest] = [dump.split("\n").slice(0, 2), dump.split("\n").slice(2)];
  database.exec(marks.join("\n"));
  if (end === "killed") database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.exec(`BEGIN; ${rest.join("\n")} COMMIT; ${change}`);
  if (end === "closed") database.close();
  const data = `${directory}/data`;
  await Deno.mkdir(data, { mode: 0o700 });
  for await (const { name } of Deno.readDir(work)) {
    if (name.endsWith("-shm")) continue;
    await Deno.copyFile(`${work}/${name}`, `${data}/${name}`);
    await Deno.chmod(`${data}/${name}`, 0o600);
  }
  if (end === "killed") database.close();
  return data;
}

/** Message after message, as "topic payload", with DUP where it is set. */
async function resumed(port: number, clientIdentifier: string, count: number): Promise<string[]> {
  using client = await WireClient.open(port);
  const connack = await client.sendConnect({ clientIdentifier, cleanSession: false });
  assertEquals([connack.returnCode, connack.sessionPresent], [0, true]);
  const got: string[] = [];
  for (let owed = 0; got.length < count || owed > 0;) {
    const packet = await client.receive();
    if (packet.type === "PUBREL") {
      await client.send({ type: "PUBCOMP", packetId: packet.packetId });
      owed--;
    } else if (packet.type === "PUBLISH") {
      const { topic, payload, dup, qos, packetId } = packet;
      got.push(`${topic} ${text(payload)}${dup ? " again" : ""}`);
      await client.send({ type: qos === 2 ? "PUBREC" : "PUBACK", packetId });
      if (qos === 2) owed++;
    } else throw new Error(`Cannot receive message: got ${packet.type}`);
  }
  await client.disconnect();
  return got;
}

/** By path, everything below a folder. */
function bytesIn(directory: string): Map<string, Uint8Array> {
  const files = [...Deno.readDirSync(directory)].filter(({ isFile }) => isFile);
  return new Map(
    files.map(({ name }) => [name, Deno.readFileSync(`${directory}/${name}`)] as const)
      .toSorted(([a], [b]) => a < b ? -1 : 1),
  );
}

for (const version of VERSIONS) {
  for (const end of ["closed", "killed"] as const) {
    Deno.test(`what a broker of schema version ${version} left, ${end}, is served`, async () => {
      await inDirectory(async (directory) => {
        const dataDir = await revive(directory, { version, end });
        // However long ago that was.
        const changes = { store: { dataDir }, session: { expiryMs: 0 } };
        {
          await using broker = await TestBroker.start(changes, { keepDataDir: true });
          assertEquals(broker.log.filter((line) => / (warn|error) /.test(line)), []);
          assertEquals(await resumed(broker.port, "scada", 2), [
            "scada/1 inflight again",
            "scada/2 inflight2 again",
          ]);
          assertEquals(await resumed(broker.port, "historian", 8), [
            "plant/line0 m0",
            "plant/line1 m1",
            "plant/line0 m2",
            "plant/line1 m3",
            "plant/line0 m4",
            "plant/state old",
            "plant/state running",
            "plant/gateway/lost gone",
          ]);
          using client = await WireClient.connect(broker.port);
          await client.subscribe("#", 1);
          const retained = [];
          for (let count = 0; count < 3; count++) retained.push(await client.receiveMessage());
          const texts = retained.map((message) => `${message.topic} ${text(message.payload)}`);
          assertEquals(
            texts.toSorted(),
            ["plant/gateway/lost gone", "plant/state running", 'ünï/cödé {"ü":1}'],
          );
        }
        const database = new DatabaseSync(`${dataDir}/relayq.db`);
        const row = database.prepare("PRAGMA user_version").get();
        database.close();
        assertEquals(row?.user_version, SCHEMA_VERSION);
        // And by the next start of the same broker.
        await using broker = await TestBroker.start(changes, { keepDataDir: true });
        using client = await WireClient.open(broker.port);
        const again = await client.sendConnect({ clientIdentifier: "scada", cleanSession: false });
        assertEquals(again.sessionPresent, true);
      });
    });
  }
}

Deno.test("there is a fixture of every schema version so far", async () => {
  const names = [...Deno.readDirSync(FIXTURES)].map(({ name }) => name).toSorted();
  assertEquals(names, VERSIONS.map((version) => `schema_${version}.sql`));
  for (const version of VERSIONS) {
    const dump = await Deno.readTextFile(new URL(`schema_${version}.sql`, FIXTURES));
    assertStringIncludes(dump, `PRAGMA user_version = ${version};`);
  }
});

for (const end of ["closed", "killed"] as const) {
  Deno.test(`what a later broker left, ${end}, is refused with its version, and every byte stays`, async () => {
    await inDirectory(async (directory) => {
      const later = SCHEMA_VERSION + 1;
      const change = `CREATE TABLE later (x); PRAGMA user_version = ${later}`;
      const data = await revive(directory, { version: SCHEMA_VERSION, end, change });
      const before = bytesIn(data);
      assertEquals((before.get("relayq.db-wal")?.length ?? 0) > 10_000, end === "killed");
      await using broker = ServedBroker.start({ directory });
      const { code } = await broker.ended();
      assertEquals(code, 3);
      assertStringIncludes(
        broker.err,
        `its schema version is ${later}, this program knows versions`,
      );
      const after = bytesIn(data);
      // The lock of the broker that was refused, and its line in the audit log, are beside it.
      for (const name of after.keys()) if (!before.has(name)) after.delete(name);
      assertEquals(after, before);
    });
  });
}
