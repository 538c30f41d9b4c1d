/** Retained messages and the tree of topics through the admin API, and messages of an operator. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { text, WireClient } from "../support/wire_client.ts";
import { ApiBroker } from "./_api.ts";

// deno-lint-ignore no-explicit-any -- what the API answers
type Json = any;

const TOPICS = [
  "plant",
  "plant/1/temp",
  "plant/1/\u001b",
  "plant//x",
  "__proto__/a%2Fb",
  "/",
  "q\ud83d\ude00",
];

async function publish(api: ApiBroker, topic: string, content = topic): Promise<void> {
  const body = { topic, payload: content, qos: 1, retain: true };
  const { status, json } = await api.call("POST /api/v1/publish", { body });
  assertEquals([status, json], [200, { matched: 0 }], topic);
}

/** Names by bytes, as the API lists topics. */
function sorted(topics: readonly string[]): string[] {
  const encoder = new TextEncoder();
  return topics.toSorted((a, b) => encoder.encode(a).toHex() < encoder.encode(b).toHex() ? -1 : 1);
}

Deno.test("retained messages are listed by topic, searched, shown and removed, for good", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const changes = { store: { dataDir } };
  {
    await using api = await ApiBroker.start(changes, { keepDataDir: true });
    for (const topic of TOPICS) await publish(api, topic);
    const { json } = await api.call("GET /api/v1/retained", { as: "read" });
    assertEquals(json.items.map((m: Json) => m.topic), sorted(TOPICS));
    assertEquals([json.total, json.next], [TOPICS.length, null]);
    const [first] = json.items;
    assertEquals(first, { topic: "/", qos: 1, payload_bytes: 1, payload_preview: "/" });
    for (const limit of [1, 2, 3]) {
      const seen: string[] = [];
      for (let cursor = "";;) {
        const page = await api.call(`GET /api/v1/retained?limit=${limit}${cursor}`);
        seen.push(...page.json.items.map((m: Json) => m.topic));
        if (page.json.next === null) break;
        cursor = `&cursor=${encodeURIComponent(page.json.next)}`;
      }
      assertEquals(seen, sorted(TOPICS), `by ${limit}`);
    }
    const found = async (query: string) =>
      (await api.call(`GET /api/v1/retained?${query}`)).json.items.map((m: Json) => m.topic);
    assertEquals(
      await found("filter=plant/%2B/%2B"),
      sorted(["plant/1/temp", "plant/1/\u001b", "plant//x"]),
    );
    assertEquals(await found("search=TEMP"), ["plant/1/temp"]);
    assertEquals(await found("filter=plant/%23&search=x"), ["plant//x"]);
    assertEquals((await api.call("GET /api/v1/retained?filter=a%23")).status, 400);
    for (const topic of TOPICS) {
      const path = `/api/v1/retained/${encodeURIComponent(topic)}`;
      const { json: shown } = await api.call(`GET ${path}`);
      assertEquals([shown.topic, shown.payload_text, shown.payload_is_cut], [topic, topic, false]);
    }
    const path = `/api/v1/retained/${encodeURIComponent("__proto__/a%2Fb")}`;
    assertEquals((await api.call(`DELETE ${path}`, { as: "read" })).status, 403);
    assertEquals((await api.call(`DELETE ${path}`, { as: "operate" })).status, 204);
    assertEquals((await api.call(`DELETE ${path}`)).status, 404);
    assertEquals((await api.call(`GET ${path}`)).status, 404);
    assertEquals((await api.call("DELETE /api/v1/retained/plant%2F%23")).status, 404);
  }
  await using api = await ApiBroker.start(changes);
  const { json } = await api.call("GET /api/v1/retained");
  assertEquals(
    json.items.map((m: Json) => m.topic),
    sorted(TOPICS.filter((t) => !/proto/.test(t))),
  );
  using client = await WireClient.connect(api.broker.port);
  await client.subscribe("__proto__/#");
  assertEquals(await client.drain(), []);
});

Deno.test("the tree of topics is shown level by level", async () => {
  await using api = await ApiBroker.start();
  for (const topic of TOPICS) await publish(api, topic, "v");
  async function levels(prefix: string): Promise<[string, string, boolean, boolean][]> {
    const { json } = await api.call(`GET /api/v1/topics?prefix=${encodeURIComponent(prefix)}`);
    return json.items.map((l: Json) => [l.level, l.topic, l.has_children, l.retained !== null]);
  }
  assertEquals(await levels(""), [
    ["", "", true, false],
    ["__proto__", "__proto__", true, false],
    ["plant", "plant", true, true],
    ["q\ud83d\ude00", "q\ud83d\ude00", false, true],
  ]);
  assertEquals(await levels("plant/"), [["", "plant/", true, false], [
    "1",
    "plant/1",
    true,
    false,
  ]]);
  assertEquals(await levels("plant//"), [["x", "plant//x", false, true]]);
  assertEquals(await levels("/"), [["", "/", false, true]]);
  assertEquals(await levels("plant/1/temp/"), []);
  assertEquals(await levels("no/"), []);
  assertEquals((await api.call("GET /api/v1/topics?prefix=plant")).status, 400);
  const first = await api.call("GET /api/v1/topics?limit=2");
  const cursor = encodeURIComponent(first.json.next);
  const { json } = await api.call(`GET /api/v1/topics?limit=2&cursor=${cursor}`);
  assertEquals(json.items.map((l: Json) => l.level), ["plant", "q\ud83d\ude00"]);
  assertEquals([json.next, json.total], [null, 4]);
});

