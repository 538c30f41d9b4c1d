/** Random decisions of a simulation: all of them come from one seed, in one order. */
import { Random } from "../../fuzz/random.ts";

/** A seeded generator with the decisions that a simulation takes. */
export class Dice extends Random {
  constructor(seed: number) {
    super(seed);
    this.reseed(seed);
  }

  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.bits() < probability * 0x1_0000_0000;
  }

  /** A number from `low` up to, but not including, `high`. */
  between(low: number, high: number): number {
    return low + (this.bits() / 0x1_0000_0000) * (high - low);
  }

  /** An integer from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Mostly short, at times many times the mean: how long things take in the field. */
  duration(meanMs: number): number {
    return -meanMs * Math.log(1 - this.bits() / 0x1_0000_0000);
  }

  /** One of the keys, each as likely as its weight says. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let rest = this.between(0, entries.reduce((sum, [, weight]) => sum + weight, 0));
    for (const [key, weight] of entries) {
      rest -= weight;
      if (rest < 0) return key;
    }
    return entries[entries.length - 1]![0];
  }
}
