/** What stands between the log and a reader or a disk that may be slow: nobody waits for them. */

/** What became of bytes. */
export interface LogWrite {
  /** How many were written. */
  readonly written: number;
  /** Why the others were not; null if there are none. */
  readonly problem: string | null;
}

/** Where lines end up. Nothing here rejects. */
export interface LogTarget {
  write(bytes: Uint8Array<ArrayBuffer>): Promise<LogWrite>;
  /** Opens it anew where that means something; gives why that is not possible, or null. */
  reopen?(): Promise<string | null>;
  close(): void;
}

/** What a queue may hold, and whom it tells. */
export interface LogQueueOptions {
  readonly waitingBytesMax: number;
  /** The line that stands for lines that were lost. */
  readonly lostLine: (count: number, reason: string) => string;
  /** Nothing can be written, and why; null: it goes on. */
  readonly troubled?: (problem: string | null) => void;
}

const NOTHING = new Uint8Array(0);

/** Takes lines at any time and writes them one after the other. Never blocks, never throws. */
export class LogQueue {
  readonly #target: LogTarget;
  readonly #options: LogQueueOptions;
  readonly #encoder = new TextEncoder();
  #waiting: Uint8Array<ArrayBuffer>[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #lostReason = "";
  #trouble: string | null = null;
  /** The target is to be opened anew behind so many of those that wait; null if it is not. */
  #reopensBehind: number | null = null;
  #running: Promise<void> | null = null;
  #ended = false;

  constructor(target: LogTarget, options: LogQueueOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** Whole lines. What does not fit is counted, and told when there is room again. */
  add(lines: string): void {
    const bytes = this.#encoder.encode(lines);
    if (this.#waitingBytes + bytes.length > this.#options.waitingBytesMax) {
      this.#lose(bytes, "they are read, or written, too slowly");
      return;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#run();
  }

  /** Opens the target anew, for the lines that come now. */
  reopen(): void {
    this.#reopensBehind = this.#waiting.length;
    this.#run();
  }

  /** Ends the queue when all is written, or when that takes too long. */
  async end(withinMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, withinMs));
    await Promise.race([this.#idle(), late]);
    clearTimeout(timer);
    if (this.#ended) return;
    this.#ended = true;
    if (this.#running === null) this.#target.close(); // else it is at work
  }

  async #idle(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  #run(): void {
    if (this.#ended) return;
    this.#running ??= this.#drain().finally(() => {
      this.#running = null;
      if (this.#waiting.length > 0 || this.#reopensBehind !== null) this.#run();
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 || this.#reopensBehind !== null) {
      // What came before is still for the old one.
      const before = this.#reopensBehind;
      if (before !== 0) {
        if (before !== null) this.#reopensBehind = 0;
        await this.#write(before ?? this.#waiting.length);
        continue;
      }
      this.#reopensBehind = null;
      const problem = await this.#target.reopen?.() ?? null;
      if (problem !== null) this.#tell(problem);
    }
  }

  /** Writes the first `count` of those that wait. */
  async #write(count: number): Promise<void> {
    const lost = this.#lost;
    const loss = lost === 0 ? NOTHING : this.#lossOf();
    const bytes = joined([loss, ...this.#waiting.splice(0, count)]);
    this.#lost = 0;
    const { written, problem } = await this.#target.write(bytes);
    this.#waitingBytes = this.#waiting.reduce((sum, { length }) => sum + length, 0);
    if (problem !== null) {
      this.#lose(bytes.subarray(written), problem);
      if (written < loss.length) this.#lost += lost - 1; // one of them is the line about the others
    }
    this.#tell(problem);
  }

  #lose(lines: Uint8Array<ArrayBuffer>, reason: string): void {
    for (const byte of lines) if (byte === 0x0a) this.#lost++;
    this.#lostReason = reason;
  }

  #lossOf(): Uint8Array<ArrayBuffer> {
    return this.#encoder.encode(this.#options.lostLine(this.#lost, this.#lostReason));
  }

  #tell(trouble: string | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#options.troubled?.(trouble);
  }
}

function joined(chunks: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let position = 0;
  for (const chunk of chunks) {
    all.set(chunk, position);
    position += chunk.length;
  }
  return all;
}
