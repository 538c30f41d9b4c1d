/** Runs in the instrumented copy: fuzzes targets and writes what is worth keeping. See `main.ts`. */
import { parseArgs } from "@std/cli";
import { readCorpus } from "../corpus.ts";
import { TapeRandom, tapeToText } from "../tape.ts";
import type { Target } from "../target.ts";
import { TARGETS } from "../targets.ts";
import { clearEdges, SeenEdges } from "./edges.ts";
import { guide } from "./guide.ts";

/** Bytes of a corpus file at most: it is kept in the repository. */
const CORPUS_BYTES_MAX = 16_384;

function run(
  target: Target,
  { seconds, seed, out }: { seconds: number; seed: number; out: string },
) {
  const corpus = readCorpus(target.name);
  const report = guide(target, { seed, seconds, corpus, guided: true });
  const plain = guide(target, { seed, seconds: seconds / 4, corpus: [], guided: false });
  const kept = worthKeeping(target, report.tapes);
  print(
    `target=${target.name} inputs=${report.inputs} seconds=${seconds} seed=${seed} ` +
      `edges=${report.edges} edges_unguided=${plain.edges} corpus=${kept.length}`,
  );
  if (out !== "") Deno.writeTextFileSync(`${out}/${target.name}.txt`, kept.join("\n") + "\n");
  if (report.failure === null) return true;
  print(`FAILED: ${report.failure.problem}`);
  print(`tape: ${tapeToText(report.failure.tape)}`);
  return false;
}

/** Shortest first, those that add something, as many as fit. */
function worthKeeping(target: Target, tapes: readonly Uint32Array[]): string[] {
  const player = new TapeRandom(0);
  const seen = new SeenEdges();
  const kept: string[] = [];
  let bytes = 0;
  for (const tape of tapes.toSorted((a, b) => a.length - b.length)) {
    clearEdges();
    player.play(tape, 0);
    target.try(player);
    if (!seen.add()) continue;
    const line = tapeToText(tape);
    bytes += line.length + 1;
    if (bytes > CORPUS_BYTES_MAX) break;
    kept.push(line);
  }
  return kept;
}

function print(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["target", "seconds", "seed", "out"] });
  const { target = "", seconds = "5", seed = "1", out = "" } = flags;
  const chosen = TARGETS.filter(({ name }) => target === "" || name === target);
  const options = { seconds: Number(seconds), seed: Number(seed), out: String(out) };
  const passed = chosen.map((one) => run(one, options));
  Deno.exit(passed.every(Boolean) ? 0 : 1);
}
