/** Any bytes: a PROXY header is the same in one chunk and byte by byte, and never throws. */
import { type ProxyReading, readProxyHeader } from "../src/security/mod.ts";
import { PROXY_CASES } from "../tests/security/_proxy_cases.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const SEEDS = PROXY_CASES.map(({ bytes }) => bytes).filter((bytes) => bytes.length <= 300);
/** Bytes that mean something somewhere in the PROXY protocol. */
const MEANINGFUL = [0, 1, 3, 4, 10, 13, 0x11, 0x20, 0x21, 0x31, 0x3a, 0x50, 0xff];

/** Mutated wire cases through the reader of the PROXY protocol. */
export const PROXY_PROTOCOL: Target = {
  name: "proxy_protocol",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const input = makeInput(random);
    let problem: string | null;
    try {
      problem = difference(input, readProxyHeader(input));
    } catch (error) {
      problem = `the reader threw ${error instanceof Error ? error.stack : error}`;
    }
    return problem === null ? null : { problem, input };
  },
};

function makeInput(random: Random): Uint8Array {
  const bytes = [...random.pick(SEEDS)];
  for (let rounds = random.below(4); rounds > 0; rounds--) {
    const at = random.below(bytes.length + 1);
    const byte = random.oneIn(2) ? random.pick(MEANINGFUL) : random.bits() & 255;
    if (random.oneIn(4)) bytes.length = at;
    else if (random.oneIn(3)) bytes.splice(at, 1);
    else if (random.oneIn(2)) bytes.splice(at, 0, byte);
    else bytes[at] = byte;
  }
  return Uint8Array.from(bytes);
}

function difference(input: Uint8Array, whole: ProxyReading): string | null {
  for (let end = 0; end <= input.length; end++) {
    const part = readProxyHeader(input.slice(0, end));
    if (part.status === "incomplete") {
      if (end === input.length && whole.status !== "incomplete") return "whole is not incomplete";
      continue;
    }
    if (part.status === "header" && part.length > end) return "the header is longer than the bytes";
    if (JSON.stringify(part) === JSON.stringify(whole)) return null;
    return `${end} bytes give ${JSON.stringify(part)}, all give ${JSON.stringify(whole)}`;
  }
  return whole.status === "incomplete" ? null : `only the whole gives ${JSON.stringify(whole)}`;
}
