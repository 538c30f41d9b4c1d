/** The page of metrics: nothing that is counted is missing, and what it says is so. */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { eventually } from "../support/waiting.ts";
import { DROP_REASONS } from "../../src/broker/mod.ts";
import {
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import type { TestBroker } from "../support/test_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { WireClient } from "../support/wire_client.ts";
import { adminBroker, ask, valuesOf } from "./_http_client.ts";

async function pageOf(broker: TestBroker): Promise<string> {
  const { status, body, headers } = await ask(broker, "/metrics");
  assertEquals(status, 200);
  assertEquals(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return body;
}

/** Numbers that nothing else on the page has, and the keys that they are put behind. */
function mark(object: object, from: number): Map<string, number> {
  const marks = new Map<string, number>();
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== "number") continue;
    const mark = from + marks.size * 1000;
    marks.set(key, mark);
    Object.assign(object, { [key]: mark });
  }
  return marks;
}

Deno.test("every number of the statistics of core, store and logins is on the page, in base units", async () => {
  await using broker = await adminBroker({ audit: { enabled: false } });
  const { server } = broker;
  // What the start wrote down is committed some time later, on a busy machine just then.
  const { storeStatistics: store } = server;
  await eventually("a quiet store", () => store!.commits > 0 && store!.recordsWaiting === 0);
  const objects = [
    server.broker.statistics,
    server.storeStatistics!,
    server.broker.statistics.dropped,
  ];
  server.broker.statistics.countProtocolError("MQTT-3.1.0-2");
  // A commit in between takes marks away; what the page never tells is missing each time.
  let missing: string[] = [];
  for (let round = 0; round < 10; round++) {
    missing = await unseen(broker, objects);
    if (missing.length === 0) break;
  }
  assertEquals(missing, []);
  assertMatch(await pageOf(broker), /^relayq_protocol_errors_total\{tag="MQTT-3.1.0-2"\} 1$/m);
});

Deno.test("the other statistics have no number that the page does not tell", async () => {
  await using broker = await adminBroker();
  const names = new Set([...valuesOf(await pageOf(broker)).keys()]);
  const expected = [
    ...DROP_REASONS.map((reason) => `relayq_messages_dropped_total{reason="${reason}"}`),
    'relayq_refused_total{reason="bad-credentials"}',
    "relayq_accept_pauses_total",
    "relayq_logins_hashed_total",
    "relayq_reloads_total",
    "relayq_audit_lost_total",
    "relayq_memory_stage",
    "relayq_memory_limit_bytes",
    "relayq_store_up",
    "relayq_store_backlog_bytes",
    "process_resident_memory_bytes",
    "process_cpu_seconds_total",
    "relayq_admin_connections_total",
    "relayq_connections_limit",
  ];
  assertEquals(expected.filter((name) => !names.has(name)), []);
});

