/**
 * What a broker gives up before the system ends it for want of memory, least harmful first. A pure
 * machine: facts and time in, changes of stage out; what a stage means is done by others.
 *
 * A stage is entered as soon as a sample asks for it, one at a time, so that each has its chance. It
 * is left when the pressure has been below its threshold, by the hysteresis, for the whole dwell
 * time. The last one is entered only when all others have been in force for the dwell time and the
 * pressure is still above its threshold, and only if the process has grown since its start: else
 * the next one would stand where this one does. A busy event loop alone only stops new connections:
 * it is no reason to lose a message.
 */

/** Stages, in order; each includes those before it. */
export const MEMORY_STAGES = [
  "normal",
  "refuse-connections",
  "shed-qos0",
  "shed-queues",
  "shut-down",
] as const;

/** One of them. */
export type MemoryStage = typeof MEMORY_STAGES[number];

/** When a stage begins and ends. */
export interface MemoryGuardLimits {
  /** Pressures from which on the stages behind "normal" are asked for; rising, 0 to 1. */
  readonly thresholds: readonly [number, number, number, number];
  /** So far below its threshold the pressure has to be for a stage to end. */
  readonly hysteresis: number;
  readonly dwellMs: number;
  /** Lag of the event loop from which on no connections are accepted; 0 for never. */
  readonly lagMsMax: number;
}

/** Moments in a row with too much lag that count: one alone is a garbage collection. */
export const LAG_SAMPLES = 3;

/** So much less than at the end the pressure has to have been at the start for a restart to help. */
const RESTART_GAIN = 0.1;

/** The facts of one moment. */
export interface MemoryReading {
  readonly rssBytes: number;
  /** How much of that is free inside the process, for it to use again. */
  readonly freeBytes: number;
  /** What the process may use at most; Infinity if nobody knows. */
  readonly limitBytes: number;
  /** Where the limit comes from, for the operator. */
  readonly limitSource: string;
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
}

/** A change of stage. */
export interface MemoryStageChange {
  readonly from: MemoryStage;
  readonly to: MemoryStage;
  /** Why, in words and numbers. */
  readonly reason: string;
}

const LAST = MEMORY_STAGES.length - 1;

/** Decides on the stage. */
export class MemoryGuard {
  readonly #limits: MemoryGuardLimits;
  #stage = 0;
  #enteredMs = -Infinity;
  /** The pressure of the first sample. */
  #startPressure: number | null = null;
  /** Since when the present stage could end; null while it could not. */
  #relaxedSinceMs: number | null = null;
  #lagged = 0;

  /** Throws RangeError for thresholds that do not rise, or that hysteresis turns upside down. */
  constructor(limits: MemoryGuardLimits) {
    const { thresholds, hysteresis, dwellMs, lagMsMax } = limits;
    const rising = thresholds.every((value, i) => value > (thresholds[i - 1] ?? 0) && value <= 1);
    const sound = rising && hysteresis >= 0 && hysteresis < thresholds[0] && dwellMs >= 0 &&
      lagMsMax >= 0;
    if (!sound) throw new RangeError(`Cannot guard memory: limits ${JSON.stringify(limits)}`);
    this.#limits = limits;
  }

  /** The stage in force. */
  get stage(): MemoryStage {
    return MEMORY_STAGES[this.#stage]!;
  }

  /** Whether a stage, or one behind it, is in force. */
  reached(stage: MemoryStage): boolean {
    return this.#stage >= MEMORY_STAGES.indexOf(stage);
  }

  /** The pressure: the larger of the two shares, of the process in its limit and of the heap in its own. */
  pressure({ rssBytes, freeBytes, limitBytes, heapUsedBytes, heapLimitBytes }: MemoryReading) {
    const resident = rssBytes / limitBytes;
    const held = (rssBytes - freeBytes) / limitBytes;
    // At the edge it does not matter what could be used again: the next page may be one too many.
    const process = resident >= this.#limits.thresholds[LAST - 1]! ? resident : held;
    return Math.max(process, heapUsedBytes / heapLimitBytes);
  }

  /** Whether the pressure is above the threshold of the present stage, or asks for the next one. */
  presses(reading: MemoryReading): boolean {
    const next = Math.min(this.#stage, LAST - 2);
    return this.pressure(reading) >= this.#limits.thresholds[next]!;
  }

  /**
   * Takes the facts of a moment, a few times a second; gives the change they make, or null.
   * `collected`: no garbage is in them. Nothing ends for the sake of garbage.
   */
  sample(
    reading: MemoryReading,
    { lagMs, nowMs, collected }: { lagMs: number; nowMs: number; collected: boolean },
  ): MemoryStageChange | null {
    const { lagMsMax, dwellMs } = this.#limits;
    const pressure = this.pressure(reading);
    this.#startPressure ??= pressure;
    this.#lagged = lagMsMax > 0 && lagMs >= lagMsMax ? this.#lagged + 1 : 0;
    const lagging = this.#lagged >= LAG_SAMPLES;
    if (this.#asks(pressure, nowMs) && (collected || this.#stage < LAST - 1)) {
      return this.#enter(this.#stage + 1, nowMs, describePressure(reading));
    }
    if (this.#stage === 0 && lagging) {
      return this.#enter(1, nowMs, `the event loop lags by ${Math.round(lagMs)} ms`);
    }
    if (!this.#mayEnd(pressure, lagMs)) {
      this.#relaxedSinceMs = null;
      return null;
    }
    this.#relaxedSinceMs ??= nowMs;
    if (nowMs - this.#relaxedSinceMs < dwellMs) return null;
    return this.#enter(this.#stage - 1, nowMs, describePressure(reading));
  }

  /** Whether the pressure asks for the next stage. */
  #asks(pressure: number, nowMs: number): boolean {
    const { thresholds, dwellMs } = this.#limits;
    // Infinity for the last stage: there is none behind it.
    if (pressure < (thresholds[this.#stage] ?? Infinity)) return false;
    if (this.#stage < LAST - 1) return true;
    const grown = pressure - this.#startPressure! >= RESTART_GAIN;
    return grown && nowMs - this.#enteredMs >= dwellMs;
  }

  /** A shutdown that has begun is not taken back. */
  #mayEnd(pressure: number, lagMs: number): boolean {
    if (this.#stage === 0 || this.#stage === LAST) return false;
    const { thresholds, hysteresis, lagMsMax } = this.#limits;
    if (pressure >= thresholds[this.#stage - 1]! - hysteresis) return false;
    return this.#stage > 1 || lagMsMax === 0 || lagMs < lagMsMax / 2;
  }

  #enter(stage: number, nowMs: number, reason: string): MemoryStageChange {
    const from = this.stage;
    this.#stage = stage;
    this.#enteredMs = nowMs;
    this.#relaxedSinceMs = null;
    return { from, to: this.stage, reason };
  }
}

function describePressure(reading: MemoryReading): string {
  const { rssBytes, freeBytes, limitBytes, limitSource, heapUsedBytes, heapLimitBytes } = reading;
  const heap = heapUsedBytes / heapLimitBytes;
  if (rssBytes / limitBytes >= heap) {
    const free = freeBytes > 0 ? `, ${mebibytes(freeBytes)} of it free` : "";
    return `${mebibytes(rssBytes)} resident, ${percent(rssBytes / limitBytes)} of ` +
      `${mebibytes(limitBytes)} (${limitSource})${free}`;
  }
  return `${mebibytes(heapUsedBytes)} of heap, ${percent(heap)} of ${mebibytes(heapLimitBytes)}`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
