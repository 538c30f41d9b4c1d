/**
 * How much a client, and all clients together, may send: messages and bytes a second. What was read
 * has been read, so it is charged, and whoever is in debt is not read until the debt is paid: its
 * own TCP connection slows it down, and no message of it is lost.
 */
import { Aging, AgingList } from "./_aging_list.ts";
import { makeRate, type Rate, TokenBucket } from "./token_bucket.ts";

/** Who has used up a limit of its own rests at least so long: a wake-up is worth some messages. */
const PAUSE_MS = 10;
/** What a client may take at a time from a bucket of all that is empty: so much of its rate. */
const TURN_PUBLISHES_MS = 1;
const TURN_BYTES_MS = 10;
/** A read brings no more than this, as long as no packet is larger. */
const TURN_BYTES_MAX = 65_536;
/** Clients that have left in debt, of which that is remembered. */
const DEBTORS_MAX = 10_000;

/** Per second; 0 is no limit. */
export interface TrafficLimits {
  readonly publishesPerSecond: number;
  readonly publishesBurst: number;
  readonly bytesPerSecond: number;
  readonly bytesBurst: number;
}

/** The limits of all clients together, those that each of them gets, and what becomes of it. */
export interface TrafficRateOptions {
  readonly each: TrafficLimits;
  readonly all: TrafficLimits;
  /** `close` ends whoever exceeds a limit of its own; that of all together only ever holds. */
  readonly overLimit: "hold" | "close";
}

/** The rates of the clients. */
export class TrafficRates {
  readonly #options: TrafficRateOptions;
  readonly #shared: { readonly publishes: TokenBucket | null; readonly bytes: TokenBucket | null };
  readonly #own: { readonly publishes: Rate | null; readonly bytes: Rate | null };
  readonly #turns: { readonly publishes: number; readonly bytes: number };
  readonly #debtors = new Debtors();

