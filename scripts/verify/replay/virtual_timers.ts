/** The clock and the timers of the runtime, which stand still until a rig says otherwise. */

interface VirtualTimer {
  readonly id: number;
  readonly delayMs: number;
  readonly callback: () => void;
}

/**
 * Stands in for the timers of the runtime, and for its clock, while `during` runs. That gives way to
 * nothing but what waits for nothing but its turn, so nobody else sees it.
 */
export class VirtualTimers {
  nowMs = 1_000;
  #timers: VirtualTimer[] = [];
  #nextId = 1;

  /** The timers of this delay that are set, the first one first. */
  timers(delayMs: number): readonly number[] {
    return this.#timers.filter((timer) => timer.delayMs === delayMs).map(({ id }) => id);
  }

  /** Runs `act`, whose own waiting must be of that kind. */
  async during<T>(act: () => T | Promise<T>): Promise<T> {
    const { setTimeout, clearTimeout, setImmediate } = globalThis;
    const { now } = performance;
    Object.assign(globalThis, {
      setTimeout: (callback: () => void, delayMs = 0) => this.#set(callback, delayMs),
      clearTimeout: (id?: number) => {
        this.#timers = this.#timers.filter((timer) => timer.id !== id);
      },
      setImmediate: (callback: () => void) => queueMicrotask(callback),
    });
    performance.now = () => this.nowMs;
    try {
      return await act();
    } finally {
      Object.assign(globalThis, { setTimeout, clearTimeout, setImmediate });
      performance.now = now;
    }
  }

  /** Lets a timer ring. */
  ring(id: number | undefined): void {
    const timer = this.#timers.find((other) => other.id === id);
    if (timer === undefined) throw new Error("Cannot ring: the timer is not set");
    this.#timers = this.#timers.filter((other) => other !== timer);
    timer.callback();
  }

  #set(callback: () => void, delayMs: number): number {
    const id = this.#nextId++;
    this.#timers.push({ id, delayMs, callback });
    return id;
  }
}
