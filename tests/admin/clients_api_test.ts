/** Clients, sessions and subscriptions through the admin API of a running broker. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { eventually } from "../support/waiting.ts";
import { name, payload, publishPacket, WireClient } from "../support/wire_client.ts";
import { ApiBroker } from "./_api.ts";

// deno-lint-ignore no-explicit-any -- what the API answers
type Json = any;

/** Names that mean something to somebody: to paths, to JavaScript, to terminals. */
const HOSTILE = [
  "a/b",
  "%2F",
  "__proto__",
  "..",
  "\u001b[31m\n\u202e",
  "?x=1&y#z",
  " ",
  "\u{1f600}",
];

/** All pages of a list, one after the other. */
async function pagesOf(api: ApiBroker, path: string, limit: number): Promise<Json[][]> {
  const pages: Json[][] = [];
  const mark = path.includes("?") ? "&" : "?";
  for (let cursor = "";;) {
    const { status, json } = await api.call(`GET ${path}${mark}limit=${limit}${cursor}`);
    assertEquals(status, 200);
    pages.push(json.items);
    if (json.next === null) return pages;
    cursor = `&cursor=${encodeURIComponent(json.next)}`;
  }
}

Deno.test("a client is listed, found, shown with all that is known, and disconnected", async () => {
  await using api = await ApiBroker.start();
  const { port } = api.broker;
  using witness = await WireClient.connect(port, { clientIdentifier: "witness" });
  await witness.subscribe("will", 1);
  const will = { topic: name("will"), payload: payload("gone"), qos: 1 as const };
  const options = { userName: "Anna", keepAliveSeconds: 60, will, cleanSession: false };
  using pump = await WireClient.connect(port, { clientIdentifier: "plant/pump 7", ...options });
  await pump.subscribe("a/#", 2);
  await pump.publish("x", "1", { qos: 1 });
  const { json: list } = await api.call("GET /api/v1/clients", { as: "read" });
  assertEquals(list.items.map((c: Json) => c.client_id), ["plant/pump 7", "witness"]);
  assertEquals([list.next, list.total], [null, 2]);
  const path = "/api/v1/clients/plant%2Fpump%207";
  const { json: shown } = await api.call(`GET ${path}`, { as: "read" });
  const { connected_at, bytes_in, bytes_out, address, ...rest } = shown;
  assert(Math.abs(Date.parse(connected_at) - Date.now()) < 600_000);
  assert(bytes_in > 50 && bytes_out > 10);
  assertStringIncludes(address, "127.0.0.1:");
  assertEquals(rest, {
    client_id: "plant/pump 7",
    user: "Anna",
    user_verified: false,
    listener: "127.0.0.1:0",
    transport: "tcp",
    tls_version: null,
    clean_session: false,
    keep_alive_s: 60,
    subscriptions: 1,
    queued_messages: 0,
    queued_bytes: 0,
    in_flight: 0,
    unsent_bytes: 0,
    messages_in: 1,
    will: { topic: "will", qos: 1, retain: false, payload_bytes: 4 },
    filters: [{ filter: "a/#", qos: 2 }],
    tls: null,
    certificate: null,
  });
  for (const query of ["search=PUMP", "search=anna", "user=Anna", "from=127.0.0.1&search=pu"]) {
    const { json } = await api.call(`GET /api/v1/clients?${query}`);
    assertEquals(json.items.map((c: Json) => c.client_id), ["plant/pump 7"], query);
    assertEquals(json.total, null);
  }
  for (const query of ["search=nobody", "user=anna", "from=127.0.0.2", "listener=x"]) {
    assertEquals((await api.call(`GET /api/v1/clients?${query}`)).json.items, [], query);
  }
  assertEquals((await api.call(`DELETE ${path}`, { as: "read" })).status, 403);
  assertEquals((await api.call(`DELETE ${path}?will=false&reason=test`)).status, 204);
  await pump.expectClosed();
  assertEquals((await api.call(`DELETE ${path}`)).status, 404);
  assertEquals((await api.call(`GET ${path}`)).status, 404);
  const { json: session } = await api.call("GET /api/v1/sessions/plant%2Fpump%207");
  assertEquals([session.connected, session.clean_session], [false, false]);
  using again = await WireClient.connect(port, { clientIdentifier: "plant/pump 7", ...options });
  assertEquals((await api.call(`DELETE ${path}`, { as: "operate" })).status, 204);
  await again.expectClosed();
  // Only now: the first time it was not to be published.
  const { topic } = await witness.expect("PUBLISH");
  assertEquals(topic, name("will"));
  assertEquals(await witness.drain(), []);
  const log = api.broker.log.join("");
  assertStringIncludes(log, 'disconnected by "adminer": client="plant/pump 7" reason="test"');
  assertStringIncludes(log, "disconnected by an operator");
});

