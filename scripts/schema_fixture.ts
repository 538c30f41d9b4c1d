/**
 * Writes `tests/store/fixtures/schema_N.sql` for the schema version of this source: what a broker of
 * it leaves behind after kill -9. Run once for every new version, before it is released:
 * `deno run --allow-all scripts/schema_fixture.ts`
 */
import { DatabaseSync } from "node:sqlite";
import { SCHEMA_VERSION } from "../src/store/mod.ts";
import { metric, payload } from "../tests/sparkplug/_encode.ts";
import { ServedBroker } from "../tests/support/served_broker.ts";
import { name, publishPacket, WireClient } from "../tests/support/wire_client.ts";

const FIXTURES = new URL("../tests/store/fixtures/", import.meta.url);
const encoder = new TextEncoder();

/** Brings a broker into the state that the tests expect, and kills it. */
async function leaveBehind(directory: string): Promise<void> {
  await using broker = await ServedBroker.serve({
    directory,
    toml: '[sparkplug]\nmode = "monitor"\n',
  });
  const { port } = broker;
  using node = await WireClient.connect(port, {
    clientIdentifier: "node",
    will: {
      topic: name("spBv1.0/G/NDEATH/E"),
      payload: payload({
        metrics: [metric({ name: "bdSeq", type: 8, value: [11, 7] })],
      }),
      qos: 1,
      retain: false,
    },
  });
  await node.disconnect();
  using historian = await WireClient.connect(port, {
    clientIdentifier: "historian",
    cleanSession: false,
  });
  await historian.subscribe("plant/#", 2);
  await historian.subscribe("other/+", 1);
  await historian.disconnect();
  using publisher = await WireClient.connect(port, { clientIdentifier: "publisher" });
  for (let i = 0; i < 5; i++) {
    await publisher.publish(`plant/line${i % 2}`, `m${i}`, { qos: i % 2 === 0 ? 1 : 2 });
  }
  await publisher.publish("plant/state", "old", { qos: 1, retain: true });
  await publisher.publish("plant/state", "running", { qos: 1, retain: true });
  await publisher.publish("ünï/cödé", '{"ü":1}', { qos: 2, retain: true });
  using scada = await WireClient.connect(port, { clientIdentifier: "scada", cleanSession: false });
  await scada.subscribe("scada/#", 1);
  await publisher.send(publishPacket("scada/1", "inflight", { qos: 1, packetId: 1 }));
  await publisher.expect("PUBACK");
  await publisher.send(publishPacket("scada/2", "inflight2", { qos: 1, packetId: 2 }));
  await publisher.expect("PUBACK");
  // Not acknowledged: they are in flight.
  await scada.expect("PUBLISH");
  await scada.expect("PUBLISH");
  using _gateway = await WireClient.connect(port, {
    clientIdentifier: "gateway",
    will: {
      topic: name("plant/gateway/lost"),
      payload: encoder.encode("gone"),
      qos: 1,
      retain: true,
    },
  });
  await publisher.disconnect();
  broker.kill("SIGKILL");
  await broker.ended();
}

/** The database as text: marks, then tables by name, then their rows in their order. */
function dump(database: DatabaseSync): string {
  const marks = ["application_id", "user_version"].map((mark) =>
    `PRAGMA ${mark} = ${Object.values(database.prepare(`PRAGMA ${mark}`).get()!)[0]};`
  );
  const tables = database.prepare(
    "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name",
  ).all();
  const rows = tables.map(({ name: table, sql }) => {
    const columns = database.prepare(`SELECT name FROM pragma_table_info(?)`).all(table!);
    if (columns.length === 0) return `${sql};`;
    const values = columns.map((column) => `quote("${column.name}")`).join(" || ',' || ");
    const inserts = database.prepare(`SELECT ${values} AS row FROM "${table}"`).all();
    return [`${sql};`, ...inserts.map(({ row }) => `INSERT INTO "${table}" VALUES(${row});`)]
      .join("\n");
  });
  return [...marks, ...rows].join("\n") + "\n";
}

if (import.meta.main) {
  const directory = await Deno.makeTempDir({ prefix: "relayq-fixture-" });
  try {
    await leaveBehind(directory);
    const database = new DatabaseSync(`${directory}/data/relayq.db`);
    const file = `schema_${SCHEMA_VERSION}.sql`;
    await Deno.writeTextFile(new URL(file, FIXTURES), dump(database));
    database.close();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
