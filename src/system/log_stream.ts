/** A log that goes into a pipe, a terminal or the journal. */
import type { LogTarget, LogWrite } from "./log_queue.ts";

/** A stream that takes what it can; `Deno.stderr` is one. */
export interface ByteSink {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
}

/** Writes to a stream of the process. */
export class LogStream implements LogTarget {
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<LogWrite> {
    let written = 0;
    try {
      while (written < bytes.length) written += await this.#sink.write(bytes.subarray(written));
    } catch (error) {
      // A reader that has gone away, as in `relayq serve 2>&1 | head`: what it did not want is dropped.
      const isGone = error instanceof Deno.errors.BrokenPipe;
      if (!isGone) return { written, problem: reasonOf(error) };
    }
    return { written: bytes.length, problem: null };
  }

  close(): void {} // others may still have something to say
}

/** What an error says. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
