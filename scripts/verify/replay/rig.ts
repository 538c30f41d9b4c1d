/** The real code as the models see it: a step is carried out, and what is there then is looked at. */

/** What can be seen of the code, by the names that the model prints. */
export type Observation = Readonly<Record<string, number>>;

/** Carries out the steps of one model on the code itself. */
export interface Rig {
  /** Begins anew, in the state in which the model begins. */
  reset(): void | Promise<void>;
  /** Carries out a step; `words`: its name and its arguments, as the model prints them. */
  step(words: readonly string[]): void | Promise<void>;
  /** What is there now. */
  observe(): Observation;
  /** Lets go of what it holds. */
  close(): void | Promise<void>;
}

/** Lets everything run that waits for nothing but its turn, so many times over. */
export async function settle(turns = 24): Promise<void> {
  for (let i = 0; i < turns; i++) await null;
}
