/** Changes DER where it hurts: tags, lengths, and everything else. */
import type { Random } from "./random.ts";

/** Tags, lengths and bytes that mean something in X.509. */
const MEANINGFUL = [
  ...[0, 1, 2, 3, 4, 5, 6, 0x0c, 0x13, 0x16, 0x17, 0x18, 0x30, 0x31, 0x5a, 0x7f],
  ...[0x80, 0x81, 0x82, 0x84, 0x86, 0xa0, 0xa3, 0xfe, 0xff],
];

/** Gives a changed copy of `seed`, or a few random bytes. */
export function mutateDer(random: Random, seed: Uint8Array): Uint8Array {
  if (random.oneIn(32)) {
    return Uint8Array.from({ length: random.below(64) }, () => random.pick(MEANINGFUL));
  }
  let bytes: Uint8Array = seed.slice();
  for (let rounds = 1 + random.below(4); rounds > 0; rounds--) {
    bytes = mutateOnce(random, bytes);
    if (bytes.length === 0) break;
  }
  return bytes;
}

function mutateOnce(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.below(bytes.length);
  switch (random.below(6)) {
    case 0:
      bytes[at]! ^= 1 << random.below(8);
      return bytes;
    case 1:
      bytes[at] = random.pick(MEANINGFUL);
      return bytes;
    case 2:
      return bytes.slice(0, at);
    case 3: {
      // Takes bytes out, and puts the length of the outermost element right again.
      const count = 1 + random.below(8);
      return fitLength(Uint8Array.of(...bytes.subarray(0, at), ...bytes.subarray(at + count)));
    }
    case 4: {
      const inserted = Array.from({ length: 1 + random.below(4) }, () => random.pick(MEANINGFUL));
      return fitLength(Uint8Array.of(...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at)));
    }
    default: {
      const from = random.below(bytes.length);
      bytes.copyWithin(at, from, from + random.below(32));
      return bytes;
    }
  }
}

function fitLength(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === 0x30 && bytes[1] === 0x82 && bytes.length >= 4 + 256) {
    bytes[2] = (bytes.length - 4) >> 8;
    bytes[3] = (bytes.length - 4) & 0xff;
  } else if (bytes[0] === 0x30 && bytes[1] === 0x81 && bytes.length <= 3 + 255) {
    bytes[2] = bytes.length - 3;
  }
  return bytes;
}
