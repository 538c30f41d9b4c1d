/** Metrics of a birth, found by their name's bytes or by their alias. */
import { encodeUtf8 } from "../mqtt/mod.ts";
import type { Metric } from "./payload.ts";
import type { MetricShape } from "./metric_shape.ts";
import { PayloadShapes } from "./payload_shape.ts";

/** Names of one hash; only somebody who looks for them finds more. */
const CHAIN_MAX = 8;

/** A metric as it was born. */
export class BornMetric {
  readonly name: string;
  readonly nameBytes: Uint8Array;
  /** A number where that is exact. */
  alias: number | bigint | null;
  readonly dataType: number;
  /** The metric that stood behind this one last time: mostly it does again. */
  next: BornMetric | null = null;
  /** How it looked on the wire last time; null if that is not known. */
  shape: MetricShape | null = null;
  /** How often its shape may still be learnt anew: not for ever if it changes all the time. */
  shapesLeft = 64;
  /** Hash of the last value, where unchanged values are watched; -1 if there is none. */
  valueHash = -1;

  constructor(metric: Metric) {
    this.name = metric.name ?? "";
    this.nameBytes = encodeUtf8(this.name);
    this.alias = metric.alias === null ? null : aliasKey(metric.alias);
    this.dataType = metric.dataType ?? 0;
  }
}

/** An alias as a key. */
export function aliasKey(alias: bigint): number | bigint {
  return alias <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(alias) : alias;
}

/** Metrics of one Edge Node or one Device. */
export class MetricTable<M extends BornMetric = BornMetric> {
  readonly metrics: M[] = [];
  /** The metric that stood first last time. */
  first: M | null = null;
  /** Whether metrics were left out because there were too many. */
  incomplete = false;
  /** Shapes of the data that was read with this table. */
  readonly shapes = new PayloadShapes();
  readonly #byHash = new Map<number, M[]>();
  readonly #byAlias = new Map<number | bigint, M>();

  /**
   * Adds one, and gives whether it did. A second of the same name is left out, a second alias of the
   * same number is none.
   */
  add(metric: M): boolean {
    const { nameBytes } = metric;
    if (this.byName(nameBytes, 0, nameBytes.length) !== null) return false;
    const hash = hashBytes(nameBytes, 0, nameBytes.length);
    const chain = this.#byHash.get(hash);
    if (chain === undefined) this.#byHash.set(hash, [metric]);
    else if (chain.length < CHAIN_MAX) chain.push(metric);
    else {
      this.incomplete = true;
      return false;
    }
    const last = this.metrics.at(-1);
    if (last === undefined) this.first = metric;
    else last.next = metric;
    this.metrics.push(metric);
    if (metric.alias === null) return true;
    if (this.#byAlias.has(metric.alias)) metric.alias = null;
    else this.#byAlias.set(metric.alias, metric);
    return true;
  }

  /** The metric of this name, or null. */
  byName(bytes: Uint8Array, start: number, end: number): M | null {
    const chain = this.#byHash.get(hashBytes(bytes, start, end));
    if (chain === undefined) return null;
    return chain.find((metric) => sameBytes(metric.nameBytes, bytes, start, end)) ?? null;
  }

  /** The metric of this alias, or null. */
  byAlias(alias: number | bigint): M | null {
    return this.#byAlias.get(alias) ?? null;
  }

  /** The metric of this name, or null. */
  named(name: string): M | null {
    const bytes = encodeUtf8(name);
    return this.byName(bytes, 0, bytes.length);
  }
}

/** FNV-1a. */
export function hashBytes(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash >>> 0;
}

/** Whether `expected` stands at `bytes[start, end)`. Positional, because it runs for each metric. */
export function sameBytes(
  expected: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): boolean {
  const length = end - start;
  if (expected.length !== length) return false;
  // Names of one plant begin alike: they differ at their ends.
  for (let i = length - 1; i >= 0; i--) if (expected[i] !== bytes[start + i]) return false;
  return true;
}
