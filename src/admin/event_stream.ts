/** Server-sent events to one reader: bounded, and told of what it was too slow for. */
import type { ByteSource } from "./stream_answer.ts";

const encoder = new TextEncoder();
/** Taken together into one piece at most. */
const PIECE_BYTES_MAX = 65_536;

/** Keeps events until their reader takes them; what does not fit is counted and told. */
export class EventStream implements ByteSource {
  readonly #waitingBytesMax: number;
  readonly #ended: () => void;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #over = false;
  #wake: (() => void) | null = null;

  /** `ended` is called once, when there is a reader no more. */
  constructor(waitingBytesMax: number, ended: () => void) {
    this.#waitingBytesMax = waitingBytesMax;
    this.#ended = ended;
  }

  /** Sends an event; `json` has no line end. */
  send(event: string, json: string): void {
    this.#add(encoder.encode(`event: ${event}\ndata: ${json}\n\n`));
  }

  /** Says that the connection lives. Readers do not see it. */
  beat(): void {
    if (this.#waiting.length === 0) this.#add(encoder.encode(":\n\n"));
  }

  /** What waits goes out still, and then the answer ends. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#ended();
    this.#wakeUp();
  }

  async next(): Promise<Uint8Array | null> {
    while (this.#waiting.length === 0) {
      if (this.#over) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (this.#waiting.length > 0 && (length === 0 || length < PIECE_BYTES_MAX)) {
      const piece = this.#waiting.shift()!;
      length += piece.length;
      pieces.push(piece);
    }
    this.#waitingBytes -= length;
    const all = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  cancel(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.end();
  }

  #add(bytes: Uint8Array): void {
    if (this.#over) return;
    if (this.#waitingBytes + bytes.length > this.#waitingBytesMax) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) {
      const told = encoder.encode(`event: lost\ndata: {"events":${this.#lost}}\n\n`);
      this.#lost = 0;
      this.#waiting.push(told);
      this.#waitingBytes += told.length;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
