/**
 * The same Client Identifier in two places: each connection ends the other one, for ever. A device
 * that changes its address, even often, is not that: there an address that lost the Client
 * Identifier does not come back for it. Counted are therefore the take-overs by an address that had
 * held it within the window; those of an address from itself are the usual reconnects.
 *
 * While a storm is damped, whoever holds the Client Identifier keeps it, and so does its address;
 * the others are refused, for twice as long each time.
 */
import { Aging, AgingList } from "./_aging_list.ts";

/** What is a storm, and how it is damped. */
export interface TakeOverLimits {
  /** Returns within the window that make a storm. */
  readonly returnsMax: number;
  readonly windowMs: number;
  /** How long the first damping takes; each further one takes twice as long as the one before. */
  readonly dampMs: number;
  /** No damping is longer; so long behind its end the doubling is forgotten. */
  readonly dampMsMax: number;
  /** Client Identifiers that are remembered; one takes about 500 bytes. */
  readonly clientsMax: number;
}

/** One connection takes a Client Identifier from another; addresses without ports. */
export interface TakeOver {
  readonly clientIdentifier: string;
  /** Where the connection is that has it. */
  readonly holder: string;
  /** Where the connection is that wants it. */
  readonly newcomer: string;
}

/** Whether the newcomer gets it. */
export type TakeOverVerdict =
  | { readonly allowed: true }
  | {
    readonly allowed: false;
    /** Moment of the monotonic clock until which newcomers are refused. */
    readonly untilMs: number;
    /** True for the refusal with which the damping begins: the one to tell the operator of. */
    readonly begins: boolean;
    /** All that took part of late, the holder first. */
    readonly addresses: readonly string[];
  };

/** Former holders that are remembered of one Client Identifier. */
const FORMER_MAX = 8;
/** Longer Client Identifiers are remembered by a hash. */
const KEY_LENGTH_MAX = 128;
const ALLOWED: TakeOverVerdict = { allowed: true };

class Contest extends Aging {
  readonly key: string;
  /** Who lost it, and when, latest last. */
  readonly former = new Map<string, number>();
  /** When former holders came back. */
  returnsMs: number[] = [];
  strikes = 0;
  dampedUntilMs = 0;

  constructor(key: string) {
    super();
    this.key = key;
  }
}

/** Watches take-overs. */
export class TakeOverStorms {
  readonly #limits: TakeOverLimits;
  readonly #contests = new Map<string, Contest>();
  readonly #calm = new AgingList<Contest>();
  readonly #damped = new AgingList<Contest>();

  /** Dampings since the start. */
  storms = 0;

  /** Throws RangeError for limits that make no sense. */
  constructor(limits: TakeOverLimits) {
    const { returnsMax, windowMs, dampMs, dampMsMax, clientsMax } = limits;
    const sound = Number.isInteger(returnsMax) && returnsMax >= 1 && windowMs > 0 && dampMs > 0 &&
      dampMsMax >= dampMs && clientsMax >= 1;
    if (!sound) throw new RangeError(`Cannot watch take-overs: limits ${JSON.stringify(limits)}`);
    this.#limits = limits;
  }

  /** Client Identifiers remembered now. */
  get clients(): number {
    return this.#contests.size;
  }

  /** Judges a take-over that is about to happen; one that is allowed counts as happened. */
  judge(takeOver: TakeOver, nowMs: number): TakeOverVerdict {
    const { holder, newcomer } = takeOver;
    if (holder === newcomer) return ALLOWED;
    this.#sweep(nowMs);
    const contest = this.#contest(takeOver.clientIdentifier);
    if (nowMs < contest.dampedUntilMs) return refusal(contest, takeOver, { begins: false });
    const { windowMs, returnsMax } = this.#limits;
    const sinceMs = nowMs - windowMs;
    contest.returnsMs = contest.returnsMs.filter((ms) => ms > sinceMs);
    if ((contest.former.get(newcomer) ?? -Infinity) > sinceMs) contest.returnsMs.push(nowMs);
    if (contest.returnsMs.length >= returnsMax) {
      this.#damp(contest, nowMs);
      return refusal(contest, takeOver, { begins: true });
    }
    contest.former.delete(holder);
    contest.former.set(holder, nowMs);
    const [oldest] = contest.former.keys();
    if (contest.former.size > FORMER_MAX) contest.former.delete(oldest!);
    this.#calm.touch(contest);
    return ALLOWED;
  }

  #damp(contest: Contest, nowMs: number): void {
    const { dampMs, dampMsMax } = this.#limits;
    if (nowMs >= contest.dampedUntilMs + dampMsMax) contest.strikes = 0;
    const durationMs = Math.min(dampMs * 2 ** contest.strikes, dampMsMax);
    if (durationMs < dampMsMax) contest.strikes++;
    contest.dampedUntilMs = nowMs + durationMs;
    // One return is left to count: behind the damping the next one is the storm again.
    contest.returnsMs = contest.returnsMs.slice(0, -1).map(() => contest.dampedUntilMs);
    this.storms++;
    this.#damped.touch(contest);
  }

  #contest(clientIdentifier: string): Contest {
    const key = keyOf(clientIdentifier);
    const known = this.#contests.get(key);
    if (known !== undefined) return known;
    if (this.#contests.size >= this.#limits.clientsMax) {
      this.#forget(this.#calm.first ?? this.#damped.first!);
    }
    const contest = new Contest(key);
    this.#contests.set(key, contest);
    this.#calm.touch(contest);
    return contest;
  }

  #sweep(nowMs: number): void {
    const { windowMs, dampMsMax } = this.#limits;
    const damped = this.#damped.first;
    if (damped !== null && damped.dampedUntilMs + dampMsMax <= nowMs) this.#calm.touch(damped);
    const calm = this.#calm.first;
    if (calm === null) return;
    const seenMs = Math.max(0, ...calm.former.values());
    if (seenMs <= nowMs - windowMs && calm.dampedUntilMs + dampMsMax <= nowMs) this.#forget(calm);
  }

  #forget(contest: Contest): void {
    contest.list?.remove(contest);
    this.#contests.delete(contest.key);
  }
}

function refusal(
  contest: Contest,
  { holder, newcomer }: TakeOver,
  { begins }: { begins: boolean },
): TakeOverVerdict {
  const addresses = [...new Set([holder, newcomer, ...[...contest.former.keys()].toReversed()])];
  return { allowed: false, untilMs: contest.dampedUntilMs, begins, addresses };
}

/** Two hashes of 32 bits (FNV-1a, and the same from the end) for what is too long to keep. */
function keyOf(text: string): string {
  if (text.length <= KEY_LENGTH_MAX) return text;
  let a = 0x811c9dc5;
  let b = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ text.charCodeAt(text.length - 1 - i), 0x01000193);
  }
  // No shorter Client Identifier is that long.
  return `${text.length}:${a >>> 0}:${b >>> 0}`.padEnd(KEY_LENGTH_MAX + 1, ":");
}
