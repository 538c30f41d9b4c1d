/** Any bytes: one chunk and byte by byte give the same packets or the same error, never a throw. */
import { type ControlPacket, decodePacket, type ProtocolError } from "../src/mqtt/mod.ts";
import { BAD_CASES, GOOD_CASES, WIRE_LIMITS } from "../tests/wire_cases/mod.ts";
import type { Random } from "./random.ts";
import { samePacket } from "./same_packet.ts";
import type { Failure, Target } from "./target.ts";

const BYTES_MAX = 512;
const SEEDS: readonly Uint8Array[] = [...GOOD_CASES, ...BAD_CASES]
  .map(({ bytes }) => bytes)
  .filter((bytes) => bytes.length <= 140);
/** Bytes that mean something somewhere in MQTT. */
const MEANINGFUL = [
  0,
  1,
  2,
  3,
  4,
  0x10,
  0x23,
  0x2b,
  0x2f,
  0x30,
  0x32,
  0x7f,
  0x80,
  0x82,
  0xc0,
  0xff,
];

/** What decoding came to. */
interface Outcome {
  packets: ControlPacket[];
  error: ProtocolError | null;
  /** Offset of the first byte that no packet took. */
  rest: number;
}

const buffer = new Uint8Array(BYTES_MAX + 256);

/** Mutated wire cases and random bytes through the generic decoder. */
export const DECODER: Target = {
  name: "decoder",
  inputs: 6_000_000,
  try(random: Random): Failure | null {
    const bytes = buffer.subarray(0, makeInput(random, buffer));
    let problem: string | null;
    try {
      problem = difference(inOneChunk(bytes), byteByByte(bytes));
    } catch (error) {
      problem = `the decoder threw ${error instanceof Error ? error.stack : error}`;
    }
    return problem === null ? null : { problem, input: bytes.slice() };
  },
};

/** Writes one input to `target` and gives its length. */
export function makeInput(random: Random, target: Uint8Array): number {
  if (random.oneIn(16)) {
    const length = random.below(64);
    for (let i = 0; i < length; i++) target[i] = random.bits();
    return length;
  }
  let length = 0;
  do {
    const seed = random.pick(SEEDS);
    target.set(seed, length);
    length += seed.length;
  } while (length < BYTES_MAX / 2 && random.oneIn(4));
  for (let rounds = random.below(4); rounds > 0; rounds--) length = mutate(random, target, length);
  return length;
}

/** Changes `bytes[0, length)` in one place; gives the new length. */
function mutate(random: Random, bytes: Uint8Array, length: number): number {
  if (length === 0) return 0;
  const at = random.below(length);
  switch (random.below(7)) {
    case 0:
      bytes[at]! ^= 1 << random.below(8);
      return length;
    case 1:
      bytes[at] = random.bits();
      return length;
    case 2:
      bytes[at] = random.pick(MEANINGFUL);
      return length;
    case 3:
      return at; // cut
    case 4:
      bytes.copyWithin(at, at + 1, length);
      return length - 1;
    case 5:
      if (length >= BYTES_MAX) return length;
      bytes.copyWithin(at + 1, at, length);
      bytes[at] = random.pick(MEANINGFUL);
      return length + 1;
    default:
      bytes[Math.min(1, length - 1)]! += random.oneIn(2) ? 1 : -1; // Remaining Length
      return length;
  }
}

function inOneChunk(bytes: Uint8Array): Outcome {
  const outcome: Outcome = { packets: [], error: null, rest: 0 };
  for (;;) {
    const result = decodePacket(bytes, outcome.rest, WIRE_LIMITS);
    if (result.status === "incomplete") return outcome;
    if (result.status === "error") {
      outcome.error = result.error;
      return outcome;
    }
    outcome.packets.push(result.packet);
    outcome.rest = result.end;
  }
}

function byteByByte(bytes: Uint8Array): Outcome {
  const outcome: Outcome = { packets: [], error: null, rest: 0 };
  for (let end = 1; end <= bytes.length; end++) {
    const result = decodePacket(bytes.subarray(0, end), outcome.rest, WIRE_LIMITS);
    if (result.status === "incomplete") continue;
    if (result.status === "error") {
      outcome.error = result.error;
      return outcome;
    }
    outcome.packets.push(result.packet);
    outcome.rest = result.end;
  }
  return outcome;
}

function difference(whole: Outcome, single: Outcome): string | null {
  if (whole.error !== single.error) {
    return `one chunk gives ${whole.error?.reason}, byte by byte gives ${single.error?.reason}`;
  }
  if (whole.rest !== single.rest || whole.packets.length !== single.packets.length) {
    return `one chunk takes ${whole.rest} bytes, byte by byte takes ${single.rest}`;
  }
  for (const [index, packet] of whole.packets.entries()) {
    if (!samePacket(packet, single.packets[index]!)) return `packet ${index} differs`;
  }
  return null;
}
