/** What a fuzz target is. */
import type { Random } from "./random.ts";

/** An input that breaks what must always hold. */
export interface Failure {
  /** What was expected and what was seen. */
  readonly problem: string;
  /** The input, for a report. */
  readonly input: Uint8Array;
}

/** Makes one input from `random`, tries it, and gives what is wrong, or null. */
export interface Target {
  readonly name: string;
  /** Inputs of a run that names neither inputs nor seconds. */
  readonly inputs: number;
  try(random: Random): Failure | null;
}