Deno.test("payloads that are no text or very long are shown as far as that makes sense", async () => {
  await using api = await ApiBroker.start({ limits: { packetBytesMax: 2_000_000 } });
  using client = await WireClient.connect(api.broker.port, { clientIdentifier: "c" });
  const bytes = new Uint8Array([0xff, 0, 1]);
  const body = { topic: "bytes", payload_base64: bytes.toBase64(), retain: true, qos: 0 };
  assertEquals((await api.call("POST /api/v1/publish", { body })).status, 200);
  await client.publish("long", "\u00e4".repeat(700_000), { qos: 1, retain: true });
  const { json: list } = await api.call("GET /api/v1/retained");
  assertEquals(list.items[0].payload_preview, null);
  assertEquals(list.items[1].payload_preview, "\u00e4".repeat(200));
  assertEquals(list.items[1].payload_bytes, 1_400_000);
  const { json: short } = await api.call("GET /api/v1/retained/bytes");
  assertEquals([short.payload_base64, short.payload_text, short.payload_bytes], ["/wAB", null, 3]);
  const { json: long } = await api.call("GET /api/v1/retained/long");
  assertEquals([long.payload_is_cut, long.payload_bytes], [true, 1_400_000]);
  assertEquals(long.payload_text, "\u00e4".repeat(524_288));
});

Deno.test("a message of an operator is delivered, kept and retained, and the answer counts who gets it", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const changes = { store: { dataDir } };
  const away = { clientIdentifier: "away", cleanSession: false };
  {
    await using api = await ApiBroker.start(changes, { keepDataDir: true });
    using there = await WireClient.connect(api.broker.port, { clientIdentifier: "there" });
    await there.subscribe("a/+", 1);
    using leaving = await WireClient.connect(api.broker.port, away);
    await leaving.subscribe("a/b", 1);
    await leaving.disconnect();
    const body = { topic: "a/b", payload: "x", qos: 1, retain: true };
    assertEquals((await api.call("POST /api/v1/publish", { body, as: "read" })).status, 403);
    const { json } = await api.call("POST /api/v1/publish", { body, as: "operate" });
    assertEquals(json, { matched: 2 });
    const { topic, payload, qos, retain } = await there.expect("PUBLISH");
    assertEquals([topic, text(payload), qos, retain], ["a/b" as typeof topic, "x", 1, false]);
  }
  await using api = await ApiBroker.start(changes);
  using back = await WireClient.connect(api.broker.port, away);
  assertEquals(text((await back.expect("PUBLISH")).payload), "x");
  assertEquals((await api.call("GET /api/v1/retained/a%2Fb")).json.payload_text, "x");
  const empty = { topic: "a/b", retain: true };
  assertEquals((await api.call("POST /api/v1/publish", { body: empty })).json, { matched: 1 });
  assertEquals((await api.call("GET /api/v1/retained/a%2Fb")).status, 404);
});

Deno.test("what an operator may not publish is refused, and nothing of it happens", async () => {
  await using api = await ApiBroker.start({ limits: { packetBytesMax: 1_000, topicLevelsMax: 4 } });
  const wrong: [Json, string][] = [
    [{ topic: "a/#" }, "wildcard"],
    [{ topic: "" }, "topic"],
    [{ topic: "a\0b" }, "U+0000"],
    [{ topic: "1/2/3/4/5" }, "levels"],
    [{ topic: "$SYS/broker/uptime" }, "server"],
    [{ topic: "$sparkplug/certificates/x" }, "server"],
    [{ topic: "t", payload: "x".repeat(1_000) }, "larger"],
    [{ topic: "t", payload: "x", payload_base64: "eA==" }, "payload_base64"],
    [{ topic: "t", payload_base64: "%" }, "base64"],
    [{ topic: "t", qos: 3 }, "qos"],
    [{ topic: "t", payload: 7 }, "payload"],
    [{ payload: "x" }, "topic"],
    [[], "object"],
  ];
  for (const [body, word] of wrong) {
    const { status, json } = await api.call("POST /api/v1/publish", { body });
    assertEquals(status, 422, JSON.stringify(body));
    assertStringIncludes(json.detail, word);
  }
  assertEquals((await api.call("GET /api/v1/retained?filter=%23")).json.items, []);
  assertEquals((await api.call("DELETE /api/v1/retained/$SYS%2Fbroker%2Fuptime")).status, 409);
  assert(api.broker.log.every((line) => !line.includes("published by")));
});
