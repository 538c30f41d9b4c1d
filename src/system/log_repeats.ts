/** Lines of one kind that come again and again: some are written, the rest is counted. */

/** Lines of a kind beyond this are one after the other. */
const WINDOW_MS = 1_000;
/** Kinds that are watched at a time; the code has fewer. */
const KINDS_MAX = 1_024;

interface Window<About> {
  readonly startMs: number;
  /** The line that opened it: where the summary belongs. */
  readonly about: About;
  written: number;
  suppressed: number;
}

/** What was left out. */
export interface Repeats<About> {
  readonly kind: string;
  readonly count: number;
  readonly about: About;
}

/** Bounds how many lines of a kind are written in a second. */
export class LogRepeats<About> {
  readonly #perSecondMax: number;
  readonly #windows = new Map<string, Window<About>>();

  /** 0 for no bound. */
  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax;
  }

  /** Whether a line of this kind is written; otherwise it is counted. */
  admits(kind: string, { about, nowMs }: { about: About; nowMs: number }): boolean {
    if (this.#perSecondMax === 0) return true;
    const window = this.#windows.get(kind);
    // One that is over and has suppressed lines stays until it is drained.
    if (window === undefined || (this.#isOver(window, nowMs) && window.suppressed === 0)) {
      if (window === undefined && this.#windows.size >= KINDS_MAX) return true;
      this.#windows.set(kind, { startMs: nowMs, about, written: 1, suppressed: 0 });
      return true;
    }
    if (window.written < this.#perSecondMax) {
      window.written++;
      return true;
    }
    window.suppressed++;
    return false;
  }

  /** What was left out in windows that are over; to be called several times a second. */
  drain(nowMs: number): readonly Repeats<About>[] {
    const left: Repeats<About>[] = [];
    for (const [kind, window] of this.#windows) {
      if (!this.#isOver(window, nowMs)) continue;
      this.#windows.delete(kind);
      const { suppressed: count, about } = window;
      if (count > 0) left.push({ kind, count, about });
    }
    return left;
  }

  #isOver({ startMs }: Window<About>, nowMs: number): boolean {
    return nowMs - startMs >= WINDOW_MS;
  }
}
