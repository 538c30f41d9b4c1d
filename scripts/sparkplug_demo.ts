/**
 * A small plant for ten seconds: a broker in monitor mode, three Edge Nodes with five Devices each,
 * one of which misbehaves, and a host. Prints what the broker counted and the report on each node.
 * Two arguments change how long it takes: the number of rounds, and milliseconds between two.
 */
import { Buffer } from "node:buffer";
import mqtt, { type MqttClient } from "mqtt";
import { metric, payload } from "../tests/sparkplug/_encode.ts";

const GROUP = "Demo plant";
const HOST = "SCADA";
const DEVICES = 5;
const ROUNDS = 16;
const PERIOD_MS = 500;
/** How often the broker publishes its counters. */
const COUNTERS_MS = 250;
const ROOT = new URL("..", import.meta.url).pathname;
const TREE = "$SYS/broker/sparkplug/";
const FLOAT = 9;

async function main(): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "relayq-demo-" });
  const port = freePort();
  const capture = `${directory}/plant.capture`;
  await Deno.writeTextFile(`${directory}/relayq.toml`, configOf({ port, directory, capture }));
  const broker = start(["serve", "--config", `${directory}/relayq.toml`], "null");
  try {
    await run(`mqtt://127.0.0.1:${port}`);
  } finally {
    broker.kill("SIGTERM");
    await broker.status;
  }
  say("\nWhat `relayq sparkplug report` says of the messages that the broker recorded:\n");
  await start(["sparkplug", "report", capture], "inherit").status;
  await Deno.remove(directory, { recursive: true });
}

/** The plant works, and somebody looks at the broker's counters. */
async function run(url: string): Promise<void> {
  const host = await joinHost(url);
  const nodes: EdgeNode[] = [];
  for (const name of ["Line 1", "Line 2", "Line 3"]) nodes.push(await EdgeNode.join(url, name));
  say("A host and three Edge Nodes with five Devices each are born; Line 3 misbehaves.");
  const [rounds = ROUNDS, periodMs = PERIOD_MS] = Deno.args.map(Number);
  for (let round = 0; round < rounds; round++) {
    for (const node of nodes) node.publishData();
    nodes[2]!.misbehave();
    await sleep(periodMs);
  }
  await nodes[2]!.client.endAsync(); // without saying NDEATH
  for (const node of nodes.slice(0, 2)) await node.leave();
  const deaths = String(nodes.length * (1 + DEVICES));
  const patienceMs = performance.now() + 20_000;
  while (host.counters.get("deaths") !== deaths && performance.now() < patienceMs) await sleep(50);
  say("\nCounters of the broker:\n");
  for (const [topic, value] of host.counters) say(`  ${topic.padEnd(78)} ${value}`);
  const state = JSON.stringify({ online: false, timestamp: Date.now() });
  await host.client.publishAsync(`spBv1.0/STATE/${HOST}`, state, { qos: 1, retain: true });
  await host.client.endAsync();
}

/** A Host Application that announces itself, and reads the broker's counters besides. */
async function joinHost(
  url: string,
): Promise<{ client: MqttClient; counters: Map<string, string> }> {
  const timestamp = Date.now();
  const topic = `spBv1.0/STATE/${HOST}`;
  const offline = JSON.stringify({ online: false, timestamp });
  const will = { topic, payload: Buffer.from(offline), qos: 1, retain: true } as const;
  const client = await connected(url, { clientId: HOST, will });
  const counters = new Map<string, string>();
  client.on("message", (name, content) => {
    if (name.startsWith(TREE)) counters.set(name.slice(TREE.length), content.toString());
  });
  await client.subscribeAsync([topic, "spBv1.0/#"], { qos: 1 });
  const shown = ["nodes/online", "devices/online", "births", "deaths", "violations/#"];
  await client.subscribeAsync(shown.map((name) => TREE + name));
  const online = JSON.stringify({ online: true, timestamp });
  await client.publishAsync(topic, online, { qos: 1, retain: true });
  return { client, counters };
}

/** An Edge Node; each Device has a temperature and a pressure. */
class EdgeNode {
  readonly client: MqttClient;
  readonly #name: string;
  #seq = 0;
  #samples = 0;
  #mistakes = 0;

  private constructor(client: MqttClient, name: string) {
    this.client = client;
    this.#name = name;
  }

