/** Walks through the states of a system: for counterexamples, and to see that it can do anything. */
import type { Values } from "./evaluate.ts";
import { type Broken, type Machine, type Move } from "./machine.ts";

/** What a search has found. */
export interface SearchResult {
  readonly states: number;
  /** Steps that have happened. */
  readonly taken: ReadonlySet<string>;
  /** The shortest way to a state where a claim is broken; null if there was none. */
  readonly counterexample: { readonly broken: Broken; readonly moves: readonly Move[] } | null;
  /** Part of the invariant that does not hold somewhere; null where all hold. */
  readonly wrongInvariant: string | null;
}

interface Node {
  readonly state: Values;
  readonly from: Node | null;
  readonly move: Move | null;
}

/** Breadth first, up to so many states. A claim that is broken ends it. */
export function search(machine: Machine, statesMax: number): SearchResult {
  const first: Node = { state: machine.initial, from: null, move: null };
  const known = new Set([machine.keyOf(first.state)]);
  const taken = new Set<string>();
  let wrongInvariant: string | null = null;
  let level: Node[] = [first];
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of level) {
      const broken = machine.broken(node.state);
      if (broken?.kind === "claim") {
        const counterexample = { broken, moves: movesTo(node) };
        return { states: known.size, taken, counterexample, wrongInvariant };
      }
      if (broken !== null) wrongInvariant ??= `${broken.name} after ${describe(movesTo(node))}`;
      if (!machine.isWithinBound(node.state) || known.size >= statesMax) continue;
      for (const move of machine.moves(node.state)) {
        taken.add(move.step);
        const state = machine.after(node.state, move);
        const key = machine.keyOf(state);
        if (known.has(key)) continue;
        known.add(key);
        next.push({ state, from: node, move });
      }
    }
    level = next;
  }
  return { states: known.size, taken, counterexample: null, wrongInvariant };
}

/** The moves in words. */
export function describe(moves: readonly Move[]): string {
  return moves.map(({ step, choice }) => {
    const chosen = Object.values(choice).map(String).join(" ");
    return chosen === "" ? step : `${step}(${chosen})`;
  }).join(", ");
}

function movesTo(node: Node): Move[] {
  const moves: Move[] = [];
  for (let at: Node | null = node; at?.move != null; at = at.from) moves.push(at.move);
  return moves.reverse();
}
