/** One model explored: its assertions, its formulas, its mutants, and its steps on the code. */
import { Pan } from "./_pan.ts";
import type { PanResult } from "./_pan_output.ts";
import { Relation } from "./_relation.ts";
import { replay, type ReplayResult } from "./_replay.ts";
import type { Defines, SpinModel } from "./_spin_model.ts";

/** Assertions may fail and processes may wait for ever: all steps are wanted. */
const ALL_STEPS = ["-A", "-E"] as const;

/** Steps that are repeated on the code in the bounded run, at least. */
const QUICK_STEPS = 2_500;

/** Where verifiers are made, and how much time they are worth. */
export class Workshop {
  readonly #folder: string;
  readonly quick: boolean;
  /** What was made before, by model and size. */
  readonly #made = new Map<string, Promise<Pan>>();

  constructor(folder: string, { quick }: { quick: boolean }) {
    this.#folder = folder;
    this.quick = quick;
  }

  /** The model at this size, in C. */
  generate(model: SpinModel, size: Defines): Promise<Pan> {
    const defines = { ...size, ...model.defines };
    const key = `${model.name} ${JSON.stringify(defines)}`;
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = Pan.generate(model.name, defines, { parent: this.#folder, long: !this.quick });
    this.#made.set(key, made);
    return made;
  }
}

/** What was explored of a model. */
export interface Exploration {
  readonly result: PanResult;
  /** Statements that were not reached and that nobody has explained. */
  readonly unexplained: readonly string[];
  /** Explanations of statements that were reached. */
  readonly outdated: readonly string[];
}

/** Whether, and on what grounds, Spin rejects a mutant and the replay notices it. */
export interface MutantVerdict {
  readonly mutant: string;
  /** `assertion`, the name of a formula, or null if Spin finds nothing. */
  readonly rejectedBy: string | null;
  /** Where it and the code differ; null if the replay has not noticed. */
  readonly difference: string | null;
}

/** Explores all states of a model at the size that is wanted. */
export async function explore(model: SpinModel, shop: Workshop): Promise<Exploration> {
  const pan = await shop.generate(model, sizeOf(model, shop));
  // The one that prints steps does not leave any out; for the larger sizes that is too much.
  const verifier = await pan.compile(shop.quick ? "steps" : "safety");
  const result = await pan.run(verifier);
  const statements = await pan.statements(verifier);
  const explained = new Set(model.unreached.map(({ statement }) => statement));
  const unexplained: string[] = [];
  const found = new Set<string>();
  for (const [key, times] of result.unreached) {
    const statement = key.slice(key.indexOf(": ") + 2);
    // Loops do not end; and what stands in several processes is reached if it is in one.
    if (statement === "-end-" || times < (statements.get(key) ?? 1)) continue;
    found.add(statement);
    if (!explained.has(statement)) unexplained.push(key);
  }
  const outdated = [...explained].filter((statement) => !found.has(statement));
  return { result, unexplained, outdated };
}

/** Checks the formulas of a model, with fair processes; gives the results by their names. */
export async function checkFormulas(
  model: SpinModel,
  shop: Workshop,
): Promise<Map<string, PanResult & { readonly seconds: number }>> {
  const pan = await shop.generate(model, sizeOf(model, shop));
  const verifier = await pan.compile("formulas");
  const results = new Map<string, PanResult & { readonly seconds: number }>();
  for (const formula of model.formulas) {
    const startedMs = performance.now();
    const result = await pan.run(verifier, ["-a", "-f", "-N", formula]);
    results.set(formula, { ...result, seconds: (performance.now() - startedMs) / 1000 });
  }
  return results;
}

/** Repeats every step of a model on the code. */
export async function repeat(
  model: SpinModel,
  shop: Workshop,
): Promise<ReplayResult & { readonly size: number; readonly states: number }> {
  const size = replaySize(model, shop);
  const pan = await shop.generate(model, size);
  const relation = await relationOf(pan, await pan.compile("steps"));
  const stepsMax = shop.quick ? QUICK_STEPS : Infinity;
  const result = await onCode(model, relation, { size, stepsMax });
  return { ...result, size: relation.size, states: relation.states };
}

/** Breaks a model: whoever looks must notice. */
export async function breakModel(
  model: SpinModel,
  mutant: string,
  shop: Workshop,
): Promise<MutantVerdict> {
  const size = replaySize(model, shop);
  const pan = await shop.generate(model, { ...size, [mutant]: 1 });
  const steps = await pan.compile("steps");
  const rejectedBy = (await pan.run(steps)).errors > 0
    ? "assertion"
    : await brokenFormula(model, pan);
  const { difference } = await onCode(model, await relationOf(pan, steps), {
    size,
    stepsMax: Infinity, // it ends at the first difference
  });
  return { mutant, rejectedBy, difference };
}

async function brokenFormula(model: SpinModel, pan: Pan): Promise<string | null> {
  const verifier = await pan.compile("formulas");
  for (const formula of model.formulas) {
    if ((await pan.run(verifier, ["-a", "-f", "-N", formula])).errors > 0) return formula;
  }
  return null;
}

async function relationOf(pan: Pan, steps: string): Promise<Relation> {
  const { lines, complete } = await pan.run(steps, ALL_STEPS);
  if (!complete) throw new Error("Cannot replay model: not all of its states were looked at");
  return new Relation(lines);
}

async function onCode(
  model: SpinModel,
  relation: Relation,
  { size, stepsMax }: { size: Defines; stepsMax: number },
): Promise<ReplayResult> {
  const rig = model.rig(size);
  try {
    return await replay(relation, rig, stepsMax);
  } finally {
    await rig.close();
  }
}

function sizeOf(model: SpinModel, { quick }: Workshop): Defines {
  return quick ? model.replayed.quick : model.full;
}

function replaySize(model: SpinModel, { quick }: Workshop): Defines {
  return quick ? model.replayed.quick : model.replayed.full;
}
