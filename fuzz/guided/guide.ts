/** One target, guided: inputs that took a new way through the source are kept, and changed further. */
import { Random } from "../random.ts";
import { TapeRandom } from "../tape.ts";
import type { Failure, Target } from "../target.ts";
import { clearEdges, SeenEdges } from "./edges.ts";
import { mutateTape } from "./mutate_tape.ts";

/** What a guided run came to. */
export interface GuidedReport {
  readonly inputs: number;
  readonly edges: number;
  /** The tapes that found something new, in that order. */
  readonly tapes: readonly Uint32Array[];
  readonly failure: (Failure & { readonly tape: Uint32Array }) | null;
}

/** How often an input is drawn anew all the same: what is kept must not become all that is known. */
const FRESH_ONE_IN = 8;

/** Runs for so many seconds, beginning with the tapes of the corpus; unguided: every input is drawn anew. */
export function guide(
  target: Target,
  { seed, seconds, corpus, guided }: {
    seed: number;
    seconds: number;
    corpus: readonly Uint32Array[];
    guided: boolean;
  },
): GuidedReport {
  const endMs = performance.now() + seconds * 1000;
  const random = new Random(seed);
  const player = new TapeRandom(seed);
  const seen = new SeenEdges();
  const tapes: Uint32Array[] = [];
  const none = new Uint32Array(0);
  let inputs = 0;
  for (; performance.now() < endMs; inputs++) {
    const fresh = !guided || tapes.length === 0 || random.oneIn(FRESH_ONE_IN);
    const tape = inputs < corpus.length
      ? corpus[inputs]!
      : fresh
      ? none
      : mutateTape(recent(tapes, random), { random, other: random.pick(tapes) });
    clearEdges();
    player.play(tape, seed + inputs);
    const failure = attempt(target, player);
    if (failure !== null) {
      return { inputs, edges: seen.edges, tapes, failure: { ...failure, tape: player.played() } };
    }
    if (seen.add()) tapes.push(player.played());
  }
  return { inputs, edges: seen.edges, tapes, failure: null };
}

function attempt(target: Target, random: Random): Failure | null {
  try {
    return target.try(random);
  } catch (error) {
    const problem = `it threw ${error instanceof Error ? error.stack : error}`;
    return { problem, input: new Uint8Array(0) };
  }
}

/** One of the tapes; of two draws the later one, since it lies at the edge of what is known. */
function recent(tapes: readonly Uint32Array[], random: Random): Uint32Array {
  return tapes[Math.max(random.below(tapes.length), random.below(tapes.length))]!;
}
