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

/** DATA messages in the mode "aware", and beside it in the other modes. */
export const SPARKPLUG_DATA: Workload = {
  name: "sparkplug_data",
  about:
    "4 Edge Nodes with 5 Devices each, born, DDATA of 20 metrics, QoS 0; all modes, and last values, beside off",
  profile: "lossless",
  mirror: false,
  metrics: [
    { name: "deliveries_per_s", digits: 0 },
    { name: "aware_of_off_percent", digits: 1, goals: [{ kind: "at_least", value: 95 }] },
    { name: "monitor_of_off_percent", digits: 1, goals: [{ kind: "at_least", value: 70 }] },
    { name: "strict_of_off_percent", digits: 1 },
    { name: "values_of_off_percent", digits: 1 },
    { name: "monitor_cpu_of_off_percent", digits: 1 },
    { name: "broker_cpu_us_per_delivery", digits: 3 },
    { name: "loss_percent", digits: 2 },
  ],
  measure: measureAll,
};

/** `values`: aware, and the last value of every metric is kept. */
const OTHERS = ["off", "monitor", "strict", "values"] as const;
type Mode = "aware" | typeof OTHERS[number];

/** One after the other and back again, so that a drift of the machine favours none. */
async function measureAll(aware: Broker, conditions: Conditions): Promise<Figures> {
  const work = { shape: SHAPE, conditions };
  if (aware.kind !== "relayq") return await measureShape(aware, work);
  const brokers = new Map<Mode, Broker>([["aware", aware]]);
  try {
    for (const mode of OTHERS) brokers.set(mode, await aware.another(`sparkplug_${mode}`));
    const figures = new Map<Mode, Figures[]>();
    const there = [...brokers.keys()];
    for (const mode of [...there, ...there.toReversed()]) {
      const measured = await measureShape(brokers.get(mode)!, work);
      figures.set(mode, [...(figures.get(mode) ?? []), measured]);
    }
    const awares = figures.get("aware")!;
    const offs = figures.get("off")!;
    const percent = (mode: Mode, name: string) =>
      100 * sum(figures.get(mode)!, name) / sum(offs, name);
    return {
      ...awares[0]!,
      deliveries_per_s: sum(awares, "deliveries_per_s") / awares.length,
      off_deliveries_per_s: sum(offs, "deliveries_per_s") / offs.length,
      aware_of_off_percent: percent("aware", "deliveries_per_s"),
      monitor_of_off_percent: percent("monitor", "deliveries_per_s"),
      strict_of_off_percent: percent("strict", "deliveries_per_s"),
      values_of_off_percent: percent("values", "deliveries_per_s"),
      aware_cpu_of_off_percent: percent("aware", "broker_cpu_us_per_delivery"),
      monitor_cpu_of_off_percent: percent("monitor", "broker_cpu_us_per_delivery"),
    };
  } finally {
    for (const mode of OTHERS) await brokers.get(mode)?.end();
  }
}

function sum(figures: readonly Figures[], name: string): number {
  return figures.reduce((total, one) => total + (one[name] ?? NaN), 0);
}
