import { Random } from "../../fuzz/random.ts";

/** The same values in another order, the same one for the same seed. */
export function shuffled<T>(values: readonly T[], seed: number): T[] {
  const random = new Random(seed);
  const order = [...values];
  for (let i = order.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
