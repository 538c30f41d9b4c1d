/** The last lines of the log, for whoever comes later. */
import type { LogLine } from "./log_line.ts";

/** A line with its number; numbers rise by one. */
export interface NumberedLine extends LogLine {
  readonly number: number;
}

/** Keeps so many lines; who comes later finds those. */
export class LogRing {
  readonly #linesMax: number;
  readonly #lines: NumberedLine[] = [];
  #next = 0;
  #count = 0;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  /** Adds a line; gives it with its number, from 1. */
  add(line: LogLine): NumberedLine {
    const numbered = { ...line, number: ++this.#count };
    this.#lines[this.#next] = numbered;
    this.#next = (this.#next + 1) % this.#linesMax;
    return numbered;
  }

  /** The lines that are there, the oldest first. */
  get lines(): readonly NumberedLine[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
  }
}
