/**
 * Every topic of some levels that is at most so deep. The empty one is among them: no message has
 * it, but the compiled rules take it for a parent like any other, as in "/#", which is stricter.
 * There are ten thousands, of which few are looked at: they are made when they are asked for.
 */
export class TopicUniverse {
  /** How many topics there are. */
  readonly size: number;
  readonly #levels: readonly string[];
  readonly #depthMax: number;

  constructor(levels: readonly string[], depthMax: number) {
    this.#levels = levels;
    this.#depthMax = depthMax;
    let size = 0;
    for (let depth = 1; depth <= depthMax; depth++) size += levels.length ** depth;
    this.size = size;
  }

  /** The levels of a topic by its number: shallow ones first. */
  at(index: number): readonly string[] {
    const count = this.#levels.length;
    let depth = 1;
    let rest = index;
    for (; rest >= count ** depth; depth++) rest -= count ** depth;
    const topic = new Array<string>(depth);
    for (let at = depth - 1; at >= 0; at--) {
      topic[at] = this.#levels[rest % count]!;
      rest = Math.floor(rest / count);
    }
    return topic;
  }

  /**
   * Whether `holds` is true of every topic that a filter might match; topics that differ from it in
   * a level that is written out are left out, and no others.
   */
  every(filter: readonly string[], holds: (topic: readonly string[]) => boolean): boolean {
    return this.#below([], filter, holds);
  }

  #below(
    start: string[],
    filter: readonly string[],
    holds: (topic: readonly string[]) => boolean,
  ): boolean {
    if (start.length > 0 && !holds(start)) return false;
    if (start.length === this.#depthMax) return true;
    const tail = filter.indexOf("#");
    const wanted = tail >= 0 && start.length >= tail ? "#" : filter[start.length];
    if (wanted === undefined) return true;
    for (const level of this.#levels) {
      if (wanted !== "#" && wanted !== "+" && wanted !== level) continue;
      start.push(level);
      const held = this.#below(start, filter, holds);
      start.pop();
      if (!held) return false;
    }
    return true;
  }
}
