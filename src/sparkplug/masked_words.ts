/** Compares bytes four at a time, but for those bits that may differ. */

/** A timestamp after 1972 and before 2109 takes six bytes as a varint. */
export const TIMESTAMP_BYTES = 6;

/**
 * Triples: where four bytes stand, which of their bits count, and what those have to be. Bytes of
 * which no bit counts are left out as far as they can be. There are at least four bytes.
 */
export function maskedWords(bytes: Uint8Array, mask: Uint8Array): Int32Array {
  const { length } = bytes;
  const from = new DataView(bytes.buffer, bytes.byteOffset, length);
  const bits = new DataView(mask.buffer, mask.byteOffset, length);
  const triples: number[] = [];
  for (let i = 0; i < length; i++) {
    if (mask[i] === 0) continue;
    const at = Math.min(i, length - 4);
    const counting = bits.getInt32(at, true);
    triples.push(at, counting, from.getInt32(at, true) & counting);
    i = at + 3;
  }
  return Int32Array.from(triples);
}

/** Whether they stand in `view` from `start` on. */
export function sameWords(words: Int32Array, view: DataView, start: number): boolean {
  for (let i = 0; i < words.length; i += 3) {
    if ((view.getInt32(start + words[i]!, true) & words[i + 1]!) !== words[i + 2]) return false;
  }
  return true;
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
