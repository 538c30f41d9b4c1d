/** Everybody who is turned away is counted, and written to the log as far as that does no harm. */
import { AuditSampler } from "./audit_sampler.ts";
import { hostKey } from "./ip_address.ts";
import { shorten } from "./_quote.ts";
import {
  formatRefusal,
  type Refusal,
  REFUSAL_REASONS,
  type RefusalReason,
} from "./refusal_line.ts";

/** Lines about one reason and one address in a while, and about all of them in a second. */
const SAMPLER_LIMITS = {
  perKeyMax: 10,
  windowMs: 60_000,
  perSecondMax: 100,
  keysMax: 4_096,
} as const;

/**
 * Refusals that cost whoever causes them something, of which every single one is written: a wrong
 * password has been through the guard and through a bounded number of parallel verifications.
 */
const UNSAMPLED: ReadonlySet<RefusalReason> = new Set(["bad-credentials"]);

/** Writes a warning to the log; with the refusal that it is about, if it is about one. */
export type SayRefusal = (text: string, refusal: Refusal | null) => void;

/**
 * Counts and tells refusals. A flood of connections must not become a flood of lines: of those that
 * are the same a few in a minute are written, and the next one says how many were not.
 */
export class Refusals {
  /** Told of every single one. */
  onRefusal: ((refusal: Refusal) => void) | null = null;
  readonly #say: SayRefusal;
  readonly #sampler = new AuditSampler<Refusal>(SAMPLER_LIMITS);
  readonly #counts: Record<RefusalReason, number> = Object.fromEntries(
    REFUSAL_REASONS.map((reason) => [reason, 0]),
  ) as Record<RefusalReason, number>;

  constructor(say: SayRefusal) {
    this.#say = say;
  }

  /** Refusals since the start, by reason. */
  get counts(): Readonly<Record<RefusalReason, number>> {
    return this.#counts;
  }

  /** Somebody was turned away. */
  add(refusal: Refusal, nowMs: number): void {
    const { address, reason } = refusal;
    this.#counts[reason]++;
    this.onRefusal?.(refusal);
    if (UNSAMPLED.has(reason)) {
      this.#say(formatRefusal(refusal), refusal);
      return;
    }
    // A sample may stay for long, and a client may have a long name.
    const short = shortened(refusal);
    const suppressed = this.#sampler.admit(`${reason} ${hostKey(address)}`, short, nowMs);
    if (suppressed !== null) this.#say(formatRefusal({ ...refusal, suppressed }), refusal);
  }

  /** Tells what was left out and nothing has come to carry since; to be called now and then. */
  drain(nowMs: number): void {
    const { items, others } = this.#sampler.drain(nowMs);
    for (const { item, suppressed } of items) {
      this.#say(formatRefusal({ ...item, suppressed }), item);
    }
    if (others > 0) this.#say(`${others} refusals more, of many addresses`, null);
  }
}

function shortened({ clientIdentifier, userName, detail, ...facts }: Refusal): Refusal {
  return {
    ...facts,
    ...clientIdentifier === undefined ? {} : { clientIdentifier: shorten(clientIdentifier) },
    ...userName === undefined || userName === null ? {} : { userName: shorten(userName) },
    ...detail === undefined ? {} : { detail: shorten(detail) },
  };
}
