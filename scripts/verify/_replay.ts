/** Repeats the steps of a model on the code and compares what is there behind each of them. */
import { readVariables, type Relation } from "./_relation.ts";
import type { Rig } from "./replay/rig.ts";

/** How a replay went. */
export interface ReplayResult {
  /** Steps that were carried out, those on the way to others included. */
  readonly steps: number;
  /** Variables of the model that were compared. */
  readonly compared: readonly string[];
  /** Where model and code differ first; null if they do not. */
  readonly difference: string | null;
}

/** Takes every step of the model. */
export async function replay(relation: Relation, rig: Rig): Promise<ReplayResult> {
  let steps = 0;
  let compared: readonly string[] = [];
  for (const walk of relation.walks()) {
    await rig.reset();
    const start = differenceAt(rig, relation.initial);
    if (start !== null) return { steps, compared, difference: `at the start: ${start}` };
    compared = Object.keys(rig.observe());
    for (const [index, step] of walk.entries()) {
      steps++;
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
      const way = walk.slice(0, index + 1).map(({ act }) => act).join(", ");
      return { steps, compared, difference: `${difference}; behind: ${way}` };
    }
  }
  return { steps, compared, difference: null };
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
