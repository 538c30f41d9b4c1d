/**
 * How much a client, and all clients together, may send: messages and bytes a second. What was read
 * has been read, so it is charged, and whoever is in debt is not read until the debt is paid: its
 * own TCP connection slows it down, and no message of it is lost.
 */
import { makeRate, type Rate, TokenBucket } from "./token_bucket.ts";

/** Per second; 0 is no limit. */
export interface TrafficLimits {
  readonly publishesPerSecond: number;
  readonly publishesBurst: number;
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
}

/** The limits of all clients together, and those that each of them gets. */
export class TrafficRates {
  readonly #publishes: TokenBucket | null;
  readonly #bytes: TokenBucket | null;
  readonly #eachPublishes: Rate | null;
  readonly #eachBytes: Rate | null;

  /** Throws RangeError for a rate whose burst is nothing. */
  constructor({ each, all }: { each: TrafficLimits; all: TrafficLimits }) {
    this.#publishes = bucket(makeRate(all.publishesPerSecond, all.publishesBurst));
    this.#bytes = bucket(makeRate(all.bytesPerSecond, all.bytesBurst));
    this.#eachPublishes = makeRate(each.publishesPerSecond, each.publishesBurst);
    this.#eachBytes = makeRate(each.bytesPerSecond, each.bytesBurst);
  }

  /** The buckets of one more client; null where nothing is limited, so that it costs nothing. */
  client(): ClientRate | null {
    const own = { publishes: bucket(this.#eachPublishes), bytes: bucket(this.#eachBytes) };
    const shared = { publishes: this.#publishes, bytes: this.#bytes };
    const limited = own.publishes ?? own.bytes ?? shared.publishes ?? shared.bytes;
    return limited === null ? null : new ClientRate(own, shared);
  }
}

interface Buckets {
  readonly publishes: TokenBucket | null;
  readonly bytes: TokenBucket | null;
}

/** The limits of one client. */
export class ClientRate {
  readonly #publishes: TokenBucket | null;
  readonly #bytes: TokenBucket | null;
  readonly #allPublishes: TokenBucket | null;
  readonly #allBytes: TokenBucket | null;

  /** Buckets of its own, and those that it shares with all others. */
  constructor(own: Buckets, shared: Buckets) {
    this.#publishes = own.publishes;
    this.#bytes = own.bytes;
    this.#allPublishes = shared.publishes;
    this.#allBytes = shared.bytes;
  }

  /** `n` messages were read; gives for how many ms the client is not to be read, or 0. */
  publishes(n: number, nowMs: number): number {
    const ownMs = this.#publishes === null ? 0 : this.#publishes.charge(n, nowMs);
    const allMs = this.#allPublishes === null ? 0 : this.#allPublishes.charge(n, nowMs);
    return ownMs > allMs ? ownMs : allMs;
  }

  /** `n` bytes were read; gives for how many ms the client is not to be read, or 0. */
  bytes(n: number, nowMs: number): number {
    const ownMs = this.#bytes === null ? 0 : this.#bytes.charge(n, nowMs);
    const allMs = this.#allBytes === null ? 0 : this.#allBytes.charge(n, nowMs);
    return ownMs > allMs ? ownMs : allMs;
  }
}

function bucket(rate: Rate | null): TokenBucket | null {
  return rate === null ? null : new TokenBucket(rate);
}
