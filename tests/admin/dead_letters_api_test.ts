/** Dead letters through the admin API: seen, published once, forgotten. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { deadLettersView } from "../../src/_server_api_dead_letters.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { eventually } from "../support/waiting.ts";
import { publishPacket, text, WireClient } from "../support/wire_client.ts";
import { ApiBroker } from "./_api.ts";

// deno-lint-ignore no-explicit-any -- what the API answers
type Json = any;

const AWAY = { clientIdentifier: "away", cleanSession: false };
const KINDS = ["sqlite", "memory"] as const;

/** A broker with so many dead letters: t/1 "1", t/2 "2" … that "machine" published and "away" misses. */
async function startWith(letters: number, changes: ConfigChanges = {}, keepDataDir = false) {
  const queue = { messagesMax: 1 };
  const deadLetters = { perSecondMax: 1_000_000, ...changes.deadLetters };
  const api = await ApiBroker.start({ ...changes, queue, deadLetters }, { keepDataDir });
  using away = await WireClient.connect(api.broker.port, AWAY);
  await away.subscribe("#", 1);
  await away.disconnect();
  using machine = await WireClient.connect(api.broker.port, { clientIdentifier: "machine" });
  await machine.publish("kept", "waits", { qos: 1 });
  for (let i = 1; i <= letters; i++) await machine.publish(`t/${i}`, `${i}`, { qos: 1 });
  await eventually("the letters in the store", async () => await count(api) === letters);
  return api;
}

async function count(api: ApiBroker): Promise<number> {
  return (await all(api, "")).length;
}

async function all(api: ApiBroker, query: string, limit = 1_000): Promise<Json[]> {
  const items: Json[] = [];
  for (let cursor = "";;) {
    const { status, json } = await api.call(
      `GET /api/v1/dead-letters?limit=${limit}${query}${cursor}`,
    );
    assertEquals(status, 200, JSON.stringify(json));
    items.push(...json.items);
    if (json.next === null) return items;
    cursor = `&cursor=${json.next}`;
  }
}

/** What "away" gets, and takes. */
async function received(api: ApiBroker): Promise<string[]> {
  using away = await WireClient.connect(api.broker.port, AWAY);
  const got: string[] = [];
  for (;;) {
    const packets = await away.drain();
    if (packets.length === 0) break;
    for (const packet of packets) {
      if (packet.type !== "PUBLISH") continue;
      got.push(`${packet.topic} ${text(packet.payload)}`);
      await away.send({ type: "PUBACK", packetId: packet.packetId });
    }
  }
  await away.disconnect();
  return got;
}

for (const kind of KINDS) {
  Deno.test(`${kind}: dead letters are listed newest first, chosen, paged and shown`, async () => {
    await using api = await startWith(5, { store: { kind } });
    const { json } = await api.call("GET /api/v1/dead-letters", { as: "read" });
    const { time: _, ...newest } = json.items[0];
    assertEquals(newest, {
      id: 5,
      reason: "queue-full-newest",
      topic: "t/5",
      qos: 1,
      retain: false,
      publisher: "machine",
      session: "away",
      payload_bytes: 1,
      payload_preview: "5",
    });
    assertEquals([json.total, json.next], [5, null]);
    for (const limit of [1, 2, 5]) {
      assertEquals((await all(api, "", limit)).map(({ id }) => id), [5, 4, 3, 2, 1]);
    }
    const choices: [string, number[]][] = [
      ["topic=t/2", [2]],
      ["topic=%23", [5, 4, 3, 2, 1]],
      ["client_id=machine", [5, 4, 3, 2, 1]],
      ["client_id=away&topic=t/3", [3]],
      ["client_id=t", []],
      ["publisher=away", []],
      ["session=away", [5, 4, 3, 2, 1]],
      ["reason=oversize", []],
      ["since=2020-01-01", [5, 4, 3, 2, 1]],
      ["until=2020-01-01", []],
    ];
    for (const [query, ids] of choices) {
      assertEquals((await all(api, `&${query}`, 2)).map(({ id }) => id), ids, query);
    }
    const { json: shown } = await api.call("GET /api/v1/dead-letters/3");
    assertEquals([shown.topic, shown.payload_text, shown.payload_base64], ["t/3", "3", "Mw=="]);
    for (const id of ["6", "0", "x", "3x", "1e3", "99999999999999999999"]) {
      assertEquals((await api.call(`GET /api/v1/dead-letters/${id}`)).status, 404, id);
    }
    for (const query of ["reason=none", "topic=a%23", "since=soon", "cursor=%25"]) {
      assertEquals((await api.call(`GET /api/v1/dead-letters?${query}`)).status, 400, query);
    }
  });

  Deno.test(`${kind}: dead letters that are replayed are published once, whoever asks, and again after none`, async () => {
    await using api = await startWith(4, { store: { kind } });
    assertEquals(await received(api), ["kept waits"]);
    const ask = (body: Json) => api.call("POST /api/v1/dead-letters/replay", { body });
    const [one, two] = await Promise.all([ask({ ids: [2] }), ask({ ids: [2] })]);
    assertEquals(one.json.replayed + two.json.replayed, 1);
    assertEquals(await received(api), ["t/2 2"]);
    const moved = await ask({ filter: { topic: "t/3" }, to: "again/3" });
    assertEquals(moved.json, { replayed: 1, left: 0 });
    assertEquals(await received(api), ["again/3 3"]);
    assertEquals((await ask({ ids: [2, 3] })).json, { replayed: 0, left: 0 });
    assertEquals((await all(api, "")).map(({ id }) => id), [4, 1]);
    assertEquals((await ask({ ids: [1] })).json, { replayed: 1, left: 0 });
    assertEquals((await ask({ all: true })).json, { replayed: 1, left: 0 });
    // The queue of "away" has room for one: the other is given up again, as a new dead letter.
    assertEquals(await received(api), ["t/1 1"]);
    await eventually("it came back", async () => (await all(api, ""))[0]?.id === 5);
  });
}

