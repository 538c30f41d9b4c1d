/** Work items that measure latency at a fixed rate. */

import type { Broker } from "./brokers.ts";
import { epochNowMs, sleepUntil } from "./clock.ts";
import { Load } from "./load.ts";
import { readMemory } from "./proc.ts";
import type { IdleResult, PacedResult, SlowResult, SubscriberResult } from "./roles.ts";
import type { Conditions, Figures, Workload } from "./workload.ts";

const PAIRS = 4;
const RATE_PER_S = 5_000;
const TICK_MS = 1;
const IDLE_CONNECTIONS = 1_000;
const IDLE_PARALLEL = 50;
const WARM_UP_MS = 1_000;
const SILENCE_MS = 300;
const DRAIN_LIMIT_MS = 10_000;
/** The flood has so long to fill the queues of the frozen subscriber before latency counts. */
const FLOOD_HEAD_START_MS = 500;

/** 4 × 5,000 messages per second to 4 subscribers, with 1,000 idle connections beside. */
export const PACED_LATENCY: Workload = {
  name: "paced_latency",
  about: "4 × 5,000 msg/s at QoS 0 to 4 subscribers, 1,000 idle connections beside",
  profile: "lossless",
  mirror: false,
  metrics: [
    { name: "p50_ms", digits: 3 },
    {
      name: "p99_ms",
      digits: 3,
      goals: [{ kind: "not_above_peer" }, { kind: "at_most", value: 5 }],
    },
    { name: "p999_ms", digits: 3 },
    { name: "loss_percent", digits: 2 },
  ],
  measure: measurePacedLatency,
};

/** The same traffic beside a flood to a subscriber that is frozen and one that is slow. */
export const QOS0_BESIDE_SLOW: Workload = {
  name: "qos0_beside_slow",
  about: "4 × 5,000 msg/s beside a flood (QoS 0 and 1) to a frozen and a 1 MB/s subscriber",
  profile: "stock",
  mirror: false,
  metrics: [
    { name: "calm_p99_ms", digits: 3 },
    { name: "flood_p99_ms", digits: 3, goals: [{ kind: "not_above_peer" }] },
    { name: "flood_loss_percent", digits: 2 },
    { name: "broker_peak_rss_mb", digits: 1 },
    { name: "flood_qos0_per_s", digits: 0 },
    { name: "flood_qos1_per_s", digits: 0 },
  ],
  measure: measureBesideSlow,
};

async function measurePacedLatency(broker: Broker, conditions: Conditions): Promise<Figures> {
  const idle = Load.start("idle", {
    ...broker.target,
    connections: IDLE_CONNECTIONS,
    parallel: IDLE_PARALLEL,
  });
  try {
    await idle.answer("ready");
    const figures = await measurePaced(broker, { conditions, name: "paced", headStartMs: 0 });
    await idle.send({ command: "stop" });
    const { closed } = await idle.answer<IdleResult>("done");
    return { ...figures, closed_idle: closed };
  } finally {
    await idle.end();
  }
}

async function measureBesideSlow(broker: Broker, conditions: Conditions): Promise<Figures> {
  const calm = await measurePaced(broker, { conditions, name: "calm", headStartMs: 0 });
  const before = await readMemory(broker.pid);
  const slow = Load.start("slow", {
    ...broker.target,
    topic: "slow/0",
    slowBytesPerS: 1_000_000,
    batchMessages: 680,
    window: 64,
  });
  try {
    await slow.answer("ready");
    const flood = await measurePaced(broker, {
      conditions,
      name: "beside",
      headStartMs: FLOOD_HEAD_START_MS,
      onGo: (windowStartMs, windowEndMs) =>
        slow.send({ command: "go", windowStartMs, windowEndMs }),
    });
    const sent = await slow.answer<SlowResult>("done");
    const floodS = (flood["elapsed_ms"] ?? NaN) / 1000;
    const memory = await readMemory(broker.pid);
    return {
      ...prefixed("calm", calm),
      ...prefixed("flood", flood),
      flood_qos0_per_s: sent.sentQos0 / floodS,
      flood_qos1_per_s: sent.sentQos1 / floodS,
      slow_received: sent.slowReceived,
      flood_closed: sent.closed,
      broker_rss_before_mb: before.rssBytes / 1e6,
      broker_peak_rss_mb: memory.peakBytes / 1e6,
    };
  } finally {
    await slow.end();
  }
}

/** One run of the paced traffic. */
export interface PacedRun {
  conditions: Conditions;
  name: string;
  /** How long before the paced traffic `onGo` is called. */
  headStartMs: number;
  onGo?: (windowStartMs: number, windowEndMs: number) => Promise<void>;
}

/** 4 × 5,000 messages per second at QoS 0 to 4 subscribers: latencies from the moment each was due. */
export async function measurePaced(broker: Broker, run: PacedRun): Promise<Figures> {
  const topics = Array.from({ length: PAIRS }, (_, index) => `${run.name}/${index}`);
  const samples = PAIRS * RATE_PER_S * (run.conditions.seconds + 1);
  const subscriber = Load.start("subscriber", {
    ...broker.target,
    qos: 0,
    connections: PAIRS,
    filters: topics,
    publishers: PAIRS,
    latencySamplesMax: samples,
    name: run.name,
  });
  const publisher = Load.start("paced", {
    ...broker.target,
    topics,
    ratePerS: RATE_PER_S,
    tickMs: TICK_MS,
  });
  try {
    await Promise.all([subscriber.answer("ready"), publisher.answer("ready")]);
    const startMs = epochNowMs();
    const windowStartMs = startMs + run.headStartMs + WARM_UP_MS;
    const windowEndMs = windowStartMs + run.conditions.seconds * 1000;
    await run.onGo?.(windowStartMs, windowEndMs);
    await sleepUntil(startMs + run.headStartMs);
    const go = { command: "go", windowStartMs, windowEndMs } as const;
    await subscriber.send(go);
    await publisher.send(go);
    const sent = await subscriber.unlessFailed(publisher.answer<PacedResult>("done"));
    const expected = sent.sent.reduce((sum, count) => sum + count, 0);
    await subscriber.send({
      command: "drain",
      expected,
      silenceMs: SILENCE_MS,
      limitMs: DRAIN_LIMIT_MS,
    });
    const counted = await subscriber.answer<SubscriberResult>("done");
    broker.assertAlive();
    const received = counted.received.reduce((sum, count) => sum + count, 0);
    return {
      p50_ms: counted.sinceDue?.p50Ms ?? NaN,
      p99_ms: counted.sinceDue?.p99Ms ?? NaN,
      p999_ms: counted.sinceDue?.p999Ms ?? NaN,
      max_ms: counted.sinceDue?.maxMs ?? NaN,
      p99_since_write_ms: counted.sinceWrite?.p99Ms ?? NaN,
      generator_lateness_p99_ms: sent.latenessP99Ms,
      samples: counted.sinceDue?.samples ?? 0,
      loss_percent: (1 - received / expected) * 100,
      disorder: counted.disorder,
      elapsed_ms: windowEndMs - startMs,
    };
  } finally {
    await Promise.all([subscriber.end(), publisher.end()]);
  }
}

/** The same figures under longer names. */
export function prefixed(prefix: string, figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [`${prefix}_${name}`, value]),
  );
}
