/**
 * How a DATA payload looked on the wire: an Edge Node sends the same metrics again and again, and
 * only values, timestamps and seq change. A payload that has the bytes of one that was read before,
 * but for those, need not be read: it says the same. `metric_shape.ts` does this for one metric,
 * where lengths change.
 */
import { ValueField } from "./data_type.ts";
import { FieldCursor, WireType } from "./field_cursor.ts";
import { UniformWords } from "./uniform_words.ts";
import { maskedWords, sameWords, TIMESTAMP_BYTES } from "./masked_words.ts";

/** Shapes that are kept of one Edge Node or Device: seq and values have several lengths. */
const SHAPES_MAX = 6;
/** Learning a shape costs as much as so many uses of it bring. */
const LEARNING_COST = 64;
const CREDIT_MAX = 512;
/** After so many payloads that fit none it is tried again. */
const PAUSE_PAYLOADS = 4096;
/** The free field of a payload. */
const BODY = 5;
/** Of a varint the bits that say how long it is. */
const CONTINUES = 0x80;

/** What a scan found in a payload of this shape; it finds the same in every other one. */
export interface ShapeFindings {
  readonly metrics: number;
  readonly remarks: number;
  /** Ordinals of the first metric with each remark. */
  readonly firstWith: Int32Array;
}

/** Where numbers stand that have to be looked at. */
interface Places {
  timestampAt: number;
  seqAt: number;
  /** Of metrics that are not historical, in order. */
  readonly metricTimesAt: number[];
}

/** One shape. */
export class PayloadShape {
  readonly length: number;
  readonly findings: ShapeFindings;
  /** Offsets from the beginning; -1 if there is none. */
  readonly timestampAt: number;
  readonly seqAt: number;
  readonly metricTimesAt: Int32Array;
  /** Whether all metrics of the payload that matched last have one timestamp. */
  isUniform = false;
  readonly #words: Int32Array;
  readonly #uniform: UniformWords | null;

  private constructor(payload: Uint8Array, mask: Uint8Array, about: Places & ShapeFindings) {
    const { timestampAt, seqAt, metricTimesAt, ...findings } = about;
    this.length = payload.length;
    this.timestampAt = timestampAt;
    this.seqAt = seqAt;
    this.metricTimesAt = Int32Array.from(metricTimesAt);
    this.findings = findings;
    this.#words = maskedWords(payload, mask);
    this.#uniform = UniformWords.of(payload, mask, metricTimesAt);
  }

  /** The shape of a payload that a scan has read; null if it is too unusual for one. */
  static of(payload: Uint8Array, findings: ShapeFindings): PayloadShape | null {
    if (payload.length < 4) return null;
    const mask = new Uint8Array(payload.length).fill(0xff);
    const places: Places = { timestampAt: -1, seqAt: -1, metricTimesAt: [] };
    const cursor = new FieldCursor();
    cursor.open(payload, 0, payload.length);
    while (cursor.next()) {
      const { field, wireType, valueStart, valueEnd } = cursor;
      if (field === 2 && wireType === WireType.bytes) {
        if (!maskMetric(cursor, mask, places)) return null;
        continue;
      }
      if (field === BODY && wireType === WireType.bytes) {
        mask.fill(0, valueStart, valueEnd);
        continue;
      }
      if (wireType !== WireType.varint) return null;
      const bytes = valueEnd - valueStart;
      if (field === 1 && places.timestampAt < 0 && bytes === TIMESTAMP_BYTES) {
        places.timestampAt = valueStart;
      } else if (field === 3 && places.seqAt < 0 && bytes <= 2) places.seqAt = valueStart;
      else return null;
      mask.fill(CONTINUES, valueStart, valueEnd);
    }
    return new PayloadShape(payload, mask, { ...places, ...findings });
  }

  /** Whether the payload at `at` of `view`, which is as long, has this shape. */
  matches(view: DataView, at: number): boolean {
    this.isUniform = this.#uniform !== null && this.#uniform.matches(view, at);
    return this.isUniform || sameWords(this.#words, view, at);
  }
}

/** Masks the metric that the cursor stands on; false if it is too unusual. */
function maskMetric(outer: FieldCursor, mask: Uint8Array, places: Places): boolean {
  const cursor = new FieldCursor();
  cursor.open(outer.bytes, outer.valueStart, outer.valueEnd);
  let timeAt = -1;
  let historical = false;
  while (cursor.next()) {
    const { field, wireType, valueStart, valueEnd } = cursor;
    if (field >= ValueField.int && field <= ValueField.string) {
      mask.fill(wireType === WireType.varint ? CONTINUES : 0, valueStart, valueEnd);
    } else if (field === 3 && wireType === WireType.varint) {
      if (timeAt >= 0 || valueEnd - valueStart !== TIMESTAMP_BYTES) return false;
      timeAt = valueStart;
      mask.fill(CONTINUES, valueStart, valueEnd);
    } else if (field === 5) historical = outer.bytes[valueStart] !== 0;
    else if (field > 7) return false;
  }
  if (timeAt >= 0 && !historical) places.metricTimesAt.push(timeAt);
  return true;
}

/** Shapes of the payloads of one Edge Node or Device. */
export class PayloadShapes {
  readonly #shapes: PayloadShape[] = [];
  #next = 0;
  #pause = PAUSE_PAYLOADS;
  #credit = CREDIT_MAX;

  /** The shape that the payload at `at` of `view` has, or null. */
  find(view: DataView, at: number, length: number): PayloadShape | null {
    const shapes = this.#shapes;
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i]!;
      if (shape.length !== length || !shape.matches(view, at)) continue;
      if (this.#credit < CREDIT_MAX) this.#credit++;
      return shape;
    }
    return null;
  }

  /** Whether learning a shape is worth while: not if they hardly come twice. */
  get wanted(): boolean {
    if (this.#credit > 0) return true;
    if (--this.#pause > 0) return false;
    this.#pause = PAUSE_PAYLOADS;
    this.#credit = LEARNING_COST;
    return true;
  }

  /** Takes a shape, in the place of the oldest one. */
  learn(shape: PayloadShape): void {
    this.#credit -= LEARNING_COST;
    this.#shapes[this.#next] = shape;
    this.#next = (this.#next + 1) % SHAPES_MAX;
  }
}
