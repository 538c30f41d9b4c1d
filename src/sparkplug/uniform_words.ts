/**
 * Compares a payload whose metrics all have the same timestamp, which most have: then each timestamp
 * is known by the first one, and no byte is looked at twice.
 */
import { TIMESTAMP_BYTES } from "./masked_words.ts";

/** Numbers of one word: where it stands, what counts, what it has to be, and its phase. */
const STRIDE = 4;
/** The phase of a word without a byte of a timestamp; the others are offsets from -3 to 5. */
const NO_TIMESTAMP = 9;
const PHASES = 10;
/** Which bits of a timestamp's bytes say that it has six of them. */
const LOW_CONTINUES = 0x8080_8080 | 0;
const HIGH_CONTINUES = 0x8080;
const HIGH_WANTED = 0x0080;

/** The bits of the present timestamp, by phase; one array for all. */
const bits = new Int32Array(PHASES);
let bitsLow = 0;
let bitsHigh = 0;

/** What a payload has to look like. */
export class UniformWords {
  readonly #firstAt: number;
  readonly #words: Int32Array;

  private constructor(firstAt: number, words: readonly number[]) {
    this.#firstAt = firstAt;
    this.#words = Int32Array.from(words);
  }

  /** `timesAt`: where the timestamps stand; null if there are not two of them. */
  static of(
    payload: Uint8Array,
    mask: Uint8Array,
    timesAt: readonly number[],
  ): UniformWords | null {
    if (timesAt.length < 2) return null;
    const zones = new Int32Array(payload.length).fill(-1);
    for (const at of timesAt) zones.fill(at, at, at + TIMESTAMP_BYTES);
    const covered = new Uint8Array(payload.length);
    const words: number[] = [];
    for (let at = 0; at < payload.length; at++) {
      const counts = mask[at] !== 0 || zones[at]! >= 0;
      // A word that has bytes of two timestamps covers those of the first one.
      while (counts && covered[at] === 0) {
        words.push(...wordAt(at, { payload, mask, zones, covered }));
      }
    }
    return new UniformWords(timesAt[0]!, words);
  }

  /** Whether the payload at `at` of `view`, which is as long, looks like that. */
  matches(view: DataView, at: number): boolean {
    const low = view.getInt32(at + this.#firstAt, true);
    const high = view.getUint16(at + this.#firstAt + 4, true);
    if (low !== bitsLow || high !== bitsHigh) {
      if ((low & LOW_CONTINUES) !== LOW_CONTINUES) return false;
      if ((high & HIGH_CONTINUES) !== HIGH_WANTED) return false;
      setBits(low, high);
    }
    const words = this.#words;
    for (let i = 0; i < words.length; i += STRIDE) {
      const word = view.getInt32(at + words[i]!, true);
      if ((word & words[i + 1]!) !== (words[i + 2]! | bits[words[i + 3]!]!)) return false;
    }
    return true;
  }
}

/** The word that covers this byte first; it is noted what it covers. */
function wordAt(
  byte: number,
  about: { payload: Uint8Array; mask: Uint8Array; zones: Int32Array; covered: Uint8Array },
): number[] {
  const { payload, mask, zones, covered } = about;
  const at = Math.min(byte, payload.length - 4);
  let zone = zones[byte]!;
  for (let i = at; i < at + 4; i++) if (zone < 0) zone = zones[i]!;
  let counting = 0;
  let wanted = 0;
  for (let i = 0; i < 4; i++) {
    const own = zones[at + i]!;
    if (own >= 0 && own !== zone) continue;
    covered[at + i] = 1;
    const counted = own >= 0 ? 0xff : mask[at + i]!;
    counting |= counted << (8 * i);
    if (own < 0) wanted |= (payload[at + i]! & counted) << (8 * i);
  }
  return [at, counting, wanted, zone < 0 ? NO_TIMESTAMP : at - zone + 3];
}

/** `low` and `high`: its first four bytes and its last two. */
function setBits(low: number, high: number): void {
  bitsLow = low;
  bitsHigh = high;
  for (let offset = -3; offset < 0; offset++) bits[offset + 3] = low << (8 * -offset);
  bits[3] = low;
  for (let offset = 1; offset < 4; offset++) {
    bits[offset + 3] = (low >>> (8 * offset)) | (high << (32 - 8 * offset));
  }
  bits[7] = high;
  bits[8] = high >>> 8;
}
