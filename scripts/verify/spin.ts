/**
 * The models of concurrency: explored by Spin to the last state, with mutants that it must reject,
 * and every step of them repeated on the code, so that model and code cannot drift apart.
 */
import { breakModel, checkFormulas, explore, repeat, Workshop } from "./_explore.ts";
import { spinVersion } from "./_pan.ts";
import type { PanResult } from "./_pan_output.ts";
import type { SpinModel } from "./_spin_model.ts";
import { SPIN_MODELS } from "./_spin_models.ts";
import type { VerifyOptions, VerifyRow } from "./verify_row.ts";

const SECTION = "concurrency";
/** Models that are worked on at the same time. */
const AT_ONCE = 2;

/** Explores all models. Throws MissingTool where Spin or a C compiler is not installed. */
export async function run(
  { quick }: VerifyOptions,
  models: readonly SpinModel[] = SPIN_MODELS,
): Promise<VerifyRow[]> {
  const tool = `spin ${await spinVersion()}`;
  const folder = await Deno.makeTempDir({ prefix: "relayq-spin-" });
  const shop = new Workshop(folder, { quick });
  const rows: VerifyRow[][] = [];
  const left = [...models.entries()];
  async function work(): Promise<void> {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [index, model] = next;
      rows[index] = await rowsOf(model, shop, tool);
    }
  }
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return rows.flat();
}

async function rowsOf(model: SpinModel, shop: Workshop, tool: string): Promise<VerifyRow[]> {
  const title = model.variant === "" ? model.name : `${model.name} (${model.variant})`;
  const rows = [await assertionsRow(model, shop), ...await formulaRows(model, shop)];
  const repeated = await repeatedRows(model, shop);
  return [...rows, ...repeated].map((row) => ({
    section: SECTION,
    tool,
    ...row,
    name: `${title}: ${row.name}`,
  }));
}

type Row = Omit<VerifyRow, "section" | "tool">;

async function assertionsRow(model: SpinModel, shop: Workshop): Promise<Row> {
  const startedMs = performance.now();
  const { result, unexplained, outdated } = await explore(model, shop);
  const faults = [
    ...result.errors > 0 ? ["an assertion does not hold, or a process waits for ever"] : [],
    ...result.complete ? [] : ["not all states were looked at"],
    ...unexplained.map((statement) => `never reached: ${statement}`),
    ...outdated.map((statement) => `explained and reached all the same: ${statement}`),
  ];
  return row("assertions, no code unreached", startedMs, { size: sizeText(result), faults });
}

async function formulaRows(model: SpinModel, shop: Workshop): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [formula, result] of await checkFormulas(model, shop)) {
    const faults = [
      ...result.errors > 0 ? ["it does not hold"] : [],
      ...result.complete ? [] : ["not all states were looked at"],
    ];
    const startedMs = performance.now() - result.seconds * 1000;
    rows.push(row(`ltl ${formula}`, startedMs, { size: sizeText(result), faults }));
  }
  return rows;
}

async function repeatedRows(model: SpinModel, shop: Workshop): Promise<Row[]> {
  const startedMs = performance.now();
  const { size, states, steps, distinct, difference } = await repeat(model, shop);
  const share = distinct === size ? "all" : `${figure(distinct)} of`;
  const text = `${share} ${figure(size)} steps of ${figure(states)} states, ` +
    `${figure(steps)} carried out`;
  const faults = difference === null ? [] : [difference];
  const rows = [row("steps repeated on the code", startedMs, { size: text, faults })];
  const mutantsMs = performance.now();
  const missed: string[] = [];
  const mutants = shop.quick ? model.mutants.slice(0, 1) : model.mutants;
  for (const mutant of mutants) {
    const { rejectedBy, difference } = await breakModel(model, mutant, shop);
    if (rejectedBy === null) missed.push(`${mutant} is not rejected`);
    if (difference === null) missed.push(`${mutant} is not noticed by the replay`);
  }
  const broken = `${mutants.length} of ${model.mutants.length} mutants`;
  rows.push(row("mutants rejected, and noticed", mutantsMs, { size: broken, faults: missed }));
  return rows;
}

function row(
  name: string,
  startedMs: number,
  { size, faults }: { size: string; faults: readonly string[] },
): Row {
  const seconds = (performance.now() - startedMs) / 1000;
  const told = faults.length === 0 ? {} : { detail: faults.join("; ") };
  return { name, size, seconds, ok: faults.length === 0, ...told };
}

function sizeText({ states, transitions, depth }: PanResult): string {
  return `${figure(states)} states, ${figure(transitions)} transitions, depth ${figure(depth)}`;
}

function figure(value: number): string {
  return value.toLocaleString("en");
}
