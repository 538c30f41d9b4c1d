/** The payload of a Sparkplug DATA message, written apart from `src/sparkplug` on purpose. */

/** Metrics of one message. */
const METRICS = 20;
/** Some time in 2023, in milliseconds. */
const TIMESTAMP_MS = 1_700_000_000_000;
const DOUBLE = 10;

/**
 * Everything in front of the rig's own bytes, which are the content of field 5 (`body`): a time
 * stamp, 20 metrics by alias with their own time stamps and doubles, and `seq`.
 */
export function dataPrefix(bodyBytes: number): Uint8Array {
  const bytes = [0x08, ...varint(TIMESTAMP_MS)];
  for (let alias = 1; alias <= METRICS; alias++) {
    const value = new Uint8Array(new Float64Array([alias * 1.25]).buffer);
    const metric = [0x10, ...varint(alias), 0x18, ...varint(TIMESTAMP_MS), 0x20, DOUBLE];
    metric.push(0x69, ...value);
    bytes.push(0x12, ...varint(metric.length), ...metric);
  }
  bytes.push(0x18, 0x80, 0x00);
  bytes.push(0x2a, ...varint(bodyBytes));
  return Uint8Array.from(bytes);
}

/** `seq` stands so many bytes before the rig's own, in two bytes whatever its value. */
export const SEQ_BEFORE_BODY = 4;

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return bytes;
}
