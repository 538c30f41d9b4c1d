import type { Random } from "../random.ts";

const WORDS_MAX = 16_384;

/** A changed copy of a tape: a few words other, near, moved, left out, doubled, or taken from another tape. */
export function mutateTape(
  tape: Uint32Array,
  { random, other }: { random: Random; other: Uint32Array },
): Uint32Array {
  let words = tape;
  for (let rounds = 1 + random.below(4); rounds > 0; rounds--) words = once(words, random, other);
  return words.length > WORDS_MAX ? words.slice(0, WORDS_MAX) : words;
}

function once(tape: Uint32Array, random: Random, other: Uint32Array): Uint32Array {
  if (tape.length === 0) return Uint32Array.of(random.bits());
  const at = random.below(tape.length);
  const length = 1 + random.below(Math.min(16, tape.length - at));
  switch (random.below(8)) {
    case 0:
    case 1:
      return tape.with(at, random.bits());
    case 2: // near: another choice of a small menu
      return tape.with(at, tape[at]! + random.below(9) - 4);
    case 3: // a bound: menus and lengths are drawn as remainders
      return tape.with(at, random.below(8));
    case 4:
      return joined(tape.subarray(0, at), tape.subarray(at + length));
    case 5:
      return joined(tape.subarray(0, at + length), tape.subarray(at));
    case 6: // the rest is drawn anew
      return tape.slice(0, at);
    default: {
      const from = random.below(other.length + 1);
      return joined(tape.subarray(0, at), other.subarray(from));
    }
  }
}

function joined(head: Uint32Array, tail: Uint32Array): Uint32Array {
  const whole = new Uint32Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
