/**
 * A broker that runs out of memory, with a real limit: each stage shows, nobody kills it, what was
 * acknowledged is there or a dead letter, it goes back to normal, and it ends and starts in time.
 */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { filter, publishPacket, text, WireClient } from "../support/wire_client.ts";
import { BrokerProcess } from "./_broker_process.ts";
import { canMakeControlGroup, controlGroup, heapLimit, type MemoryLimit } from "./_memory_limit.ts";
import { sleep } from "./_patience.ts";
import { QueueFiller } from "./_queue_filler.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const PATIENCE_MS = 60_000;
/** Sessions whose clients are away, with topics of the same name; the first gets most. */
const AWAY = ["away-1", "away-2", "away-3"];
const TOPICS = [AWAY[0]!, AWAY[0]!, AWAY[0]!, AWAY[1]!, AWAY[1]!, AWAY[2]!];
const EXIT_MEMORY = 6;
/** Half of what may be in flight. */
const ACKNOWLEDGED_AT_ONCE = 32;

type PubackPacket = { readonly type: "PUBACK"; readonly packetId: number };

/** Room for more than the memory has, so that only the memory is the limit. */
const CONFIG = `
[[listeners]]
address = "127.0.0.1:0"
[queue]
messages_max = 10_000_000
bytes_max = 10_000_000_000
total_bytes_max = 10_000_000_000
total_messages_max = 10_000_000
[dead_letters]
messages_max = 1_000_000
bytes_max = 10_000_000_000
per_second_max = 1_000_000
[sys_topics]
interval_ms = 100
[memory]
dwell_ms = 1_000
`;

/** What a run of the story is like. */
interface StoryOptions {
  readonly directory: string;
  readonly bytes: number;
  /** Where the stages begin, the first to the last, in percent. */
  readonly stages: readonly [number, number, number, number];
}

/** One run of the story. */
class Story {
  readonly #directory: string;
  readonly #limit: MemoryLimit;
  readonly #payloadBytes: number;
  readonly #stages: StoryOptions["stages"];
  /** Numbers of messages in queues that were acknowledged. */
  readonly acknowledged: Set<number> = new Set();
  /** Those that clients or `dlq` have seen. */
  readonly seen: Set<number> = new Set();
  #broker: BrokerProcess;

  constructor(limit: MemoryLimit, { directory, bytes, stages }: StoryOptions) {
    this.#limit = limit;
    this.#directory = directory;
    this.#payloadBytes = bytes;
    this.#stages = stages;
    this.#broker = this.start();
  }

  get broker(): BrokerProcess {
    return this.#broker;
  }

  /** Starts a broker under the limit. */
  start(): BrokerProcess {
    const config = `${this.#directory}/relayq.toml`;
    const [refuse, shedQos0, shedQueues, shutDown] = this.#stages;
    const more = `refuse_connections_percent = ${refuse}
shed_qos0_percent = ${shedQos0}
shed_queues_percent = ${shedQueues}
shut_down_percent = ${shutDown}
[store]
data_dir = "${this.#directory}/data"
`;
    Deno.writeTextFileSync(config, CONFIG + more);
    return this.#broker = BrokerProcess.start(config, this.#limit.wrapper);
  }

  /** A client of the process that runs now. */
  connect(clientIdentifier: string, cleanSession = true): Promise<WireClient> {
    return WireClient.connect(this.#broker.port, { clientIdentifier, cleanSession });
  }

  /** Whether the log says that this stage was entered; `after` so many characters of it. */
  entered(stage: string, after = 0): boolean {
    return this.#broker.stderr.slice(after).includes(`-> ${stage}:`);
  }

  /** Publishes to the sessions that are away until `enough`, or the connection ends. */
  async fill(filler: QueueFiller, enough: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!enough() && await filler.burst(TOPICS)) {
      assert(performance.now() < deadline, `not in time: ${this.#broker.stderr}`);
    }
    for (const number of filler.acknowledged) this.acknowledged.add(number);
  }

  /** The client of a session comes and takes everything away. */
  async take(clientIdentifier: string): Promise<void> {
    using client = await this.connect(clientIdentifier, false);
    let waiting: PubackPacket[] = [];
    for (;;) {
      const packet = await client.next(500);
      if (packet === "silence" && waiting.length === 0) return;
      if (packet !== "silence") {
        if (packet === "closed" || packet.type !== "PUBLISH") {
          throw new Error(JSON.stringify(packet));
        }
        this.seen.add(parseInt(text(packet.payload)));
        waiting.push({ type: "PUBACK", packetId: packet.packetId });
        if (waiting.length < ACKNOWLEDGED_AT_ONCE) continue;
      }
      await client.send(...waiting);
      waiting = [];
    }
  }

