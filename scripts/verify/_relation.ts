/** The steps of a model, and walks that take every one of them. */

/** One step: the state before, what is done, the state behind it. */
export interface Step {
  readonly from: string;
  readonly act: string;
  readonly to: string;
}

/** Distance of the first states that are looked at; a power of 8. */
const STRIDE = 512;

const LINE = /^@ (.*?) > (.*?) > (.*)$/;

/** All steps of a model. */
export class Relation {
  readonly initial: string;
  readonly #steps = new Map<string, Map<string, Step>>();
  #size = 0;

  /** `lines`: what a verifier prints that prints every step. Throws if a step leads to two states. */
  constructor(lines: readonly string[]) {
    let initial: string | null = null;
    for (const line of lines) {
      const [, from, act, to] = LINE.exec(line) ?? [];
      if (from === undefined || act === undefined || to === undefined) continue;
      initial ??= from;
      this.#add({ from, act, to });
    }
    if (initial === null) throw new Error("Cannot replay model: it has no steps");
    this.initial = initial;
  }

  /** How many steps there are. */
  get size(): number {
    return this.#size;
  }

  /** How many states there are that something leads away from. */
  get states(): number {
    return this.#steps.size;
  }

  /**
   * Walks from the first state that take every step at least once: on as long as there is a step
   * that was not taken, then anew, by the shortest way to the next one.
   */
  *walks(): Generator<readonly Step[]> {
    const before = this.#shortestWays();
    const left = new Map<string, Step[]>();
    for (const [state, steps] of this.#steps) left.set(state, [...steps.values()]);
    for (const state of scattered([...left.keys()])) {
      while (left.get(state)!.length > 0) yield this.#walk(state, before, left);
    }
  }

  #walk(target: string, before: ReadonlyMap<string, Step>, left: Map<string, Step[]>): Step[] {
    const walk: Step[] = [];
    for (let step = before.get(target); step !== undefined; step = before.get(step.from)) {
      walk.push(step);
    }
    walk.reverse();
    let state = target;
    for (;;) {
      const step = left.get(state)?.pop();
      if (step === undefined) return walk;
      walk.push(step);
      state = step.to;
    }
  }

  /** The last step of a shortest way to each state but the first. */
  #shortestWays(): Map<string, Step> {
    const before = new Map<string, Step>();
    const reached = [this.initial];
    for (const state of reached) {
      for (const step of this.#steps.get(state)?.values() ?? []) {
        if (step.to === this.initial || before.has(step.to)) continue;
        before.set(step.to, step);
        reached.push(step.to);
      }
    }
    return before;
  }

  #add(step: Step): void {
    let steps = this.#steps.get(step.from);
    if (steps === undefined) this.#steps.set(step.from, steps = new Map());
    const known = steps.get(step.act);
    if (known !== undefined && known.to !== step.to) {
      throw new Error(`Cannot replay model: "${step.act}" leads to two states from ${step.from}`);
    }
    if (known !== undefined) return;
    steps.set(step.act, step);
    this.#size++;
  }
}

/** In an order in which the first few come from everywhere. */
function* scattered(states: readonly string[]): Generator<string> {
  const { length } = states;
  for (let stride = STRIDE; stride > 0; stride = Math.floor(stride / 8)) {
    for (let at = stride === STRIDE ? 0 : stride; at < length; at += stride) yield states[at]!;
  }
}

/** The variables of a state, as the model prints them: `name=1 other=0`. */
export function readVariables(state: string): Map<string, number> {
  const variables = new Map<string, number>();
  for (const [, name, value] of state.matchAll(/(\w+)=(-?\d+)/g)) {
    variables.set(name!, Number(value));
  }
  return variables;
}
