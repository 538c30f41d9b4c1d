/** What the API shows of a running broker. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { configDocument, DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { RateMeter, RecentQuantiles } from "../../src/admin/mod.ts";
import { DURATION_BOUNDS_S, Histogram } from "../../src/broker/mod.ts";
import { OPENSSL, openssl } from "../support/test_authority.ts";
import { inDirectory } from "../support/waiting.ts";
import { WireClient } from "../support/wire_client.ts";
import { ApiBroker } from "./_api.ts";
import { schemaFaults } from "./_json_schema.ts";

Deno.test("the status counts what is there, and tells what came within the last second", async () => {
  await using api = await ApiBroker.start();
  const { port } = api.broker;
  using client = await WireClient.connect(port, { clientIdentifier: "meter" });
  await client.subscribe("plant/#", 1);
  using publisher = await WireClient.connect(port, { clientIdentifier: "press" });
  let fast = 0;
  let status;
  const deadline = performance.now() + 20_000;
  while (fast === 0) {
    assert(performance.now() < deadline);
    await publisher.publish("plant/press", "1", { qos: 1, retain: true });
    status = (await api.call("GET /api/v1/status")).json;
    fast = status.rates.messages_in_per_s;
  }
  assertEquals(status.counts.clients_connected, 2);
  assertEquals([status.counts.subscriptions, status.counts.retained], [1, 1]);
  assert(status.totals.messages_in > 0 && status.totals.messages_out > 0);
  assertEquals(status.store.kind, "sqlite");
  assert(status.store.commits > 0);
  assertEquals([status.ready, status.warnings], [true, []]);
  assert(Date.parse(status.started_at) <= Date.now());
  const health = (await api.call("GET /api/v1/health", { as: "read" })).json;
  assertEquals([health.ready, health.reason, health.parts.store.ok], [true, null, true]);
});

Deno.test("the listeners are those of the configuration and the admin listener", async () => {
  await using api = await ApiBroker.start({}, { more: [{ websocketPath: "/mqtt" }] });
  using _client = await WireClient.connect(api.broker.port);
  const { items } = (await api.call("GET /api/v1/listeners")).json;
  // deno-lint-ignore no-explicit-any -- JSON
  const shown = items.map(({ purpose, transport, websocket_path, connections, tls }: any) => ({
    purpose,
    transport,
    websocket_path,
    connections,
    tls,
  }));
  const tls = null;
  assertEquals(shown[1], {
    purpose: "mqtt",
    transport: "websocket",
    websocket_path: "/mqtt",
    // With port 0 both have the same configured address.
    connections: 1,
    tls,
  });
  assertEquals(shown[2], {
    purpose: "admin",
    transport: "http",
    websocket_path: null,
    connections: 1,
    tls,
  });
  assertEquals(items[0].address, `127.0.0.1:${api.broker.port}`);
  assertEquals((await api.call("GET /api/v1/certificates")).json, { items: [] });
});

Deno.test("a limit shows its key, what is used of it, and how often there was no room", async () => {
  await using api = await ApiBroker.start({ limits: { connectionsMax: 1 } });
  using _client = await WireClient.connect(api.broker.port);
  using refused = await WireClient.open(api.broker.port);
  await refused.expectClosed();
  const { items } = (await api.call("GET /api/v1/limits")).json;
  assertEquals(items[0], {
    name: "connections",
    key: "limits.connections_max",
    unit: "connections",
    limit: 1,
    used: 1,
    refused: 1,
  });
  const known = configDocument(DEFAULT_CONFIG) as Record<string, Record<string, unknown>>;
  for (const { key } of items) {
    if (key === null) continue;
    const [table, name] = key.split(".");
    assert(name in known[table]!, `${key} is no key`);
  }
});

Deno.test("the configuration is shown to admins, by its names in the file and without secrets", async () => {
  const metricsTokenSha256 = "ab".repeat(32);
  const alarmUrl = "http://relayq:word@127.0.0.1:9/hooks/key?token=hidden";
  await using api = await ApiBroker.start({
    admin: { metricsTokenSha256 },
    sparkplug: { mode: "monitor", alarmUrl },
  });
  assertEquals((await api.call("GET /api/v1/config", { as: "operate" })).status, 403);
  const { body, json } = await api.call("GET /api/v1/config");
  assert(!body.includes(metricsTokenSha256));
  assertEquals(json.admin.metrics_token_sha256, "***");
  assertEquals(json.sparkplug.alarm_url, "http://127.0.0.1:9/***");
  assertEquals(json.admin.tokens_file, api.tokensFile);
  assertEquals(json.limits.connections_max, DEFAULT_CONFIG.limits.connectionsMax);
  assertEquals(json.protocol.mqtt_3_1, DEFAULT_CONFIG.protocol.mqtt31);
  assertEquals(json.listeners[0].address, "127.0.0.1:0");
});

Deno.test("the level of a room of the log changes while the broker runs", async () => {
  await using api = await ApiBroker.start({ log: { level: "info" } });
  const { server: { turns } } = api.broker;
  const line = (text: string) => turns.log.line("debug", text, { room: "store" });
  line("one: not written");
  const set = await api.call("PUT /api/v1/log/levels/store", { body: { level: "debug" } });
  // deno-lint-ignore no-explicit-any -- JSON
  const store = set.json.rooms.find(({ room }: any) => room === "store");
  assertEquals(store, { room: "store", level: "debug", own: "debug" });
  line("two: written");
  await api.call("PUT /api/v1/log/levels/store", { body: { level: null } });
  line("three: not written");
  await api.call("PUT /api/v1/log/levels/all", { body: { level: "debug" } });
  line("four: written");
  const { json } = await api.call("GET /api/v1/log?room=store&level=debug");
  // deno-lint-ignore no-explicit-any -- JSON
  assertEquals(json.items.map(({ text }: any) => text), ["four: written", "two: written"]);
  for (
    const [room, body, status] of [
      ["kitchen", { level: "debug" }, 404],
      ["store", { level: "loud" }, 422],
      ["store", { level: "debug", more: 1 }, 422],
      ["store", {}, 422],
      ["store", [], 422],
      ["all", { level: null }, 422],
    ] as const
  ) {
    const answer = await api.call(`PUT /api/v1/log/levels/${room}`, { body });
    assertEquals(answer.status, status, JSON.stringify(body));
  }
});

Deno.test("the log comes in pages, the newest first, and can be searched", async () => {
  await using api = await ApiBroker.start();
  const { server: { turns } } = api.broker;
  for (let i = 1; i <= 25; i++) turns.log.line("warn", `needle: ${i}`, { room: "sparkplug" });
  const texts: string[] = [];
  let cursor = "";
  do {
    const path = `/api/v1/log?limit=10&search=NEEDLE&room=sparkplug${cursor}`;
    const { json } = await api.call(`GET ${path}`);
    assertEquals(json.total, 25);
    // deno-lint-ignore no-explicit-any -- JSON
    texts.push(...json.items.map(({ text }: any) => text));
    turns.log.line("warn", "hay: between two pages", { room: "sparkplug" });
    cursor = json.next === null ? "" : `&cursor=${json.next}`;
  } while (cursor !== "");
  assertEquals(texts, Array.from({ length: 25 }, (_, i) => `needle: ${25 - i}`));
});

Deno.test("a query or body that is not as the document says is refused, and says why", async () => {
  await using api = await ApiBroker.start();
  for (
    const [path, detail] of [
      ["/api/v1/log?limit=0", "limit must be a whole number from 1 to 1000"],
      ["/api/v1/log?limit=1e3", "limit must be a whole number from 1 to 1000"],
      ["/api/v1/log?limit=1&limit=2", "the parameter limit stands twice"],
      [
        "/api/v1/log?page=2",
        "page is not known here; there are: limit, cursor, level, room, search",
      ],
      ["/api/v1/log?__proto__=2", "__proto__ is not known here"],
      ["/api/v1/log?cursor=x", "cursor is none of ours"],
      ["/api/v1/log?search=%ff", "the query is no percent-encoded UTF-8"],
      ["/api/v1/status?verbose", "verbose is not known here; there are: none"],
    ] as const
  ) {
    const { status, json } = await api.call(`GET ${path}`);
    assertEquals(status, 400, path);
    assertStringIncludes(json.detail, detail);
  }
  const headers = { "Content-Type": "text/plain" };
  const set = "PUT /api/v1/log/levels/store";
  assertEquals((await api.call(set, { body: { level: "debug" }, headers })).status, 415);
  assertEquals((await api.call(set)).status, 415);
  assertEquals((await api.call("GET /api/v1/log/levels/store")).status, 405);
  assertEquals((await api.call("GET /api/v1/nothing")).status, 404);
});

Deno.test("names in a path are one segment each, whatever they hold", async () => {
  await using api = await ApiBroker.start();
  const body = { level: "debug" };
  for (
    const [segment, status] of [
      ["st%6Fre", 200],
      ["..", 404],
      ["%2e%2e", 404],
      ["__proto__", 404],
      ["a%2Fb%00", 404],
      ["%ff", 400],
      ["", 404],
      ["store/", 404],
      ["store/..", 404],
    ] as const
  ) {
    const answer = await api.call(`PUT /api/v1/log/levels/${segment}`, { body });
    assertEquals(answer.status, status, segment);
  }
});

Deno.test("clients that come and go, and figures of every second, come as events", async () => {
  await using api = await ApiBroker.start();
  const { hub, end } = await listen(api, "clients,statistics,log");
  using client = await WireClient.connect(api.broker.port, { clientIdentifier: '<b>"\n' });
  const connected = JSON.parse(await hub("client"));
  assertEquals([connected.change, connected.client_id], ["connected", '<b>"\n']);
  assertMatch(connected.address, /^127\.0\.0\.1:\d+$/);
  await client.disconnect();
  const gone = JSON.parse(await hub("client"));
  assertEquals([gone.change, gone.cause], ["disconnected", "disconnect"]);
  const figures = JSON.parse(await hub("statistics"));
  assertEquals(typeof figures.rates.messages_in_per_s, "number");
  api.broker.server.turns.log.line("warn", "test: a line");
  const line = JSON.parse(await hub("log"));
  const { json } = await api.call("GET /api/v1/openapi.json");
  const schemas = json.paths["/api/v1/events"].get["x-events"];
  for (const [name, data] of Object.entries({ client: gone, statistics: figures, log: line })) {
    assertEquals(schemaFaults(data, schemas[name]), [], name);
  }
  end();
});

/** Events of a broker, one kind after the other. */
async function listen(api: ApiBroker, topics: string) {
  const { port } = api.broker.server.adminAddress!;
  const aborter = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/api/v1/events?topics=${topics}`, {
    headers: { authorization: `Bearer ${api.tokens.read}` },
    signal: AbortSignal.any([aborter.signal, AbortSignal.timeout(20_000)]),
  });
  assertEquals(response.status, 200);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  async function hub(event: string): Promise<string> {
    for (;;) {
      const end = text.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`Cannot see ${event}: the stream ended`);
        text += value;
        continue;
      }
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const [, name, data = ""] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (name === event) return data;
    }
  }
  return { hub, end: () => aborter.abort() };
}

Deno.test("a rate is what a counter rose by within the last second", () => {
  const meter = new RateMeter();
  assertEquals(meter.perSecond(0), 0);
  for (let ms = 0; ms <= 3000; ms += 100) meter.take([ms <= 1000 ? 0 : ms - 1000], ms);
  assertEquals(meter.perSecond(0), 1000);
  for (let ms = 3100; ms <= 5000; ms += 100) meter.take([2000], ms);
  assertEquals(meter.perSecond(0), 0);
});

Deno.test("quantiles are those of the last second, and none without a value", () => {
  const histogram = new Histogram(DURATION_BOUNDS_S);
  histogram.observe(5, 100);
  const recent = new RecentQuantiles(histogram);
  recent.turn();
  assertEquals(recent.of(0.5), null);
  histogram.observe(0.0009, 99);
  histogram.observe(100);
  recent.turn();
  assertEquals([recent.of(0.5)! > 0.0005, recent.of(0.5)! <= 0.001], [true, true]);
  assertEquals(recent.of(1), 10);
  recent.turn();
  assertEquals(recent.of(0.99), null);
});

Deno.test({
  name: "a server certificate of X.509 version 1 has its days, too",
  ignore: !OPENSSL,
  fn: () =>
    inDirectory(async (directory) => {
      const [keyFile, certificateFile] = [`${directory}/v1.key`, `${directory}/v1.pem`];
      const request = `${directory}/v1.csr`;
      const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
      await openssl(
        ["req", ...key, "-keyout", keyFile, "-out", request, "-subj", "/O=Plant/CN=gateway"],
      );
      // Without extensions: that is version 1.
      await openssl(
        ["x509", "-req", "-in", request, "-signkey", keyFile, "-days", "9"]
          .concat(["-out", certificateFile]),
      );
      await using api = await ApiBroker.start({}, { listener: { keyFile, certificateFile } });
      const { items: [listener] } = (await api.call("GET /api/v1/listeners")).json;
      const { items: [certificate] } = (await api.call("GET /api/v1/certificates")).json;
      assertEquals(listener.tls.not_after, certificate.not_after);
      const { kind, subject, days_left, file } = certificate;
      assertEquals([kind, days_left, file], ["server", 8, certificateFile]);
      assertStringIncludes(subject, "CN=gateway");
      const { warnings } = (await api.call("GET /api/v1/status")).json;
      assertMatch(warnings.join(), /a certificate of listener .* expires on /);
      assertMatch(api.broker.log.join(), /server certificate .*CN=gateway expires on /);
    }),
});