  /** How many messages are retained; read by a client that may come although the memory is short. */
  async countRetained(): Promise<number> {
    using client = await this.connect(AWAY[0]!, false);
    await client.send({
      type: "SUBSCRIBE",
      packetId: 1,
      subscriptions: [{ filter: filter("kept/#"), qos: 0 }],
    });
    for (let count = 0;;) {
      const packet = await client.next(1_000);
      if (packet === "silence" || packet === "closed") return count;
      if (packet.type === "PUBLISH") count++;
    }
  }

  /** Reads the dead letters of a broker that does not run. */
  async readDeadLetters(): Promise<void> {
    const options = ["--data-dir", `${this.#directory}/data`, "--json"];
    const args = ["run", "--no-prompt", "--allow-read", "--allow-write", MAIN, "dlq", "list"];
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: [...args, ...options] })
      .output();
    for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
      const letter = JSON.parse(line);
      assertEquals(letter.reason, "shed-queue");
      this.seen.add(parseInt(letter.payload));
    }
  }

  /** What was acknowledged and nobody has seen. */
  get lost(): number[] {
    return [...this.acknowledged].filter((number) => !this.seen.has(number));
  }

  /** A publisher of many messages, numbered from `first` on. */
  filler(clientIdentifier: string, first: number): Promise<QueueFiller> {
    const options = { clientIdentifier, payloadBytes: this.#payloadBytes, first };
    return QueueFiller.connect(this.#broker.port, options);
  }
}

async function until(condition: () => boolean, what: () => string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    assert(performance.now() < deadline, `not in time: ${what()}`);
    await sleep(20);
  }
}

/** The first part: the queues fill the memory, and their clients empty it again. */
async function fillAndEmpty(story: Story): Promise<void> {
  const { broker } = story;
  using frozen = await story.connect("frozen");
  await frozen.subscribe("live");
  using live = await story.connect("live");
  for (const id of AWAY) {
    using client = await story.connect(id, false);
    await client.subscribe(id, 1);
    await client.disconnect();
  }
  using filler = await story.filler("filler", 1);
  await story.fill(filler, () => story.entered("shed-queues"));
  for (const stage of ["refuse-connections", "shed-qos0"]) assert(story.entered(stage), stage);
  const refused = await story.connect("stranger").then(() => "accepted", String);
  assertMatch(refused, /return code 3|CONNACK 3|closed/);
  // Its socket and outbox are full after that: what comes behind is dropped.
  for (let i = 0; i < 200; i++) {
    await live.send(publishPacket("live", "x".repeat(100_000)));
  }
  const goal = filler.acknowledged.size + 2_000;
  await story.fill(filler, () => filler.acknowledged.size > goal);
  for (const id of AWAY) await story.take(id);
  await until(() => story.entered("normal"), () => broker.stderr);
  using _stranger = await story.connect("stranger");
  assertMatch(broker.stderr, /-> normal:.*shed: [1-9]\d* at QoS 0, [1-9]\d* of queues/);
}

/** The second part: retained messages, which are not shed, fill what the queues leave. */
async function fillToTheEnd(story: Story): Promise<number> {
  const { broker } = story;
  using filler = await story.filler("filler", 1_000_001);
  using retainer = await story.filler("retainer", 1);
  const mark = broker.stderr.length;
  await story.fill(filler, () => story.entered("shed-queues", mark));
  while (await retainer.retain("kept"));
  const { code, signal } = await broker.status;
  assertEquals({ code, signal }, { code: EXIT_MEMORY, signal: null }, broker.stderr);
  return retainer.acknowledged.size;
}

async function tell(
  limit: MemoryLimit,
  options: Omit<StoryOptions, "directory">,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const story = new Story(limit, { directory, ...options });
  try {
    await story.broker.listening();
    await fillAndEmpty(story);
    const retained = await fillToTheEnd(story);
    await story.start().listening();
    for (const id of AWAY) await story.take(id);
    assertGreater(await story.countRetained(), retained - 1);
    await story.broker.stop();
    await story.readDeadLetters();
    assertEquals(story.lost.length, 0, `lost of ${story.acknowledged.size}`);
    assertGreater(story.acknowledged.size, 5_000);
  } finally {
    await story.broker.kill();
    await limit.remove();
    await Deno.remove(directory, { recursive: true });
  }
}

const CAN_MAKE_GROUP = canMakeControlGroup();

Deno.test({
  name: "a control group's limit: every stage shows, and nothing acknowledged is lost" +
    (CAN_MAKE_GROUP ? "" : " (no control group can be made here)"),
  ignore: !CAN_MAKE_GROUP,
  // Between shedding and the end there is room for what the C library keeps of freed memory, some
  // 40 MiB; behind the end for what the next start needs besides the messages.
  fn: () => tell(controlGroup(280 * 1_048_576), { bytes: 1_500, stages: [50, 55, 60, 75] }),
});

Deno.test({
  name: "a limit of the heap: every stage shows, and nothing acknowledged is lost",
  ignore: Deno.build.os === "windows",
  fn: () => tell(heapLimit(34), { bytes: 40, stages: [60, 65, 70, 80] }),
});
