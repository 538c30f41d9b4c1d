/**
 * Brute force: an address whose logins fail again and again is locked out, twice as long each time.
 *
 * The table has a bound, and an attacker with many addresses will try to push his own entries out of
 * it. Therefore:
 *
 * - Addresses whose logins do not fail are never in the table: no flood can lock them out.
 * - When the table is full, a newcomer takes the place of the least harmful entry and *inherits its
 *   failures* (the "space saving" way to count). An address is never credited with fewer failures
 *   than it had, so whoever goes round more addresses than fit is locked out at an address's first
 *   failure. Who is hit besides is only who fails a login during such a flood, for one lock-out.
 * - A lock-out is given up only if nothing but lock-outs is left, the one that ends soonest first,
 *   and its place is a lock-out again. To free one address an attacker needs as many other
 *   addresses, each failing anew, as there are lock-outs that end before his own.
 * - IPv6 addresses cost nothing, so a /64 counts as one address; and when `SITE_LOCK_OUTS` of the
 *   /64 of one /48, what one customer gets, are locked out at once, the /48 becomes one lock-out.
 *
 * What remains: who commands more IPv4 addresses or /48 than the table has entries can go on at one
 * guess for each of them. That is stopped by the bound on parallel verifications and by passwords.
 */
import { AgingList } from "./_aging_list.ts";
import { LoginRecord } from "./_login_record.ts";
import { hostKey, type IpAddress } from "./ip_address.ts";
import type { IpSet } from "./ip_network.ts";

/** How much is tolerated, and for how long it is remembered. */
export interface LoginGuardLimits {
  /** Failures within the window that lock an address out, 1 to 100. */
  readonly failuresMax: number;
  readonly windowMs: number;
  /** The first lock-out takes so long, each further one twice as long as the one before. */
  readonly lockOutMs: number;
  /** No lock-out is longer; so long behind its end the doubling is forgotten. */
  readonly lockOutMsMax: number;
  /** Addresses that are remembered; one takes about 250 bytes. */
  readonly addressesMax: number;
}

/** Whether an address may try to log in, and if not, when it may again. */
export type LoginVerdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly untilMs: number };

/** A lock-out that begins. */
export interface LockOut {
  /** Moment of the monotonic clock at which it ends. */
  readonly untilMs: number;
  readonly lockOutMs: number;
  /** How many there have been of late, this one included. */
  readonly strikes: number;
  /** Prefix length of what is locked out: 32, 64, or 48 where many /64 have become one. */
  readonly prefix: 32 | 48 | 64;
}

/** So many locked-out /64 of one /48 are one attacker. */
export const SITE_LOCK_OUTS = 16;

/** Entries that one call looks at for having aged. */
const SWEEP_STEPS = 8;
const ALLOWED: LoginVerdict = { allowed: true };

/** Counts failed logins by address. Asked before a connection costs anything, and told how it went. */
export class LoginGuard {
  readonly #limits: LoginGuardLimits;
  readonly #records = new Map<number | string, LoginRecord>();
  /** Those with failures only, by how many. */
  readonly #watched: AgingList<LoginRecord>[];
  /** Those whose lock-out is over, but not forgotten. */
  readonly #struck = new AgingList<LoginRecord>();
  /** Those locked out, by strikes: of equal strikes, who came first ends first. */
  readonly #locked: AgingList<LoginRecord>[] = [];
  readonly #sites = new Map<string, Set<LoginRecord>>();
  #watchedCount = 0;
  #lockedCount = 0;

  /** Always allowed; lock-outs stay when others are. */
  readonly exempt: IpSet;
  /** Lock-outs since the start. */
  lockOuts = 0;
  /** Lock-outs that were given up because the table was full of them. */
  lockOutsEvicted = 0;

  /** Throws RangeError for limits that make no sense. */
  constructor(limits: LoginGuardLimits, exempt: IpSet) {
    const { failuresMax, windowMs, lockOutMs, lockOutMsMax, addressesMax } = limits;
    const sound = Number.isInteger(failuresMax) && failuresMax >= 1 && failuresMax <= 100 &&
      windowMs > 0 && lockOutMs > 0 && lockOutMsMax >= lockOutMs && addressesMax >= 1;
    if (!sound) throw new RangeError(`Cannot guard logins: limits ${JSON.stringify(limits)}`);
    this.#limits = limits;
    this.exempt = exempt;
    this.#watched = Array.from({ length: failuresMax }, () => new AgingList<LoginRecord>());
    const steps = Math.ceil(Math.log2(lockOutMsMax / lockOutMs)) + 1;
    for (let i = 0; i < steps; i++) this.#locked.push(new AgingList());
  }

