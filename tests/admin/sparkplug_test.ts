/** The plant over the admin API: topology, Edge Nodes, violations, reports, births, values. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ConfigChanges } from "../support/test_broker.ts";
import { name, WireClient } from "../support/wire_client.ts";
import { message, metric, type MetricParts, payload } from "../sparkplug/_encode.ts";
import { send } from "../sparkplug/wire/_traffic.ts";
import { ApiBroker } from "./_api.ts";

const BIG = 2n ** 63n + 1n;

/** An Edge Node that does everything right unless it is told otherwise. */
class EdgeNode implements Disposable {
  readonly client: WireClient;
  readonly #group: string;
  readonly #name: string;
  seq = 0;

  private constructor(client: WireClient, [group, name]: readonly [string, string]) {
    this.client = client;
    this.#group = group;
    this.#name = name;
  }

  static async join(api: ApiBroker, group = "Plant 1", node = "Line ä") {
    const will = {
      topic: name(`spBv1.0/${group}/NDEATH/${node}`),
      payload: payload({ timestamp: Date.now(), metrics: [bdSeq()] }),
      qos: 1 as const,
    };
    const client = await WireClient.connect(api.broker.port, { clientIdentifier: node, will });
    await client.subscribe(`spBv1.0/${group}/NCMD/${node}`, 1);
    await client.subscribe(`spBv1.0/${group}/DCMD/${node}/#`, 1);
    return new EdgeNode(client, [group, node]);
  }

  /** Every message is acknowledged, so that it has been judged when this is over. */
  async send(type: string, metrics: readonly MetricParts[], device = ""): Promise<void> {
    const timestamp = Date.now();
    const timed = metrics.map((parts) => metric({ timestamp, ...parts }));
    const content = payload({ timestamp, seq: this.seq++ % 256, metrics: timed });
    const below = device === "" ? "" : `/${device}`;
    const topic = `spBv1.0/${this.#group}/${type}/${this.#name}${below}`;
    await send(this.client, topic, { payload: content });
    await this.client.drain();
  }