Deno.test("hostile names are names: in paths, in answers, in the log", async () => {
  await using api = await ApiBroker.start();
  const clients: WireClient[] = [];
  for (const clientIdentifier of HOSTILE) {
    clients.push(
      await WireClient.connect(api.broker.port, { clientIdentifier, cleanSession: false }),
    );
  }
  const { json } = await api.call("GET /api/v1/clients");
  assertEquals(
    json.items.map((c: Json) => c.client_id).sort(),
    HOSTILE.toSorted(),
  );
  for (const [index, clientIdentifier] of HOSTILE.entries()) {
    const name = encodeURIComponent(clientIdentifier).replaceAll(".", "%2E");
    const path = `/api/v1/clients/${name}`;
    const shown = await api.call(`GET ${path}`);
    assertEquals([shown.status, shown.json?.client_id], [200, clientIdentifier]);
    assertEquals((await api.call(`DELETE ${path}`)).status, 204, clientIdentifier);
    await clients[index]!.expectClosed();
    assertEquals((await api.call(`DELETE /api/v1/sessions/${name}`)).status, 204);
    assertEquals((await api.call(`GET /api/v1/sessions/${name}`)).status, 404);
  }
  for (const line of api.broker.log) assert(!line.includes("\u001b"), line);
  for (const name of ["constructor", "toString", "%00", "x".repeat(3_000)]) {
    assertEquals((await api.call(`GET /api/v1/clients/${name}`)).status, 404, name);
  }
  assertEquals((await api.call("GET /api/v1/clients/%ff")).status, 400);
  assertEquals((await api.call("GET /api/v1/clients?cursor=%25%25")).status, 400);
  assertEquals((await api.call("GET /api/v1/clients?cursor=AAAA")).status, 400);
  assertEquals((await api.call("GET /api/v1/clients?cursr=AAAA")).status, 400);
  assertEquals((await api.call("GET /api/v1/clients?limit=1001")).status, 400);
});

Deno.test("2,000 sessions come in pages, each once, while others come and go", async () => {
  await using api = await ApiBroker.start({ store: { kind: "memory" } });
  const { port, server } = api.broker;
  const names = Array.from(
    { length: 2_000 },
    (_, i) => `s-${String(i * 7 % 2_000).padStart(4, "0")}`,
  );
  for (const clientIdentifier of names) {
    using client = await WireClient.connect(port, { clientIdentifier, cleanSession: false });
    if (clientIdentifier.endsWith("00")) await client.subscribe(`t/${clientIdentifier}`);
    await client.disconnect();
  }
  await eventually("nobody there", () => server.broker.statistics.clientsConnected === 0);
  const sorted = names.toSorted();
  const pages = await pagesOf(api, "/api/v1/sessions", 300);
  assertEquals(pages.map((page) => page.length), [300, 300, 300, 300, 300, 300, 200]);
  assertEquals(pages.flat().map(({ client_id }) => client_id), sorted);
  const { json } = await api.call("GET /api/v1/sessions?limit=1&search=S-19&connected=false");
  assertEquals([json.items[0].client_id, json.total], ["s-1900", null]);
  assertEquals((await api.call("GET /api/v1/sessions?connected=true")).json.items, []);
  // Between two pages: one goes that was given, one that was not, and two come.
  const first = await api.call("GET /api/v1/sessions?limit=1000");
  for (const gone of ["s-0999", "s-1500"]) await api.call(`DELETE /api/v1/sessions/${gone}`);
  for (const clientIdentifier of ["s-0500+", "s-1500+"]) {
    using client = await WireClient.connect(port, { clientIdentifier, cleanSession: false });
    await client.disconnect();
  }
  const cursor = encodeURIComponent(first.json.next);
  const rest = await api.call(`GET /api/v1/sessions?limit=1000&cursor=${cursor}`);
  const expected = [...sorted.slice(1_000).filter((name) => name !== "s-1500"), "s-1500+"].sort();
  assertEquals(rest.json.items.map((s: Json) => s.client_id), expected);
  assertEquals(rest.json.next, null);
  const expected00 = names.filter((n) => n.endsWith("00") && n !== "s-1500").sort();
  const subscriptions = await pagesOf(api, "/api/v1/subscriptions", 3);
  assertEquals(
    subscriptions.flat().map((s) => s.filter),
    expected00
      .map((n) => `t/${n}`),
  );
});

