/** Medians and spreads of a few rounds. */

/** A metric over all rounds. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** The middle value, or the mean of the two middle ones; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  if (sorted.length % 2 === 1) return upper;
  return ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Median, least and greatest; values that are not numbers are left out. */
export function spread(values: readonly number[]): Spread {
  const known = values.filter((value) => !Number.isNaN(value));
  return { median: median(known), min: Math.min(...known), max: Math.max(...known) };
}
