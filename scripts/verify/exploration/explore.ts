/** Visits every state that can be reached, by doing again what led there. */
import { type Action, ExploredWorld, type Scenario } from "./explored_world.ts";
import { PromiseBroken } from "./promise_broken.ts";
import { checkEnd } from "./promises.ts";

/** What an exploration has seen. */
export interface Exploration {
  readonly states: number;
  /** Steps from a state to a state. */
  readonly transitions: number;
  /** States in which nothing more can happen. */
  readonly ends: number;
  /** The longest way. */
  readonly depth: number;
  /** What is broken, and the way there; null for nothing. */
  readonly broken: string | null;
  /** Whether all states were visited. */
  readonly isComplete: boolean;
}

/** Depth first: the first way from a state is gone with the world that is there, the others anew. */
export function explore(
  scenario: Scenario,
  { statesMax = Infinity }: { statesMax?: number } = {},
): Exploration {
  const known = new Set<string>();
  const waiting: Action[][] = [[]];
  let transitions = 0;
  let ends = 0;
  let depth = 0;
  while (waiting.length > 0) {
    const path = waiting.pop()!;
    try {
      const world = new ExploredWorld(scenario);
      path.forEach((action, index) => {
        world.isChecked = index === path.length - 1;
        world.act(action);
      });
      if (path.length > 0) transitions++;
      for (let key = hash(world.key); !known.has(key); key = hash(world.key)) {
        known.add(key);
        depth = Math.max(depth, path.length);
        const actions = world.actions();
        if (actions.length === 0) {
          checkEnd(world);
          ends++;
          break;
        }
        for (const other of actions.slice(1)) waiting.push([...path, other]);
        path.push(actions[0]!);
        world.act(actions[0]!);
        transitions++;
      }
    } catch (error) {
      if (!(error instanceof PromiseBroken)) throw error;
      const broken = `${error.message} after ${path.map(describeAction).join(", ")}`;
      return { states: known.size, transitions, ends, depth, broken, isComplete: false };
    }
    if (known.size >= statesMax) break;
  }
  const isComplete = waiting.length === 0;
  return { states: known.size, transitions, ends, depth, broken: null, isComplete };
}

/** 128 bits of a text, so that millions of states fit into memory. */
function hash(text: string): string {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  let c = 0x9e3779b9;
  let d = 0x85ebca6b;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
    c = Math.imul(c ^ code, 2246822519) + a;
    d = Math.imul(d ^ code, 3266489917) ^ (b >>> 7);
  }
  return String.fromCharCode(...[a, b, c, d].flatMap((n) => [n & 0xffff, n >>> 16]));
}

function describeAction({ kind, client, lost }: Action): string {
  if (lost !== undefined) return `${kind} (${lost.join(" ")} lost)`;
  return client < 0 ? kind : `${kind} ${client}`;
}
