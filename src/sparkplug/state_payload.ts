/** The payload of STATE, which alone is JSON. */
import { decodeUtf8 } from "../mqtt/mod.ts";

/** What a Host Application says of itself. */
export interface HostState {
  readonly online: boolean;
  /** Milliseconds since 1970, UTC. */
  readonly timestamp: number;
}

const STATE_BYTES_MAX = 4096;

/**
 * Reads `bytes[start, end)`: a JSON object with a boolean `online` and an integer `timestamp`; other
 * keys are tolerated. What is wrong is said in words.
 */
export function parseState(
  bytes: Uint8Array,
  start = 0,
  end = bytes.length,
): HostState | { readonly problem: string } {
  if (end - start > STATE_BYTES_MAX) return { problem: "it is longer than 4096 bytes" };
  const text = decodeUtf8(bytes, start, end);
  if (typeof text !== "string") return { problem: "it is not UTF-8" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "it is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { problem: "it is not a JSON object" };
  }
  const online = Object.hasOwn(value, "online") ? (value as { online: unknown }).online : null;
  const stamp = Object.hasOwn(value, "timestamp")
    ? (value as { timestamp: unknown }).timestamp
    : null;
  if (typeof online !== "boolean") return { problem: "online is not true or false" };
  // 1.0 is an integer for JSON.parse and none for a reader of 64-bit integers.
  if (typeof stamp !== "number" || !Number.isSafeInteger(stamp) || !integerText(text)) {
    return { problem: "timestamp is not an integer" };
  }
  return { online, timestamp: stamp };
}

/** Whether the last top-level `timestamp` is written without fraction and exponent. */
function integerText(text: string): boolean {
  const written = [...text.matchAll(/"timestamp"\s*:\s*(-?[0-9.eE+-]+)/g)].at(-1)?.[1];
  return written === undefined || /^-?\d+$/.test(written);
}
