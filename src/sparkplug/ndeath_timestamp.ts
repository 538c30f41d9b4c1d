/** The time stamp of an NDEATH, which its author could only guess when it connected. */
import { FieldCursor } from "./field_cursor.ts";

const TIMESTAMP_FIELD = 1;
const TIMESTAMP_TAG = 0x08;

/**
 * The payload of an NDEATH with `nowMs` as its only time stamp; every other field keeps its bytes,
 * those that no schema knows included. Null if it is not Protocol Buffers: such a payload passes as
 * it is. [tck-id-conformance-mqtt-aware-ndeath-timestamp]
 */
export function withTimestamp(payload: Uint8Array, nowMs: number): Uint8Array | null {
  const cursor = new FieldCursor();
  cursor.open(payload, 0, payload.length);
  let dropped = 0;
  while (cursor.next()) {
    if (cursor.field === TIMESTAMP_FIELD) dropped += cursor.position - cursor.tagStart;
  }
  if (cursor.malformed) return null;
  const stamp = varint(nowMs);
  const result = new Uint8Array(1 + stamp.length + payload.length - dropped);
  result[0] = TIMESTAMP_TAG;
  result.set(stamp, 1);
  let at = 1 + stamp.length;
  cursor.open(payload, 0, payload.length);
  while (cursor.next()) {
    if (cursor.field === TIMESTAMP_FIELD) continue;
    result.set(payload.subarray(cursor.tagStart, cursor.position), at);
    at += cursor.position - cursor.tagStart;
  }
  return result;
}

/** A whole number from 0 to 2^53 - 1 as a varint. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = Math.max(0, Math.floor(value));
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}
