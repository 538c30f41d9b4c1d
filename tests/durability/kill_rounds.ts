/**
 * `kill -9` of a broker under load, over and over on one data directory, with clients that live on:
 * whatever was acknowledged must reach every persistent subscriber, at QoS 2 exactly once, in the
 * order of its publisher; retained values must not go back; Wills must be published at the next start.
 * The page cache survives the process: a missing fsync does not show here.
 */
import mqtt, { type MqttClient } from "mqtt";
import { Random } from "../../fuzz/random.ts";
import { BrokerProcess } from "./_broker_process.ts";
import { KeptValues } from "./_kept_values.ts";
import { Mailbox, Stream } from "./_ledger.ts";
import { type ClientContext, LoadPublisher, LoadSubscriber } from "./_load_client.ts";
import { freePort, sleep, until, type Waiting } from "./_patience.ts";
import { StrictSubscriber } from "./_strict_subscriber.ts";

/** What to do. */
export interface KillOptions {
  /** Kills under load. */
  readonly rounds: number;
  readonly seed: number;
  /** Everything settles and is checked after so many rounds, and at the end. */
  readonly settleEvery: number;
  /** Takes back what this round has written, as a disk that lies would: the check must see it. */
  readonly sabotageAt?: number;
  /** Nothing new for so long means that nothing more will come; 4 s if absent. */
  readonly silenceMs?: number;
  /** Ends the loop after the round that runs. */
  readonly signal?: AbortSignal;
  /** A line of progress. */
  say?(line: string): void;
}

/** What came of it. */
export interface KillReport {
  rounds: number;
  startUpKills: number;
  /** Kills within a few milliseconds of a checkpoint, those under load included. */
  checkpointKills: number;
  acknowledgedQos1: number;
  acknowledgedQos2: number;
  received: number;
  /** Repeated at QoS 1, as the protocol allows. */
  repeated: number;
  lost: number;
  duplicated: number;
  wills: number;
  retainedChecks: number;
  violations: string[];
  elapsedMs: number;
}

const FILTERS = ["load/#", "will/#"];
const KEPT_TOPICS = 4;
const WINDOW = 32;
const LOAD_MS = { least: 20, spread: 380 };
const CHECKPOINT_LIMIT_MS = 1_000;
const START_UP_MS = 150;
const SILENCE_MS = 4_000;
/** A message that comes a second time has so long. */
const AFTERMATH_MS = 150;
const VIOLATIONS_MAX = 40;

/** Runs all rounds; stops at the first check that finds a violation. */
export async function runKillRounds(options: KillOptions): Promise<KillReport> {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const rounds = new KillRounds(options, directory);
  try {
    return await rounds.run();
  } finally {
    await rounds.end();
    await Deno.remove(directory, { recursive: true });
  }
}

class KillRounds implements ClientContext {
  readonly port = freePort();
  readonly #options: KillOptions;
  readonly #random: Random;
  readonly #directory: string;
  readonly #startedMs = performance.now();
  readonly #wills = new Stream("dead", 2);
  readonly #streams: readonly Stream[];
  readonly #kept: KeptValues;
  readonly #publishers: LoadPublisher[] = [];
  readonly #subscribers: LoadSubscriber[] = [];
  #strict: StrictSubscriber | null = null;
  /** The subscriber that is away for some rounds. */
  #roamer: LoadSubscriber | null = null;
  #mortal: MqttClient | null = null;
  #broker: BrokerProcess | null = null;
  #killed = 0;
  #startUpKills = 0;
  #checkpointKills = 0;
  readonly #violations = new Set<string>();

