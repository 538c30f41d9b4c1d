/**
 * A broker at work, from outside: what a gateway does with it, over real sockets with MQTT.js. It is
 * told how the broker is started, so that sources, bundle, another machine's runtime and a root
 * directory of its own all pass the same test.
 */
import { Buffer } from "node:buffer";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { metric, payload } from "../../tests/sparkplug/_encode.ts";
import { openssl } from "../../tests/support/test_authority.ts";

/** How the broker under test is started. */
export interface SmokeOptions {
  /** The words before `serve`. */
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** An empty folder for configuration, certificate and data. */
  readonly directory: string;
  /** The same folder as the broker sees it, where that is not the same. */
  readonly seenAs?: string;
  /** Without TLS, where there is no `openssl` to make a certificate. */
  readonly tls: boolean;
  /** Most milliseconds for each wait; an emulated machine is slow. */
  readonly patienceMs: number;
  /** Told of each thing that works. */
  readonly passed: (what: string) => void;
}

const RETAINED = "plant/line1/state";
const LISTENING = /listens on\s+\S+?:(\d+)\s/g;
const ADMIN = /admin\s+http:\/\/(\S+)/;
const KILLED_MESSAGES = 200;

/** Runs all of it. Throws at the first thing that does not work, with the broker's own words. */
export async function smoke(options: SmokeOptions): Promise<void> {
  await prepare(options);
  const log = { out: "", err: "" };
  try {
    let broker = await SmokeBroker.start(options, log);
    try {
      await publishAtAllQos(broker, options);
      await workOverWebSocket(broker, options);
      if (options.tls) await workOverTls(broker, options);
      await lookAtAdmin(broker, options);
      await liveAsEdgeNode(broker, options);
      const expected = await leaveBehind(broker, options);
      await broker.end("SIGKILL");
      options.passed("kill -9");
      broker = await SmokeBroker.start(options, log);
      await findAgain(broker, { ...options, expected });
      const { code } = await broker.end("SIGTERM");
      if (code !== 0) throw new Error(`SIGTERM ends it with code ${code}`);
      options.passed("SIGTERM ends it with code 0");
    } finally {
      await broker.end("SIGKILL");
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`Cannot pass smoke test: ${text}\n${log.out}${log.err}`);
  }
}

async function prepare({ directory, seenAs = directory, tls }: SmokeOptions): Promise<void> {
  const key = `${directory}/server.key`;
  if (tls) {
    await openssl(
      ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        .concat(["-keyout", key, "-out", `${directory}/server.pem`, "-days", "60"])
        .concat(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]),
    );
    // Who runs the broker need not be who made the key.
    await Deno.chmod(key, 0o644);
  }
  const secure = `
[[listeners]]
address = "127.0.0.1:0"
certificate_file = "${seenAs}/server.pem"
key_file = "${seenAs}/server.key"
`;
  await Deno.writeTextFile(
    `${directory}/relayq.toml`,
    `[[listeners]]
address = "127.0.0.1:0"

[[listeners]]
address = "127.0.0.1:0"
websocket_path = "/mqtt"
${tls ? secure : ""}
[store]
data_dir = "${seenAs}/data"

[admin]
address = "127.0.0.1:${freePort()}"

[sparkplug]
mode = "monitor"
json = true

[sys_topics]
interval_ms = 500
`,
  );
}

/** One broker process and where it listens. */
class SmokeBroker {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  ports: readonly number[] = [];
  admin = "";

