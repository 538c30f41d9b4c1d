/**
 * Edge Nodes and a host of libraries that others wrote, through a whole life in each mode:
 * `sparkplug-client` (Eclipse Tahu) and `kraken-sparkplug-client`, a fork of it that has a host.
 */
import { assert, assertEquals } from "@std/assert";
import * as kraken from "kraken-sparkplug-client";
import * as tahu from "sparkplug-client";
import type { PublishPacket } from "../../src/mqtt/mod.ts";
import { RULE_NAMES, RULES } from "../../src/sparkplug/judging.ts";
import { TestBroker } from "../support/test_broker.ts";
import { name, text, WireClient } from "../support/wire_client.ts";
import { metric, payload } from "../sparkplug/_encode.ts";

const MODES = ["off", "aware", "monitor", "strict"] as const;
type Mode = typeof MODES[number];
const PATIENCE_MS = 15_000;

/** What the test uses of a client of either library. */
type EdgeClient = Pick<
  ReturnType<typeof tahu.newClient>,
  | "publishNodeBirth"
  | "publishNodeData"
  | "publishDeviceBirth"
  | "publishDeviceData"
  | "publishDeviceDeath"
  | "stop"
>;

/** An Edge Node that is born when it is connected, and again when it is told so. */
class EdgeNode {
  readonly client: EdgeClient;
  #births = 0;

