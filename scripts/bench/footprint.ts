/** Work items about connections, memory and the start. */

import type { Broker } from "./brokers.ts";
import { stormAt } from "./connecting.ts";
import { sleep } from "./clock.ts";
import { Load } from "./load.ts";
import { readMemory } from "./proc.ts";
import type { IdleResult } from "./roles.ts";
import type { Figures, Workload } from "./workload.ts";

const SETTLE_MS = 1_000;
const IDLE_CONNECTIONS = 10_000;
const PARALLEL = 200;
const STORM_CONNECTIONS = 5_000;

/**
 * CONNECT, CONNACK, DISCONNECT, 200 at a time, from one process: a broker that needs less than about
 * 50 µs for a connection waits for the client here. A listen backlog below 200, as Mosquitto's of 100,
 * may overflow; then the kernel's one-second SYN timer shows in the slowest connection and the rate.
 */
export const CONNECT_STORM: Workload = {
  name: "connect_storm",
  about: "5,000 × CONNECT, CONNACK, DISCONNECT, 200 in parallel",
  profile: "lossless",
  mirror: true,
  metrics: [
    { name: "connections_per_s", digits: 0 },
    { name: "failed", digits: 0 },
    { name: "slowest_ms", digits: 0 },
    { name: "broker_cpu_us_per_connection", digits: 1 },
    { name: "client_cpu_percent", digits: 0 },
  ],
  measure: measureStorm,
};

/** Memory with nobody connected. */
export const RSS_IDLE: Workload = {
  name: "rss_idle",
  about: "resident memory a second after the first CONNACK",
  profile: "stock",
  mirror: false,
  metrics: [{ name: "rss_mb", digits: 1, goals: [{ kind: "at_most", value: 70 }] }],
  measure: async function measureIdle(broker): Promise<Figures> {
    await sleep(SETTLE_MS);
    const { rssBytes } = await readMemory(broker.pid);
    return { rss_mb: rssBytes / 1e6 };
  },
};

/** Memory of 10,000 idle connections. */
export const RSS_10K_IDLE: Workload = {
  name: "rss_10k_idle",
  about: "resident memory that 10,000 idle connections add",
  profile: "stock",
  mirror: false,
  metrics: [
    { name: "bytes_per_connection", digits: 0, goals: [{ kind: "at_most", value: 10_000 }] },
    { name: "rss_mb", digits: 1 },
    { name: "closed", digits: 0 },
  ],
  measure: measureManyIdle,
};

/** From the start of the process to the first CONNACK. */
export const START_TO_CONNACK: Workload = {
  name: "start_to_connack",
  about: "from the start of the process to the first CONNACK, files in the page cache",
  profile: "stock",
  warmStart: true,
  mirror: false,
  metrics: [{ name: "start_ms", digits: 0, goals: [{ kind: "at_most", value: 300 }] }],
  measure: (broker) => Promise.resolve({ start_ms: broker.connackMs }),
};

async function measureStorm(broker: Broker): Promise<Figures> {
  const storm = await stormAt(broker, {
    warmUp: 500,
    total: STORM_CONNECTIONS,
    parallel: PARALLEL,
  });
  const { connected, failed, elapsedMs, slowestMs, brokerMs, clientMs } = storm;
  return {
    connections_per_s: (connected / elapsedMs) * 1000,
    failed,
    slowest_ms: slowestMs,
    broker_cpu_us_per_connection: (brokerMs * 1000) / connected,
    broker_cpu_percent: (brokerMs / elapsedMs) * 100,
    client_cpu_percent: (clientMs / elapsedMs) * 100,
  };
}

async function measureManyIdle(broker: Broker): Promise<Figures> {
  await sleep(SETTLE_MS);
  const before = await readMemory(broker.pid);
  const load = Load.start("idle", {
    ...broker.target,
    connections: IDLE_CONNECTIONS,
    parallel: PARALLEL,
  });
  try {
    await load.answer("ready");
    await sleep(2 * SETTLE_MS);
    const after = await readMemory(broker.pid);
    await load.send({ command: "stop" });
    const { closed } = await load.answer<IdleResult>("done");
    broker.assertAlive();
    return {
      bytes_per_connection: (after.rssBytes - before.rssBytes) / IDLE_CONNECTIONS,
      rss_mb: after.rssBytes / 1e6,
      rss_before_mb: before.rssBytes / 1e6,
      closed,
    };
  } finally {
    await load.end();
  }
}
