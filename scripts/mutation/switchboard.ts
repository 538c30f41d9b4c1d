/** Which mutant is awake, and which were asked for: the instrumented source calls this. */

let awakeNumber = -1;
let reached = new Set<number>();

/** Whether a mutant is awake. */
export function awake(number: number): boolean {
  if (awakeNumber === -2) reached.add(number);
  return number === awakeNumber;
}

/** Wakes one mutant; -1 for none. */
export function wake(number: number): void {
  awakeNumber = number;
}

/** Takes note, from now on, of the mutants that are reached; gives those until now. */
export function watchReached(): ReadonlySet<number> {
  const until = reached;
  reached = new Set();
  awakeNumber = -2;
  return until;
}
