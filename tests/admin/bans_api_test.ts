/** Bans through the admin API: at once, at CONNECT, over restarts, and in the audit log. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { auditDirectory, auditLines } from "../support/audit_files.ts";
import { eventually } from "../support/waiting.ts";
import { connectPacket, payload, WireClient } from "../support/wire_client.ts";
import { ApiBroker } from "./_api.ts";

// deno-lint-ignore no-explicit-any -- what the API answers
type Json = any;
type Client = Parameters<typeof connectPacket>[0];

/** The return code of a CONNECT. */
async function connect(api: ApiBroker, options: Client): Promise<number> {
  using client = await WireClient.open(api.broker.port);
  await client.send(connectPacket(options));
  const { returnCode } = await client.expect("CONNACK");
  return returnCode;
}

Deno.test("whoever is banned is disconnected, and refused with return code 5 until the ban is lifted", async () => {
  await using api = await ApiBroker.start();
  const { port } = api.broker;
  const cases: [string, string, Client, Client][] = [
    ["client_id", "pump-7", { clientIdentifier: "pump-7" }, { clientIdentifier: "pump-8" }],
    ["client_id", "__proto__", { clientIdentifier: "__proto__" }, { clientIdentifier: "x" }],
    ["user", "eve", { clientIdentifier: "e", userName: "eve" }, { clientIdentifier: "eve" }],
  ];
  for (const [kind, value, options, other] of cases) {
    using banned = await WireClient.connect(port, options);
    using stays = await WireClient.connect(port, other);
    const body = { kind, value, seconds: null, reason: "test" };
    assertEquals((await api.call("POST /api/v1/bans", { body, as: "read" })).status, 403);
    const { status, json: ban } = await api.call("POST /api/v1/bans", { body, as: "operate" });
    assertEquals([status, ban.disconnected, ban.by, ban.until], [201, 1, "operateer", null]);
    await banned.expectClosed();
    assertEquals(await connect(api, options), 5, value);
    assertEquals(await stays.drain(), []);
    const { json: again } = await api.call("POST /api/v1/bans", { body });
    assertEquals([again.id, again.disconnected], [ban.id, 0]);
    const { json: list } = await api.call("GET /api/v1/bans");
    assertEquals(list.items.map((b: Json) => [b.kind, b.value, b.reason]), [[kind, value, "test"]]);
    assertEquals((await api.call(`DELETE /api/v1/bans/${ban.id}`)).status, 204);
    assertEquals((await api.call(`DELETE /api/v1/bans/${ban.id}`)).status, 404);
    assertEquals(await connect(api, options), 0, value);
  }
});

Deno.test("a banned address or network is kept out whoever comes from there, before any password", async () => {
  await using api = await ApiBroker.start();
  const made: string[] = [];
  for (const value of ["127.0.0.1", "127.0.0.0/8", "::ffff:127.0.0.1"]) {
    using client = await WireClient.connect(api.broker.port, { clientIdentifier: "c" });
    const body = { kind: "address", value, seconds: 3_600 };
    const { json } = await api.call("POST /api/v1/bans", { body });
    assertEquals(json.disconnected, 1);
    assertEquals(Date.parse(json.until) - Date.parse(json.since), 3_600_000);
    await client.expectClosed();
    const login = { clientIdentifier: "c", userName: "u", password: payload("p") };
    assertEquals(await connect(api, login), 5);
    await api.call(`DELETE /api/v1/bans/${json.id}`);
    made.push(json.id);
  }
  assertEquals(made[0], made[2]);
  assertEquals(await connect(api, { clientIdentifier: "c" }), 0);
});

Deno.test("what is no ban is refused and says why", async () => {
  await using api = await ApiBroker.start();
  const wrong: [Json, string][] = [
    [{ kind: "host", value: "x" }, "kind"],
    [{ kind: "user" }, "value"],
    [{ kind: "user", value: "" }, "value"],
    [{ kind: "address", value: "10.0.0.1/8" }, "10.0.0.1/8: bits behind the first 8 are set"],
    [{ kind: "address", value: "plant" }, "plant"],
    [{ kind: "user", value: "x", seconds: 0 }, "seconds"],
    [{ kind: "user", value: "x", secnods: 1 }, "secnods"],
    [{ kind: "user", value: "x", reason: "r".repeat(257) }, "reason"],
  ];
  for (const [body, word] of wrong) {
    const { status, json } = await api.call("POST /api/v1/bans", { body });
    assertEquals(status, 422, JSON.stringify(body));
    assertStringIncludes(json.detail, word);
  }
  assertEquals((await api.call("GET /api/v1/bans")).json.items, []);
});

