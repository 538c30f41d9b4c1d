/** Violations: counted by statement and Edge Node, the latest ones kept. */
import type { Severity, TckId } from "./rule.ts";
import type { RuleName } from "./rules.ts";

/** One statement that was broken. */
export interface Violation {
  readonly tckId: TckId;
  readonly rule: RuleName;
  readonly severity: Severity;
  /** `G/E`, `STATE/H`, or empty where it is about neither. */
  readonly subject: string;
  readonly clientIdentifier: string;
  readonly detail: string;
  readonly timeMs: number;
}

/** One counter. */
export interface ViolationCount {
  readonly subject: string;
  readonly tckId: TckId;
  readonly count: number;
}

/** Where violations of subjects go that do not fit. */
const OTHERS = "";

/** Bounded by subjects and by violations kept. */
export class ViolationLog {
  readonly #subjectsMax: number;
  readonly #violationsMax: number;
  readonly #counts = new Map<string, Map<TckId, number>>();
  readonly #latest: Violation[] = [];
  #next = 0;
  /** All violations so far. */
  total = 0;
  /** Violations counted under no subject, because there were too many. */
  unfit = 0;

  constructor(bounds: { subjectsMax: number; violationsMax: number }) {
    this.#subjectsMax = bounds.subjectsMax;
    this.#violationsMax = bounds.violationsMax;
  }

  /** Counts and keeps one. */
  add(violation: Violation): void {
    const { subject, tckId } = violation;
    this.total++;
    let counts = this.#counts.get(subject);
    if (counts === undefined) {
      const fits = this.#counts.size < this.#subjectsMax;
      if (!fits) this.unfit++;
      const name = fits ? subject : OTHERS;
      counts = this.#counts.get(name);
      if (counts === undefined) this.#counts.set(name, counts = new Map());
    }
    counts.set(tckId, (counts.get(tckId) ?? 0) + 1);
    if (this.#violationsMax === 0) return;
    if (this.#latest.length < this.#violationsMax) this.#latest.push(violation);
    else this.#latest[this.#next] = violation;
    this.#next = (this.#next + 1) % this.#violationsMax;
  }

  /** The latest ones, oldest first; of one subject if named. */
  latest(subject?: string): readonly Violation[] {
    const full = this.#latest.length === this.#violationsMax;
    const all = full
      ? [...this.#latest.slice(this.#next), ...this.#latest.slice(0, this.#next)]
      : [...this.#latest];
    return subject === undefined ? all : all.filter((one) => one.subject === subject);
  }

  /** Every counter that is not zero. */
  counts(): ViolationCount[] {
    return [...this.#counts].flatMap(([subject, counts]) =>
      [...counts].map(([tckId, count]) => ({ subject, tckId, count }))
    );
  }

  /** Counters of one subject. */
  countsOf(subject: string): ReadonlyMap<TckId, number> {
    return this.#counts.get(subject) ?? new Map();
  }
}
