/**
 * How a metric looked on the wire last time. An Edge Node writes a metric in the same way again and
 * again: tags, name and alias keep their bytes, only timestamp and value change. A metric that has
 * the bytes of last time up to its value need not be read: it says the same of itself.
 */
import { ValueField } from "./data_type.ts";
import { maskedWords, sameWords, TIMESTAMP_BYTES } from "./masked_words.ts";

/** How the end of a metric's value is found. */
const Ending = { none: 0, varint: 1, fixed32: 2, fixed64: 3, string: 4 } as const;

const ENDINGS: readonly (number | undefined)[] = [];
for (
  const [field, ending] of [
    [ValueField.none, Ending.none],
    [ValueField.int, Ending.varint],
    [ValueField.long, Ending.varint],
    [ValueField.float, Ending.fixed32],
    [ValueField.double, Ending.fixed64],
    [ValueField.boolean, Ending.varint],
    [ValueField.string, Ending.string],
  ] as const
) (ENDINGS as (number | undefined)[])[field] = ending;

/** Of a varint the bits that say how long it is. */
const CONTINUES = 0x80;

/** What is known of a metric that was read in full. */
export interface MetricReading {
  /** Offsets into the bytes; the value is empty if there is none. */
  readonly start: number;
  readonly valueAt: number;
  readonly end: number;
  /** Field of the value, 0 if there is none. */
  readonly field: number;
  /** Where the timestamp stands; -1 if there is none. */
  readonly timestampAt: number;
  readonly historical: boolean;
  readonly remarks: number;
}

/** A metric up to its value. */
export class MetricShape {
  /** Remarks that every metric of this shape deserves. */
  readonly remarks: number;
  /** Where the timestamp stands from the beginning; -1 if it is not judged. */
  readonly timestampAt: number;
  readonly #length: number;
  readonly #ending: number;
  readonly #words: Int32Array;

  private constructor(bytes: Uint8Array, reading: MetricReading) {
    const { start, valueAt, timestampAt, historical, remarks, field } = reading;
    this.remarks = remarks;
    this.timestampAt = timestampAt < 0 || historical ? -1 : timestampAt - start;
    this.#length = valueAt - start;
    this.#ending = ENDINGS[field]!;
    const prefix = bytes.slice(start, valueAt);
    const mask = new Uint8Array(prefix.length).fill(0xff);
    if (timestampAt >= 0) {
      mask.fill(CONTINUES, timestampAt - start, timestampAt - start + TIMESTAMP_BYTES);
    }
    this.#words = maskedWords(prefix, mask);
  }

  /** The shape of a metric; null if it is too unusual for one. */
  static of(bytes: Uint8Array, reading: MetricReading): MetricShape | null {
    const { start, valueAt, timestampAt, field } = reading;
    if (valueAt - start < 4 || ENDINGS[field] === undefined) return null;
    if (timestampAt >= 0) {
      const last = timestampAt + TIMESTAMP_BYTES - 1;
      if (last >= valueAt || bytes[last]! >= 0x80 || bytes[last - 1]! < 0x80) return null;
    }
    return new MetricShape(bytes, reading);
  }

  /** Whether the metric `[start, end)` of `view` has this shape. */
  matches(view: DataView, start: number, end: number): boolean {
    const valueAt = start + this.#length;
    if (valueAt > end) return false;
    if (!sameWords(this.#words, view, start)) return false;
    const rest = end - valueAt;
    switch (this.#ending) {
      case Ending.fixed32:
        return rest === 4;
      case Ending.fixed64:
        return rest === 8;
      case Ending.varint:
        return isVarint(view, valueAt, end);
      case Ending.string:
        // A longer one is read in full.
        return rest > 0 && view.getUint8(valueAt) === rest - 1 && rest <= 128;
      default:
        return rest === 0;
    }
  }
}

/** Whether `[start, end)` is one varint of at most nine bytes. */
function isVarint(view: DataView, start: number, end: number): boolean {
  const last = end - 1;
  if (last < start || last - start > 8 || view.getUint8(last) >= 0x80) return false;
  for (let at = start; at < last; at++) if (view.getUint8(at) < 0x80) return false;
  return true;
}
