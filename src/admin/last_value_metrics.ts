/** The last known values of Sparkplug, as metrics. */
import type { ValueFigures } from "../sparkplug/mod.ts";
import { counter, type Descriptions, gauge, type Metric, metricsOfOne } from "./metric.ts";

const VALUES = {
  metrics: gauge("relayq_sparkplug_last_values", "Metrics whose last value is kept."),
  bytes: gauge("relayq_sparkplug_last_values_bytes", "Bytes of all last values."),
  unkept: counter(
    "relayq_sparkplug_last_values_unkept_total",
    "Metrics and values that found no room.",
  ),
  evicted: counter(
    "relayq_sparkplug_last_values_evicted_total",
    "Edge Nodes and Devices that were away and made room for others.",
  ),
  unknown: counter(
    "relayq_sparkplug_last_values_unknown_total",
    "Metrics of data that no birth knew.",
  ),
  unborn: counter(
    "relayq_sparkplug_last_values_unborn_total",
    "Messages of Edge Nodes and Devices that were not born.",
  ),
  unread: counter(
    "relayq_sparkplug_last_values_unread_total",
    "Messages that could not be read for their values.",
  ),
} as const satisfies Descriptions<ValueFigures>;

/** What is kept; nothing where values are not. */
export function lastValueMetrics(values: ValueFigures | null): Metric[] {
  return values === null ? [] : metricsOfOne<ValueFigures>(VALUES, values);
}
