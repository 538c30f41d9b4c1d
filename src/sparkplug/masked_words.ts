/** Compares bytes four at a time, but for those bits that may differ. */

/** A timestamp after 1972 and before 2109 takes six bytes as a varint. */
export const TIMESTAMP_BYTES = 6;

/**
 * Pairs of the bits that count and of what they have to be. The last four bytes overlap those before
 * them where the length is no multiple of four; there are at least four bytes.
 */
export function maskedWords(bytes: Uint8Array, mask: Uint8Array): Int32Array {
  const { length } = bytes;
  const count = Math.ceil(length / 4);
  const words = new Int32Array(count * 2);
  const from = new DataView(bytes.buffer, bytes.byteOffset, length);
  const bits = new DataView(mask.buffer, mask.byteOffset, length);
  for (let i = 0; i < count; i++) {
    const at = Math.min(i * 4, length - 4);
    const counting = bits.getInt32(at, true);
    words[i * 2] = counting;
    words[i * 2 + 1] = from.getInt32(at, true) & counting;
  }
  return words;
}

/** Whether `[start, end)` of `view` has them; positional, because it runs for each metric. */
export function sameWords(words: Int32Array, view: DataView, start: number, end: number): boolean {
  const last = words.length - 2;
  let at = start;
  for (let i = 0; i < last; i += 2, at += 4) {
    if ((view.getInt32(at, true) & words[i]!) !== words[i + 1]) return false;
  }
  return (view.getInt32(end - 4, true) & words[last]!) === words[last + 1];
}

/** The varint of six bytes at `at`, as a number. */
export function timestampIn(bytes: Uint8Array, at: number): number {
  const low = (bytes[at]! & 0x7f) | ((bytes[at + 1]! & 0x7f) << 7) |
    ((bytes[at + 2]! & 0x7f) << 14) | ((bytes[at + 3]! & 0x7f) << 21);
  const high = (bytes[at + 4]! & 0x7f) | (bytes[at + 5]! << 7);
  return high * 0x1000_0000 + low;
}

/** The varint of one or two bytes at `at`, as a number. */
export function seqIn(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  return first < 0x80 ? first : (first & 0x7f) | (bytes[at + 1]! << 7);
}
