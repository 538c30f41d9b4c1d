/** Work items that count deliveries per second. */

import { epochNowMs, sleepUntil } from "./clock.ts";
import type { Broker } from "./brokers.ts";
import type { Guards } from "./guards.ts";
import { Load } from "./load.ts";
import type { Qos } from "./packets.ts";
import { readCpuMs, readMemory } from "./proc.ts";
import type {
  PublisherResult,
  SubscriberReady,
  SubscriberResult,
  WindowedResult,
} from "./roles.ts";
import { TRIE_CLIENTS, TRIE_TOPICS, trieDeliveriesPerCycle } from "./trie.ts";
import type { Conditions, Figures, Metric, Workload } from "./workload.ts";

/** Long enough for a just-in-time compiler on either side. */
const WARM_UP_MS = 1_000;
/** Publishers go on for so long behind the window, so that its end lies in full traffic. */
const AFTER_WINDOW_MS = 100;
/** Messages on the way at QoS 0 may be lost, so silence ends the drain; at QoS 1 and 2 they may not. */
const SILENCE_QOS0_MS = 300;
const SILENCE_ACKED_MS = 3_000;
const DRAIN_LIMIT_MS = 20_000;

/** Publishers, subscribers and what lies between. */
export interface Shape {
  qos: Qos;
  publishers: number;
  subscribers: number;
  topics: number;
  /** Topics that each QoS 0 publisher uses in turn; subscribers then ask for all below theirs. */
  topicsEach?: number;
  /** In front of the number of a topic; "bench/" if absent. */
  topicPrefix?: string;
  /** DATA messages of Sparkplug. */
  sparkplug?: boolean;
  /** QoS 0: messages in a batch, and batches on the way; bounds the work hidden in socket buffers. */
  batchMessages: number;
  batchesMax: number;
  /** QoS 1 and 2: messages of each publisher without acknowledgement, at most; 64 if absent. */
  window?: number;
  /** The subscribers have Clean Session 0. */
  persistent?: boolean;
  /** Note the time from PUBLISH to PUBACK. */
  latencySamplesMax?: number;
}

const WINDOW = 64;

/** What is said of an item besides its shape. */
interface Item {
  name: string;
  about: string;
  ratioAtLeast?: number;
  guards?: Guards;
}

/** A throughput item of this shape. */
export function throughput(item: Item, shape: Shape): Workload {
  const goals = item.ratioAtLeast === undefined
    ? []
    : [{ kind: "ratio_at_least", value: item.ratioAtLeast } as const];
  return {
    name: item.name,
    about: item.about,
    profile: "lossless",
    ...(item.guards && { guards: item.guards }),
    mirror: item.guards === undefined,
    metrics: [
      { name: "deliveries_per_s", digits: 0, goals },
      { name: "loss_percent", digits: 2 },
      { name: "broker_cpu_us_per_delivery", digits: 3 },
    ],
    measure: (broker, conditions) => measureShape(broker, { shape, conditions }),
  };
}

/** An item of this shape with the state in a file. */
export function durable(
  item: Omit<Item, "ratioAtLeast"> & { metrics: readonly Metric[] },
  shape: Shape,
): Workload {
  return {
    ...item,
    profile: "durable",
    mirror: false,
    measure: (broker, conditions) => measureShape(broker, { shape, conditions }),
  };
}

/** The routing item: 100,000 filters, then a flood to topics of which the matches are known. */
export const TRIE_100K: Workload = {
  name: "trie_100k",
  about: `100,000 filters with + and # of ${TRIE_CLIENTS} clients, one publisher, QoS 0`,
  profile: "lossless",
  mirror: false,
  metrics: [
    { name: "deliveries_per_s", digits: 0 },
    { name: "publishes_per_s", digits: 0 },
    { name: "subscribe_ms", digits: 0 },
    { name: "loss_percent", digits: 2 },
    { name: "bytes_per_subscription", digits: 0 },
  ],
  measure: measureTrie,
};

/** Measures work of this shape once. */
export async function measureShape(
  broker: Broker,
  work: { shape: Shape; conditions: Conditions },
): Promise<Figures> {
  const { shape } = work;
  const prefix = shape.topicPrefix ?? "bench/";
  const topics = Array.from({ length: shape.topics }, (_, index) => `${prefix}${index}`);
  const topicsEach = shape.topicsEach ?? 1;
  const subscriber = Load.start("subscriber", {
    ...broker.target,
    qos: shape.qos,
    connections: shape.subscribers,
    filters: topicsEach === 1 ? topics : topics.map((topic) => `${topic}/#`),
    publishers: shape.publishers,
    latencySamplesMax: 0,
    name: "sub",
    persistent: shape.persistent === true,
  });
  const common = { ...broker.target, publishers: shape.publishers, topics };
  const publisher = shape.qos === 0
    ? Load.start("flood", { ...common, ...shape, topics, topicsEach })
    : Load.start("windowed", {
      ...common,
      qos: shape.qos,
      window: shape.window ?? WINDOW,
      latencySamplesMax: shape.latencySamplesMax ?? 0,
    });
  function expectedOf(sent: readonly number[]): number {
    let expected = 0;
    for (let index = 0; index < shape.subscribers; index++) {
      for (let from = index % shape.topics; from < sent.length; from += shape.topics) {
        expected += sent[from] ?? 0;
      }
    }
    return expected;
  }
  return await measurePair(broker, {
    subscriber,
    publisher,
    expectedOf,
    qos: shape.qos,
    conditions: work.conditions,
  });
}

