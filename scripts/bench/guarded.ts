/** Work items of what stands between clients and broker: TLS, access rules, passwords. */

import type { Broker } from "./brokers.ts";
import { stormAt } from "./connecting.ts";
import { measureShape, type Shape } from "./throughput.ts";
import type { Conditions, Figures, Workload } from "./workload.ts";

const HANDSHAKES = 1_500;
const WARM_UP_HANDSHAKES = 300;
/** Few enough for Mosquitto's listen backlog. */
const PARALLEL = 50;
const RULES = 1_000;
/** Of the throughput without rules. */
const SHARE_PERCENT = 90;
const CPU_TO_BARE = 1.11;

/** How fast clients come in over TLS; `mutual` with a certificate of their own. */
export function handshakes(tls: "server" | "mutual"): Workload {
  const shown = tls === "mutual" ? ", both sides with certificates" : "";
  return {
    name: tls === "mutual" ? "mtls_handshakes" : "tls_handshakes",
    about: `full TLS 1.3 handshake${shown} (P-256), CONNECT, CONNACK, DISCONNECT, 50 in parallel`,
    profile: "stock",
    guards: { tls },
    mirror: false,
    metrics: [
      { name: "handshakes_per_s", digits: 0, goals: [{ kind: "ratio_at_least", value: 1 }] },
      { name: "handshakes_per_cpu_s", digits: 0 },
      { name: "failed", digits: 0 },
      { name: "client_cpu_percent", digits: 0 },
    ],
    measure: measureHandshakes,
  };
}

/** What so many rules leave of the throughput of this shape, which must be below `bench/`. */
export function beside1000Rules(item: { name: string; about: string }, shape: Shape): Workload {
  return {
    ...item,
    profile: "lossless",
    guards: { rules: RULES },
    only: "relayq",
    mirror: false,
    metrics: [
      { name: "deliveries_per_s", digits: 0 },
      { name: "bare_deliveries_per_s", digits: 0 },
      { name: "share_percent", digits: 1, goals: [{ kind: "at_least", value: SHARE_PERCENT }] },
      { name: "broker_cpu_us_per_delivery", digits: 3 },
      { name: "bare_broker_cpu_us_per_delivery", digits: 3 },
      // The rate of a machine that others use, too, says little; its counterpart in CPU does.
      { name: "cpu_to_bare", digits: 2, goals: [{ kind: "at_most", value: CPU_TO_BARE }] },
      { name: "loss_percent", digits: 2 },
    ],
    measure: (broker, conditions) => measureRules(broker, { shape, conditions }),
  };
}

async function measureHandshakes(broker: Broker): Promise<Figures> {
  const storm = await stormAt(broker, {
    warmUp: WARM_UP_HANDSHAKES,
    total: HANDSHAKES,
    parallel: PARALLEL,
  });
  const { connected, failed, elapsedMs, slowestMs, brokerMs, clientMs } = storm;
  return {
    handshakes_per_s: (connected / elapsedMs) * 1000,
    handshakes_per_cpu_s: (connected / brokerMs) * 1000,
    failed,
    slowest_ms: slowestMs,
    broker_cpu_percent: (brokerMs / elapsedMs) * 100,
    client_cpu_percent: (clientMs / elapsedMs) * 100,
  };
}

/** Which of the two comes first changes with each round, as with the brokers. */
async function measureRules(
  ruled: Broker,
  work: { shape: Shape; conditions: Conditions },
): Promise<Figures> {
  const bare = await ruled.another("lossless");
  try {
    return await compareRules(ruled, { ...work, bare });
  } finally {
    await bare.end();
  }
}

async function compareRules(
  ruled: Broker,
  work: { bare: Broker; shape: Shape; conditions: Conditions },
): Promise<Figures> {
  const { bare } = work;
  const order = work.conditions.round % 2 === 0 ? [ruled, bare] : [bare, ruled];
  const measured = new Map<Broker, Figures>();
  for (const broker of order) measured.set(broker, await measureShape(broker, work));
  const figures = measured.get(ruled) ?? {};
  const barely = measured.get(bare) ?? {};
  return {
    ...figures,
    bare_deliveries_per_s: barely["deliveries_per_s"] ?? NaN,
    bare_broker_cpu_us_per_delivery: barely["broker_cpu_us_per_delivery"] ?? NaN,
    cpu_to_bare: (figures["broker_cpu_us_per_delivery"] ?? NaN) /
      (barely["broker_cpu_us_per_delivery"] ?? NaN),
    share_percent: 100 * (figures["deliveries_per_s"] ?? NaN) /
      (barely["deliveries_per_s"] ?? NaN),
  };
}
