/** What Sparkplug costs: the same DATA messages with and without it. */

import type { Broker } from "./brokers.ts";
import { measureShape, type Shape } from "./throughput.ts";
import type { Conditions, Figures, Workload } from "./workload.ts";

/** 4 Edge Nodes of 5 Devices each, a host for each node. */
const SHAPE: Shape = {
  qos: 0,
  publishers: 4,
  subscribers: 4,
  topics: 4,
  topicsEach: 5,
  topicPrefix: "spBv1.0/bench/DDATA/E",
  sparkplug: true,
  batchMessages: 100,
  batchesMax: 16,
};

/** DATA messages in the mode "aware", and beside it in the mode "off". */
export const SPARKPLUG_DATA: Workload = {
  name: "sparkplug_data",
  about: "4 Edge Nodes with 5 Devices each, DDATA of 20 metrics, QoS 0; mode aware beside off",
  profile: "lossless",
  mirror: false,
  metrics: [
    { name: "deliveries_per_s", digits: 0 },
    { name: "aware_of_off_percent", digits: 1, goals: [{ kind: "at_least", value: 95 }] },
    { name: "aware_cpu_of_off_percent", digits: 1 },
    { name: "broker_cpu_us_per_delivery", digits: 3 },
    { name: "loss_percent", digits: 2 },
  ],
  measure: measureBoth,
};

/** One after the other and back again, so that a drift of the machine favours neither. */
async function measureBoth(aware: Broker, conditions: Conditions): Promise<Figures> {
  const work = { shape: SHAPE, conditions };
  const first = await measureShape(aware, work);
  if (aware.kind !== "relayq") return first;
  const off = await aware.another("sparkplug_off");
  try {
    const offs = [await measureShape(off, work), await measureShape(off, work)];
    const awares = [first, await measureShape(aware, work)];
    const percent = (name: string) => 100 * sum(awares, name) / sum(offs, name);
    return {
      ...first,
      deliveries_per_s: sum(awares, "deliveries_per_s") / awares.length,
      off_deliveries_per_s: sum(offs, "deliveries_per_s") / offs.length,
      aware_of_off_percent: percent("deliveries_per_s"),
      aware_cpu_of_off_percent: percent("broker_cpu_us_per_delivery"),
    };
  } finally {
    await off.end();
  }
}

function sum(figures: readonly Figures[], name: string): number {
  return figures.reduce((total, one) => total + (one[name] ?? NaN), 0);
}
