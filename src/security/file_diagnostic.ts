/** What is wrong with a file of this room, and where: for the log, the admin API and editors. */

/** One mistake in a file that people write. */
export interface FileDiagnostic {
  /** Line in the file, from 1. */
  readonly line: number;
  /** Column in that line, from 1, in UTF-16 code units. */
  readonly column: number;
  /** What is wrong, one line, without the position and without any secret of the file. */
  readonly message: string;
}

/**
 * A file as it was meant, or every mistake in it. There is no half: a file with a mistake is not
 * used at all, so that a reload keeps the last good one.
 */
export type ParsedFile<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly diagnostics: readonly FileDiagnostic[] };

/** Mistakes told of one file; a file of another kind altogether has one in each line. */
const DIAGNOSTICS_MAX = 100;

/** Collects the mistakes of one file. */
export class Diagnostics {
  readonly #found: FileDiagnostic[] = [];
  #untold = 0;

  /** Adds a mistake, or counts it if there are too many to tell. */
  add(line: number, column: number, message: string): void {
    if (this.#found.length < DIAGNOSTICS_MAX) this.#found.push({ line, column, message });
    else this.#untold++;
  }

  /** The file with its mistakes, or `value` if there are none. */
  finish<T>(value: T): ParsedFile<T> {
    const last = this.#found.at(-1);
    if (last === undefined) return { ok: true, value };
    if (this.#untold > 0) {
      this.#found.push({ ...last, message: `and ${this.#untold} more mistakes from here on` });
    }
    return { ok: false, diagnostics: this.#found };
  }
}

/**
 * A control character, a line separator, or what turns the direction of writing: no line of ours may
 * hold one, since it would not mean what it shows.
 */
export const CONTROL_CHARACTER =
  // deno-lint-ignore no-control-regex -- they are what this is about
  /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/;
