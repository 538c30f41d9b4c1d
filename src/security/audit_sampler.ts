/**
 * How much of what an attacker can cause is written down: of each kind and origin a few in a while,
 * of all together a few a second. What is left out is counted, and the counts are written.
 */
import { Aging, AgingList } from "./_aging_list.ts";
import { makeRate, TokenBucket } from "./token_bucket.ts";

/** How much is written. */
export interface AuditSamplerLimits {
  /** Of one key within the window. */
  readonly perKeyMax: number;
  readonly windowMs: number;
  /** Of all keys together, on the average. */
  readonly perSecondMax: number;
  /** Of all keys together at once; as many as of a second if nothing is said. */
  readonly burstMax?: number;
  /** Keys that are remembered; one takes about 500 bytes. */
  readonly keysMax: number;
}

class Sample<T> extends Aging {
  readonly key: string;
  /** The last one that was left out. */
  item: T;
  sinceMs: number;
  written = 0;
  suppressed = 0;

  constructor(key: string, item: T, nowMs: number) {
    super();
    this.key = key;
    this.item = item;
    this.sinceMs = nowMs;
  }
}

/** Chooses what is written. */
export class AuditSampler<T> {
  readonly #limits: AuditSamplerLimits;
  readonly #all: TokenBucket;
  readonly #samples = new Map<string, Sample<T>>();
  /** By the start of their window. */
  readonly #aging = new AgingList<Sample<T>>();
  #others = 0;

  /** Throws RangeError for limits that let nothing pass. */
  constructor(limits: AuditSamplerLimits) {
    const { perSecondMax, burstMax = perSecondMax } = limits;
    const rate = makeRate(perSecondMax, burstMax);
    if (rate === null || limits.keysMax < 1 || limits.perKeyMax < 1 || !(limits.windowMs > 0)) {
      throw new RangeError(`Cannot sample: limits ${JSON.stringify(limits)}`);
    }
    this.#limits = limits;
    this.#all = new TokenBucket(rate);
  }

  /** Keys remembered now. */
  get keys(): number {
    return this.#samples.size;
  }

  /**
   * Whether an item is written: null if it is left out, else how many of its key were left out
   * since the last one that was written. A key is short: who and what, not what was said.
   */
  admit(key: string, item: T, nowMs: number): number | null {
    let sample = this.#samples.get(key);
    if (sample === undefined) {
      if (this.#all.take(1, nowMs) > 0) {
        this.#others++;
        return null;
      }
      sample = this.#add(key, item, nowMs);
      sample.written = 1;
      return 0;
    }
    if (nowMs - sample.sinceMs >= this.#limits.windowMs) this.#restart(sample, nowMs);
    if (sample.written >= this.#limits.perKeyMax || this.#all.take(1, nowMs) > 0) {
      sample.suppressed++;
      sample.item = item;
      return null;
    }
    const { suppressed } = sample;
    sample.suppressed = 0;
    sample.written++;
    return suppressed;
  }

  /** Counts that nothing has come to carry since the end of their window, and forgets their keys. */
  drain(nowMs: number): { items: { item: T; suppressed: number }[]; others: number } {
    const items: { item: T; suppressed: number }[] = [];
    for (;;) {
      const { first } = this.#aging;
      if (first === null || nowMs - first.sinceMs < this.#limits.windowMs) break;
      // Beyond the rate they are counted together: draining must not be the flood.
      const { item, suppressed } = first;
      if (suppressed > 0 && this.#all.take(1, nowMs) > 0) this.#others += suppressed;
      else if (suppressed > 0) items.push({ item, suppressed });
      this.#forget(first);
    }
    const others = this.#others;
    this.#others = 0;
    return { items, others };
  }

  #add(key: string, item: T, nowMs: number): Sample<T> {
    const oldest = this.#samples.size >= this.#limits.keysMax ? this.#aging.first : null;
    if (oldest !== null) {
      this.#others += oldest.suppressed;
      this.#forget(oldest);
    }
    const sample = new Sample(key, item, nowMs);
    this.#samples.set(key, sample);
    this.#aging.touch(sample);
    return sample;
  }

  #restart(sample: Sample<T>, nowMs: number): void {
    sample.sinceMs = nowMs;
    sample.written = 0;
    this.#aging.touch(sample);
  }

  #forget(sample: Sample<T>): void {
    this.#aging.remove(sample);
    this.#samples.delete(sample.key);
  }
}
