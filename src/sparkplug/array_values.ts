/** Values of the array DataTypes, which come as bytes. */
import { decodeUtf8 } from "../mqtt/mod.ts";

type Element = string | number | boolean;
type Reader = (view: DataView, at: number) => Element;

/** Width and reader of elements by DataType, little-endian. */
const ELEMENTS: ReadonlyMap<number, readonly [number, Reader]> = new Map<
  number,
  readonly [number, Reader]
>([
  [22, [1, (view, at) => view.getInt8(at)]],
  [23, [2, (view, at) => view.getInt16(at, true)]],
  [24, [4, (view, at) => view.getInt32(at, true)]],
  [25, [8, (view, at) => String(view.getBigInt64(at, true))]],
  [26, [1, (view, at) => view.getUint8(at)]],
  [27, [2, (view, at) => view.getUint16(at, true)]],
  [28, [4, (view, at) => view.getUint32(at, true)]],
  [29, [8, (view, at) => String(view.getBigUint64(at, true))]],
  [30, [4, (view, at) => finite(view.getFloat32(at, true))]],
  [31, [8, (view, at) => finite(view.getFloat64(at, true))]],
  [34, [8, (view, at) => String(view.getBigUint64(at, true))]],
]);

const BOOLEAN_ARRAY = 32;
const STRING_ARRAY = 33;

/** The elements; null if `dataType` is no array or the bytes do not fit it. */
export function arrayValues(dataType: number, bytes: Uint8Array): readonly Element[] | null {
  if (dataType === BOOLEAN_ARRAY) return booleans(bytes);
  if (dataType === STRING_ARRAY) return strings(bytes);
  const element = ELEMENTS.get(dataType);
  if (element === undefined) return null;
  const [width, read] = element;
  if (bytes.length % width !== 0) return null;
  const view = viewOf(bytes);
  return Array.from({ length: bytes.length / width }, (_, i) => read(view, i * width));
}

/** A count, then bits, the first value in the most significant one. */
function booleans(bytes: Uint8Array): boolean[] | null {
  if (bytes.length < 4) return null;
  const count = viewOf(bytes).getUint32(0, true);
  if (Math.ceil(count / 8) !== bytes.length - 4) return null;
  return Array.from(
    { length: count },
    (_, i) => (bytes[4 + (i >> 3)]! & (0x80 >> (i & 7))) !== 0,
  );
}

/** Strings that end with a zero byte each. */
function strings(bytes: Uint8Array): string[] | null {
  const result: string[] = [];
  let start = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 0) continue;
    const text = decodeUtf8(bytes, start, i);
    if (typeof text !== "string") return null;
    result.push(text);
    start = i + 1;
  }
  return start === bytes.length ? result : null;
}

function finite(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