  private constructor(child: Deno.ChildProcess, log: { out: string; err: string }) {
    this.#child = child;
    this.#reading = Promise.all([
      collect(child.stdout, (text) => log.out += text),
      collect(child.stderr, (text) => log.err += text),
    ]);
  }

  static async start(
    { command, env = {}, directory, seenAs = directory, patienceMs }: SmokeOptions,
    log: { out: string; err: string },
  ): Promise<SmokeBroker> {
    const before = log.out.length;
    const [program, ...args] = command;
    const child = new Deno.Command(program!, {
      args: [...args, "serve", "--config", `${seenAs}/relayq.toml`],
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const broker = new SmokeBroker(child, log);
    const isUp = () => /^ {2}data /m.test(log.out.slice(before));
    try {
      await waitFor("it listens", { patienceMs, condition: isUp });
    } catch (error) {
      await broker.end("SIGKILL");
      throw error;
    }
    const out = log.out.slice(before);
    broker.ports = [...out.matchAll(LISTENING)].map(([, port]) => Number(port));
    broker.admin = ADMIN.exec(out)?.[1] ?? "";
    return broker;
  }

  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    try {
      this.#child.kill(signal);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    const status = await this.#child.status;
    await this.#reading;
    return status;
  }
}

async function publishAtAllQos(broker: SmokeBroker, options: SmokeOptions): Promise<void> {
  const client = await joined(broker, { options });
  const got = await subscribed(client, "smoke/#");
  for (const qos of [0, 1, 2] as const) {
    await client.publishAsync(`smoke/${qos}`, `at ${qos}`, { qos });
  }
  await waitFor("three messages", { ...options, condition: () => got.length === 3 });
  equal(got.toSorted(), ["smoke/0 at 0", "smoke/1 at 1", "smoke/2 at 2"]);
  await client.endAsync();
  options.passed("QoS 0, 1 and 2");
}

async function workOverWebSocket(broker: SmokeBroker, options: SmokeOptions): Promise<void> {
  const url = `ws://127.0.0.1:${broker.ports[1]}/mqtt`;
  const client = await joined(broker, { url, options });
  const got = await subscribed(client, "browser/#");
  await client.publishAsync("browser/x", "framed", { qos: 1 });
  await waitFor("a message", { ...options, condition: () => got.length === 1 });
  await client.endAsync();
  options.passed("WebSocket");
}

async function workOverTls(broker: SmokeBroker, options: SmokeOptions): Promise<void> {
  const ca = await Deno.readTextFile(`${options.directory}/server.pem`);
  const url = `mqtts://127.0.0.1:${broker.ports[2]}`;
  const client = await joined(broker, { url, options, client: { ca } });
  const got = await subscribed(client, "secret/#");
  await client.publishAsync("secret/x", "sealed", { qos: 2 });
  await waitFor("a message", { ...options, condition: () => got.length === 1 });
  await client.endAsync();
  options.passed("TLS");
}

async function lookAtAdmin(broker: SmokeBroker, options: SmokeOptions): Promise<void> {
  const { command, env = {}, directory, seenAs = directory, passed } = options;
  const files = ["/", "/dashboard/main.js", "/dashboard/uplot.js"];
  for (const path of ["/healthz", "/readyz", ...files]) {
    const response = await fetch(`http://${broker.admin}${path}`);
    await response.body?.cancel();
    if (response.status !== 200) throw new Error(`${path} answers ${response.status}`);
  }
  // As the image asks for its health.
  const [program, ...args] = command;
  const health = await new Deno.Command(program!, {
    args: [...args, "ctl", "health", "--config", `${seenAs}/relayq.toml`],
    env: { ...env },
    stdin: "null",
  }).output();
  if (!health.success) throw new Error(new TextDecoder().decode(health.stderr));
  const metrics = await (await fetch(`http://${broker.admin}/metrics`)).text();
  if (!/^relayq_/m.test(metrics)) throw new Error(`/metrics has none of ours: ${metrics}`);
  passed("health, metrics and the dashboard");
}

/** Born, and judged: so the parts for Sparkplug are there, which are loaded when they are wanted. */
async function liveAsEdgeNode(broker: SmokeBroker, options: SmokeOptions): Promise<void> {
  const viewer = await joined(broker, { options });
  const figures = await subscribed(viewer, "$SYS/broker/sparkplug/nodes/online");
  const timestamp = Date.now();
  const bdSeq = { name: "bdSeq", type: 4, value: [11, 0] } as const;
  const will = {
    topic: "spBv1.0/Smoke/NDEATH/Node",
    payload: Buffer.from(payload({ metrics: [metric(bdSeq)] })),
    qos: 1,
    retain: false,
  } as const;
  const node = await joined(broker, { options, client: { will } });
  const rebirth = { name: "Node Control/Rebirth", type: 11, value: [14, false] } as const;
  const temperature = { name: "temperature", type: 9, value: [12, { float: 21.5 }] } as const;
  const metrics = [bdSeq, rebirth, temperature].map((parts) => metric({ ...parts, timestamp }));
  const birth = Buffer.from(payload({ timestamp, seq: 0, metrics }));
  await node.publishAsync("spBv1.0/Smoke/NBIRTH/Node", birth, { qos: 0 });
  await waitFor("what the referee tells", {
    ...options,
    condition: () => figures.some((line) => line.endsWith(" 1")),
  });
  // For whoever comes later: the birth as it was, and as text.
  const kept = await subscribed(viewer, "$sparkplug/certificates/spBv1.0/Smoke/NBIRTH/Node");
  await waitFor("a birth certificate", { ...options, condition: () => kept.length > 0 });
  const texts = await subscribed(viewer, "$sparkplug/json/#");
  const data = metric({ ...temperature, timestamp });
  const next = Buffer.from(payload({ timestamp, seq: 1, metrics: [data] }));
  await node.publishAsync("spBv1.0/Smoke/NDATA/Node", next, { qos: 0 });
  await waitFor("the same as JSON", {
    ...options,
    condition: () => texts.some((line) => line.includes("21.5")),
  });
  for (const client of [node, viewer]) await client.endAsync();
  options.passed("Sparkplug");
}

/** A stored session with a queue, and a retained message; gives the payloads that were acknowledged. */
async function leaveBehind(broker: SmokeBroker, options: SmokeOptions): Promise<string[]> {
  const stored = { clientId: "historian", clean: false };
  const historian = await joined(broker, { options, client: stored });
  await historian.subscribeAsync("batch/#", { qos: 2 });
  await historian.endAsync();
  const client = await joined(broker, { options });
  await client.publishAsync(RETAINED, "running", { qos: 1, retain: true });
  const texts = Array.from({ length: KILLED_MESSAGES }, (_, index) => `${index}`);
  await Promise.all(
    texts.map((text, index) =>
      client.publishAsync(`batch/${text}`, text, { qos: index % 2 === 0 ? 1 : 2 })
    ),
  );
  client.end(true);
  return texts;
}

async function findAgain(
  broker: SmokeBroker,
  options: SmokeOptions & { expected: readonly string[] },
): Promise<void> {
  const { expected } = options;
  const got: string[] = [];
  const client = mqtt.connect(`mqtt://127.0.0.1:${broker.ports[0]}`, {
    clientId: "historian",
    clean: false,
    reconnectPeriod: 0,
  });
  client.on("message", (_topic, content) => got.push(content.toString()));
  const isAll = () => expected.every((text) => got.includes(text));
  await waitFor("everything acknowledged", { ...options, condition: isAll });
  await client.endAsync();
  const other = await joined(broker, { options });
  const retained = await subscribed(other, RETAINED);
  await waitFor("the retained message", { ...options, condition: () => retained.length > 0 });
  equal(retained, [`${RETAINED} running`]);
  await other.endAsync();
  options.passed(`${expected.length} acknowledged messages and a retained one are there again`);
}

async function joined(
  broker: SmokeBroker,
  { url, options, client = {} }: {
    url?: string;
    options: SmokeOptions;
    client?: IClientOptions;
  },
): Promise<MqttClient> {
  return await mqtt.connectAsync(url ?? `mqtt://127.0.0.1:${broker.ports[0]}`, {
    reconnectPeriod: 0,
    connectTimeout: options.patienceMs,
    ...client,
  });
}

/** What arrives, as "topic payload". */
async function subscribed(client: MqttClient, filter: string): Promise<string[]> {
  const got: string[] = [];
  client.on("message", (topic, content) => got.push(`${topic} ${content}`));
  await client.subscribeAsync(filter, { qos: 2 });
  return got;
}

async function waitFor(
  what: string,
  { patienceMs, condition }: { patienceMs: number; condition: () => boolean },
): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${patienceMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A port that nobody has; the broker is asked at the one that its configuration names. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

function equal(found: readonly string[], expected: readonly string[]): void {
  if (found.join() !== expected.join()) throw new Error(`found ${found}, expected ${expected}`);
}

async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
}