Deno.test("subscriptions are found by client, by filter, and by the topic that they match", async () => {
  await using api = await ApiBroker.start();
  const wanted = { a: ["p/#", "q"], b: ["p/+", "#", "+/1"], "": ["$SYS/#"] };
  const clients: WireClient[] = [];
  for (const [clientIdentifier, filters] of Object.entries(wanted)) {
    const client = await WireClient.connect(api.broker.port, { clientIdentifier });
    for (const one of filters) await client.subscribe(one, 1);
    clients.push(client);
  }
  async function found(query: string): Promise<string[]> {
    const pages = await pagesOf(api, `/api/v1/subscriptions?${query}`, 2);
    for (const page of pages) assert(page.length <= 2);
    return pages.flat().map((s) => `${s.client_id} ${s.filter}`);
  }
  assertEquals(await found("client_id=a"), ["a p/#", "a q"]);
  assertEquals(await found("client_id=none"), []);
  assertEquals(await found("topic=p/1"), ["a p/#", "b #", "b +/1", "b p/+"]);
  assertEquals(await found("topic=p/1&client_id=b"), ["b #", "b +/1", "b p/+"]);
  assertEquals(await found("filter=%23"), ["b #"]);
  assertEquals((await found("topic=$SYS/broker/uptime")).length, 1);
  assertEquals((await api.call("GET /api/v1/subscriptions?topic=%23")).status, 400);
  const { json } = await api.call("GET /api/v1/subscriptions");
  assertEquals([json.items.length, json.total], [6, 6]);
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("names that are longer than a cursor are paged over", async () => {
  const limits = { clientIdentifierBytesMax: 65_535 };
  await using api = await ApiBroker.start({ limits, store: { kind: "memory" } });
  const long = "n".repeat(5_000);
  const names = ["m", ...Array.from({ length: 7 }, (_, i) => `${long}${i}`), "o"];
  for (const clientIdentifier of names) {
    using client = await WireClient.connect(api.broker.port, {
      clientIdentifier,
      cleanSession: false,
    });
    await client.subscribe("t");
    await client.disconnect();
  }
  for (const path of ["/api/v1/sessions", "/api/v1/subscriptions"]) {
    for (const limit of [1, 2, 3, 100]) {
      const pages = await pagesOf(api, path, limit);
      assertEquals(pages.flat().map(({ client_id }) => client_id), names, `${path} by ${limit}`);
    }
  }
});

Deno.test("a session that is removed is gone for good, and what waited in it is a dead letter", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const changes = { store: { dataDir } };
  {
    await using api = await ApiBroker.start(changes, { keepDataDir: true });
    const { port } = api.broker;
    using away = await WireClient.connect(port, { clientIdentifier: "away", cleanSession: false });
    await away.subscribe("t", 1);
    await away.disconnect();
    using publisher = await WireClient.connect(port, { clientIdentifier: "p" });
    await publisher.publish("t", "1", { qos: 1 });
    const { json } = await api.call("GET /api/v1/sessions/away");
    const { away_since, expires_at, queued_bytes: _, ...rest } = json;
    assert(Math.abs(Date.parse(away_since) - Date.now()) < 600_000);
    assertEquals(Date.parse(expires_at) - Date.parse(away_since), 1_209_600_000);
    assertEquals(rest, {
      client_id: "away",
      owner: null,
      connected: false,
      clean_session: false,
      subscriptions: 1,
      queued_messages: 1,
      in_flight: 0,
      awaiting_release: 0,
      filters: [{ filter: "t", qos: 1 }],
    });
    assertEquals((await api.call("DELETE /api/v1/sessions/away", { as: "read" })).status, 403);
    assertEquals((await api.call("DELETE /api/v1/sessions/away")).status, 204);
    assertEquals((await api.call("DELETE /api/v1/sessions/away")).status, 404);
  }
  await using api = await ApiBroker.start(changes);
  assertEquals((await api.call("GET /api/v1/sessions")).json.items, []);
  const { json } = await api.call("GET /api/v1/dead-letters");
  assertEquals(json.items.map((l: Json) => [l.reason, l.session, l.topic]), [
    ["session-removed", "away", "t"],
  ]);
});

Deno.test("clients that are disconnected while they publish lose nothing that was acknowledged", async () => {
  await using api = await ApiBroker.start();
  const { port } = api.broker;
  const topics = { clientIdentifier: "reader", cleanSession: false };
  using reader = await WireClient.connect(port, topics);
  await reader.subscribe("t", 1);
  await reader.disconnect();
  const acknowledged: string[] = [];
  for (let round = 0; round < 10; round++) {
    using publisher = await WireClient.connect(port, { clientIdentifier: "p" });
    const sent = Array.from({ length: 20 }, (_, i) => `${round}-${i}`);
    const kicked = api.call("DELETE /api/v1/clients/p");
    for (const [i, content] of sent.entries()) {
      await publisher.send(publishPacket("t", content, { qos: 1, packetId: i + 1 })).catch(
        () => {},
      );
    }
    assertEquals((await kicked).status, 204);
    for (const packet of await publisher.drain().catch(() => [])) {
      if (packet.type === "PUBACK") acknowledged.push(sent[packet.packetId - 1]!);
    }
  }
  const { json } = await api.call("GET /api/v1/sessions/reader");
  assert(json.queued_messages >= acknowledged.length, `${json.queued_messages}`);
  assertEquals((await api.call("GET /api/v1/clients")).json.items, []);
});