  /**
   * Takes over what a guard with other limits knows; this one must be new. Who is locked out stays so
   * until the moment he was told; failures beyond what is tolerated now are one short of it.
   */
  inherit(other: LoginGuard): void {
    const { failuresMax } = this.#limits;
    this.lockOuts = other.lockOuts;
    this.lockOutsEvicted = other.lockOutsEvicted;
    for (const known of other.#records.values()) {
      const record = new LoginRecord(known.key, known.site);
      record.failuresMs = known.failuresMs.slice(
        Math.max(0, known.failuresMs.length + 1 - failuresMax),
      );
      record.strikes = Math.min(known.strikes, this.#locked.length);
      record.lockedUntilMs = known.lockedUntilMs;
      record.forgivenMs = known.forgivenMs;
      this.#records.set(record.key, record);
      if (!other.#isLocked(known.list as AgingList<LoginRecord>)) this.#settle(record);
      else {
        this.#move(record, this.#locked[record.strikes - 1]!);
        if (record.site === null) continue;
        this.#sites.set(record.site, (this.#sites.get(record.site) ?? new Set()).add(record));
      }
    }
  }

  /** Addresses remembered now. */
  get addresses(): number {
    return this.#records.size;
  }

  /** Addresses locked out now, give or take those whose time is just over. */
  get locked(): number {
    return this.#lockedCount;
  }

  /** Whether this address may try to log in now. */
  allowed(address: IpAddress, nowMs: number): LoginVerdict {
    if (this.#records.size === 0) return ALLOWED;
    const untilMs = this.#find(address, nowMs)?.lockedUntilMs ?? 0;
    if (untilMs <= nowMs || this.exempt.has(address)) return ALLOWED;
    return { allowed: false, untilMs };
  }

  /**
   * A login from this address failed. Gives the lock-out if one begins, or is prolonged: failures
   * of logins that had begun before it count towards the next one.
   */
  failed(address: IpAddress, nowMs: number): LockOut | null {
    if (this.exempt.has(address)) return null;
    this.#sweep(nowMs);
    const { failuresMax, windowMs, lockOutMsMax } = this.#limits;
    const record = this.#find(address, nowMs) ?? this.#add(address, nowMs);
    if (record.strikes > 0 && nowMs >= record.lockedUntilMs + lockOutMsMax) record.strikes = 0;
    record.expireFailures(nowMs - windowMs);
    record.failuresMs.push(nowMs);
    if (record.failuresMs.length >= failuresMax) return this.#lockOut(record, nowMs);
    if (record.lockedUntilMs <= nowMs) this.#settle(record);
    return null;
  }

  /**
   * A login from this address succeeded: its failures are forgiven, but only once in a window, so
   * that who knows one password cannot use it to try others for ever.
   */
  succeeded(address: IpAddress, nowMs: number): void {
    const record = this.#records.size === 0 ? undefined : this.#find(address, nowMs);
    if (record === undefined || record.lockedUntilMs > nowMs) return;
    if (nowMs - record.forgivenMs < this.#limits.windowMs) return;
    record.failuresMs.length = 0;
    record.forgivenMs = nowMs;
    this.#settle(record);
  }

  /** The record of the address; that of its site while the site is locked out. */
  #find(address: IpAddress, nowMs: number): LoginRecord | undefined {
    if (address.version === 6) {
      const site = this.#records.get(siteKey(address));
      if (site !== undefined && site.lockedUntilMs > nowMs) return site;
    }
    return this.#records.get(hostKey(address));
  }

  #add(address: IpAddress, nowMs: number): LoginRecord {
    const ipv6 = address.version === 6;
    const record = new LoginRecord(hostKey(address), ipv6 ? siteKey(address) : null);
    if (this.#records.size >= this.#limits.addressesMax) this.#inherit(record, nowMs);
    this.#records.set(record.key, record);
    return record;
  }

  /** The least harmful entry goes, and its failures stay. */
  #inherit(heir: LoginRecord, nowMs: number): void {
    // Some room is for those who begin: else the few there are would inherit in a circle.
    const roomy = this.#watchedCount * 4 >= this.#limits.addressesMax;
    const watched = this.#watched.find((list) => list.length > 0)?.first ?? null;
    const struck = this.#struck.first;
    const victim = (roomy ? watched ?? struck : struck ?? watched) ?? this.#soonest();
    heir.failuresMs = victim.failuresMs;
    if (victim.lockedUntilMs > nowMs) {
      this.lockOutsEvicted++;
      heir.failuresMs = Array<number>(this.#limits.failuresMax - 1).fill(nowMs);
    }
    this.#remove(victim);
  }

  /** The lock-out that ends first. There is one, for the table is full. */
  #soonest(): LoginRecord {
    let soonest: LoginRecord | null = null;
    for (const { first } of this.#locked) {
      if (first === null) continue;
      if (soonest === null || first.lockedUntilMs < soonest.lockedUntilMs) soonest = first;
    }
    return soonest!;
  }

  #lockOut(record: LoginRecord, nowMs: number): LockOut {
    this.#begin(record, nowMs);
    const whole = this.#joinSite(record, nowMs);
    const prefix = typeof whole.key === "number" ? 32 : whole.site === null ? 48 : 64;
    const { strikes, lockedUntilMs: untilMs } = whole;
    return { untilMs, lockOutMs: untilMs - nowMs, strikes, prefix };
  }

  #begin(record: LoginRecord, nowMs: number): void {
    const { lockOutMs, lockOutMsMax } = this.#limits;
    record.strikes = Math.min(record.strikes + 1, this.#locked.length);
    record.failuresMs.length = 0;
    record.lockedUntilMs = nowMs + Math.min(lockOutMs * 2 ** (record.strikes - 1), lockOutMsMax);
    this.lockOuts++;
    this.#move(record, this.#locked[record.strikes - 1]!);
  }

  /** Makes one lock-out of many of one /48; gives it, or the one that there was. */
  #joinSite(record: LoginRecord, nowMs: number): LoginRecord {
    const { site } = record;
    if (site === null) return record;
    const together = this.#sites.get(site) ?? new Set();
    this.#sites.set(site, together.add(record));
    if (together.size < SITE_LOCK_OUTS) return record;
    for (const part of [...together]) this.#remove(part);
    let whole = this.#records.get(site);
    if (whole === undefined) {
      whole = new LoginRecord(site, null);
      this.#records.set(site, whole);
    }
    this.#begin(whole, nowMs);
    return whole;
  }

