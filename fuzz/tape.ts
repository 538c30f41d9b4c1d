/** An input as the list of decisions that made it: what can be kept, changed and played again. */
import { Random } from "./random.ts";

/** Decisions of one input at most; later ones are not kept. */
const TAPE_WORDS_MAX = 65_536;

/** Plays decisions from a tape, and draws those that are missing; keeps what was played. */
export class TapeRandom extends Random {
  #tape: Uint32Array = new Uint32Array(0);
  readonly #played = new Uint32Array(TAPE_WORDS_MAX);
  #at = 0;

  /** Begins an input: first the words of the tape, then random ones from the seed. */
  play(tape: Uint32Array, seed: number): void {
    this.reseed(seed);
    this.#tape = tape;
    this.#at = 0;
  }

  /** The decisions of the input so far. */
  played(): Uint32Array {
    return this.#played.slice(0, Math.min(this.#at, TAPE_WORDS_MAX));
  }

  override bits(): number {
    const at = this.#at++;
    const word = at < this.#tape.length ? this.#tape[at]! : super.bits();
    if (at < TAPE_WORDS_MAX) this.#played[at] = word;
    return word;
  }
}

/** A tape as one line of text. */
export function tapeToText(tape: Uint32Array): string {
  return new Uint8Array(tape.buffer, tape.byteOffset, tape.byteLength).toBase64();
}

/** The tape of a line; throws SyntaxError for what is none. */
export function tapeFromText(text: string): Uint32Array {
  const bytes = Uint8Array.fromBase64(text);
  if (bytes.length % 4 !== 0) throw new SyntaxError("Cannot read tape: its length is odd");
  return new Uint32Array(bytes.buffer, 0, bytes.length / 4);
}
