/** When the age clock is saved, so that the next start knows how much time has passed. */
import type { Turn } from "./turn.ts";

/** How often while something is written anyway, and while nothing is. */
const BUSY_MS = 60_000;
const IDLE_MS = 3_600_000;
/** A wall clock that has gone so much further or less far than the monotonic one was set. */
const JUMP_MS = 2_000;

/** Saves the age clock in the journal. */
export class AgeSaving {
  readonly #turn: Turn;
  #savedMs = 0;
  /** What the wall clock was ahead of the monotonic one when it was saved. */
  #wallAheadMs = 0;
  #recordsBefore = 0;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Saves it now. */
  save(): void {
    const { journal, nowMs, ageMs, wallMs } = this.#turn;
    journal.clockSaved({ ageMs, wallMs });
    this.#savedMs = nowMs;
    this.#wallAheadMs = wallMs - nowMs;
    this.#recordsBefore = journal.records;
  }

  /** Saves it if that is due. */
  tick(): void {
    const { journal, nowMs, wallMs } = this.#turn;
    const waitMs = journal.records === this.#recordsBefore ? IDLE_MS : BUSY_MS;
    const due = nowMs - this.#savedMs >= waitMs;
    // A wall clock that was set must not look like time that has passed until the next start.
    const wasSet = Math.abs(wallMs - nowMs - this.#wallAheadMs) > JUMP_MS;
    if (due || wasSet) this.save();
  }
}
