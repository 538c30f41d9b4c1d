/** What a running broker makes of its verdicts: log, audit, dead letters, topics, requests, files. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ConfigChanges, TestBroker } from "../../support/test_broker.ts";
import { type ConnectOptions, name, text, WireClient } from "../../support/wire_client.ts";
import { encode, passwordFileText, SecurityFiles } from "../../support/security_files.ts";
import { act, bornNode } from "./_pair.ts";
import { Script } from "./_script.ts";
import { Stage } from "./_stage.ts";

const PATIENCE_MS = 10_000;

/** Waits until something is there; fails if it does not come. */
async function until<T>(look: () => Promise<T | null> | T | null, what: string): Promise<T> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline;) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Cannot find ${what}`);
}

/** The last message on a topic that has a value at last. */
async function lastOn(stage: Stage, topic: string, is = (_: string) => true): Promise<string> {
  using reader = await WireClient.connect(stage.broker.port);
  await reader.subscribe(topic);
  return await until(async () => {
    const messages = (await reader.drain()).filter((packet) => packet.type === "PUBLISH");
    const values = messages.map(({ payload }) => text(payload));
    return values.findLast(is) ?? null;
  }, topic);
}

Deno.test("a breach is a line of the log, once a minute for each rule and Edge Node", async () => {
  await using stage = await Stage.open({ mode: "monitor" });
  const { script } = await bornNode(stage);
  const gaps = () => stage.broker.log.join("").match(/sparkplug error: .*ndata-seq-inc.*/g) ?? [];
  await act(stage, script, (s) => s.ndata({ seq: 9 }));
  const [line] = await until(() => gaps().length > 0 ? gaps() : null, "a line");
  assertStringIncludes(line!, 'node="G/E" client="client of E" "9 instead of 2"');
  await act(stage, script, (s) => s.ndata({ seq: 99 }));
  await act(stage, script, (s) => s.ndata({ metrics: [{ name: "Nobody", value: [10, 1] }] }));
  await until(() => stage.broker.log.join("").includes("metric-reqs") || null, "another rule");
  assertEquals(gaps().length, 1);
});

Deno.test("what strict mode drops is acknowledged, a dead letter of its own and in the audit log", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const sparkplug = { mode: "strict" } as const;
  {
    await using broker = await TestBroker.start({ sparkplug, store: { dataDir } }, {
      keepDataDir: true,
    });
    using client = await WireClient.connect(broker.port, { clientIdentifier: "stray" });
    await client.publish("spBv1.0/G/FOO/E", "x", { qos: 1 });
    using node = await WireClient.open(broker.port);
    const will = { topic: name("spBv1.0/G/NDEATH/E"), payload: Uint8Array.of(0x12, 0xff) };
    const { returnCode } = await node.sendConnect({ clientIdentifier: "broken", will });
    assertEquals(returnCode, 5);
    assertEquals(broker.server.broker.statistics.dropped["sparkplug-refused"], 1);
    await until(() => broker.log.join("").includes("breach of a Sparkplug rule") || null, "log");
  }
  let audit = "";
  for await (const { name: file } of Deno.readDir(`${dataDir}/audit`)) {
    audit += await Deno.readTextFile(`${dataDir}/audit/${file}`);
  }
  const refused = audit.split("\n").filter((line) => line.includes("sparkplug-refused"))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))));
  assertEquals(refused.map(({ client, action, topic }) => [client, action, topic]), [
    ["stray", "publish", "spBv1.0/G/FOO/E"],
    ["broken", "connect", "spBv1.0/G/NDEATH/E"],
  ]);
  assertStringIncludes(refused[0].statements, "tck-id-topic-structure");
  assertStringIncludes(refused[1].statements, "will-message-payload");
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("an Edge Node that needs it is asked to be born again, and what follows is withheld in strict mode", async () => {
  await using stage = await Stage.open({ mode: "strict", rebirthRequests: true });
  const { script, node } = await bornNode(stage);
  await act(stage, script, (s) => s.ndata({ metrics: [{ name: "Nobody", value: [10, 1] }] }));
  await act(stage, script, (s) => s.ndata());
  assertEquals(stage.outcomes.slice(-2), ["drop", "drop"]);
  const request = await stage.socketOf(node)!.receiveMessage(PATIENCE_MS);
  assertEquals([request.topic, request.qos, request.retain], [name("spBv1.0/G/NCMD/E"), 0, false]);
  assertStringIncludes(text(request.payload), "Node Control/Rebirth");
  await act(stage, script, (s) => s.nbirth());
  await act(stage, script, (s) => s.ndata());
  assertEquals(stage.outcomes.slice(-2), ["count", "count"]);
  const topic = "$SYS/broker/sparkplug/rebirth-requests";
  assertEquals(await lastOn(stage, topic, (value) => value !== "0"), "1");
});

Deno.test("nobody is asked who has not subscribed, and nobody where that is off", async () => {
  for (const rebirthRequests of [true, false]) {
    await using stage = await Stage.open({ mode: "monitor", rebirthRequests });
    const script = new Script();
    const filters = rebirthRequests ? [] : [["spBv1.0/G/NCMD/E", 1]] as const;
    await act(stage, script, (s) => s.bornNode({ filters }));
    await act(stage, script, (s) => s.ndata({ seq: 77 }));
    await new Promise((resolve) => setTimeout(resolve, 3500));
    assertEquals(await stage.socketOf(script.edge)!.drain(), []);
  }
});

Deno.test("the topology is published, and forgotten with its Edge Node", async () => {
  await using stage = await Stage.open({ mode: "monitor", topology: true, nodesMax: 1 });
  const { script, node } = await bornNode(stage);
  const topic = "$SYS/broker/sparkplug/topology/nodes/G/E";
  const view = JSON.parse(await lastOn(stage, topic));
  assertEquals([view.online, view.clientIdentifier, view.bdSeq, view.seq], [
    true,
    "client of E",
    0,
    1,
  ]);
  assertEquals([view.devices.length, view.devices[0].name, view.devices[0].online], [1, "D", true]);
  using reader = await WireClient.connect(stage.broker.port);
  await reader.subscribe("$SYS/broker/sparkplug/topology/#");
  await stage.leave(node, false);
  await act(stage, script, (s) => s.bornNode({ node: "F" }));
  await until(async () => {
    const now = await reader.drain();
    return now.some((packet) => packet.type === "PUBLISH" && packet.payload.length === 0) || null;
  }, "the end of the topic");
  using late = await WireClient.connect(stage.broker.port);
  await late.subscribe("$SYS/broker/sparkplug/topology/nodes/#");
  const topics = (await late.drain()).map((packet) => packet.type === "PUBLISH" && packet.topic);
  assertEquals(topics, [name("$SYS/broker/sparkplug/topology/nodes/G/F")]);
});

Deno.test("messages are told as JSON with names for aliases", async () => {
  await using stage = await Stage.open({ mode: "monitor", json: true });
  using reader = await WireClient.connect(stage.broker.port);
  await reader.subscribe("$sparkplug/json/#");
  const { script } = await bornNode(stage);
  await act(
    stage,
    script,
    (s) => s.ddata({ metrics: [{ alias: 2, timestamp: 5, value: [10, 7] }] }),
  );
  const messages = [];
  while (messages.length < 3) messages.push(await reader.receiveMessage());
  const topics = messages.map(({ topic }) => String(topic));
  const tree = "$sparkplug/json/spBv1.0/G";
  assertEquals(topics, [`${tree}/NBIRTH/E`, `${tree}/DBIRTH/E/D`, `${tree}/DDATA/E/D`]);
  const [metric] = JSON.parse(text(messages[2]!.payload)).metrics;
  assertEquals(metric, { name: "Count", alias: "2", timestamp: "5", dataType: "UInt32", value: 7 });
  const { retain, qos } = messages[0]!;
  assertEquals([retain, qos], [false, 0]);
});

Deno.test("the JSON of a message is read by who may read the message", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = `${files.directory}/passwords`;
  await Deno.writeTextFile(passwordFile, await passwordFileText({ all: "x", tree: "x" }));
  const accessFile = await files.access(`
