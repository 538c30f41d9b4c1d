/** A look at the dead letters of a broker at work: a bounded piece of them, so that nobody waits. */
import { asTopicFilter, topicMatches } from "../mqtt/mod.ts";
import type { DeadLetterSelection, StoredLetter } from "./dead_letter_selection.ts";

/** Rows and bytes of payloads after which a look ends and another one has to go on. */
const LOOK_ROWS_MAX = 1_000;
const LOOK_BYTES_MAX = 1_048_576;
const EVERYTHING = asTopicFilter("#");

/** What is looked for. */
export interface LetterQuery {
  readonly selection: DeadLetterSelection;
  /** Letters behind this one in the order of the look; null for those from its beginning. */
  readonly behind: number | null;
  /** The youngest first; else the oldest. */
  readonly newestFirst: boolean;
  readonly limit: number;
  /** Bytes of each payload that are wanted; the rest is cut off. */
  readonly payloadBytesMax: number;
}

/** A dead letter whose payload may be cut off. */
export interface LetterView extends StoredLetter {
  /** Bytes of the whole payload. */
  readonly payloadBytes: number;
}

/** What a look has found. */
export interface LetterPage {
  readonly letters: readonly LetterView[];
  /** `behind` of the look that goes on; null if there is nothing more. */
  readonly next: number | null;
}

/** Where dead letters can be looked at. What is not committed may not be there yet. */
export interface LetterShelf {
  /** Rejects where that is not possible at present. */
  look(query: LetterQuery): Promise<LetterPage>;
}

/** Takes rows in the order of a look, those that are selected, until that is enough. */
export function pageOf(rows: Iterable<LetterView>, query: LetterQuery): LetterPage {
  const letters: LetterView[] = [];
  let seen = 0;
  let bytes = 0;
  let last: number | null = null;
  for (const letter of rows) {
    // Before the row is taken: there is one more, whether it is selected or not.
    const full = letters.length >= query.limit || seen >= LOOK_ROWS_MAX || bytes >= LOOK_BYTES_MAX;
    if (full) return { letters, next: last };
    seen++;
    last = letter.id;
    if (!isSelected(letter, query.selection)) continue;
    letters.push(letter);
    bytes += letter.payload.length;
  }
  return { letters, next: null };
}

/** Whether a letter is meant. Topics that the server owns are met by "#", too: it means all here. */
export function isSelected(letter: StoredLetter, selection: DeadLetterSelection): boolean {
  const { ids, reason, topic, publisher, session, client, sinceMs, untilMs } = selection;
  return (ids === undefined || ids.includes(letter.id)) &&
    (reason === undefined || letter.reason === reason) &&
    (publisher === undefined || letter.publisher === publisher) &&
    (session === undefined || letter.session === session) &&
    (client === undefined || letter.publisher === client || letter.session === client) &&
    (sinceMs === undefined || letter.wallMs >= sinceMs) &&
    (untilMs === undefined || letter.wallMs < untilMs) &&
    (topic === undefined || topic === EVERYTHING || topicMatches(topic, letter.topic));
}
