/** Bounds how many passwords are checked at once, whatever file they are checked against. */
import type { PasswordFile } from "./password_file.ts";

/**
 * The answer to a user name and a password. Nothing was checked if it is "busy", too many wait
 * already, or "gone", nobody waits for the answer any more.
 */
export type PasswordVerdict = "right" | "wrong" | "busy" | "gone";

/** Bounds of a gate. */
export interface PasswordGateLimits {
  /** Checks that run at once; each takes a core. */
  readonly parallelMax: number;
  /** Checks that wait for one of those. */
  readonly waitingMax: number;
}

/** One less than there are cores: the event loop keeps one, and a flood of CONNECTs does not reach it. */
export const PASSWORD_GATE_LIMITS: PasswordGateLimits = {
  parallelMax: Math.max(1, navigator.hardwareConcurrency - 1),
  waitingMax: 256,
};

/** One for the whole broker, so that a reload of the file does not lift the bound. */
export class PasswordGate {
  readonly #limits: PasswordGateLimits;
  /** Those that wait, in their order. */
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #refused = 0;

  constructor(limits: PasswordGateLimits = PASSWORD_GATE_LIMITS) {
    this.#limits = limits;
  }

  /** Checks that run now. */
  get running(): number {
    return this.#running;
  }

  /** Checks that wait now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Checks that were refused because too many waited, since the start. */
  get refused(): number {
    return this.#refused;
  }

  /**
   * Checks a password as soon as there is room; copies it, so the caller may use its buffer again.
   * `isGone` is asked when it is its turn: in a rush the checks of those who have given up would
   * keep the others waiting until they give up, too.
   */
  async verify(
    file: PasswordFile,
    { userName, password }: { userName: string; password: Uint8Array | null },
    isGone: () => boolean = () => false,
  ): Promise<PasswordVerdict> {
    const copy = password === null ? null : password.slice();
    if (this.#running < this.#limits.parallelMax) this.#running++;
    else if (this.#waiting.length >= this.#limits.waitingMax) {
      this.#refused++;
      return "busy";
    } else {
      // Whoever finishes hands its place on, so `#running` stays as it is.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    try {
      if (isGone()) return "gone";
      return await file.verify(userName, copy) ? "right" : "wrong";
    } finally {
      copy?.fill(0);
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