  /** Connects, subscribes to its commands, and is born with its Devices. */
  static async join(url: string, name: string): Promise<EdgeNode> {
    const topic = `spBv1.0/${GROUP}/NDEATH/${name}`;
    const will = { topic, payload: bytes(deathOf()), qos: 1, retain: false } as const;
    const client = await connected(url, { clientId: `edge ${name}`, will });
    const commands = [`spBv1.0/${GROUP}/NCMD/${name}`, `spBv1.0/${GROUP}/DCMD/${name}/#`];
    await client.subscribeAsync(commands, { qos: 1 });
    const node = new EdgeNode(client, name);
    const timestamp = Date.now();
    const rebirth = { name: "Node Control/Rebirth", timestamp, type: 11 } as const;
    node.#send("NBIRTH", null, [bdSeq(timestamp), metric({ ...rebirth, value: [14, false] })]);
    for (let device = 0; device < DEVICES; device++) {
      node.#send("DBIRTH", device, [0, 1].map((index) => born(device, index)));
    }
    return node;
  }

  /** A value of each Device, never the one before. */
  publishData(): void {
    this.#samples++;
    for (let device = 0; device < DEVICES; device++) {
      const value = 20 + device + 0.1 * (this.#samples % 50);
      this.#send("DDATA", device, [known(device, 0, value)]);
    }
  }

  /** One mistake after the other. */
  misbehave(): void {
    const timestamp = Date.now();
    const stranger = metric({ name: "Nobody", timestamp, value: [12, { float: 1 }] });
    const text = metric({ alias: 1, timestamp, value: [15, "hot"] });
    const mistakes = [
      () => this.#seq += 3, // a gap that looks like lost messages
      () => this.#send("DDATA", 0, [stranger]),
      () => this.#send("DDATA", 0, [text]),
      () => this.#send("DDATA", 77, [stranger]), // a Device that was never born
      () => this.#send("DDATA", 1, [known(1, 0, 1)], { qos: 1, retain: true }),
      () => this.client.publish(`spBv1.0/${GROUP}/NBIRTH/${this.#name}/Pump`, ""),
    ];
    mistakes[this.#mistakes++ % mistakes.length]!();
  }

  /** NDEATH, then DISCONNECT. */
  async leave(): Promise<void> {
    const topic = `spBv1.0/${GROUP}/NDEATH/${this.#name}`;
    await this.client.publishAsync(topic, bytes(deathOf()), { qos: 1 });
    await this.client.endAsync();
  }

  #send(
    type: string,
    device: number | null,
    metrics: readonly Uint8Array[],
    options: { qos: 0 | 1; retain: boolean } = { qos: 0, retain: false },
  ): void {
    const below = device === null ? "" : `/Pump ${device + 1}`;
    const content = payload({ timestamp: Date.now(), seq: this.#seq++ % 256, metrics });
    this.client.publish(`spBv1.0/${GROUP}/${type}/${this.#name}${below}`, bytes(content), options);
  }
}

function bdSeq(timestamp: number): Uint8Array {
  return metric({ name: "bdSeq", timestamp, type: 4, value: [11, 0] });
}

function deathOf(): Uint8Array {
  const timestamp = Date.now();
  return payload({ timestamp, metrics: [bdSeq(timestamp)] });
}

function born(device: number, index: number): Uint8Array {
  const name = index === 0 ? "Temperature" : "Pressure";
  const alias = 1 + 2 * device + index;
  return metric({ name, alias, timestamp: Date.now(), type: FLOAT, value: [12, { float: 20 }] });
}

function known(device: number, index: number, value: number): Uint8Array {
  const alias = 1 + 2 * device + index;
  return metric({ alias, timestamp: Date.now(), value: [12, { float: value }] });
}

/** MQTT.js wants its own kind of bytes. */
function bytes(content: Uint8Array): Buffer {
  return Buffer.from(content);
}

/** Connects as soon as the broker listens. */
async function connected(
  url: string,
  options: Parameters<typeof mqtt.connectAsync>[1] & object,
): Promise<MqttClient> {
  const patienceMs = performance.now() + 10_000;
  for (;;) {
    try {
      return await mqtt.connectAsync(url, { protocolVersion: 4, reconnectPeriod: 0, ...options });
    } catch (error) {
      if (performance.now() > patienceMs) throw error;
      await sleep(100);
    }
  }
}

function configOf(of: { port: number; directory: string; capture: string }): string {
  return `[[listeners]]
address = "127.0.0.1:${of.port}"

[store]
data_dir = "${of.directory}/data"

[sparkplug]
mode = "monitor"
recorded_messages_max = 1000
capture_file = "${of.capture}"

[sys_topics]
interval_ms = ${COUNTERS_MS}
`;
}

function start(args: readonly string[], stdout: "null" | "inherit"): Deno.ChildProcess {
  const flags = ["run", "--frozen", "--no-prompt", "--config", `${ROOT}deno.json`];
  const rights = ["--allow-net", "--allow-read", "--allow-write", "--allow-sys=systemMemoryInfo"];
  const command = [...flags, ...rights, `${ROOT}main.ts`, ...args];
  return new Deno.Command(Deno.execPath(), { args: command, stdout, stderr: "null" }).spawn();
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

if (import.meta.main) await main();
