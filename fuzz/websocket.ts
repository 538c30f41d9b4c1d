/** Any bytes: WebSocket frames are the same in one chunk and byte by byte; no request throws. */
import { FrameReader } from "../src/transport/websocket_frames.ts";
import { judgeUpgrade, requestEnd } from "../src/transport/websocket_upgrade.ts";
import { clientFrame } from "../tests/support/websocket_frames.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const REQUEST = "GET /mqtt HTTP/1.1\r\nHost: g\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Protocol: mqtt\r\nOrigin: http://g\r\n\r\n";
const RULES = { path: "/mqtt", origins: ["http://g"] };
const OPCODES = [0, 0, 2, 2, 2, 8, 9, 10, 1, 3, 11];
const LENGTHS = [0, 1, 2, 3, 5, 124, 125, 126, 127, 300];

/** Frames and requests, good ones and mutated ones. */
export const WEBSOCKET: Target = {
  name: "websocket",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const isRequest = random.oneIn(4);
    const input = isRequest ? makeRequest(random) : makeFrames(random);
    let problem: string | null;
    try {
      problem = isRequest ? requestProblem(input) : framesProblem(input);
    } catch (error) {
      problem = `it threw ${error instanceof Error ? error.stack : error}`;
    }
    return problem === null ? null : { problem, input };
  },
};

function makeFrames(random: Random): Uint8Array {
  const bytes: number[] = [];
  for (let frames = 1 + random.below(5); frames > 0; frames--) {
    const payload = Uint8Array.from({ length: random.pick(LENGTHS) }, () => random.bits() & 255);
    const opcode = random.pick(OPCODES);
    if (opcode === 8 && random.oneIn(2)) payload.set([3, 232].slice(0, payload.length));
    bytes.push(...clientFrame({ opcode, payload, final: !random.oneIn(4) }));
  }
  if (random.oneIn(2)) bytes[random.below(bytes.length)] = random.bits() & 255;
  return Uint8Array.from(bytes);
}

function makeRequest(random: Random): Uint8Array {
  const bytes = [...new TextEncoder().encode(REQUEST)];
  for (let rounds = random.below(4); rounds > 0; rounds--) {
    const at = random.below(bytes.length);
    if (random.oneIn(3)) bytes.splice(at, random.below(20));
    else if (random.oneIn(2)) bytes.splice(at, 0, ...bytes.slice(at, at + random.below(40)));
    else bytes[at] = random.bits() & 255;
  }
  return Uint8Array.from(bytes);
}

function requestProblem(input: Uint8Array): string | null {
  const end = requestEnd(input, 0);
  if (end === 0) return null;
  const verdict = judgeUpgrade(input.subarray(0, end), RULES);
  const answer = new TextDecoder().decode(verdict.response);
  const accepts = answer.startsWith("HTTP/1.1 101 ");
  if (accepts !== (verdict.kind === "accept")) return `${verdict.kind} is answered by ${answer}`;
  return /^HTTP\/1\.1 (101|4\d\d) [^\r]+\r\n/.test(answer) ? null : `odd answer: ${answer}`;
}

/** What a reader makes of bytes in pieces of one size; of its pings only that there were any. */
function readingOf(input: Uint8Array, size: number): string {
  const reader = new FrameReader();
  const payload: number[] = [];
  let lastPing: Uint8Array | null = null;
  for (let at = 0; at < input.length; at += size) {
    const piece = input.slice(at, at + size);
    const length = reader.decode(piece, piece.length);
    if (length > piece.length) return "more payload than bytes";
    payload.push(...piece.subarray(0, length));
    lastPing = reader.takePing() ?? lastPing;
  }
  return JSON.stringify([
    payload,
    lastPing === null ? null : [...lastPing],
    reader.fault,
    reader.closeCode,
  ]);
}

function framesProblem(input: Uint8Array): string | null {
  const whole = readingOf(input, input.length);
  for (const size of [1, 3, 16]) {
    const pieces = readingOf(input, size);
    if (pieces !== whole) return `pieces of ${size} give ${pieces}, the whole gives ${whole}`;
  }
  return null;
}