  /** Throws RangeError for a rate whose burst is nothing. */
  constructor(options: TrafficRateOptions) {
    this.#options = options;
    const { each, all } = options;
    const publishes = makeRate(all.publishesPerSecond, all.publishesBurst);
    const bytes = makeRate(all.bytesPerSecond, all.bytesBurst);
    this.#shared = { publishes: bucket(publishes), bytes: bucket(bytes) };
    this.#turns = {
      publishes: turnOf(publishes, TURN_PUBLISHES_MS),
      bytes: Math.min(turnOf(bytes, TURN_BYTES_MS), TURN_BYTES_MAX),
    };
    this.#own = {
      publishes: makeRate(each.publishesPerSecond, each.publishesBurst),
      bytes: makeRate(each.bytesPerSecond, each.bytesBurst),
    };
  }

  /** Clients that are gone and whose debts are remembered. */
  get debtors(): number {
    return this.#debtors.size;
  }

  /**
   * The rate of a client that comes: the one it left with if that was used up, since coming back
   * must not fill it. Null where nothing is limited, so that it costs nothing.
   */
  client(clientIdentifier: string): ClientRate | null {
    const { publishes, bytes } = this.#shared;
    const own = this.#own;
    if ((own.publishes ?? own.bytes ?? publishes ?? bytes) === null) return null;
    const known = this.#debtors.take(clientIdentifier);
    if (known !== null) return known;
    return new ClientRate(clientIdentifier, {
      debtors: this.#debtors,
      closes: this.#options.overLimit === "close",
      publishes: {
        own: bucket(own.publishes),
        shared: publishes === null ? null : new Share(publishes, this.#turns.publishes),
      },
      bytes: {
        own: bucket(own.bytes),
        shared: bytes === null ? null : new Share(bytes, this.#turns.bytes),
      },
      pauseMs: pauseOf(own.publishes, own.bytes),
    });
  }
}

/** A bucket of its own, and one that it shares with all others. */
interface Buckets {
  readonly own: TokenBucket | null;
  readonly shared: Share | null;
}

/** The limits of one client. */
export class ClientRate extends Aging {
  readonly clientIdentifier: string;
  readonly #publishes: Buckets;
  readonly #bytes: Buckets;
  readonly #closes: boolean;
  readonly #pauseMs: number;
  readonly #debtors: Debtors;

  /** `pauseMs` must not be longer than any bucket of its own takes to fill up. */
  constructor(
    clientIdentifier: string,
    parts: {
      publishes: Buckets;
      bytes: Buckets;
      closes: boolean;
      pauseMs: number;
      debtors: Debtors;
    },
  ) {
    super();
    this.clientIdentifier = clientIdentifier;
    this.#publishes = parts.publishes;
    this.#bytes = parts.bytes;
    this.#closes = parts.closes;
    this.#pauseMs = parts.pauseMs;
    this.#debtors = parts.debtors;
  }

  /** `n` messages were read; gives for how many ms the client is not to be read, or 0. */
  publishes(n: number, nowMs: number): number {
    return this.#charge(this.#publishes, n, nowMs);
  }

  /** `n` bytes were read; gives for how many ms the client is not to be read, or 0. */
  bytes(n: number, nowMs: number): number {
    return this.#charge(this.#bytes, n, nowMs);
  }

  /** How many messages may be read at once; at least 1. */
  publishesRoom(nowMs: number): number {
    return room(this.#publishes, nowMs);
  }

  /** How many bytes may be read at once; at least 1. */
  bytesRoom(nowMs: number): number {
    return room(this.#bytes, nowMs);
  }

  /** What the client that has just come still has to wait for, in ms. */
  debtMs(nowMs: number): number {
    return Math.max(debtMs(this.#publishes, nowMs), debtMs(this.#bytes, nowMs));
  }

  /** From when on it is as good as a new one. */
  get fullAtMs(): number {
    return Math.max(this.#publishes.own?.fullAtMs ?? 0, this.#bytes.own?.fullAtMs ?? 0);
  }

  /** The client is gone. */
  leave(nowMs: number): void {
    this.#debtors.add(this, nowMs);
  }

  #charge(buckets: Buckets, n: number, nowMs: number): number {
    const { own, shared } = buckets;
    const sharedMs = shared === null ? 0 : shared.charge(n, nowMs);
    const ownMs = own === null ? 0 : own.charge(n, nowMs);
    if (ownMs === 0) return sharedMs;
    if (this.#closes) return Infinity;
    return Math.max(ownMs, sharedMs, this.#pauseMs);
  }
}

/**
 * What one client takes from a bucket of all. While the bucket is empty everybody has turns: a
 * client takes so much at most, then it waits until the bucket is out of debt, and others have taken
 * theirs meanwhile. So who sends little is served at once, and who sends much shares what is left
 * evenly. The bucket is in debt for one turn of each client at most.
 */
class Share {
  readonly #bucket: TokenBucket;
  readonly #turn: number;
  #taken = 0;

  constructor(bucket: TokenBucket, turn: number) {
    this.#bucket = bucket;
    this.#turn = turn;
  }

  charge(n: number, nowMs: number): number {
    const waitMs = this.#bucket.charge(n, nowMs);
    this.#taken = waitMs === 0 ? 0 : this.#taken + n;
    if (this.#taken < this.#turn) return 0;
    this.#taken = 0;
    return waitMs;
  }

  debtMs(nowMs: number): number {
    return this.#bucket.charge(0, nowMs);
  }

  room(nowMs: number): number {
    return Math.max(this.#bucket.left(nowMs), this.#turn - this.#taken);
  }
}

/** Clients that have left before their buckets were full again. Bounded: who left first goes first. */
class Debtors {
  readonly #rates = new Map<string, ClientRate>();
  readonly #aging = new AgingList<ClientRate>();

  get size(): number {
    return this.#rates.size;
  }

  add(rate: ClientRate, nowMs: number): void {
    for (let first = this.#aging.first; first !== null; first = this.#aging.first) {
      if (first.fullAtMs > nowMs && this.#rates.size < DEBTORS_MAX) break;
      this.#remove(first);
    }
    if (rate.fullAtMs <= nowMs) return;
    const older = this.#rates.get(rate.clientIdentifier);
    if (older !== undefined) this.#remove(older);
    this.#rates.set(rate.clientIdentifier, rate);
    this.#aging.touch(rate);
  }

  take(clientIdentifier: string): ClientRate | null {
    const rate = this.#rates.get(clientIdentifier);
    if (rate === undefined) return null;
    this.#remove(rate);
    return rate;
  }

  #remove(rate: ClientRate): void {
    this.#rates.delete(rate.clientIdentifier);
    this.#aging.remove(rate);
  }
}

function bucket(rate: Rate | null): TokenBucket | null {
  return rate === null ? null : new TokenBucket(rate);
}

/** The rest of who has used up a limit of its own: not so long that a bucket would run over. */
function pauseOf(publishes: Rate | null, bytes: Rate | null): number {
  const shortestMs = Math.min(publishes?.burstMs ?? PAUSE_MS, bytes?.burstMs ?? PAUSE_MS);
  return Math.floor(Math.min(PAUSE_MS, shortestMs));
}

/** What comes in so many ms, not more than the burst and at least 1. */
function turnOf(rate: Rate | null, ms: number): number {
  return rate === null ? 1 : Math.max(1, Math.floor(Math.min(ms, rate.burstMs) / rate.tokenMs));
}

function debtMs({ own, shared }: Buckets, nowMs: number): number {
  return Math.max(own?.charge(0, nowMs) ?? 0, shared?.debtMs(nowMs) ?? 0);
}

function room({ own, shared }: Buckets, nowMs: number): number {
  const ownRoom = own === null ? Infinity : own.left(nowMs);
  const sharedRoom = shared === null ? Infinity : shared.room(nowMs);
  return Math.max(1, Math.min(ownRoom, sharedRoom));
}
