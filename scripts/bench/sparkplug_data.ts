/** Messages of an Edge Node with its Devices, written apart from `src/sparkplug` on purpose. */

/** Metrics of one message. */
const METRICS = 20;
const INT64 = 4;
const DOUBLE = 10;
const BOOLEAN = 11;
/** Six bytes as a varint, from 2004 to 2109. */
const TIMESTAMP_BYTES = 6;

/** Messages that come before the data of so many Devices; seq of the first data. */
export function birthsBefore(devices: number): number {
  return 1 + devices;
}

/**
 * Everything in front of the rig's own bytes, which are the content of field 5 (`body`): a time
 * stamp, 20 metrics by alias with their own time stamps and doubles, and `seq`.
 */
export function dataPrefix(
  bodyBytes: number,
  about: { device: number; nowMs: number },
): Uint8Array {
  const timestamp = timestampOf(about.nowMs);
  const bytes = [0x08, ...timestamp];
  for (let index = 0; index < METRICS; index++) {
    const metric = [0x10, ...varint(aliasOf(about.device, index)), 0x18, ...timestamp];
    bytes.push(...field(0x12, [...metric, ...doubleValue(index)]));
  }
  bytes.push(0x18, 0x80, 0x00);
  bytes.push(0x2a, ...varint(bodyBytes));
  return Uint8Array.from(bytes);
}

/** `seq` stands so many bytes before the rig's own, in two bytes whatever its value. */
export const SEQ_BEFORE_BODY = 4;

/** The Will of an Edge Node. */
export function nodeDeath(nowMs: number): Uint8Array {
  const metrics = field(0x12, namedMetric("bdSeq", { type: INT64, value: [0x58, 0], nowMs }));
  return Uint8Array.from([0x08, ...timestampOf(nowMs), ...metrics]);
}

/** Its birth. */
export function nodeBirth(nowMs: number): Uint8Array {
  const rebirth = { type: BOOLEAN, value: [0x70, 0], nowMs };
  return Uint8Array.from([
    ...[0x08, ...timestampOf(nowMs)],
    ...field(0x12, namedMetric("bdSeq", { type: INT64, value: [0x58, 0], nowMs })),
    ...field(0x12, namedMetric("Node Control/Rebirth", rebirth)),
    ...[0x18, 0],
  ]);
}

/** The birth of one of its Devices, which are born in their order. */
export function deviceBirth(device: number, nowMs: number): Uint8Array {
  const bytes = [0x08, ...timestampOf(nowMs)];
  for (let index = 0; index < METRICS; index++) {
    const alias = aliasOf(device, index);
    const parts = { type: DOUBLE, value: doubleValue(index), nowMs, alias };
    bytes.push(...field(0x12, namedMetric(`Line/Machine/Value ${index}`, parts)));
  }
  return Uint8Array.from([...bytes, 0x18, 1 + device]);
}

function namedMetric(
  name: string,
  parts: { type: number; value: readonly number[]; nowMs: number; alias?: number },
): number[] {
  const { type, value, nowMs, alias } = parts;
  return [
    ...field(0x0a, [...new TextEncoder().encode(name)]),
    ...(alias === undefined ? [] : [0x10, ...varint(alias)]),
    ...[0x18, ...timestampOf(nowMs)],
    ...[0x20, type],
    ...value,
  ];
}

/** An alias stands for one metric of an Edge Node and all its Devices. */
function aliasOf(device: number, index: number): number {
  return 1 + device * METRICS + index;
}

function doubleValue(index: number): number[] {
  return [0x69, ...new Uint8Array(Float64Array.of((index + 1) * 1.25).buffer)];
}

function timestampOf(nowMs: number): number[] {
  const bytes = varint(nowMs);
  if (bytes.length !== TIMESTAMP_BYTES) throw new Error(`Cannot encode the time ${nowMs}`);
  return bytes;
}

function field(tag: number, content: readonly number[]): number[] {
  return [tag, ...varint(content.length), ...content];
}

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