Deno.test("bans survive the broker, but not their time; and a file with a mistake stops the start", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const changes = { store: { dataDir } };
  {
    await using api = await ApiBroker.start(changes, { keepDataDir: true });
    for (const [value, seconds] of [["eve", null], ["bob", 3_600], ["now", 1]] as const) {
      await api.call("POST /api/v1/bans", { body: { kind: "user", value, seconds } });
    }
    assertEquals(await connect(api, { userName: "now" }), 5);
    await eventually("the end of a ban", async () => await connect(api, { userName: "now" }) === 0);
  }
  const { mode } = await Deno.stat(`${dataDir}/bans.json`);
  assertEquals(mode! & 0o777, 0o600);
  {
    await using api = await ApiBroker.start(changes, { keepDataDir: true });
    const { json } = await api.call("GET /api/v1/bans");
    assertEquals(json.items.map((b: Json) => b.value).sort(), ["bob", "eve"]);
    assertEquals(await connect(api, { userName: "eve" }), 5);
    await api.call(`DELETE /api/v1/bans/${json.items[0].id}`);
    await api.call(`DELETE /api/v1/bans/${json.items[1].id}`);
  }
  {
    await using api = await ApiBroker.start(changes, { keepDataDir: true });
    assertEquals((await api.call("GET /api/v1/bans")).json.items, []);
  }
  await Deno.writeTextFile(`${dataDir}/bans.json`, '{"version":1,"bans":[{}]}');
  const error = await ApiBroker.start(changes).catch((error) => String(error));
  assertStringIncludes(String(error), "bans.json: ban 1 is none");
  const ban = { kind: "user", until: null, since: "2026-01-01T00:00:00Z", reason: "", by: "" };
  const bans = Array.from({ length: 10_001 }, (_, i) => ({ ...ban, value: `u${i}` }));
  await Deno.writeTextFile(`${dataDir}/bans.json`, JSON.stringify({ version: 1, bans }));
  const full = await ApiBroker.start(changes).catch((error) => String(error));
  assertStringIncludes(String(full), "bans.json: there are 10000 bans already");
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("a ban that cannot be written holds, and the answer says that it will not last", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  await using api = await ApiBroker.start({ store: { dataDir } });
  await Deno.mkdir(`${dataDir}/bans.json.new`); // in the way
  const body = { kind: "user", value: "eve" };
  const { status, json } = await api.call("POST /api/v1/bans", { body });
  assertEquals(status, 503);
  assertStringIncludes(json.detail, "the ban holds, but not over a restart");
  assertEquals(await connect(api, { userName: "eve" }), 5);
  await Deno.remove(`${dataDir}/bans.json.new`);
  assertEquals((await api.call("POST /api/v1/bans", { body })).status, 201);
  assert((await Deno.readTextFile(`${dataDir}/bans.json`)).includes('"eve"'));
});

Deno.test("the audit log says who was banned by whom, who had to go for it, and who was refused", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  {
    await using api = await ApiBroker.start({ store: { dataDir } }, { keepDataDir: true });
    using client = await WireClient.connect(api.broker.port, { clientIdentifier: "c" });
    const body = { kind: "client_id", value: "c", reason: "test" };
    const { json } = await api.call("POST /api/v1/bans", { body });
    await client.expectClosed();
    assertEquals(await connect(api, { clientIdentifier: "c" }), 5);
    await api.call(`DELETE /api/v1/bans/${json.id}`, { as: "operate" });
    const message = { topic: "t/\u001b", payload: "secret", qos: 1 };
    await api.call("POST /api/v1/publish", { body: message });
    await api.call("DELETE /api/v1/dead-letters?reason=oversize");
  }
  const lines = await auditLines(auditDirectory(dataDir));
  const told = lines.flatMap((line) => {
    if (line.event === "admin") return [[line.actor, line.action, line.target, line.result]];
    if (line.event === "revoked") return [[line.event, line.client, line.reason]];
    if (line.event === "refused") return [[line.event, line.client, line.reason]];
    return line.event === "closed" ? [[line.event, line.client, line.cause]] : [];
  });
  const ban = told[4]![2];
  assertEquals(told, [
    ["revoked", "c", "banned"],
    ["closed", "c", "banned"],
    ["adminer", "POST /api/v1/bans", "client_id c", told[2]![3]],
    ["refused", "c", "banned"],
    ["operateer", "DELETE /api/v1/bans/{id}", ban, told[4]![3]],
    ["adminer", "POST /api/v1/publish", "t/\u001b", told[5]![3]],
    ["adminer", "DELETE /api/v1/dead-letters", "reason=oversize", told[6]![3]],
  ]);
  assertEquals([2, 4, 5, 6].map((i) => String(told[i]![3])), ["201", "204", "200", "200"]);
  assert(!JSON.stringify(lines).includes("secret"));
  await Deno.remove(dataDir, { recursive: true });
});
