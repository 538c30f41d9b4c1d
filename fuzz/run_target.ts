/** Runs a target over seeds that follow one another, so that each input has a seed of its own. */
import { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

/** When to stop: whichever comes first. */
export interface Bounds {
  readonly seed: number;
  readonly inputs: number;
  readonly seconds: number;
}

/** What a run came to. */
export interface RunReport {
  readonly inputs: number;
  readonly seconds: number;
  /** The failure and the seed that makes it again with one input, or null. */
  readonly failure: (Failure & { readonly seed: number }) | null;
}

/** Where a run stands: an input that begins now. */
export interface Progress {
  /** Inputs that were tried. */
  readonly inputs: number;
  /** The seed of the next one. */
  readonly seed: number;
}

/** How often a run tells where it stands. */
const PROGRESS_MS = 1_000;

/** Runs until a failure or a bound; `tell` hears about once a second where it stands. */
export function runTarget(
  target: Target,
  bounds: Bounds,
  tell?: (progress: Progress) => void,
): RunReport {
  const startedMs = performance.now();
  const random = new Random(0);
  const deadlineMs = startedMs + bounds.seconds * 1000;
  let inputs = 0;
  let toldMs = -Infinity;
  while (inputs < bounds.inputs) {
    if ((inputs & 63) === 0 && performance.now() >= deadlineMs) break;
    const seed = (bounds.seed + inputs) >>> 0;
    if (tell !== undefined && performance.now() - toldMs >= PROGRESS_MS) {
      toldMs = performance.now();
      tell({ inputs, seed });
    }
    random.reseed(seed);
    const failure = target.try(random);
    inputs++;
    if (failure === null) continue;
    return { inputs, seconds: elapsed(startedMs), failure: { ...failure, seed } };
  }
  return { inputs, seconds: elapsed(startedMs), failure: null };
}

function elapsed(startedMs: number): number {
  return (performance.now() - startedMs) / 1000;
}