async function measureTrie(broker: Broker, conditions: Conditions): Promise<Figures> {
  const before = await readMemory(broker.pid);
  const subscriber = Load.start("subscriber", {
    ...broker.target,
    qos: 0,
    connections: TRIE_CLIENTS,
    filters: "trie",
    publishers: 1,
    latencySamplesMax: 0,
    name: "trie",
  });
  const publisher = Load.start("flood", {
    ...broker.target,
    publishers: 1,
    topics: "trie",
    topicsEach: 1,
    batchMessages: TRIE_TOPICS,
    batchesMax: 20,
  });
  const perCycle = trieDeliveriesPerCycle();
  function expectedOf(sent: readonly number[]): number {
    return ((sent[0] ?? 0) / TRIE_TOPICS) * perCycle;
  }
  const figures = await measurePair(broker, {
    subscriber,
    publisher,
    expectedOf,
    qos: 0,
    conditions,
    onReady: async function weigh(): Promise<Figures> {
      const after = await readMemory(broker.pid);
      return { bytes_per_subscription: (after.rssBytes - before.rssBytes) / 100_000 };
    },
  });
  const matches = perCycle / TRIE_TOPICS;
  const publishesPerS = (figures["deliveries_per_s"] ?? NaN) / matches;
  return { ...figures, publishes_per_s: publishesPerS, matches_per_publish: matches };
}

interface Pair {
  subscriber: Load;
  publisher: Load;
  /** How many deliveries so many messages of each publisher must make. */
  expectedOf: (sent: readonly number[]) => number;
  qos: Qos;
  conditions: Conditions;
  /** Runs between the last SUBACK and the first PUBLISH. */
  onReady?: () => Promise<Figures>;
}

async function measurePair(broker: Broker, pair: Pair): Promise<Figures> {
  const { subscriber, publisher } = pair;
  try {
    const [ready] = await Promise.all([
      subscriber.answer<SubscriberReady>("ready"),
      publisher.answer("ready"),
    ]);
    const more = await pair.onReady?.();
    const windowStartMs = epochNowMs() + WARM_UP_MS;
    const windowEndMs = windowStartMs + pair.conditions.seconds * 1000;
    await subscriber.send({ command: "go", windowStartMs, windowEndMs });
    await publisher.send({
      command: "go",
      windowStartMs,
      windowEndMs: windowEndMs + AFTER_WINDOW_MS,
    });
    const pids = [broker.pid, subscriber.pid, publisher.pid];
    await sleepUntil(windowStartMs);
    const cpuBefore = await Promise.all(pids.map(readCpuMs));
    await sleepUntil(windowEndMs);
    const cpuAfter = await Promise.all(pids.map(readCpuMs));
    const sent = await subscriber.unlessFailed(
      publisher.answer<PublisherResult | WindowedResult>("done"),
    );
    const expected = pair.expectedOf(sent.sent);
    await subscriber.send({
      command: "drain",
      expected,
      silenceMs: pair.qos === 0 ? SILENCE_QOS0_MS : SILENCE_ACKED_MS,
      limitMs: DRAIN_LIMIT_MS,
    });
    const counted = await subscriber.answer<SubscriberResult>("done");
    broker.assertAlive();
    const { peakBytes } = await readMemory(broker.pid);
    return {
      ...figuresOf({ expected, counted, qos: pair.qos }),
      ...cpuFigures({ before: cpuBefore, after: cpuAfter, counted }),
      subscribe_ms: ready.subscribeMs,
      sent: total(sent.sent),
      unacknowledged: pair.qos === 0 ? 0 : total(sent.sent) - total(sent.acknowledged),
      broker_peak_rss_mb: peakBytes / 1e6,
      ...("windowMs" in sent ? windowedFigures(sent) : {}),
      ...more,
    };
  } finally {
    await Promise.all([subscriber.end(), publisher.end()]);
  }
}

function figuresOf(
  of: { expected: number; counted: SubscriberResult; qos: Qos },
): Figures {
  const { expected, counted } = of;
  const received = total(counted.received);
  if (of.qos === 2 && received > expected) {
    throw new Error(`Cannot trust the broker: QoS 2 delivered ${received} of ${expected}`);
  }
  return {
    deliveries_per_s: (counted.windowMessages / counted.windowMs) * 1000,
    loss_percent: (1 - received / expected) * 100,
    expected,
    received,
    lost_acknowledged: of.qos === 0 ? 0 : Math.max(0, expected - received),
    least_received: Math.min(...counted.received),
    most_received: Math.max(...counted.received),
    missing: counted.missing,
    disorder: counted.disorder,
    closed_subscribers: counted.closed,
  };
}

/** What a publisher sees of its acknowledgements. */
export function windowedFigures(of: WindowedResult): Figures {
  return {
    acknowledged_per_s: (of.windowAcknowledged / of.windowMs) * 1000,
    puback_p50_ms: of.sincePublish?.p50Ms ?? NaN,
    puback_p99_ms: of.sincePublish?.p99Ms ?? NaN,
    puback_p999_ms: of.sincePublish?.p999Ms ?? NaN,
  };
}

function cpuFigures(
  of: { before: number[]; after: number[]; counted: SubscriberResult },
): Figures {
  const [broker = NaN, subscriber = NaN, publisher = NaN] = of.after.map((cpuMs, index) =>
    cpuMs - (of.before[index] ?? NaN)
  );
  const { windowMessages, windowMs } = of.counted;
  return {
    broker_cpu_us_per_delivery: (broker * 1000) / windowMessages,
    broker_cpu_percent: (broker / windowMs) * 100,
    subscriber_cpu_percent: (subscriber / windowMs) * 100,
    publisher_cpu_percent: (publisher / windowMs) * 100,
  };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
