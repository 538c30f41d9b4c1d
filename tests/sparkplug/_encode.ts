/** A writer of Sparkplug payloads that shares nothing with the readers it is there to test. */

const ENCODER = new TextEncoder();

/** A value by its wire form: varint, float, double, text, bytes or message. */
export type Wire =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | { readonly float: number }
  | { readonly double: number };

/** One field: its number and value. */
export type Field = readonly [number, Wire];

/** A message of these fields, in this order. */
export function message(...fields: readonly Field[]): Uint8Array {
  const bytes: number[] = [];
  for (const [id, value] of fields) {
    if (typeof value === "object" && "float" in value) {
      bytes.push(...varint(id * 8 + 5), ...new Uint8Array(Float32Array.of(value.float).buffer));
    } else if (typeof value === "object" && "double" in value) {
      bytes.push(...varint(id * 8 + 1), ...new Uint8Array(Float64Array.of(value.double).buffer));
    } else if (typeof value === "string" || value instanceof Uint8Array) {
      const content = typeof value === "string" ? ENCODER.encode(value) : value;
      bytes.push(...varint(id * 8 + 2), ...varint(content.length));
      for (const byte of content) bytes.push(byte);
    } else {bytes.push(
        ...varint(id * 8),
        ...varint(typeof value === "boolean" ? Number(value) : value),
      );}
  }
  return Uint8Array.from(bytes);
}

/** A varint. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = [];
  if (typeof value === "number" && value >= 0 && value <= 0x7fffffff) {
    let small = value;
    for (; small > 0x7f; small >>>= 7) bytes.push(small & 0x7f | 0x80);
    bytes.push(small);
    return bytes;
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

/** A metric; what is undefined is left out. */
export interface MetricParts {
  readonly name?: string;
  readonly alias?: number | bigint;
  readonly timestamp?: number | bigint;
  readonly type?: number;
  readonly historical?: boolean;
  readonly isNull?: boolean;
  readonly properties?: Uint8Array;
  /** Field number and value, as in `[10, 5]`. */
  readonly value?: Field;
}

/** The bytes of a metric. */
export function metric(parts: MetricParts): Uint8Array {
  const { name, alias, timestamp, type, historical, isNull, properties, value } = parts;
  return message(
    ...given(1, name),
    ...given(2, alias),
    ...given(3, timestamp),
    ...given(4, type),
    ...given(5, historical),
    ...given(7, isNull),
    ...given(9, properties),
    ...(value === undefined ? [] : [value]),
  );
}

/** A payload; what is undefined is left out. */
export interface PayloadParts {
  readonly timestamp?: number | bigint | undefined;
  readonly seq?: number | bigint | undefined;
  readonly metrics?: readonly Uint8Array[];
  readonly uuid?: string;
  readonly body?: Uint8Array;
}

/** The bytes of a payload. */
export function payload(parts: PayloadParts): Uint8Array {
  const { timestamp, seq, metrics = [], uuid, body } = parts;
  return message(
    ...given(1, timestamp),
    ...metrics.map((bytes): Field => [2, bytes]),
    ...given(3, seq),
    ...given(4, uuid),
    ...given(5, body),
  );
}

function given(id: number, value: Wire | undefined): Field[] {
  return value === undefined ? [] : [[id, value]];
}