everyone
allow subscribe $sparkplug/#
allow read $sparkplug/#
user all
allow read spBv1.0/#
allow publish spBv1.0/#
`);
  const sparkplug = { mode: "monitor", json: true } as const;
  await using broker = await TestBroker.start({
    sparkplug,
    security: { passwordFile, accessFile },
  });
  const login = (userName: string) => ({ userName, password: encode("x") });
  using all = await WireClient.connect(broker.port, login("all"));
  using tree = await WireClient.connect(broker.port, login("tree"));
  for (const reader of [all, tree]) await reader.subscribe("$sparkplug/json/#");
  const script = new Script();
  script.bornNode();
  const birth = script.steps.find((step) => step.kind === "publish")!;
  const { topic, payload } = birth;
  await all.send({
    type: "PUBLISH",
    dup: false,
    qos: 0,
    retain: false,
    packetId: 0,
    topic: name(topic),
    payload,
  });
  const { topic: told } = await all.receiveMessage();
  assertEquals(told, name(`$sparkplug/json/${topic}`));
  assertEquals(await tree.drain(), []);
});

Deno.test("the last bdSeq outlives the broker", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const changes: ConfigChanges = { store: { dataDir }, sparkplug: { mode: "monitor" } };
  const node: ConnectOptions = connectOf(7);
  {
    await using broker = await TestBroker.start(changes, { keepDataDir: true });
    using client = await WireClient.connect(broker.port, node);
    await client.drain();
  }
  {
    await using broker = await TestBroker.start(changes, { keepDataDir: true });
    using client = await WireClient.connect(broker.port, node);
    await client.drain();
    const line = /sparkplug warn: .*nbirth-bdseq-increment.* "7 again"/;
    await until(
      () => line.test(broker.log.join("")) || broker.log.join("").length < 0 || null,
      "log",
    );
  }
  await Deno.remove(dataDir, { recursive: true });
});

Deno.test("a running broker writes what it recorded, and the report judges it", async () => {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const captureFile = `${directory}/plant.capture`;
  {
    await using stage = await Stage.open({
      mode: "monitor",
      captureFile,
      captureIntervalMs: 100,
      recordedMessagesMax: 50,
    });
    const { script } = await bornNode(stage);
    await act(stage, script, (s) => s.ndata({ seq: 200 }));
    await until(async () => {
      const { size } = await Deno.stat(captureFile).catch(() => ({ size: 0 }));
      return size > 0 || null;
    }, captureFile);
    await act(stage, script, (s) => s.bornNode({ node: "F" }));
  }
  const args = [
    "run",
    "--no-prompt",
    "--allow-read",
    "main.ts",
    "sparkplug",
    "report",
    captureFile,
  ];
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const report = text(stdout);
  assertEquals([code, text(stderr)], [5, ""]);
  assertStringIncludes(report, "G/E: violations");
  assertStringIncludes(report, "1 x tck-id-payloads-ndata-seq-inc");
  assert(/G\/F: conforming|G\/F: remarks/.test(report), report);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("an offline that was retained before the start is known", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const changes: ConfigChanges = {
    store: { dataDir },
    sparkplug: { mode: "monitor" },
    sysTopics: { enabled: true, intervalMs: 100 },
  };
  {
    await using broker = await TestBroker.start(changes, { keepDataDir: true });
    using host = await WireClient.connect(broker.port);
    const state = JSON.stringify({ online: true, timestamp: Date.now() });
    await host.publish("spBv1.0/STATE/H", state, { qos: 1, retain: true });
  }
  await using broker = await TestBroker.start(changes);
  using reader = await WireClient.connect(broker.port);
  await reader.subscribe("$SYS/broker/sparkplug/hosts/online");
  await until(async () => {
    const values = (await reader.drain()).map((one) => one.type === "PUBLISH" && text(one.payload));
    return values.includes("1") || null;
  }, "a host that is online");
});

/** A CONNECT with this bdSeq in its NDEATH. */
function connectOf(bdSeq: number): ConnectOptions {
  const script = new Script();
  script.join({ bdSeq });
  const [step] = script.steps;
  if (step?.kind !== "connect") throw new Error("Cannot join");
  const { id: clientIdentifier, cleanSession, will } = step;
  return { clientIdentifier, cleanSession, will: { ...will!, topic: name(will!.topic) } };
}
