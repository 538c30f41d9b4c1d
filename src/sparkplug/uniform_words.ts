/**
 * Compares a payload whose metrics all have the same timestamp, which most have: then each timestamp
 * is known by the first one, and no byte is looked at twice.
 */
import { TIMESTAMP_BYTES } from "./masked_words.ts";

/** A word that counts: where it stands, which bits count, and what they have to be. */
interface Word {
  readonly at: number;
  readonly counting: number;
  readonly wanted: number;
  /** `NO_TIMESTAMP`, or 3 more than its offset from the timestamp that it has bytes of. */
  readonly phase: number;
}

/** Numbers of a column: see `columnsOf`. */
const COLUMN = 7;
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
  readonly #columns: Int32Array;
  /** What the words of columns without a timestamp have to be. */
  readonly #wanted: Int32Array;

  private constructor(firstAt: number, words: readonly Word[]) {
    const { columns, wanted } = columnsOf(words);
    this.#firstAt = firstAt;
    this.#columns = Int32Array.from(columns);
    this.#wanted = Int32Array.from(wanted);
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
    const words: Word[] = [];
    for (let at = 0; at < payload.length; at++) {
      const counts = mask[at] !== 0 || zones[at]! >= 0;
      // A word that has bytes of two timestamps covers those of the first one.
      if (counts && covered[at] === 0) words.push(wordAt(at, { payload, mask, zones, covered }));
    }
    return new UniformWords(timesAt[0]!, words);
  }

  /** Whether the payload at `start` of `view`, which is as long, looks like that. */
  matches(view: DataView, start: number): boolean {
    const low = view.getInt32(start + this.#firstAt, true);
    const high = view.getUint16(start + this.#firstAt + 4, true);
    if (low !== bitsLow || high !== bitsHigh) {
      if ((low & LOW_CONTINUES) !== LOW_CONTINUES) return false;
      if ((high & HIGH_CONTINUES) !== HIGH_WANTED) return false;
      setBits(low, high);
    }
    const columns = this.#columns;
    const wanted = this.#wanted;
    for (let i = 0; i < columns.length; i += COLUMN) {
      let at = start + columns[i]!;
      const step = columns[i + 1]!;
      const end = at + columns[i + 2]!;
      const counting = columns[i + 3]!;
      const phase = columns[i + 5]!;
      if (phase === NO_TIMESTAMP) {
        for (let k = columns[i + 6]!; at !== end; at += step, k++) {
          if ((view.getInt32(at, true) & counting) !== wanted[k]) return false;
        }
      } else {
        const same = columns[i + 4]! | bits[phase]!;
        for (; at !== end; at += step) {
          if ((view.getInt32(at, true) & counting) !== same) return false;
        }
      }
    }
    return true;
  }
}

/**
 * Metrics of one kind look alike: words of the same kind that stand at equal distances make a
 * column. Its numbers: where it begins, the distance, where it ends behind that, which bits count,
 * what they have to be besides those of a timestamp, the phase, and where in `wanted` it begins.
 */
function columnsOf(words: readonly Word[]): { columns: number[]; wanted: number[] } {
  const kinds = new Map<string, Word[]>();
  for (const word of words) {
    const { counting, phase, wanted } = word;
    const key = `${counting} ${phase} ${phase === NO_TIMESTAMP ? "" : wanted}`;
    const kind = kinds.get(key);
    if (kind === undefined) kinds.set(key, [word]);
    else kind.push(word);
  }
  const columns: number[] = [];
  const wanted: number[] = [];
  for (const kind of kinds.values()) {
    for (let from = 0; from < kind.length;) {
      const { at, counting, phase, wanted: first } = kind[from]!;
      const step = (kind[from + 1]?.at ?? at + 4) - at;
      let next = from + 1;
      while (next < kind.length && kind[next]!.at - kind[next - 1]!.at === step) next++;
      columns.push(at, step, step * (next - from), counting, first, phase, wanted.length);
      if (phase === NO_TIMESTAMP) wanted.push(...kind.slice(from, next).map((one) => one.wanted));
      from = next;
    }
  }
  return { columns, wanted };
}

/** The word that covers this byte first; it is noted what it covers. */
function wordAt(
  byte: number,
  about: { payload: Uint8Array; mask: Uint8Array; zones: Int32Array; covered: Uint8Array },
): Word {
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
  return { at, counting, wanted, phase: zone < 0 ? NO_TIMESTAMP : at - zone + 3 };
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
