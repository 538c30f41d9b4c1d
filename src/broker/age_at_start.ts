/** The age clock, which tells how old things are, over restarts and wrong wall clocks. */
import type { StoredState } from "./journal.ts";

/** Wall clocks before 2025 have not been set: the time that has passed by them means nothing. */
const CLOCK_PLAUSIBLE_MS = 1_735_689_600_000;

/**
 * Where the age clock stands at a start: it began as the wall clock, and the time since it was saved
 * counts if both wall clocks make sense. No moment that the store knows is in its future.
 */
export function ageAtStart(state: StoredState, wallMs: number): number {
  const { clock, sessions, retained, deadLetters } = state;
  let ageMs = Math.max(1, wallMs);
  if (clock !== null) {
    const passedMs = wallMs - clock.wallMs;
    const plausible = clock.wallMs >= CLOCK_PLAUSIBLE_MS && passedMs > 0;
    ageMs = clock.ageMs + (plausible ? passedMs : 0);
  }
  for (const { storedSinceMs, deliveries } of sessions) {
    ageMs = Math.max(ageMs, storedSinceMs);
    for (const { queuedS } of deliveries) ageMs = Math.max(ageMs, queuedS * 1000);
  }
  for (const { atS } of retained) ageMs = Math.max(ageMs, atS * 1000);
  return Math.max(ageMs, (deadLetters.at(-1)?.ageS ?? 0) * 1000);
}
