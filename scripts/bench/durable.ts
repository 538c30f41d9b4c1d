/** Work items with the state in a file: what is acknowledged has to survive a power cut. */

import type { Broker } from "./brokers.ts";
import { measurePaced, prefixed } from "./latency.ts";
import { Load } from "./load.ts";
import type { SubscriberResult, WindowedResult } from "./roles.ts";
import { durable, windowedFigures } from "./throughput.ts";
import type { Conditions, Figures, Workload } from "./workload.ts";

const PUBLISHERS = 8;
const WINDOW = 64;
/** Of each publisher: 10,000 msg/s together, so that the processor is not what QoS 0 waits for. */
const PACED_PER_S = 1_250;
const HEAD_START_MS = 500;
const WARM_UP_SECONDS = 1;
const SILENCE_MS = 3_000;
const DRAIN_LIMIT_MS = 20_000;
const LATENCY_SAMPLES_MAX = 1_000_000;

/** How many messages a second can be promised. */
export const DURABLE_QOS1: Workload = durable(
  {
    name: "durable_qos1",
    about: "8 publishers, QoS 1, window 64, to 1 persistent session (Mosquitto: without any fsync)",
    metrics: [
      { name: "acknowledged_per_s", digits: 0, goals: [{ kind: "at_least", value: 60_000 }] },
      { name: "deliveries_per_s", digits: 0 },
      { name: "loss_percent", digits: 2 },
      { name: "broker_cpu_us_per_delivery", digits: 3 },
    ],
  },
  {
    qos: 1,
    publishers: PUBLISHERS,
    subscribers: 1,
    topics: 1,
    batchMessages: 0,
    batchesMax: 0,
    window: WINDOW,
    persistent: true,
  },
);

/** What a single sensor sees. */
export const DURABLE_LATENCY: Workload = durable(
  {
    name: "durable_latency",
    about: "1 publisher, QoS 1, window 1, to 1 persistent session (Mosquitto: without any fsync)",
    metrics: [
      { name: "puback_p50_ms", digits: 3 },
      { name: "puback_p99_ms", digits: 3 },
      { name: "acknowledged_per_s", digits: 0 },
      { name: "loss_percent", digits: 2 },
    ],
  },
  {
    qos: 1,
    publishers: 1,
    subscribers: 1,
    topics: 1,
    batchMessages: 0,
    batchesMax: 0,
    window: 1,
    persistent: true,
    latencySamplesMax: LATENCY_SAMPLES_MAX,
  },
);

/** Whether those who want no promise wait for the disk of those who do. */
export const QOS0_BESIDE_DURABLE: Workload = {
  name: "qos0_beside_durable",
  about: "4 × 5,000 msg/s at QoS 0: alone, beside 10,000 msg/s durable, beside a durable flood",
  profile: "durable",
  mirror: false,
  metrics: [
    { name: "alone_p50_ms", digits: 3 },
    { name: "alone_p99_ms", digits: 3 },
    { name: "alone_p999_ms", digits: 3 },
    { name: "beside_p50_ms", digits: 3 },
    { name: "beside_p99_ms", digits: 3 },
    { name: "beside_p999_ms", digits: 3 },
    { name: "beside_to_alone_p99", digits: 2, goals: [{ kind: "at_most", value: 2 }] },
    { name: "beside_acknowledged_per_s", digits: 0 },
    { name: "flood_p50_ms", digits: 3 },
    { name: "flood_p99_ms", digits: 3 },
    { name: "flood_p999_ms", digits: 3 },
    { name: "flood_acknowledged_per_s", digits: 0 },
  ],
  measure: measureBesideDurable,
};

async function measureBesideDurable(broker: Broker, conditions: Conditions): Promise<Figures> {
  // A just-in-time compiler that is still at work would make "alone" look bad.
  const warmUp = { ...conditions, seconds: WARM_UP_SECONDS };
  await measurePaced(broker, { conditions: warmUp, name: "warm", headStartMs: 0 });
  const alone = await measurePaced(broker, { conditions, name: "alone", headStartMs: 0 });
  const beside = await besideDurable(broker, {
    conditions,
    name: "beside",
    ratePerS: PACED_PER_S,
  });
  const flood = await besideDurable(broker, { conditions, name: "flood" });
  return {
    ...prefixed("alone", alone),
    ...prefixed("beside", beside),
    ...prefixed("flood", flood),
    beside_to_alone_p99: (beside["p99_ms"] ?? NaN) / (alone["p99_ms"] ?? NaN),
    flood_to_alone_p99: (flood["p99_ms"] ?? NaN) / (alone["p99_ms"] ?? NaN),
    lost_acknowledged: (beside["durable_lost"] ?? 0) + (flood["durable_lost"] ?? 0),
  };
}

async function besideDurable(
  broker: Broker,
  run: { conditions: Conditions; name: string; ratePerS?: number },
): Promise<Figures> {
  const { conditions, name, ratePerS } = run;
  const topic = `durable/${name}`;
  const subscriber = Load.start("subscriber", {
    ...broker.target,
    qos: 1,
    connections: 1,
    filters: [topic],
    publishers: PUBLISHERS,
    latencySamplesMax: 0,
    name: `durable-${name}`,
    persistent: true,
  });
  const publisher = Load.start("windowed", {
    ...broker.target,
    qos: 1,
    publishers: PUBLISHERS,
    topics: [topic],
    window: WINDOW,
    ...(ratePerS !== undefined && { ratePerS }),
  });
  try {
    await Promise.all([subscriber.answer("ready"), publisher.answer("ready")]);
    const figures = await measurePaced(broker, {
      conditions,
      name,
      headStartMs: HEAD_START_MS,
      onGo: async function begin(windowStartMs, windowEndMs): Promise<void> {
        const go = { command: "go", windowStartMs, windowEndMs } as const;
        await subscriber.send(go);
        await publisher.send(go);
      },
    });
    const sent = await subscriber.unlessFailed(publisher.answer<WindowedResult>("done"));
    const expected = sent.sent.reduce((sum, count) => sum + count, 0);
    await subscriber.send({
      command: "drain",
      expected,
      silenceMs: SILENCE_MS,
      limitMs: DRAIN_LIMIT_MS,
    });
    const counted = await subscriber.answer<SubscriberResult>("done");
    const received = counted.received.reduce((sum, count) => sum + count, 0);
    return {
      ...figures,
      ...windowedFigures(sent),
      durable_lost: Math.max(0, expected - received),
    };
  } finally {
    await Promise.all([subscriber.end(), publisher.end()]);
  }
}
