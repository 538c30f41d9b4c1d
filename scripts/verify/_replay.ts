/** Repeats the steps of a model on the code and compares what is there behind each of them. */
import { readVariables, type Relation, type Step } from "./_relation.ts";
import type { Rig } from "./replay/rig.ts";

/** So many steps before a difference are told. */
const WAY_STEPS = 24;

/** How a replay went. */
export interface ReplayResult {
  /** Steps that were carried out, those on the way to others included. */
  readonly steps: number;
  /** Of these, different ones. */
  readonly distinct: number;
  /** Variables of the model that were compared. */
  readonly compared: readonly string[];
  /** Where model and code differ first; null if they do not. */
  readonly difference: string | null;
}

/** Takes every step of the model, or some from everywhere until `stepsMax` are carried out. */
export function replay(
  relation: Relation,
  rig: Rig,
  stepsMax = Infinity,
): Promise<ReplayResult> {
  const done = last.then(() => takeSteps(relation, rig, stepsMax));
  last = done.catch(() => {});
  return done;
}

/** One at a time: rigs put clocks and files of their own in the place of those of the runtime. */
let last: Promise<unknown> = Promise.resolve();

async function takeSteps(relation: Relation, rig: Rig, stepsMax: number): Promise<ReplayResult> {
  let steps = 0;
  const taken = new Set<Step>();
  let compared: readonly string[] = [];
  for (const walk of relation.walks()) {
    if (steps >= stepsMax) break;
    await rig.reset();
    const start = differenceAt(rig, relation.initial);
    if (start !== null) {
      return { steps, distinct: taken.size, compared, difference: `at the start: ${start}` };
    }
    compared = Object.keys(rig.observe());
    for (const [index, step] of walk.entries()) {
      steps++;
      taken.add(step);
      let difference: string | null;
      try {
        const done = rig.step(step.act.split(" "));
        // Only then: what waits for nothing but its turn would have it here.
        if (done !== undefined) await done;
        difference = differenceAt(rig, step.to);
      } catch (error) {
        difference = error instanceof Error ? error.message : String(error);
      }
      if (difference === null) continue;
      const way = walk.slice(Math.max(0, index + 1 - WAY_STEPS), index + 1)
        .map(({ act }) => act).join(", ");
      return { steps, distinct: taken.size, compared, difference: `${difference}; behind: ${way}` };
    }
  }
  return { steps, distinct: taken.size, compared, difference: null };
}

function differenceAt(rig: Rig, state: string): string | null {
  const expected = readVariables(state);
  const found: string[] = [];
  for (const [name, value] of Object.entries(rig.observe())) {
    const wanted = expected.get(name);
    if (wanted === undefined) throw new Error(`Cannot compare ${name}: the model has no such`);
    if (wanted !== value) found.push(`${name} is ${value}, in the model ${wanted}`);
  }
  return found.length === 0 ? null : found.join(", ");
}
