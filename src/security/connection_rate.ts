/** How many connections a second one address, and all together, may open. */
import { Aging, AgingList } from "./_aging_list.ts";
import type { IpAddress } from "./ip_address.ts";
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

/** What becomes of a connection that was accepted. */
export type ConnectionVerdict =
  | { readonly kind: "open" }
  /** This address opens too many: close it. */
  | { readonly kind: "refuse"; readonly waitMs: number }
  /** All together open too many: accept no more for so long; this one may stay. */
  | { readonly kind: "pause"; readonly waitMs: number };

const OPEN: ConnectionVerdict = { kind: "open" };

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
  readonly #addressesMax: number;
  readonly #buckets = new Map<number | string, AddressBucket>();
  readonly #aging = new AgingList<AddressBucket>();

  /** Throws RangeError for a rate whose burst is nothing. */
  constructor(limits: ConnectionLimits) {
    const all = makeRate(limits.perSecond, limits.burst);
    this.#all = all === null ? null : new TokenBucket(all);
    this.#each = makeRate(limits.perAddressPerSecond, limits.perAddressBurst);
    this.#addressesMax = limits.addressesMax;
  }

  /** Addresses remembered now. */
  get addresses(): number {
    return this.#buckets.size;
  }

  /** A connection of this address was accepted. */
  opened(address: IpAddress, nowMs: number): ConnectionVerdict {
    const refusedMs = this.#each === null ? 0 : this.#bucket(address, nowMs).take(1, nowMs);
    // Who is refused for itself takes nothing from the others.
    if (refusedMs > 0) return { kind: "refuse", waitMs: refusedMs };
    const waitMs = this.#all === null ? 0 : this.#all.charge(1, nowMs);
    return waitMs > 0 ? { kind: "pause", waitMs } : OPEN;
  }

  #bucket(address: IpAddress, nowMs: number): TokenBucket {
    const { version, words } = address;
    const key = version === 4 ? words[3] : `${words[0]}:${words[1]}`;
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