  constructor(options: KillOptions, directory: string) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#directory = directory;
    const kept = new Stream("kept", 1);
    this.#kept = new KeptValues(kept);
    this.#streams = [
      new Stream("a1", 1),
      new Stream("b1", 1),
      new Stream("a2", 2),
      new Stream("b2", 2),
      kept,
    ];
  }

  complain(violation: string): void {
    if (this.#violations.size < VIOLATIONS_MAX) this.#violations.add(violation);
  }

  async run(): Promise<KillReport> {
    const { rounds, settleEvery } = this.#options;
    await this.#setUp();
    for (let round = 1; round <= rounds; round++) {
      await this.#round(round);
      if (this.#options.signal?.aborted === true) break;
      if (round % settleEvery !== 0 && round !== rounds) continue;
      await this.#settle();
      this.#sayProgress(round);
      if (this.#report().violations.length > 0) break;
    }
    return this.#report();
  }

  /** Ends whatever still runs. */
  async end(): Promise<void> {
    await this.#broker?.kill();
    const clients = [...this.#publishers, ...this.#subscribers, this.#strict];
    await Promise.all(clients.map((client) => client?.end()));
    await this.#mortal?.endAsync(true);
  }

  async #setUp(): Promise<void> {
    await Deno.writeTextFile(`${this.#directory}/relayq.toml`, configText(this.port, this.#data));
    const broker = await this.#start();
    const streams = [...this.#streams, this.#wills];
    this.#strict = new StrictSubscriber(this, new Mailbox("strict", 2, streams), FILTERS);
    for (const [name, qos] of [["once", 2], ["least", 1], ["roamer", 2]] as const) {
      const subscriber = new LoadSubscriber(this, new Mailbox(name, qos, streams));
      this.#subscribers.push(subscriber);
      if (name === "roamer") this.#roamer = subscriber;
      await subscriber.subscribe(FILTERS);
    }
    await this.#strict.subscribed();
    // A clean end moves the sessions to the database: without the log they would be there still.
    await broker.stop();
    for (const stream of this.#streams) {
      const retain = stream.name === "kept";
      const shape = retain ? { topics: KEPT_TOPICS, window: 4 } : { topics: 2, window: WINDOW };
      const acknowledged = (topic: string, number: number) => {
        if (retain) this.#kept.acknowledge(topic, number);
      };
      const reusesIdentifiers = stream.name.startsWith("b");
      const options = { stream, retain, ...shape, reusesIdentifiers, acknowledged };
      this.#publishers.push(new LoadPublisher(this, options));
    }
  }

  async #round(round: number): Promise<void> {
    const random = this.#random;
    const sabotaged = round === this.#options.sabotageAt;
    if (random.oneIn(5)) await this.#killAtStartUp();
    const saved = sabotaged ? await this.#readFiles() : [];
    for (const publisher of this.#publishers) publisher.run();
    const broker = await this.#start();
    if (random.oneIn(3)) await this.#kept.check(this, { exactly: false });
    // Who is away has received nothing of what is taken back.
    if (sabotaged || random.oneIn(3)) await this.#roamer!.leave();
    else this.#roamer!.comeBack();
    this.#connectMortal();
    if (random.oneIn(4)) await this.#checkpoint();
    else await sleep(LOAD_MS.least + random.below(LOAD_MS.spread));
    await this.#kill(broker);
    this.#killed++;
    for (const { path, bytes } of saved) await Deno.writeFile(path, bytes);
  }

  /** The database and its log; only while no broker runs. */
  #readFiles(): Promise<{ path: string; bytes: Uint8Array }[]> {
    const paths = ["relayq.db", "relayq.db-wal"].map((name) => `${this.#data}/${name}`);
    return Promise.all(paths.map(async (path) => {
      // After a clean end there is no log; an empty one says the same.
      const bytes = await Deno.readFile(path).catch(() => new Uint8Array());
      return { path, bytes };
    }));
  }

  async #killAtStartUp(): Promise<void> {
    const broker = BrokerProcess.start(`${this.#directory}/relayq.toml`);
    this.#broker = broker;
    await sleep(this.#random.below(START_UP_MS));
    await this.#kill(broker);
    this.#startUpKills++;
  }

  /** Waits until the database file is written, which only a checkpoint does, and a little longer. */
  async #checkpoint(): Promise<void> {
    const before = await this.#databaseWrittenMs();
    const limitMs = performance.now() + CHECKPOINT_LIMIT_MS;
    while (await this.#databaseWrittenMs() === before) {
      if (performance.now() > limitMs) return;
      await sleep(1);
    }
    this.#checkpointKills++;
    await sleep(this.#random.below(6));
  }

  async #databaseWrittenMs(): Promise<number> {
    return (await Deno.stat(`${this.#data}/relayq.db`)).mtime?.getTime() ?? 0;
  }

  /** A client that dies with the broker; its Will is promised once CONNACK is here. */
  #connectMortal(): void {
    const number = this.#wills.sent++;
    const client = mqtt.connect({
      host: "127.0.0.1",
      port: this.port,
      clientId: `mortal-${number}`,
      keepalive: 0,
      protocolVersion: 4,
      reconnectPeriod: 0,
      will: { topic: "will/dead", payload: Buffer.from(`${number}`), qos: 2, retain: false },
    });
    this.#mortal = client;
    client.on("error", ignore);
    client.on("connect", () => this.#wills.acknowledge(number));
  }

  async #start(): Promise<BrokerProcess> {
    const broker = BrokerProcess.start(`${this.#directory}/relayq.toml`);
    this.#broker = broker;
    await broker.listening();
    return broker;
  }

  async #kill(broker: BrokerProcess): Promise<void> {
    await broker.kill();
    if (broker.stderr !== "") this.complain(`broker says: ${broker.stderr}`);
    await this.#mortal?.endAsync(true);
    this.#mortal = null;
  }

  /** Everything arrives that can, then everything is judged. */
  async #settle(): Promise<void> {
    for (const publisher of this.#publishers) publisher.pause();
    this.#roamer!.comeBack();
    const broker = await this.#start();
    const { silenceMs = SILENCE_MS } = this.#options;
    const publishing: Waiting = { sign: () => this.#acknowledged(), silenceMs };
    if (!await until(() => this.#publishers.every(({ settled }) => settled), publishing)) {
      this.complain("a publisher is not acknowledged any more");
    }
    const boxes = this.#mailboxes();
    const arriving: Waiting = {
      sign: () => Math.max(...boxes.map(({ lastArrivalMs }) => lastArrivalMs)),
      silenceMs,
    };
    await until(() => boxes.every(({ complete }) => complete), arriving);
    await sleep(AFTERMATH_MS);
    await this.#kept.check(this, { exactly: true });
    if (this.#random.oneIn(2)) await broker.stop();
    else await this.#kill(broker);
  }

  #acknowledged(): number {
    return this.#streams.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  #mailboxes(): Mailbox[] {
    return [...this.#subscribers, this.#strict!].map(({ mailbox }) => mailbox);
  }

  #report(): KillReport {
    const verdicts = this.#mailboxes().map((mailbox) => mailbox.judge());
    const total = (of: "received" | "repeated" | "lost" | "duplicated") =>
      verdicts.reduce((sum, verdict) => sum + verdict[of], 0);
    const atQos = (qos: number) =>
      this.#streams.reduce((sum, one) => sum + (one.qos === qos ? one.acknowledged : 0), 0);
    return {
      rounds: this.#killed,
      startUpKills: this.#startUpKills,
      checkpointKills: this.#checkpointKills,
      acknowledgedQos1: atQos(1),
      acknowledgedQos2: atQos(2),
      received: total("received"),
      repeated: total("repeated"),
      lost: total("lost"),
      duplicated: total("duplicated"),
      wills: this.#wills.acknowledged,
      retainedChecks: this.#kept.checked,
      violations: [...this.#violations, ...verdicts.flatMap(({ violations }) => violations)],
      elapsedMs: performance.now() - this.#startedMs,
    };
  }

  #sayProgress(round: number): void {
    const { acknowledgedQos1, acknowledgedQos2, received, lost, duplicated, elapsedMs } = this
      .#report();
    this.#options.say?.(
      `round ${round}: acknowledged ${acknowledgedQos1} at QoS 1, ${acknowledgedQos2} at QoS 2; ` +
        `received ${received}, lost ${lost}, duplicated ${duplicated}; ` +
        `${(elapsedMs / 1000).toFixed(1)} s`,
    );
  }

  get #data(): string {
    return `${this.#directory}/data`;
  }
}

function configText(port: number, data: string): string {
  return `[[listeners]]
address = "127.0.0.1:${port}"
[store]
kind = "sqlite"
data_dir = "${data}"
[queue]
messages_max = 1000000
bytes_max = 268435456
total_bytes_max = 1073741824
[log]
level = "error"
`;
}

function ignore(): void {}