Deno.test("names follow the conventions, each stands once with help and type, labels are bounded", async () => {
  await using broker = await adminBroker();
  const page = await pageOf(broker);
  const types = new Map(
    [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]),
  );
  const helps = [...page.matchAll(/^# HELP (\S+) (.+)$/gm)];
  assertEquals(helps.map(([, name]) => name), [...types.keys()]);
  for (const [, name, help] of helps) assert(help!.endsWith("."), `${name}: ${help}`);
  for (const [name, type] of types) {
    assertMatch(name, /^(relayq|process)_[a-z0-9]+(_[a-z0-9]+)*$/);
    assertEquals([name, name.endsWith("_total")], [name, type === "counter"]);
    assertEquals(/_(ms|milliseconds|kb|mb|count|sum|bucket)(_|$)/.test(name), false, name);
  }
  for (const name of valuesOf(page).keys()) {
    const bare = name.replace(/\{.*/, "");
    const family = types.has(bare) ? bare : bare.replace(/_(bucket|sum|count)$/, "");
    assert(types.has(family), name);
  }
  // Nothing that a client can choose is a label.
  for (let i = 0; i < 20; i++) {
    using client = await WireClient.connect(broker.port, { clientIdentifier: `c${i}` });
    await client.publish(`t/${i}`, "x", { qos: 1 });
  }
  const names = [...valuesOf(await pageOf(broker)).keys()];
  assertEquals(names.filter((name) => !page.includes(name) && !name.includes('code="')), []);
});

Deno.test("what clients do shows: packets, latencies of every PUBLISH, and of the store", async () => {
  await using broker = await adminBroker();
  const stored = { clientIdentifier: "s", cleanSession: false };
  using subscriber = await WireClient.connect(broker.port, stored);
  await subscriber.subscribe("t", 1);
  using publisher = await WireClient.connect(broker.port, { clientIdentifier: "p" });
  for (let i = 0; i < 10; i++) await publisher.publish("t", "x", { qos: 1 });
  for (let i = 0; i < 10; i++) await subscriber.receiveMessage();
  const values = valuesOf(await pageOf(broker));
  assertEquals(values.get("relayq_publish_received_total"), 10);
  assertEquals(values.get("relayq_publish_sent_total"), 10);
  assertEquals(values.get("relayq_clients_connected"), 2);
  assertEquals(values.get("relayq_publish_latency_seconds_count"), 10);
  assertEquals(values.get('relayq_publish_latency_seconds_bucket{le="+Inf"}'), 10);
  assertGreater(values.get("relayq_publish_latency_seconds_sum"), 0);
  const commits = values.get("relayq_store_commits_total")!;
  assertGreater(commits, 0);
  assertEquals(values.get("relayq_store_commit_seconds_count"), commits);
  assertGreater(values.get("relayq_store_latency_seconds_count")!, 0);
  assertEquals(values.get("relayq_listeners"), 1);
});

Deno.test("where Sparkplug is judged, the page tells of nodes and of violations by statement", async () => {
  await using broker = await adminBroker({ sparkplug: { mode: "monitor" } });
  using client = await WireClient.connect(broker.port, { clientIdentifier: "node" });
  for (let i = 0; i < 3; i++) await client.publish(`spBv1.0/G/NDATA/E${i}`, "x", { qos: 1 });
  await client.publish("spBv1.0/G/NBIRTH/E0", "x".repeat(1000), { qos: 1 });
  const page = await pageOf(broker);
  const values = valuesOf(page);
  assertEquals(values.get("relayq_sparkplug_nodes_online"), 1);
  assertEquals(values.get("relayq_sparkplug_unfit_nodes_total"), 0);
  assertEquals(values.get("relayq_sparkplug_decoded_total"), 1);
  assertGreater(values.get("relayq_sparkplug_decoding_seconds_total"), 0);
  const breaches = values.get("relayq_sparkplug_breaches_total")!;
  assertGreater(breaches, 2);
  const violations = [...values].filter(([name]) => name.startsWith("relayq_sparkplug_violations"));
  assertGreater(violations.reduce((sum, [, count]) => sum + count, 0), breaches - 1);
  for (const [name] of violations) {
    assertMatch(name, /^relayq_sparkplug_violations_total\{tck_id="tck-id-[a-z0-9-]+"\}$/);
  }
  await using aware = await adminBroker();
  assertEquals((await pageOf(aware)).includes("relayq_sparkplug_nodes"), false);
});

Deno.test("the loop and the queues are looked at all the time", async () => {
  await using broker = await adminBroker();
  {
    using client = await WireClient.connect(broker.port, {
      clientIdentifier: "away",
      cleanSession: false,
    });
    await client.subscribe("t", 1);
  }
  using client = await WireClient.connect(broker.port);
  for (let i = 0; i < 5; i++) await client.publish("t", "x", { qos: 1 });
  const deadline = performance.now() + 20_000;
  for (;;) {
    const values = valuesOf(await pageOf(broker));
    const looks = values.get("relayq_queue_depth_messages_count")!;
    const shallow = values.get('relayq_queue_depth_messages_bucket{le="1"}')!;
    const deep = values.get('relayq_queue_depth_messages_bucket{le="10"}')!;
    assertEquals(deep, looks);
    if (looks > 3 && shallow < looks && values.get("relayq_loop_lag_seconds_count") === looks) {
      break;
    }
    assert(performance.now() < deadline, "not in 20 s");
  }
});

Deno.test({
  name: `a TLS listener tells of its handshakes and of its certificate${NEEDS_OPENSSL}`,
  ignore: !OPENSSL,
  fn: async () => {
    const ca = await TestAuthority.root(temporaryDirectory(), "ca");
    const files = await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
    await using broker = await adminBroker({}, { more: [{ ...files }, { ...files }] });
    const [, first, second] = broker.server.addresses;
    using _client = await TlsClient.connect({ port: first!.port });
    const deadline = performance.now() + 20_000;
    const of = (port: number) => `listener="127.0.0.1:${port}"`;
    for (;;) {
      const values = valuesOf(await pageOf(broker));
      assertEquals(values.get(`relayq_tls_established_total{${of(second!.port)}}`), 0);
      const expiry = values.get(
        `relayq_tls_certificate_expiry_timestamp_seconds{${of(first!.port)}}`,
      );
      assertGreater(expiry, Date.now() / 1000);
      if (values.get(`relayq_tls_established_total{${of(first!.port)}}`) === 1) break;
      assert(performance.now() < deadline, "not in 20 s");
    }
    {
      using raw = await Deno.connect({ hostname: "127.0.0.1", port: first!.port });
      await raw.write(new TextEncoder().encode("this is no ClientHello"));
      await raw.read(new Uint8Array(100)).catch(() => {});
    }
    const name = `relayq_tls_refused_total{${of(first!.port)},cause="handshake"}`;
    while (valuesOf(await pageOf(broker)).get(name) !== 1) {
      assert(performance.now() < deadline, "not in 20 s");
    }
  },
});

const TOKEN = "b7f1c2d3e4f5061728394a5b6c7d8e9f";
/** Of the token; made by sha256sum. */
const TOKEN_SHA256 = "4cf14c7c875192d2ce5d3b518f902a65f6a8bc5a39f07c059debe7bcfefe5e5a";

Deno.test("with a token configured, /metrics is for those who have it, and health for all", async () => {
  await using broker = await adminBroker({
    admin: { metricsTokenSha256: TOKEN_SHA256.toUpperCase() },
  });
  async function status(authorization?: string): Promise<number> {
    const headers: Record<string, string> = authorization === undefined
      ? {}
      : { Authorization: authorization };
    return (await ask(broker, "/metrics", { headers })).status;
  }
  assertEquals(await status(`Bearer ${TOKEN}`), 200);
  assertEquals(await status(`bearer  ${TOKEN}`), 200);
  for (const wrong of [undefined, "", "Bearer", TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}0`]) {
    assertEquals([wrong, await status(wrong)], [wrong, 401]);
  }
  assertEquals(await status(`Bearer ${TOKEN_SHA256}`), 401);
  assertEquals(await status(`Bearer ${TOKEN} ${TOKEN}`), 401);
  const refused = await ask(broker, "/metrics");
  assertEquals(refused.headers.get("www-authenticate"), 'Bearer realm="relayq"');
  assertEquals((await ask(broker, "/healthz")).status, 200);
  assertEquals((await ask(broker, "/readyz")).status, 200);
});

/** The numbers of these objects that are not on the page: each is another one for a moment. */
async function unseen(broker: TestBroker, objects: readonly object[]): Promise<string[]> {
  const before = objects.map((object) => ({ ...object }));
  const marks = objects.map((object, index) => mark(object, 7_000_000_017 * (index + 1)));
  assert(marks.every((marked) => marked.size > 9));
  // Before anything else happens: the numbers stand for nothing.
  const values = [...valuesOf(await pageOf(broker)).values()];
  objects.forEach((object, index) => Object.assign(object, before[index]));
  return marks.flatMap((marked) =>
    [...marked].filter(([key, value]) => {
      const shown = /Ms(Last|Max)?$/.test(key) ? value / 1000 : value;
      return !values.some((other) => Math.abs(other - shown) < (shown === value ? 500 : 0.4));
    }).map(([key]) => key)
  );
}
