/**
 * State machines as data. A table is written once, readable, as `state → event → transition`; it is
 * compiled to byte arrays that the broker steps through, and the same object is what diagrams,
 * exhaustive tests and the solver read.
 */

/** Where an event leads, and what the machine emits on the way. */
export interface Transition {
  readonly to: string;
  readonly emit?: string;
}

/** `state → event → transition`; a missing entry is a protocol error and leaves the state as it is. */
export type TransitionTable = Readonly<Record<string, Readonly<Record<string, Transition>>>>;

/** The names of the events of a table. */
export type EventOf<T extends TransitionTable> = { [S in keyof T]: keyof T[S] }[keyof T] & string;

/** The names of what the transitions of a table emit. */
export type EmissionOf<T extends TransitionTable> = {
  [S in keyof T]: { [E in keyof T[S]]: T[S][E] extends { emit: infer X } ? X : never }[keyof T[S]];
}[keyof T];

/** What `next` holds where the table has no entry. */
export const NO_TRANSITION = 0xff;

/** What `emission` holds where a transition emits nothing. */
export const EMITS_NOTHING = 0;

/** A table as numbers: look up `next[state * events + event]`. */
export interface CompiledTable<S extends string, E extends string, X extends string> {
  readonly states: Readonly<Record<S, number>>;
  readonly events: Readonly<Record<E, number>>;
  /** Numbers of the emissions, from 1; 0 is `EMITS_NOTHING`. */
  readonly emissions: Readonly<Record<X, number>>;
  /** Number of events: the distance between two states in the arrays. */
  readonly stride: number;
  readonly next: Uint8Array;
  readonly emission: Uint8Array;
}

/**
 * Compiles a table; states, events and emissions are numbered in the order in which they first
 * appear.
 */
export function compileTable<const T extends TransitionTable>(
  table: T,
): CompiledTable<keyof T & string, EventOf<T>, EmissionOf<T> & string> {
  const rows = Object.entries(table);
  const cells = rows.flatMap(([state, row]) =>
    Object.entries(row).map(([event, transition]) => ({ state, event, ...transition }))
  );
  const states = numbered(rows.map(([state]) => state), 0);
  const events = numbered(cells.map((cell) => cell.event), 0);
  const emissions = numbered(cells.flatMap((cell) => cell.emit ?? []), EMITS_NOTHING + 1);
  const stride = Object.keys(events).length;
  const next = new Uint8Array(rows.length * stride).fill(NO_TRANSITION);
  const emission = new Uint8Array(rows.length * stride);
  for (const cell of cells) {
    const target = states[cell.to];
    if (target === undefined) {
      throw new Error(`Cannot compile table: ${cell.state} leads to unknown state ${cell.to}`);
    }
    const at = states[cell.state]! * stride + events[cell.event]!;
    next[at] = target;
    if (cell.emit !== undefined) emission[at] = emissions[cell.emit]!;
  }
  // The keys of the records are the very names that the types list.
  return { states, events, emissions, stride, next, emission } as CompiledTable<
    keyof T & string,
    EventOf<T>,
    EmissionOf<T> & string
  >;
}

function numbered(names: readonly string[], from: number): Record<string, number> {
  const unique = [...new Set(names)];
  return Object.fromEntries(unique.map((name, index) => [name, from + index]));
}
