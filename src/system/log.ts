/** The log: one line for each event. */
import {
  formatLogLine,
  LOG_LEVELS,
  type LogFields,
  type LogLevel,
  type LogLine,
  type LogRoom,
  type LogStyle,
} from "./log_line.ts";
import { LogRepeats } from "./log_repeats.ts";

/** What is written, and how. */
export interface LogOptions extends LogStyle {
  readonly level: LogLevel;
  /** Of rooms that have a level of their own. */
  readonly levels: { readonly [Room in LogRoom]?: LogLevel };
  /** Lines of one kind in a second; 0 is no limit. */
  readonly repeatsPerSecondMax: number;
}

/** Where lines go, and what time it is. */
export interface LogOutput {
  readonly write: (line: string) => void;
  /** The same line before it was written. */
  readonly seen?: (line: LogLine) => void;
  readonly wallMs: () => number;
  /** Monotonic. */
  readonly nowMs: () => number;
}

/** What there is to say about a line besides its text. */
export interface LineFacts {
  /** By default "server". */
  readonly room?: LogRoom;
  /** By default what stands before the first colon; null for a line that is always written. */
  readonly kind?: string | null;
  readonly fields?: LogFields;
}

interface Origin {
  readonly level: LogLevel;
  readonly room: LogRoom;
}

/** Writes lines at or above the level of their room. */
export class Log {
  #options: LogOptions;
  readonly #output: LogOutput;
  #repeats: LogRepeats<Origin>;

  constructor(options: LogOptions, output: LogOutput) {
    this.#options = options;
    this.#output = output;
    this.#repeats = new LogRepeats(options.repeatsPerSecondMax);
  }

  /** The level of all rooms without one of their own, and of those that have one. */
  get levels(): Pick<LogOptions, "level" | "levels"> {
    const { level, levels } = this.#options;
    return { level, levels };
  }

  /** Other levels from now on. */
  set levels({ level, levels }: Pick<LogOptions, "level" | "levels">) {
    this.#options = { ...this.#options, level, levels };
  }

  /** Other options hold from the next line on; what was left out until now is told first. */
  configure(options: LogOptions): void {
    this.tick(Infinity);
    this.#options = options;
    this.#repeats = new LogRepeats(options.repeatsPerSecondMax);
  }

  /** Whether lines of this level are written. */
  enabled(level: LogLevel, room: LogRoom): boolean {
    const least = this.#options.levels[room] ?? this.#options.level;
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least);
  }

  /** Writes one line, unless there were many of its kind in this second. */
  line(level: LogLevel, text: string, { room = "server", kind, fields }: LineFacts = {}): void {
    if (!this.enabled(level, room)) return;
    if (kind !== null) {
      const origin = { about: { level, room }, nowMs: this.#output.nowMs() };
      if (!this.#repeats.admits(kind ?? kindOf(text), origin)) return;
    }
    this.#write({ level, room }, { text, fields: fields ?? {} });
  }

  /** Writes how many lines were left out; to be called several times a second. */
  tick(nowMs: number): void {
    for (const { kind, count, about } of this.#repeats.drain(nowMs)) {
      const text = `suppressed ${count.toLocaleString("en-US")} more like "${kind}: …"`;
      this.#write(about, { text, fields: { suppressed: count, kind } });
    }
  }

  #write(origin: Origin, { text, fields }: { text: string; fields: LogFields }): void {
    const { wallMs, write, seen } = this.#output;
    const line = { wallMs: wallMs(), ...origin, text, fields };
    write(formatLogLine(line, this.#options));
    seen?.(line);
  }
}

function kindOf(text: string): string {
  const colon = text.indexOf(":");
  return colon < 0 ? text : text.slice(0, colon);
}
