/** The log: one line for each event. */

/** Levels, least important first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** A level of the log. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Writes lines at or above a level: time, level, text. */
export class Log {
  readonly #least: number;
  readonly #write: (line: string) => void;
  readonly #wallMs: () => number;

  constructor(
    level: LogLevel,
    output: { write: (line: string) => void; wallMs: () => number },
  ) {
    this.#least = LOG_LEVELS.indexOf(level);
    this.#write = output.write;
    this.#wallMs = output.wallMs;
  }

  /** Whether lines of this level are written. */
  enabled(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= this.#least;
  }

  /** Writes one line; `text` holds no line end. */
  line(level: LogLevel, text: string): void {
    if (!this.enabled(level)) return;
    const time = new Date(this.#wallMs()).toISOString();
    this.#write(`${time} ${level.padEnd(5)} ${text}\n`);
  }
}
