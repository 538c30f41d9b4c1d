/** Violations: counted by statement and Edge Node, the latest ones kept. */
import type { Severity, TckId } from "./rule.ts";
import { type RuleName, RULES } from "./rules.ts";

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

/** A breach of a rule, which may be several violations. */
export interface Breach {
  readonly rule: RuleName;
  readonly subject: string;
  readonly clientIdentifier: string;
  readonly detail: string;
  readonly timeMs: number;
}

/** A rule that somebody has broken. */
export interface BrokenRule {
  readonly rule: RuleName;
  readonly count: number;
  /** When it was last, to the second. */
  readonly lastMs: number;
}

/** How often a rule was broken, and when that was kept last. */
interface RuleCount {
  count: number;
  keptMs: number;
}

/** Where violations of subjects go that do not fit. */
const OTHERS = "";
/** Of one rule and subject no more than one breach is kept in this time. */
const KEPT_EVERY_MS = 1000;

/** Breaches that are kept until somebody takes them. */
const FRESH_MAX = 256;

/** Bounded by subjects and by violations kept. */
export class ViolationLog {
  readonly #subjectsMax: number;
  readonly #violationsMax: number;
  readonly #counts = new Map<string, Map<RuleName, RuleCount>>();
  readonly #latest: Violation[] = [];
  #lastSubject: string | null = null;
  #lastCounts: Map<RuleName, RuleCount> | null = null;
  #fresh: Breach[] = [];
  #others = 0;
  #next = 0;
  /** All breaches so far. */
  total = 0;
  /** Breaches counted under no subject, because there were too many. */
  unfit = 0;

  constructor(bounds: { subjectsMax: number; violationsMax: number }) {
    this.#subjectsMax = bounds.subjectsMax;
    this.#violationsMax = bounds.violationsMax;
  }

  /**
   * Counts a breach; gives whether `keep` is to follow, because there was none of its kind for a
   * while. Positional, because some Edge Nodes break a rule with each message.
   */
  count(subject: string, rule: RuleName, timeMs: number): boolean {
    this.total++;
    const counts = subject === this.#lastSubject ? this.#lastCounts! : this.#countsFor(subject);
    let count = counts.get(rule);
    if (count === undefined) counts.set(rule, count = { count: 0, keptMs: -KEPT_EVERY_MS });
    count.count++;
    if (timeMs - count.keptMs < KEPT_EVERY_MS && timeMs >= count.keptMs) return false;
    count.keptMs = timeMs;
    return true;
  }

  /** Keeps a breach that was counted. */
  keep(breach: Breach): void {
    const { ids, severity } = RULES[breach.rule];
    for (const tckId of ids) this.#keep({ ...breach, tckId, severity });
    if (this.#fresh.length < FRESH_MAX) this.#fresh.push(breach);
    else this.#others++;
  }

  /** Breaches kept since the last call, oldest first, and how many there was no room for. */
  takeFresh(): { readonly kept: readonly Breach[]; readonly others: number } {
    const taken = { kept: this.#fresh, others: this.#others };
    if (taken.kept.length > 0) this.#fresh = [];
    this.#others = 0;
    return taken;
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
    return [...this.#counts.keys()].flatMap((subject) =>
      [...this.countsOf(subject)].map(([tckId, count]) => ({ subject, tckId, count }))
    );
  }

  /** Violations by statement, of all subjects together. */
  totals(): ReadonlyMap<TckId, number> {
    const totals = new Map<TckId, number>();
    for (const counts of this.#counts.values()) {
      for (const [rule, { count }] of counts) {
        for (const id of RULES[rule].ids) totals.set(id, (totals.get(id) ?? 0) + count);
      }
    }
    return totals;
  }

  /** Counters of one subject. */
  countsOf(subject: string): ReadonlyMap<TckId, number> {
    const counts = new Map<TckId, number>();
    for (const [rule, { count }] of this.#counts.get(subject) ?? []) {
      for (const id of RULES[rule].ids) counts.set(id, (counts.get(id) ?? 0) + count);
    }
    return counts;
  }

  /** Everybody there are counters of. */
  subjects(): readonly string[] {
    return [...this.#counts.keys()];
  }

  /** Rules that one subject has broken, how often, and when last, to the second. */
  rulesOf(subject: string): readonly BrokenRule[] {
    return Array.from(this.#counts.get(subject) ?? [], ([rule, { count, keptMs }]) => ({
      rule,
      count,
      lastMs: keptMs,
    }));
  }

  #countsFor(subject: string): Map<RuleName, RuleCount> {
    let counts = this.#counts.get(subject);
    if (counts === undefined) {
      const fits = this.#counts.size < this.#subjectsMax;
      if (!fits) this.unfit++;
      const name = fits ? subject : OTHERS;
      counts = this.#counts.get(name);
      if (counts === undefined) this.#counts.set(name, counts = new Map());
      if (!fits) return counts;
    }
    this.#lastSubject = subject;
    this.#lastCounts = counts;
    return counts;
  }

  #keep(violation: Violation): void {
    if (this.#violationsMax === 0) return;
    if (this.#latest.length < this.#violationsMax) this.#latest.push(violation);
    else this.#latest[this.#next] = violation;
    this.#next = (this.#next + 1) % this.#violationsMax;
  }
}
