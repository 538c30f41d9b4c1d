/** What a work item is, and what it measures. */

import type { Broker, BrokerKind } from "./brokers.ts";
import type { Profile } from "./configs.ts";
import type { Guards } from "./guards.ts";

/** A bound that a figure is meant to keep. The exit code never depends on it. */
export type Goal =
  /** Median of RelayQ by median of Mosquitto, at least. */
  | { kind: "ratio_at_least"; value: number }
  /** RelayQ's median, at least. */
  | { kind: "at_least"; value: number }
  /** RelayQ's median, at most. */
  | { kind: "at_most"; value: number }
  /** RelayQ's median is not above Mosquitto's. */
  | { kind: "not_above_peer" };

/** One figure of a work item. */
export interface Metric {
  /** Snake case with the unit at its end; the key in the JSON too. */
  name: string;
  /** Digits after the point in the table. */
  digits: number;
  goals?: readonly Goal[];
}

/** The conditions of one measurement. */
export interface Conditions {
  /** Length of the measured window. */
  seconds: number;
  /** Counts from 0. */
  round: number;
}

/** The figures of one measurement; metrics and whatever else explains them. */
export type Figures = Record<string, number>;

/** One kind of work, the same for every broker. */
export interface Workload {
  name: string;
  about: string;
  profile: Profile;
  guards?: Guards;
  /** The only broker that this can be asked of; absent for all. */
  only?: BrokerKind;
  /** The rig's own mirror can stand in for a broker. */
  mirror: boolean;
  /** Start every broker once before the first round, so that its files are in the page cache. */
  warmStart?: boolean;
  metrics: readonly Metric[];
  /** Measures once, against a broker that was started for this measurement alone. */
  measure(broker: Broker, conditions: Conditions): Promise<Figures>;
}
