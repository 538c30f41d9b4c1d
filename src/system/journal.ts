/** Whether what is written to standard error goes into the journal of systemd. */
import { fstatSync } from "node:fs";
import { environmentVariable } from "./environment.ts";

const STANDARD_ERROR = 2;

/**
 * Whether JOURNAL_STREAM names the very stream that standard error is: the variable is inherited by
 * processes whose standard error is another one.
 */
export function isJournal(): boolean {
  const stream = environmentVariable("JOURNAL_STREAM");
  if (stream === null) return false;
  try {
    const { dev, ino } = fstatSync(STANDARD_ERROR);
    return stream === `${dev}:${ino}`;
  } catch {
    return false; // closed
  }
}
