/**
 * Bounds how many passwords are checked at once, whatever file they are checked against, and sees to
 * it that a flood of wrong ones does not keep the others out. A hash costs a fifth of a second of a
 * core on purpose, so a flood always finds the gate busy; who is served next is what counts:
 *
 * - Those whose address (an IPv6 network of 64 bits) has logged in before come before strangers, but
 *   for every fourth turn. An address becomes known by a right password only.
 * - Among equals every address has its turn, however many it has sent; where there is no room left,
 *   the address that has most waiting gives way.
 * - A client that comes back soon with the password it had is let in without a hash; see
 *   `RecentLogins` for why that is safe.
 *
 * WebCrypto hashes on a thread of its own. One core is left to the event loop where there are two.
 */
import { FairQueue } from "./_fair_queue.ts";
import type { PasswordFile } from "./password_file.ts";
import { RecentLogins } from "./recent_logins.ts";

/**
 * The answer to a user name and a password. Nothing was checked if it is "busy", too many wait
 * already, or "gone", nobody waits for the answer any more.
 */
export type PasswordVerdict = "right" | "wrong" | "busy" | "gone";

/** Bounds of a gate. */
export interface PasswordGateLimits {
  /** Checks that run at once; each takes a core. */
  readonly parallelMax: number;
  /** Checks of strangers that wait for one of those, and as many of addresses that are known. */
  readonly waitingMax: number;
  /** How long a password that was right needs no check; 0: it always does. */
  readonly memoryMs: number;
}

/** One less than there are cores: the event loop keeps one, and a flood of CONNECTs does not reach it. */
export const PASSWORD_GATE_LIMITS: PasswordGateLimits = {
  parallelMax: Math.max(1, navigator.hardwareConcurrency - 1),
  waitingMax: 256,
  memoryMs: 0,
};

/** Addresses that are known to have logged in. */
const KNOWN_MAX = 16_384;
/** Logins that are remembered. */
const REMEMBERED_MAX = 16_384;
/** One turn in so many is for strangers even while others wait. */
const STRANGERS_TURN = 4;

/** Tells whether the place was got, or given to somebody else. */
type Waiting = (admitted: boolean) => void;

/** Who wants to know. */
export interface LoginAttempt {
  /** The address, as text: an IPv4 address or an IPv6 network of 64 bits. */
  readonly source?: string;
  /**
   * Asked when it is its turn: in a rush the checks of those who have given up would keep the others
   * waiting until they give up, too.
   */
  readonly isGone?: () => boolean;
  /**
   * Whether it is wrong whatever the password is. It costs as much as any other and leaves nothing
   * behind, so that neither the answer nor the time tells whether the password was right.
   */
  readonly isHopeless?: boolean;
}

/** Counters of a gate, since the start. */
export interface PasswordGateStatistics {
  /** Passwords that were hashed. */
  hashed: number;
  /** Logins that were remembered, and so let in without a hash. */
  remembered: number;
  /** Checks that were refused because too many waited. */
  refused: number;
}

/** One for the whole broker, so that a reload of the file does not lift the bound. */
export class PasswordGate {
  readonly statistics: PasswordGateStatistics = { hashed: 0, remembered: 0, refused: 0 };
  readonly #limits: PasswordGateLimits;
  readonly #nowMs: () => number;
  readonly #strangers: FairQueue<Waiting>;
  readonly #regulars: FairQueue<Waiting>;
  /** Sources that have logged in; who did so longest ago stands first. */
  readonly #known = new Set<string>();
  readonly #recent: RecentLogins;
  #turns = 0;
  #running = 0;

  constructor(
    limits: Partial<PasswordGateLimits> = {},
    nowMs: () => number = () => performance.now(),
  ) {
    const all = { ...PASSWORD_GATE_LIMITS, ...limits };
    this.#limits = all;
    this.#nowMs = nowMs;
    this.#strangers = new FairQueue(all.waitingMax);
    this.#regulars = new FairQueue(all.waitingMax);
    this.#recent = new RecentLogins({ entriesMax: REMEMBERED_MAX, lifetimeMs: all.memoryMs });
  }

  /** Checks that run now. */
  get running(): number {
    return this.#running;
  }

  /** Checks that wait now. */
  get waiting(): number {
    return this.#strangers.size + this.#regulars.size;
  }

  /** The password file is another one: nothing is remembered. */
  forget(): void {
    this.#recent.clear();
  }

  /** Checks a password as soon as there is room; copies it, so the caller may use its buffer again. */
  async verify(
    file: PasswordFile,
    { userName, password }: { userName: string; password: Uint8Array | null },
    { source = "", isGone, isHopeless = false }: LoginAttempt = {},
  ): Promise<PasswordVerdict> {
    const line = file.users.get(userName);
    const name = isHopeless ? null : this.#recent.nameOf({ userName, password }, line);
    if (name !== null && this.#recent.knows(name, this.#nowMs())) {
      this.statistics.remembered++;
      return "right";
    }
    const copy = password === null ? null : password.slice();
    try {
      if (!await this.#enter(source)) return "busy";
      return await this.#check(file, { userName, password: copy }, {
        name,
        source,
        isGone,
        isHopeless,
      });
    } finally {
      copy?.fill(0);
    }
  }

  async #check(
    file: PasswordFile,
    { userName, password }: { userName: string; password: Uint8Array | null },
    { name, source, isGone, isHopeless }: {
      name: string | null;
      source: string;
      isGone: (() => boolean) | undefined;
      isHopeless: boolean;
    },
  ): Promise<PasswordVerdict> {
    try {
      if (isGone?.() === true) return "gone";
      this.statistics.hashed++;
      const isRight = await file.verify(userName, password);
      if (!isRight || isHopeless) return "wrong";
      this.#meet(source);
      // A plain SHA-256 is as cheap as looking it up.
      const isCostly = (file.users.get(userName)?.iterations ?? 1) > 1;
      if (name !== null && isCostly) this.#recent.add(name, this.#nowMs());
      return "right";
    } finally {
      this.#leave();
    }
  }

  /** Resolves when there is room, to false if there is none to wait in. */
  async #enter(source: string): Promise<boolean> {
    if (this.#running < this.#limits.parallelMax) {
      this.#running++;
      return true;
    }
    const queue = this.#known.has(source) ? this.#regulars : this.#strangers;
    return await new Promise<boolean>((resolve) => {
      const evicted = queue.push(source, resolve);
      if (evicted === null) return;
      this.statistics.refused++;
      evicted(false);
    });
  }

  /** Whoever finishes hands its place on, so `#running` stays as it is. */
  #leave(): void {
    const isStrangersTurn = ++this.#turns % STRANGERS_TURN === 0;
    const [first, second] = isStrangersTurn
      ? [this.#strangers, this.#regulars]
      : [this.#regulars, this.#strangers];
    const next = first.shift() ?? second.shift();
    if (next === null) this.#running--;
    else next(true);
  }

  #meet(source: string): void {
    this.#known.delete(source);
    if (this.#known.size >= KNOWN_MAX) {
      const [oldest] = this.#known;
      this.#known.delete(oldest!);
    }
    this.#known.add(source);
  }
}
