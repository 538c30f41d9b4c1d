/** What the verifiers of Spin print, read. */

/** What a verifier found out. */
export interface PanResult {
  readonly errors: number;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** Whether all states were looked at. */
  readonly complete: boolean;
  /** Statements that no run has reached, by place and text, and in how many places of a process. */
  readonly unreached: ReadonlyMap<string, number>;
  /** What it printed besides: the steps of the model. */
  readonly lines: readonly string[];
}

/** Reads what a verifier prints. */
export function parsePan(text: string): PanResult {
  const summary = /depth reached (\d+), .*?errors: (\d+)/.exec(text);
  if (summary === null) throw new Error(`Cannot read what pan says: ${text.slice(-1_000)}`);
  return {
    errors: Number(summary[2]),
    depth: Number(summary[1]),
    states: Number(/^\s*(\d+) states, stored/m.exec(text)?.[1] ?? NaN),
    transitions: Number(/^\s*(\d+) transitions/m.exec(text)?.[1] ?? NaN),
    complete: !/Search not completed|search depth too small|out of memory/.test(text),
    unreached: unreachedIn(text),
    lines: text.slice(0, text.indexOf("(Spin Version")).split("\n"),
  };
}

/**
 * Reads the table of transitions that `pan -d` prints. A statement of an `inline` stands in every
 * process that uses it, and counts as reached if one of them reaches it.
 */
export function parseStatements(text: string): Map<string, number> {
  const found = new Map<string, Set<string>>();
  let process = "";
  for (const line of text.split("\n")) {
    process = /^(?:proctype|init|claim|never).*/.exec(line)?.[0] ?? process;
    const [, state, place, statement] =
      /^\s*state\s+(\d+) -.*\] \S*?([^/\s]+\.pml:\d+) => (.*)$/.exec(line) ?? [];
    if (state === undefined) continue;
    const key = `${place}: ${statement}`;
    const places = found.get(key) ?? new Set();
    found.set(key, places.add(`${process} ${state}`));
  }
  return new Map([...found].map(([key, places]) => [key, places.size]));
}

/** Without the formulas: a run that keeps to one never reaches the state in which it is broken. */
function unreachedIn(text: string): Map<string, number> {
  const unreached = new Map<string, number>();
  for (const section of text.split(/^unreached in /m).slice(1)) {
    if (section.startsWith("claim")) continue;
    const lines = section.matchAll(/^\s*\S*?([^/\s]+\.pml:\d+), state \d+, "(.*)"$/gm);
    for (const [, place, statement] of lines) {
      const key = `${place}: ${statement}`;
      unreached.set(key, (unreached.get(key) ?? 0) + 1);
    }
  }
  return unreached;
}