  constructor(newClient: typeof tahu.newClient, port: number) {
    const client = newClient({
      serverUrl: `mqtt://127.0.0.1:${port}`,
      username: "",
      password: "",
      groupId: "Plant 1",
      edgeNode: "Line 7",
      clientId: "line-7",
      publishDeath: true,
      mqttOptions: { reconnectPeriod: 100 },
    });
    this.client = client;
    client.on("birth", () => this.#bear());
    client.on("ncmd", () => this.#bear());
  }

  /** The power fails: nothing more is sent, not even by the system. */
  cut(): void {
    const { stream } =
      (this.client as unknown as { client: { stream: { destroy(): void } } }).client;
    stream.destroy();
  }

  data(value: number): void {
    const timestamp = Date.now();
    const metrics = [{ name: "Speed", timestamp, type: "Double" as const, value }];
    this.client.publishNodeData({ timestamp, metrics });
    this.client.publishDeviceData("Motor", { timestamp, metrics: [...metrics] });
    const compressed = { compress: true, algorithm: "GZIP" } as const;
    this.client.publishDeviceData("Motor", { timestamp, metrics: [...metrics] }, compressed);
  }

  #bear(): void {
    const timestamp = Date.now();
    const metrics = [
      { name: "Node Control/Rebirth", timestamp, type: "Boolean" as const, value: false },
      { name: "Speed", timestamp, type: "Double" as const, value: ++this.#births },
    ];
    this.client.publishNodeBirth({ timestamp, metrics: [...metrics] });
    this.client.publishDeviceBirth("Motor", { timestamp, metrics: [metrics[1]!] });
  }
}

/** What somebody who subscribes to everything gets, by type. */
class Watcher {
  readonly #client: WireClient;
  readonly messages: PublishPacket[] = [];

  private constructor(client: WireClient) {
    this.#client = client;
  }

  static async join(port: number): Promise<Watcher> {
    const client = await WireClient.connect(port);
    await client.subscribe("spBv1.0/#", 1);
    return new Watcher(client);
  }

  /** The next messages, which must be of these types in this order. */
  async expect(types: string): Promise<void> {
    for (const type of types.split(" ")) {
      const message = await this.#client.receiveMessage(PATIENCE_MS);
      this.messages.push(message);
      assertEquals(message.topic.split("/")[2], type, message.topic);
    }
  }

  async silence(): Promise<void> {
    assertEquals(await this.#client.drain(), []);
    this.#client.close();
  }
}

/** Birth, data, rebirth, death of a Device, power cut, return, leaving. */
async function live(
  broker: TestBroker,
  newClient: typeof tahu.newClient,
  askRebirth: () => Promise<void> | void,
): Promise<readonly PublishPacket[]> {
  const watcher = await Watcher.join(broker.port);
  const node = new EdgeNode(newClient, broker.port);
  await watcher.expect("NBIRTH DBIRTH");
  for (let i = 0; i < 100; i++) node.data(i); // seq goes round
  for (let i = 0; i < 100; i++) await watcher.expect("NDATA DDATA DDATA");
  await askRebirth();
  await watcher.expect("NCMD NBIRTH DBIRTH");
  node.data(1);
  await watcher.expect("NDATA DDATA DDATA");
  node.client.publishDeviceDeath("Motor", { timestamp: Date.now() });
  await watcher.expect("DDEATH");
  node.cut();
  await watcher.expect("NDEATH NBIRTH DBIRTH");
  node.data(2);
  await watcher.expect("NDATA DDATA DDATA");
  node.client.stop();
  await watcher.expect("NDEATH");
  await watcher.silence();
  return watcher.messages;
}

/** Statements that were broken, and nothing that misleads hosts among them. */
function remarks(broker: TestBroker): string[] {
  const log = broker.log.join("");
  const worse = log.split("\n").filter((line) => /sparkplug (fatal|error):/.test(line));
  assertEquals(worse, []);
  const rules = RULE_NAMES.filter((rule) => log.includes(RULES[rule].ids.join(" ") + ":"));
  return rules;
}

/** What the library does as one often finds it in the field (topic 4.0 of the reference). */
const FIELD = ["willQos", "bdSeqAgain", "metricTimestamp", "ncmdSubscriptionQos"];

function checkMessages(messages: readonly PublishPacket[], mode: Mode): void {
  const [will, own] = messages.filter(({ topic }) => topic.includes("/NDEATH/"));
  // The library asks for QoS 0; strict mode puts that right.
  assertEquals([will!.qos, own!.qos], [mode === "strict" ? 1 : 0, 0]);
}

async function start(mode: Mode): Promise<TestBroker> {
  return await TestBroker.start({ sparkplug: { mode }, log: { level: "debug" } });
}

async function checkBroker(broker: TestBroker, mode: Mode): Promise<void> {
  const { dropped, certificates } = broker.server.broker.statistics;
  assertEquals(dropped["sparkplug-refused"], 0);
  assertEquals(certificates, mode === "off" ? 0 : 2);
  const judges = mode === "monitor" || mode === "strict";
  if (judges) {
    // The lines of the last second.
    await new Promise((resolve) => setTimeout(resolve, 600));
  }
  const found: readonly string[] = remarks(broker);
  if (judges) { for (const rule of FIELD) assert(found.includes(rule), `${rule} of ${found}`); }
  else assertEquals(found, []);
}

for (const mode of MODES) {
  Deno.test(`sparkplug-client lives its life in the mode ${mode}`, async () => {
    await using broker = await start(mode);
    using host = await WireClient.connect(broker.port);
    const messages = await live(broker, tahu.newClient, async () => {
      const timestamp = Date.now();
      const parts = { name: "Node Control/Rebirth", timestamp, type: 11 } as const;
      const rebirth = metric({ ...parts, value: [14, true] });
      await host.send({
        type: "PUBLISH",
        dup: false,
        qos: 0,
        retain: false,
        packetId: 0,
        topic: name("spBv1.0/Plant 1/NCMD/Line 7"),
        payload: payload({ timestamp, metrics: [rebirth] }),
      });
    });
    checkMessages(messages, mode);
    await checkBroker(broker, mode);
  });

  Deno.test(`kraken-sparkplug-client and its host of the time before 3.0 live in the mode ${mode}`, async () => {
    await using broker = await start(mode);
    const host = kraken.newHost({
      serverUrl: `mqtt://127.0.0.1:${broker.port}`,
      username: "",
      password: "",
      clientId: "scada",
      primaryHostId: "scada",
    });
    host.on("birth", () => host.publishHostOnline());
    using reader = await WireClient.connect(broker.port);
    await reader.subscribe("STATE/scada", 1);
    assertEquals(text((await reader.receiveMessage(PATIENCE_MS)).payload), "ONLINE");
    const messages = await live(
      broker,
      kraken.newClient as unknown as typeof tahu.newClient,
      () => {
        const timestamp = Date.now();
        const metrics = [{
          name: "Node Control/Rebirth",
          timestamp,
          type: "Boolean" as const,
          value: true,
        }];
        host.publishNodeCommand("Plant 1", "Line 7", { timestamp, metrics });
      },
    );
    host.stop();
    checkMessages(messages, mode);
    await checkBroker(broker, mode);
  });
}
