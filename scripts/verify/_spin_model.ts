/** What a model is to the runner: its sizes, its properties, its mutants, and what repeats its steps. */
import type { Rig } from "./replay/rig.ts";

/** Macros of the preprocessor, by their names. */
export type Defines = Readonly<Record<string, number>>;

/** A statement that no run can reach, and why that is right. */
export interface Unreached {
  /** The statement as Spin prints it. */
  readonly statement: string;
  readonly reason: string;
}

/** One model in Promela, with all that is explored of it. */
export interface SpinModel {
  /** Of the file in `models/`, without `.pml`. */
  readonly name: string;
  /** Which of several uses of the file; empty for the only one. */
  readonly variant: string;
  /** Macros of this use. */
  readonly defines: Defines;
  /** The size that is explored in the long run. */
  readonly full: Defines;
  /** The sizes whose every step is repeated on the code, in the bounded run and in the long one. */
  readonly replayed: { readonly quick: Defines; readonly full: Defines };
  /** Names of the formulas (`ltl`) in the file. */
  readonly formulas: readonly string[];
  /** Macros each of which breaks the model: Spin must find out, and so must the replay. */
  readonly mutants: readonly string[];
  /** What is never reached, besides the ends of loops that do not end. */
  readonly unreached: readonly Unreached[];
  /** Makes what carries out the steps on the real code, at this size. */
  rig(size: Defines): Rig;
}