  /** Puts a record that is not locked out where it belongs. */
  #settle(record: LoginRecord): void {
    const watched = this.#watched[record.failuresMs.length]!;
    this.#move(record, record.strikes > 0 ? this.#struck : watched);
  }

  #move(record: LoginRecord, list: AgingList<LoginRecord>): void {
    this.#leave(record);
    list.touch(record);
    if (this.#isLocked(list)) this.#lockedCount++;
    else if (list !== this.#struck) this.#watchedCount++;
  }

  #leave(record: LoginRecord): void {
    const list = record.list as AgingList<LoginRecord> | null;
    if (list === null) return;
    list.remove(record);
    if (this.#isLocked(list)) {
      this.#lockedCount--;
      this.#leaveSite(record);
    } else if (list !== this.#struck) this.#watchedCount--;
  }

  #isLocked(list: AgingList<LoginRecord>): boolean {
    return this.#locked.includes(list);
  }

  #leaveSite(record: LoginRecord): void {
    const together = record.site === null ? undefined : this.#sites.get(record.site);
    if (together === undefined) return;
    together.delete(record);
    if (together.size === 0) this.#sites.delete(record.site!);
  }

  #remove(record: LoginRecord): void {
    this.#leave(record);
    this.#records.delete(record.key);
  }

  /** Moves on what has aged; a few at a time are enough, for a call adds one at most. */
  #sweep(nowMs: number): void {
    const { windowMs, lockOutMsMax } = this.#limits;
    let steps = SWEEP_STEPS;
    for (const list of this.#locked) {
      while (list.first !== null && list.first.lockedUntilMs <= nowMs && steps-- > 0) {
        this.#settle(list.first);
      }
    }
    const { first } = this.#struck;
    if (first !== null && first.lockedUntilMs + lockOutMsMax <= nowMs) {
      first.strikes = 0;
      first.expireFailures(nowMs - windowMs);
      this.#settle(first);
    }
    for (const list of this.#watched) {
      while (list.first !== null && list.first.touchedMs <= nowMs - windowMs && steps-- > 0) {
        this.#remove(list.first);
      }
    }
  }
}

function siteKey({ words }: IpAddress): string {
  return `${words[0]}:${words[1] >>> 16}/48`;
}