  async born(devices: readonly string[] = ["Pump"]): Promise<void> {
    this.seq = 0;
    const rebirth = { name: "Node Control/Rebirth", type: 11, value: [14, false] } as const;
    const count = { name: "Count", alias: 1, type: 8, value: [11, BIG] } as const;
    await this.send("NBIRTH", [{ name: "bdSeq", type: 4, value: [11, 0] }, rebirth, count]);
    for (const [index, device] of devices.entries()) {
      const type = { name: "Temperature", alias: 10 + index, type: 9 } as const;
      await this.send("DBIRTH", [{ ...type, value: [12, { float: 20.5 }] }, TABLE(index)], device);
    }
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

function TABLE(index: number): MetricParts {
  const cells = message([1, 1], [2, "a"], [3, 3], [4, message([1, message([1, 7])])]);
  return { name: "Table", alias: 100 + index, type: 16, value: [17, cells] };
}

function bdSeq(): Uint8Array {
  return metric({ name: "bdSeq", timestamp: Date.now(), type: 4, value: [11, 0] });
}

function plant(sparkplug: NonNullable<ConfigChanges["sparkplug"]> = {}): Promise<ApiBroker> {
  return ApiBroker.start({
    store: { kind: "memory" },
    sparkplug: { mode: "monitor", lastValues: true, recordedMessagesMax: 50, ...sparkplug },
  });
}

const NODE = "/api/v1/sparkplug/nodes/Plant%201/Line%20%C3%A4";
const VALUES = "/sparkplug/v1/groups/Plant%201/nodes/Line%20%C3%A4";

Deno.test("topology: groups, Edge Nodes, Devices and hosts with their state, filtered and in pages", async () => {
  await using api = await plant();
  const topology = async (query = "") =>
    (await api.call(`GET /api/v1/sparkplug/topology${query}`, { as: "read" })).json;
  assertEquals(await topology(), { mode: "monitor", groups: [], hosts: [], next: null, total: 0 });
  using host = await WireClient.connect(api.broker.port, {
    clientIdentifier: "scada client",
    will: {
      topic: name("spBv1.0/STATE/SCADA"),
      payload: new TextEncoder().encode(`{"online":false,"timestamp":${Date.now()}}`),
      qos: 1,
      retain: true,
    },
  });
  await host.publish("spBv1.0/STATE/SCADA", `{"online":true,"timestamp":1700000000000}`, {
    qos: 1,
    retain: true,
  });
  using node = await EdgeNode.join(api);
  await node.client.subscribe("spBv1.0/STATE/SCADA", 1);
  await node.born(["Pump", "Fan"]);
  await node.send("DDEATH", [], "Fan");
  using other = await EdgeNode.join(api, "Plant 0", "E");
  await other.client.subscribe("spBv1.0/STATE/SCADA", 1);
  await other.born([]);
  const { groups, hosts, total, next } = await topology();
  assertEquals([total, next], [2, null]);
  assertEquals(groups.map((group: { name: string }) => group.name), ["Plant 0", "Plant 1"]);
  const [shown] = groups[1].nodes;
  const { name: called, online, connected, client_id, bd_seq, seq, births, primary_host } = shown;
  assertEquals({ called, online, connected, client_id, bd_seq, seq, births, primary_host }, {
    called: "Line ä",
    online: true,
    connected: true,
    client_id: "Line ä",
    bd_seq: 0,
    seq: 3,
    births: 1,
    primary_host: "SCADA",
  });
  assertEquals(shown.since, shown.last_birth_at);
  const devices = shown.devices.map((device: Record<string, unknown>) =>
    [device.name, device.online, device.last_death_cause].join(" ")
  );
  assertEquals(devices, ["Pump true ", "Fan false DDEATH"]);
  const [{ online: isOnline, state_at, watched_by, client_id: of }] = hosts;
  assertEquals([isOnline, state_at, of], [true, "2023-11-14T22:13:20.000Z", "scada client"]);
  assertEquals(watched_by.toSorted(), ["Plant 0/E", "Plant 1/Line ä"]);
  // One page for each.
  const first = await topology("?limit=1&devices=false");
  assertEquals([first.groups[0].name, first.groups.length, first.total], ["Plant 0", 1, 2]);
  const second = await topology(`?limit=1&devices=false&cursor=${first.next}`);
  assertEquals([second.groups[0].name, second.next], ["Plant 1", null]);
  assertEquals(second.groups[0].nodes[0].devices, []);
  assertEquals((await topology("?search=LINE")).total, 1);
  assertEquals((await topology("?group=Plant%200")).total, 1);
  other.client.close();
  for (let look = 0; look < 200 && (await topology("?online=false")).total === 0; look++);
  const [{ nodes: [gone] }] = (await topology("?online=false")).groups;
  assertEquals([gone.name, gone.online, gone.last_death_cause], ["E", false, "connection lost"]);
  assertEquals(gone.since, gone.last_death_at);
});

Deno.test("an Edge Node: metrics of its births, violations with their text, messages with their verdict", async () => {
  await using api = await plant();
  using node = await EdgeNode.join(api);
  await node.born();
  await node.send("DDATA", [{ alias: 10, value: [12, { float: 21 }] }], "Pump");
  node.seq += 2;
  await node.send("NDATA", [{ name: "Nobody", value: [12, { float: 21 }] }]);
  const { json } = await api.call(`GET ${NODE}`, { as: "read" });
  const count = json.metrics.find((one: { name: string }) => one.name === "Count");
  assertEquals([count.data_type, count.alias, count.value], ["UInt64", "1", String(BIG)]);
  const [temperature, table] = json.devices[0].metrics;
  assertEquals([temperature.value, temperature.stale], [21, false]);
  assertEquals(table.value, { columns: [{ name: "a", data_type: "Int32" }], rows: [[7]] });
  const gap = json.violations.find(({ rule }: { rule: string }) =>
    rule === "tck-id-payloads-sequence-num-incrementing"
  );
  assertEquals([gap.count, gap.severity], [1, "error"]);
  assert(gap.text.length > 10);
  assertMatch(gap.last_at, /^20.*Z$/);
  assertEquals([json.recorder, json.seq_gaps, json.messages], ["on", 1, 4]);
  const [last, before] = json.messages_recorded;
  assertEquals([last.kind, last.type, last.action], ["publish", "NDATA", "route"]);
  assert(last.broken.includes("tck-id-payloads-sequence-num-incrementing"), String(last.broken));
  assertEquals([before.device, before.broken], ["Pump", []]);
  // The alias has its name and its datatype back.
  const [{ name: called, data_type, value }] = before.decoded.metrics;
  assertEquals([called, data_type, value], ["Temperature", "Float", 21]);
  const connect = json.messages_recorded.at(-1);
  assertEquals([connect.type, connect.decoded.metrics[0].name], ["CONNECT", "bdSeq"]);
  const less = (await api.call(`GET ${NODE}?metrics=1&messages=1&device=Pump`)).json;
  const { metrics, devices, metrics_left, messages_recorded } = less;
  assertEquals([metrics.length, devices[0].metrics.length, metrics_left], [0, 1, 1]);
  assertEquals(messages_recorded.length, 1);
  assertEquals((await api.call("GET /api/v1/sparkplug/nodes/Plant%201/nobody")).status, 404);
  const limits = (await api.call("GET /api/v1/limits")).json.items;
  const used = (key: string) =>
    limits.find((row: { key: string | null }) => row.key === `sparkplug.${key}`)?.used;
  assertEquals([used("nodes_max"), used("hosts_max"), used("last_values_max")], [1, 0, 5]);
  assert(used("last_values_bytes_max") > 3_000);
});

Deno.test("violations by statement and subject, in pages and filtered; the report grades each Edge Node", async () => {
  await using api = await plant();
  using good = await EdgeNode.join(api, "G", "good");
  await good.born();
  using bad = await EdgeNode.join(api, "G", "bad");
  await bad.born();
  for (let i = 0; i < 3; i++) {
    bad.seq += 5;
    await bad.send("NDATA", [{ alias: 1, value: [11, 1] }]);
  }
  const seen: { subject: string; rule: string; count: number }[] = [];
  for (let cursor: string | null = ""; cursor !== null;) {
    const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const path = `/api/v1/sparkplug/violations?limit=2${after}`;
    const { json } = await api.call(`GET ${path}`, { as: "read" });
    assert(json.items.length <= 2);
    seen.push(...json.items);
    cursor = json.next;
  }
  const whole = (await api.call("GET /api/v1/sparkplug/violations?limit=1000")).json.items;
  assertEquals(seen, whole);
  const bySubject = seen.filter(({ subject }) => subject === "G/bad");
  const rule = "tck-id-payloads-sequence-num-incrementing";
  assertEquals(bySubject.find((one) => one.rule === rule)?.count, 3);
  const subjects = async (query: string) =>
    (await api.call(`GET /api/v1/sparkplug/violations?${query}`)).json.items
      .map(({ subject }: { subject: string }) => subject);
  assertEquals(await subjects(`rule=${rule}`), ["G/bad"]);
  assertEquals(await subjects("subject=G%2Fbad&severity=error&search=NUM-INCREMENTING"), ["G/bad"]);
  assertEquals(await subjects(`rule=${rule}&severity=info`), []);
  assertEquals(await subjects("subject=G%2Fgood"), []);
  assertEquals((await api.call("GET /api/v1/sparkplug/violations?cursor=%00")).status, 400);
  const { items } = (await api.call("GET /api/v1/sparkplug/report", { as: "read" })).json;
  const grades = items.map((row: Record<string, unknown>) => `${row.node} ${row.grade}`);
  assertEquals(grades, ["G/bad violations", "G/good conforming"]);
  assertEquals(items[0].rows.find((row: { rule: string }) => row.rule === rule).count, 3);
  const single = (await api.call("GET /api/v1/sparkplug/report?node=G/good")).json;
  assertEquals([single.total, single.items[0].rows], [1, []]);
});

Deno.test("a birth can be had as it came and decoded; births can be listed and removed", async () => {
  await using api = await plant({ mode: "aware", lastValues: false });
  using node = await EdgeNode.join(api);
  await node.born(["Pump", "Fan"]);
  const { json, status } = await api.call(`GET ${NODE}/birth?device=Pump`, { as: "read" });
  assertEquals([status, json.seq, json.metrics[0].data_type], [200, 1, "Float"]);
  assertEquals((await api.call(`GET ${NODE}/birth`)).json.metrics[2].value, String(BIG));
  const raw = await api.call(`GET ${NODE}/birth?format=protobuf`);
  assertEquals(raw.headers.get("content-type"), "application/x-protobuf");
  assertMatch(raw.headers.get("content-disposition")!, /^attachment/);
  assert(raw.body.includes("Node Control/Rebirth"));
  assertEquals((await api.call(`GET ${NODE}/birth?device=x`)).status, 404);
  assertEquals((await api.call(`GET ${NODE}/birth?format=xml`)).status, 400);
  using other = await EdgeNode.join(api, "G", "E");
  await other.born();
  const list = async (query = "") =>
    (await api.call(`GET /api/v1/sparkplug/certificates${query}`)).json.items
      .map(({ topic }: { topic: string }) => topic.slice("spBv1.0/".length));
  const all = ["G/DBIRTH/E/Pump", "G/NBIRTH/E", "Plant 1/DBIRTH/Line ä/Fan"];
  assertEquals(await list(), [...all, "Plant 1/DBIRTH/Line ä/Pump", "Plant 1/NBIRTH/Line ä"]);
  assertEquals(await list("?group=G"), all.slice(0, 2));
  using host = await WireClient.connect(api.broker.port);
  await host.subscribe("$sparkplug/#", 0);
  await host.drain();
  const path = "DELETE /api/v1/sparkplug/certificates";
  const purge = async (of: string) => (await api.call(`${path}/${of}`, { as: "operate" })).json;
  assertEquals((await api.call(`${path}/G`, { as: "read" })).status, 403);
  for (const bad of ["%2B", "%23", "G/a%2Fb", "G/E/%00"]) {
    assertEquals((await api.call(`${path}/${bad}`)).status, 400, bad);
  }
  assertEquals(await purge("G/E/Pump"), { removed: 1 });
  assertEquals((await host.drain()).length, 0);
  assertEquals(await purge("Plant%201/Line%20%C3%A4?announce=true"), { removed: 3 });
  assertEquals((await host.drain()).length, 3);
  assertEquals(await list(), ["G/NBIRTH/E"]);
  assertEquals(await purge("G"), { removed: 1 });
  assertEquals(await list(), []);
});

Deno.test("last values: in pages, searched, and stale when their Edge Node is away; in aware as in monitor", async () => {
  for (const mode of ["aware", "monitor"] as const) {
    await using api = await plant({ mode });
    using node = await EdgeNode.join(api);
    await node.born();
    await node.send("DDATA", [{ alias: 10, value: [12, { float: -3.5 }] }], "Pump");
    const { json } = await api.call(`GET ${VALUES}/devices/Pump/metrics`, { as: "read" });
    assertEquals([json.online, json.cause, json.total, json.next], [true, "", 2, null]);
    const [temperature, table] = json.items;
    assertMatch(temperature.timestamp, /^20.*Z$/);
    assertEquals({ ...temperature, timestamp: 0, received_at: 0 }, {
      name: "Temperature",
      alias: "10",
      data_type: "Float",
      value: -3.5,
      timestamp: 0,
      received_at: 0,
      quality: null,
      stale: false,
    });
    assertEquals(table.value.columns, [{ name: "a", data_type: "Int32" }]);
    const names: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const page = await api.call(`GET ${VALUES}/metrics?limit=1${after}`);
      assertEquals(page.json.items.length, 1);
      names.push(page.json.items[0].name);
      cursor = page.json.next;
    }
    assertEquals(names, ["bdSeq", "Node Control/Rebirth", "Count"]);
    const found = (await api.call(`GET ${VALUES}/metrics?search=control`)).json;
    assertEquals([found.total, found.items[0].value], [1, false]);
    for (const wrong of ["x/metrics", "devices/x/metrics"]) {
      assertEquals((await api.call(`GET ${VALUES}/${wrong}`)).status, 404);
    }
    assertEquals((await api.call(`GET ${VALUES}/metrics?cursor=x`)).status, 400);
    assertEquals((await api.call(`GET ${VALUES}/metrics`, { as: null })).status, 401);
    // A power cut: the Will of its client says so.
    node.client.close();
    let away = json;
    for (let look = 0; look < 500 && away.online; look++) {
      away = (await api.call(`GET ${VALUES}/devices/Pump/metrics`)).json;
    }
    assertEquals([away.online, away.items[0].stale, away.items[0].value], [false, true, -3.5]);
    assertMatch(away.cause, /^(connection closed|NDEATH)$/);
  }
});

Deno.test("after a restart the Edge Nodes of the certificates are there, and nobody knows how they are", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const store = { kind: "sqlite", dataDir } as const;
  const sparkplug = { mode: "monitor", lastValues: true } as const;
  {
    await using api = await ApiBroker.start({ store, sparkplug }, { keepDataDir: true });
    using node = await EdgeNode.join(api);
    await node.born(["Pump", "Fan"]);
  }
  {
    await using api = await ApiBroker.start({ store, sparkplug }, { keepDataDir: true });
    const first = async () => {
      const { json } = await api.call("GET /api/v1/sparkplug/topology");
      const [{ nodes: [node] }] = json.groups;
      const { name: called, online, since, unknown_since_restart, devices } = node;
      return [called, online, since === null, unknown_since_restart, devices.length];
    };
    assertEquals(await first(), ["Line ä", false, true, true, 2]);
    assertEquals((await api.call("GET /api/v1/sparkplug/report")).json.items, []);
    using node = await EdgeNode.join(api);
    await node.born(["Pump"]);
    assertEquals(await first(), ["Line ä", true, false, false, 2]);
    assertEquals((await api.call("GET /api/v1/sparkplug/report")).json.total, 1);
  }
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("where nobody is judged the plant is empty, and values that are not kept are not there", async () => {
  await using api = await plant({ mode: "aware", lastValues: false });
  using node = await EdgeNode.join(api);
  await node.born();
  const { json } = await api.call("GET /api/v1/sparkplug/topology");
  assertEquals([json.mode, json.groups], ["aware", []]);
  for (const path of ["violations", "report"]) {
    assertEquals((await api.call(`GET /api/v1/sparkplug/${path}`)).json.items, []);
  }
  const { status, json: problem } = await api.call(`GET ${VALUES}/metrics`);
  assertEquals(status, 404);
  assertMatch(problem.detail, /sparkplug\.last_values/);
});

Deno.test("who listens is told who goes online and offline", async () => {
  await using api = await plant();
  const node = await EdgeNode.join(api);
  await node.born();
  const { port } = api.broker.server.adminAddress!;
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/events?topics=sparkplug`, {
    headers: { Authorization: `Bearer ${api.tokens.read}` },
    signal: AbortSignal.timeout(30_000),
  });
  const decoder = new TextDecoderStream();
  const reader = answer.body!.pipeThrough(decoder).getReader();
  let text = "";
  const until = async (part: string) => {
    while (!text.includes(part)) text += (await reader.read()).value ?? "";
  };
  await until('{"nodes_online":1,"devices_online":1,"hosts_online":0,"violations":0}');
  node.client.close();
  await until('"subject":"Plant 1/Line ä","online":false}');
  await until('{"nodes_online":0,"devices_online":0,"hosts_online":0,"violations":0}');
  await reader.cancel();
});
