/**
 * Remembers for a while which passwords were right, so that a plant whose clients all come back after
 * a power cut is not kept waiting by its own hashes: a thousand of them take minutes.
 *
 * This weakens nothing that an attacker over the network can use:
 * - Only what was right is remembered. A wrong password always costs a full hash, whatever the user.
 * - What is kept is HMAC-SHA-256 of user name, line of the password file and password, under a key of
 *   this process that never leaves it. The HMAC is computed for everybody, known or not; a look-up by
 *   its value tells by its time at most how the values lie in memory, which nobody can aim at without
 *   the key.
 * - It is bound to the line of the password file: another hash, and a user who is gone, miss. A reload
 *   of the file forgets everything besides.
 * - It is bounded in number and time, and switched off by `login_memory_ms = 0`.
 *
 * Whoever reads the memory of this process finds an HMAC that can be tried faster than PBKDF2; he
 * finds the passwords of the CONNECTs themselves there, too.
 */
import { createHmac } from "node:crypto";
import { formatPasswordHash, type PasswordHash } from "./password_hash.ts";

/** Bounds of the memory. */
export interface RecentLoginLimits {
  /** Most logins that are remembered; the oldest go first. */
  readonly entriesMax: number;
  /** How long after it was last right; 0 remembers nothing. */
  readonly lifetimeMs: number;
}

/** Stands for the line of a user who has none: nothing is ever remembered for it. */
const NO_LINE = "-";

/** Passwords that were right a short while ago. */
export class RecentLogins {
  readonly #limits: RecentLoginLimits;
  readonly #key = crypto.getRandomValues(new Uint8Array(32));
  /** Until when each one is remembered; the oldest first. */
  readonly #untilMs = new Map<string, number>();

  constructor(limits: RecentLoginLimits) {
    this.#limits = limits;
  }

  /** Logins that are remembered. */
  get size(): number {
    return this.#untilMs.size;
  }

  /** The name of a login in this memory; null if nothing is remembered at all. */
  nameOf(
    { userName, password }: { userName: string; password: Uint8Array | null },
    line: PasswordHash | undefined,
  ): string | null {
    if (this.#limits.lifetimeMs === 0) return null;
    const hmac = createHmac("sha256", this.#key);
    // Neither a user name of MQTT nor a line holds a zero byte.
    hmac.update(`${userName}\0${line === undefined ? NO_LINE : formatPasswordHash(line)}\0`);
    return hmac.update(password ?? new Uint8Array(0)).digest("base64");
  }

  /** Whether this login was right lately; it is remembered anew then. */
  knows(name: string, nowMs: number): boolean {
    const untilMs = this.#untilMs.get(name);
    if (untilMs === undefined) return false;
    this.#untilMs.delete(name);
    if (untilMs <= nowMs) return false;
    this.#untilMs.set(name, nowMs + this.#limits.lifetimeMs);
    return true;
  }

  /** This login was right. */
  add(name: string, nowMs: number): void {
    this.#untilMs.delete(name);
    for (const [oldest, untilMs] of this.#untilMs) {
      if (untilMs > nowMs && this.#untilMs.size < this.#limits.entriesMax) break;
      this.#untilMs.delete(oldest);
    }
    this.#untilMs.set(name, nowMs + this.#limits.lifetimeMs);
  }

  /** Forgets everything. */
  clear(): void {
    this.#untilMs.clear();
  }
}
