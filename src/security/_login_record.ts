/** One row of the table of the login guard. */
import { Aging } from "./_aging_list.ts";

/** What is remembered of one address, or of one site. */
export class LoginRecord extends Aging {
  /** 32 bits of IPv4, or the text of an IPv6 prefix. */
  readonly key: number | string;
  /** Key of the /48 around a /64; null for all others. */
  readonly site: string | null;
  /** Failures within the window, or longer ago, oldest first. */
  failuresMs: number[] = [];
  /** Lock-outs of late. */
  strikes = 0;
  /** When the last lock-out ends, or ended. */
  lockedUntilMs = 0;
  /** When a success was last taken into account. */
  forgivenMs = -Infinity;

  constructor(key: number | string, site: string | null) {
    super();
    this.key = key;
    this.site = site;
  }

  /** When anything last happened that matters to one who is not locked out. */
  get touchedMs(): number {
    return Math.max(this.failuresMs.at(-1) ?? 0, this.forgivenMs);
  }

  /** Forgets the failures up to `untilMs`. */
  expireFailures(untilMs: number): void {
    const { failuresMs } = this;
    let count = 0;
    while (count < failuresMs.length && failuresMs[count]! <= untilMs) count++;
    if (count > 0) failuresMs.splice(0, count);
  }
}