Deno.test("a search that has no end ends with the broker", async () => {
  await using broker = await TestBroker.start();
  let looks = 0;
  const shelf = { look: () => Promise.resolve({ letters: [], next: ++looks }) };
  const view = deadLettersView(broker.server.turns, { shelf, accepting: () => looks < 3 });
  const ended = { problem: "the broker is about to end", status: 503 };
  assertEquals(await view.list({} as Json, { limit: 1, cursor: undefined }), ended as Json);
  assertEquals(looks, 3);
});

Deno.test("dead letters that were replayed before a restart are not published again behind it", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const changes = { store: { dataDir } };
  {
    await using api = await startWith(3, changes, true);
    assertEquals(await received(api), ["kept waits"]);
    const body = { ids: [1] };
    assertEquals((await api.call("POST /api/v1/dead-letters/replay", { body })).json.replayed, 1);
  }
  await using api = await ApiBroker.start(changes);
  assertEquals((await all(api, "")).map(({ id }) => id), [3, 2]);
  assertEquals(await received(api), ["t/1 1"]);
});

Deno.test("1,100 dead letters are replayed and purged in turns, and none twice", async () => {
  await using api = await startWith(1_100, { deadLetters: { messagesMax: 2_000 } });
  using reader = await WireClient.connect(api.broker.port, { clientIdentifier: "reader" });
  await reader.subscribe("t/+", 0);
  const body = { filter: { topic: "t/+" } };
  const { json } = await api.call("POST /api/v1/dead-letters/replay", { body });
  assertEquals(json, { replayed: 1_100, left: 0 });
  const packets = await reader.drain();
  const got = packets.flatMap((packet) => packet.type === "PUBLISH" ? [text(packet.payload)] : []);
  assertEquals(got, Array.from({ length: 1_100 }, (_, i) => String(i + 1)), "in their order");
  // "away" still has no room: each is given up anew.
  await eventually("new letters", async () => (await all(api, "")).length === 1_100);
  const purge = await api.call("DELETE /api/v1/dead-letters?session=away");
  assertEquals(purge.json, { purged: 1_100 });
  assertEquals(await count(api), 0);
  assertEquals(api.broker.server.broker.statistics.deadLetters, 0);
});

Deno.test("nobody replays or purges all by mistake, or without the role for it", async () => {
  await using api = await startWith(3);
  const replay = "POST /api/v1/dead-letters/replay";
  for (const body of [{}, { filter: {} }, { all: false }, { to: "x" }]) {
    assertEquals((await api.call(replay, { body })).status, 422, JSON.stringify(body));
  }
  for (
    const body of [{ ids: [0] }, { ids: "1" }, { all: true, to: "$SYS/x" }, { ids: [1], to: "a/#" }]
  ) {
    assertEquals((await api.call(replay, { body })).status, 422, JSON.stringify(body));
  }
  assertEquals((await api.call(replay, { body: { ids: [1] }, as: "read" })).status, 403);
  const purge = "DELETE /api/v1/dead-letters";
  assertEquals((await api.call(purge)).status, 422);
  assertEquals((await api.call(`${purge}?all=true`, { as: "operate" })).status, 403);
  assertEquals((await api.call(`${purge}?ids=1,x`)).status, 400);
  assertEquals(await count(api), 3);
  assertEquals((await api.call(`${purge}?ids=1,3,7`)).json, { purged: 2 });
  assertEquals((await all(api, "")).map(({ id }) => id), [2]);
  assertEquals((await api.call(`${purge}?all=true`)).json, { purged: 1 });
});

Deno.test("what has no payload any more, or would be the server's, is left by a replay", async () => {
  await using api = await ApiBroker.start({ limits: { packetBytesMax: 1_024 } });
  using client = await WireClient.connect(api.broker.port, { clientIdentifier: "c" });
  await client.publish("$SYS/broker/alarm", "all is well", { qos: 1 });
  await client.send(publishPacket("big", "x".repeat(2_000), { qos: 1, packetId: 9 }));
  await client.expectClosed();
  await eventually("two letters", async () => await count(api) === 2);
  const ask = (body: Json) => api.call("POST /api/v1/dead-letters/replay", { body });
  assertEquals((await ask({ all: true })).json, { replayed: 0, left: 2 });
  assertEquals((await ask({ all: true, to: "seen" })).json, { replayed: 1, left: 1 });
  assertEquals((await all(api, "")).map(({ reason }) => reason), ["oversize"]);
  assertStringIncludes(api.broker.log.join(""), '1 dead letters replayed by "adminer"');
});
