/**
 * The same Client Identifier in two places: each connection ends the other one, for ever. A device
 * that changes its address, even often, is not that: there an address that lost the Client
 * Identifier does not come back for it. Counted are therefore the take-overs by an address that had
 * held it within the window. Those of an address from itself are the usual reconnects, unless they
 * come at a rate of machines: two devices behind one router, or two processes of one machine.
 *
 * While a storm is damped, whoever holds the Client Identifier keeps it, and so does its address
 * unless the storm is within it; the others are refused, for twice as long each time.
 */
import { Aging, AgingList } from "./_aging_list.ts";

/** What is a storm, and how it is damped. */
export interface TakeOverLimits {
  /** Returns within the window that make a storm; 0 if none do. */
  readonly returnsMax: number;
  /** Take-overs of an address from itself within the window that do; 0 if none do. */
  readonly sameAddressMax: number;
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
/** Take-overs within one address that are left to count behind a damping. */
const SAME_ADDRESS_LEFT = 3;
/** Longer Client Identifiers are remembered by a hash. */
const KEY_LENGTH_MAX = 128;
const ALLOWED: TakeOverVerdict = { allowed: true };

class Contest extends Aging {
  readonly key: string;
  /** Who lost it, and when, latest last. */
  readonly former = new Map<string, number>();
  /** When former holders came back. */
  returnsMs: number[] = [];
  /** Take-overs of an address from itself since some moment, in a window of their own. */
  repeats = 0;
  repeatsSinceMs = 0;
  /** The last take-over that was allowed. */
  seenMs = 0;
  strikes = 0;
  dampedUntilMs = 0;
  /** Whether it is damped for a storm within one address. */
  dampedWithin = false;

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
    const { returnsMax, sameAddressMax, windowMs, dampMs, dampMsMax, clientsMax } = limits;
    const counts = [returnsMax, sameAddressMax].every((max) => Number.isInteger(max) && max >= 0);
    const sound = counts && windowMs > 0 && dampMs > 0 && dampMsMax >= dampMs && clientsMax >= 1;
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
    const within = holder === newcomer;
    if ((within ? this.#limits.sameAddressMax : this.#limits.returnsMax) === 0) return ALLOWED;
    this.#sweep(nowMs);
    const contest = this.#contest(takeOver.clientIdentifier);
    const damped = nowMs < contest.dampedUntilMs && (!within || contest.dampedWithin);
    if (damped) return refusal(contest, takeOver, { begins: false });
    if (within ? this.#repeats(contest, nowMs) : this.#returns(contest, newcomer, nowMs)) {
      this.#damp(contest, nowMs, { within });
      return refusal(contest, takeOver, { begins: true });
    }
    if (!within) remember(contest, holder, nowMs);
    contest.seenMs = nowMs;
    this.#calm.touch(contest);
    return ALLOWED;
  }

  /** Counts the return of a former holder; tells whether it is one too many. */
  #returns(contest: Contest, newcomer: string, nowMs: number): boolean {
    const sinceMs = nowMs - this.#limits.windowMs;
    contest.returnsMs = contest.returnsMs.filter((ms) => ms > sinceMs);
    if ((contest.former.get(newcomer) ?? -Infinity) > sinceMs) contest.returnsMs.push(nowMs);
    return contest.returnsMs.length >= this.#limits.returnsMax;
  }

  /** Counts a take-over within one address; tells whether it is one too many. */
  #repeats(contest: Contest, nowMs: number): boolean {
    if (nowMs - contest.repeatsSinceMs >= this.#limits.windowMs) {
      contest.repeats = 0;
      contest.repeatsSinceMs = nowMs;
    }
    return ++contest.repeats > this.#limits.sameAddressMax;
  }

  #damp(contest: Contest, nowMs: number, { within }: { within: boolean }): void {
    const { dampMs, dampMsMax, sameAddressMax } = this.#limits;
    if (nowMs >= contest.dampedUntilMs + dampMsMax) contest.strikes = 0;
    const durationMs = Math.min(dampMs * 2 ** contest.strikes, dampMsMax);
    if (durationMs < dampMsMax) contest.strikes++;
    contest.dampedUntilMs = nowMs + durationMs;
    contest.dampedWithin = within;
    if (within) {
      contest.repeats = Math.max(0, sameAddressMax - SAME_ADDRESS_LEFT);
      contest.repeatsSinceMs = contest.dampedUntilMs;
    } else {
      // One return is left to count: behind the damping the next one is the storm again.
      contest.returnsMs = contest.returnsMs.slice(0, -1).map(() => contest.dampedUntilMs);
    }
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
    if (calm.seenMs <= nowMs - windowMs && calm.dampedUntilMs + dampMsMax <= nowMs) {
      this.#forget(calm);
    }
  }

  #forget(contest: Contest): void {
    contest.list?.remove(contest);
    this.#contests.delete(contest.key);
  }
}

function remember(contest: Contest, holder: string, nowMs: number): void {
  contest.former.delete(holder);
  contest.former.set(holder, nowMs);
  const [oldest] = contest.former.keys();
  if (contest.former.size > FORMER_MAX) contest.former.delete(oldest!);
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
