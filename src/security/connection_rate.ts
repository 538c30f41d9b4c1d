/** How many connections a second one address, and all together, may open. */
import { Aging, AgingList } from "./_aging_list.ts";
import { hostKey, type IpAddress } from "./ip_address.ts";
import type { IpSet } from "./ip_network.ts";
import { makeRate, type Rate, TokenBucket } from "./token_bucket.ts";

/** Per second; 0 is no limit. */
export interface ConnectionLimits {
  readonly perSecond: number;
  readonly burst: number;
  readonly perAddressPerSecond: number;
  readonly perAddressBurst: number;
  /** Addresses that are remembered; one takes about 200 bytes. */
  readonly addressesMax: number;
}

class AddressBucket extends Aging {
  readonly key: number | string;
  readonly bucket: TokenBucket;

  constructor(key: number | string, rate: Rate) {
    super();
    this.key = key;
    this.bucket = new TokenBucket(rate);
  }
}

/**
 * Counts connections by IPv4 address or IPv6 /64. An address whose bucket is full again is as good
 * as unknown, so forgetting it loses nothing. If the table is full of others, who was seen longest
 * ago is forgotten and starts anew: the limit of all together holds all the same.
 */
export class ConnectionRates {
  readonly #all: TokenBucket | null;
  readonly #each: Rate | null;
  readonly #exempt: IpSet;
  readonly #addressesMax: number;
  readonly #buckets = new Map<number | string, AddressBucket>();
  readonly #aging = new AgingList<AddressBucket>();

  /**
   * Addresses that are `exempt` count only among all together. Throws RangeError for a rate whose
   * burst is nothing.
   */
  constructor(limits: ConnectionLimits, exempt: IpSet) {
    const all = makeRate(limits.perSecond, limits.burst);
    this.#all = all === null ? null : new TokenBucket(all);
    this.#each = makeRate(limits.perAddressPerSecond, limits.perAddressBurst);
    this.#exempt = exempt;
    this.#addressesMax = limits.addressesMax;
  }

  /** Addresses remembered now. */
  get addresses(): number {
    return this.#buckets.size;
  }

  /**
   * Whether this address may open one more connection: 0 if it may, else the time in ms after which
   * it may again. Who is refused takes nothing, neither of its own rate nor of that of all together.
   */
  refusalMs(address: IpAddress, nowMs: number): number {
    if (this.#each === null || this.#exempt.has(address)) return 0;
    return this.#bucket(address, nowMs).take(1, nowMs);
  }

  /**
   * A connection was let in: gives the time in ms for which no more may be accepted, 0 for none. It
   * is there and may stay, so that the debt counts.
   */
  opened(nowMs: number): number {
    return this.#all === null ? 0 : this.#all.charge(1, nowMs);
  }

  #bucket(address: IpAddress, nowMs: number): TokenBucket {
    const key = hostKey(address);
    this.#forget((first) => first.bucket.fullAtMs <= nowMs);
    let known = this.#buckets.get(key);
    if (known === undefined) {
      this.#forget(() => this.#buckets.size >= this.#addressesMax);
      known = new AddressBucket(key, this.#each!);
      this.#buckets.set(key, known);
    }
    this.#aging.touch(known);
    return known.bucket;
  }

  /** Forgets who was seen longest ago if that is right; two at most, for a call adds one. */
  #forget(right: (first: AddressBucket) => boolean): void {
    for (let i = 0; i < 2; i++) {
      const { first } = this.#aging;
      if (first === null || !right(first)) return;
      this.#aging.remove(first);
      this.#buckets.delete(first.key);
    }
  }
}
