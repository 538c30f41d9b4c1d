/** The bounds that many keys share. */

/** Most bytes any memory bound may name: one tebibyte, far above any machine this runs on. */
export const MEMORY_BYTES_MAX = 1_099_511_627_776;
/** Most entries any count may name, so that counters stay far from the edge of a safe integer. */
export const COUNT_MAX = 10_000_000;
/** 3650 days: about ten years. */
export const TEN_YEARS_MS = 315_360_000_000;
