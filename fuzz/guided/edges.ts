/** Which ways through the instrumented source an input took, and how often, as AFL counts them. */

const EDGES = 65_536;
/** How often is told in classes, so that a loop of 97 rounds is no news after one of 96. */
const CLASSES = Uint8Array.from({ length: 256 }, (_, count) => {
  if (count <= 2) return count;
  return count === 3
    ? 4
    : count < 8
    ? 8
    : count < 16
    ? 16
    : count < 32
    ? 32
    : count < 128
    ? 64
    : 128;
});

const counts = new Uint8Array(EDGES);
/** Places of `counts` that are not 0, so that clearing costs what the input did. */
const touched = new Uint16Array(EDGES);
let touchedCount = 0;
let previous = 0;

/** A branch was taken; its number is spread over 16 bits. Called by the instrumented source. */
export function edge(branch: number): void {
  const at = (branch ^ previous) & (EDGES - 1);
  const count = counts[at]!;
  if (count === 0) touched[touchedCount++] = at;
  if (count < 255) counts[at] = count + 1;
  previous = branch >>> 1;
}

/** Forgets the last input. */
export function clearEdges(): void {
  for (let i = 0; i < touchedCount; i++) counts[touched[i]!] = 0;
  touchedCount = 0;
  previous = 0;
}

/** All that has been seen: one bit for each class of each edge. */
export class SeenEdges {
  readonly #classes = new Uint8Array(EDGES);
  #edges = 0;

  /** How many different edges. */
  get edges(): number {
    return this.#edges;
  }

  /** Adds the last input; gives whether there was anything new about it. */
  add(): boolean {
    let news = false;
    for (let i = 0; i < touchedCount; i++) {
      const at = touched[i]!;
      const known = this.#classes[at]!;
      const now = known | CLASSES[counts[at]!]!;
      if (now === known) continue;
      if (known === 0) this.#edges++;
      this.#classes[at] = now;
      news = true;
    }
    return news;
  }
}
