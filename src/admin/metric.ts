/** A metric: a name with its meaning, and what it stands at. */
import type { Histogram } from "../broker/mod.ts";

/** One value of a metric. */
export interface Sample {
  /** Names and values; their combinations are bounded by what the broker is made of. */
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a metric is called and means; units are base units: seconds, bytes. */
export interface Meaning {
  readonly name: string;
  readonly help: string;
}

/** A metric of the moment. */
export type Metric =
  & Meaning
  & (
    | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
    | { readonly type: "histogram"; readonly histogram: Histogram }
  );

/** What a number of a statistics object is as a metric. */
export interface Description extends Meaning {
  readonly type: "counter" | "gauge";
  /** What the number has to be multiplied by for its base unit. */
  readonly scale: number;
}

/** The keys of an object behind which there are numbers. */
type NumberKeys<T> = { [K in keyof T]-?: T[K] extends number ? K : never }[keyof T];

/** Descriptions of every number of an object: one that is forgotten does not compile. */
export type Descriptions<T> = Readonly<Record<NumberKeys<T>, Description>>;

/** Milliseconds in seconds. */
const SECONDS_PER_MS = 0.001;

/** Describes a number that only rises. */
export function counter(name: string, help: string): Description {
  return { type: "counter", name, help, scale: 1 };
}

/** Describes a number that goes up and down. */
export function gauge(name: string, help: string): Description {
  return { type: "gauge", name, help, scale: 1 };
}

/** Describes a number of milliseconds that goes up and down. */
export function gaugeOfMs(name: string, help: string): Description {
  return { type: "gauge", name, help, scale: SECONDS_PER_MS };
}

/** The metrics of an object; of several, by labels that tell them apart. */
export function metricsOf<T>(
  descriptions: Descriptions<T>,
  objects: readonly { readonly labels: Sample["labels"]; readonly of: T }[],
): Metric[] {
  const keys = Object.keys(descriptions) as NumberKeys<T>[];
  return keys.map((key) => {
    const { scale, ...meaning } = descriptions[key];
    const samples = objects.map(({ labels, of }) => ({
      labels,
      value: (of[key] as number) * scale,
    }));
    return { ...meaning, samples };
  });
}

/** The metrics of one object. */
export function metricsOfOne<T>(descriptions: Descriptions<T>, of: T): Metric[] {
  return metricsOf(descriptions, [{ labels: {}, of }]);
}

/** One metric with a value for each word. */
export function byLabel(
  { name, help, type }: Description,
  { label, counts }: { label: string; counts: Iterable<readonly [string, number]> },
): Metric {
  const samples = Array.from(counts, ([word, value]) => ({ labels: { [label]: word }, value }));
  return { name, help, type, samples };
}

/** One metric with one value. */
export function single({ name, help, type, scale }: Description, value: number): Metric {
  return { name, help, type, samples: [{ labels: {}, value: value * scale }] };
}
