/**
 * Reads NDATA and DDATA in place: what DATA is judged by, without an object, a string or a copy. A
 * test holds it against the full decoder.
 */
import { DataType, metricField, ValueField } from "./data_type.ts";
import { FieldCursor, WireType } from "./field_cursor.ts";
import { seqIn, timestampIn } from "./masked_words.ts";
import { ABSENT, MetricReader } from "./metric_reader.ts";
import { MetricShape } from "./metric_shape.ts";
import { PayloadShape } from "./payload_shape.ts";
import { type BornMetric, hashBytes, type MetricTable, sameBytes } from "./metric_table.ts";

/** What may be remarkable about the metrics of a message, as bits. */
export const Remark = {
  nameless: 1,
  unknown: 2,
  nameAndAlias: 4,
  dataTypeGiven: 8,
  dataTypeUnknown: 16,
  wrongField: 32,
  uint32Long: 64,
  noTimestamp: 128,
  outOfOrder: 256,
  notUtc: 512,
  unchanged: 1024,
  /** Properties, DataSets or Templates: to be decoded in full. */
  structured: 2048,
  /** `uuid` is there: the body may be compressed. */
  marked: 4096,
} as const;

const REMARKS = 13;
/** What every metric of the same shape deserves; the other remarks depend on values. */
const METRIC_REMARKS = Remark.nameAndAlias | Remark.dataTypeGiven | Remark.dataTypeUnknown |
  Remark.wrongField | Remark.uint32Long | Remark.noTimestamp;

/** What every payload of the same shape deserves. */
const PAYLOAD_REMARKS = METRIC_REMARKS | Remark.nameless | Remark.unknown;

/** What a scan is told. */
export interface ScanContext {
  readonly table: MetricTable;
  /** Whether values are compared with the last ones. */
  readonly watchChanges: boolean;
  /** Timestamps of metrics outside of these are remarked. */
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** One object serves one message after the other; the results are its fields. */
export class DataScan {
  /** Milliseconds since 1970; -1 if there is none. Beyond 2^53 it is not exact. */
  timestamp = ABSENT;
  seq = ABSENT;
  metrics = 0;
  remarks = 0;
  /** Ordinal of the first metric with each remark. */
  readonly #firstWith = new Int32Array(REMARKS);
  readonly #cursor = new FieldCursor();
  readonly #metric = new MetricReader();
  #bytes: Uint8Array = new Uint8Array(0);
  /** All of the memory that the bytes stand in, and where they begin in it. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  #offset = 0;
  /** The metric before the one that is read. */
  #previous: BornMetric | null = null;
  /** The latest timestamp of a metric, and its bytes. */
  #lastMs = 0;
  #lastLow = 0;
  #lastHigh = 0;

  /** Reads `bytes[start, end)`; false if that is not Protocol Buffers. */
  scan(bytes: Uint8Array, range: { start: number; end: number }, context: ScanContext): boolean {
    this.#open(bytes);
    const { shapes } = context.table;
    const { start, end } = range;
    const shape = context.watchChanges
      ? null
      : shapes.find(this.#view, this.#offset + start, end - start);
    if (shape !== null && this.#recognise(shape, start, context)) return true;
    if (!this.#read(bytes, range, context)) return false;
    const { metrics, remarks } = this;
    if ((remarks & ~PAYLOAD_REMARKS) !== 0 || shape !== null || !shapes.wanted) return true;
    const firstWith = this.#firstWith.slice();
    const fresh = PayloadShape.of(bytes.slice(start, end), { metrics, remarks, firstWith });
    if (fresh !== null) shapes.learn(fresh);
    return true;
  }

  #read(bytes: Uint8Array, range: { start: number; end: number }, context: ScanContext): boolean {
    const { end } = range;
    const reader = this.#metric;
    let at = range.start;
    while (at < end) {
      const tag = bytes[at];
      if (tag === 0x12) {
        let length = at + 1 < end ? bytes[at + 1]! : 0x80;
        let metricStart = at + 2;
        if (length >= 0x80) {
          length = reader.varint(bytes, at + 1, end);
          if (length < 0) return false;
          metricStart = reader.position;
        }
        at = metricStart + length;
        if (at > end) return false;
        this.metrics++;
        if (this.#familiar(metricStart, at, context)) continue;
        if (!reader.read(bytes, metricStart, at)) return false;
        this.#unfamiliar(metricStart, at, context);
      } else if (tag === 0x08) {
        this.timestamp = reader.varint(bytes, at + 1, end);
        if (this.timestamp < 0) return false;
        at = reader.position;
      } else if (tag === 0x18) {
        this.seq = reader.varint(bytes, at + 1, end);
        if (this.seq < 0) return false;
        at = reader.position;
      } else {
        at = this.#other(at, end);
        if (at < 0) return false;
      }
    }
    return true;
  }

  /** The ordinal, from 1, of the first metric with a remark. */
  firstWith(remark: number): number {
    return this.#firstWith[31 - Math.clz32(remark)]!;
  }

  #open(bytes: Uint8Array): void {
    // The getters cost more than all the rest; one chunk of a socket holds many messages.
    if (this.#bytes !== bytes) {
      this.#bytes = bytes;
      this.#offset = bytes.byteOffset;
      if (this.#view.buffer !== bytes.buffer) this.#view = new DataView(bytes.buffer);
    }
    this.timestamp = ABSENT;
    this.seq = ABSENT;
    this.metrics = 0;
    this.remarks = 0;
    this.#previous = null;
    this.#lastMs = 0;
    this.#lastLow = 0;
    this.#lastHigh = 0;
  }

  /** Takes the findings of a shape over; false if its timestamps want a closer look. */
  #recognise(shape: PayloadShape, start: number, context: ScanContext): boolean {
    const { findings, metricTimesAt, timestampAt, seqAt } = shape;
    const times = shape.isUniform ? 1 : metricTimesAt.length;
    for (let i = 0; i < times; i++) {
      this.#timeAt(start + metricTimesAt[i]!, context);
    }
    if (this.remarks !== 0) {
      this.#open(this.#bytes);
      return false;
    }
    const bytes = this.#bytes;
    if (timestampAt >= 0) this.timestamp = timestampIn(bytes, start + timestampAt);
    if (seqAt >= 0) this.seq = seqIn(bytes, start + seqAt);
    this.metrics = findings.metrics;
    this.remarks = findings.remarks;
    if (this.remarks !== 0) this.#firstWith.set(findings.firstWith);
    return true;
  }

  /** A field of the payload that is rare or written in an unusual way; gives its end, or -1. */
  #other(at: number, end: number): number {
    const cursor = this.#cursor;
    cursor.open(this.#bytes, at, end);
    if (!cursor.next()) return ABSENT;
    const { field, wireType } = cursor;
    if (field === 1 && wireType === WireType.varint) this.timestamp = Number(cursor.integer());
    else if (field === 3 && wireType === WireType.varint) this.seq = Number(cursor.integer());
    else if (field === 4 && wireType === WireType.bytes) this.#remark(Remark.marked);
    else if (field === 2 && wireType === WireType.bytes) {
      // A tag that is longer than it need be: nobody writes it, and the full decoder reads it.
      this.metrics++;
      this.#remark(Remark.structured);
    }
    return cursor.position;
  }

  /** Whether the metric that is expected here stands here, in the shape of last time. */
  #familiar(start: number, end: number, context: ScanContext): boolean {
    const born = this.#previous === null ? context.table.first : this.#previous.next;
    if (born === null || born.shape === null || context.watchChanges) return false;
    const { shape } = born;
    const view = this.#view;
    const offset = this.#offset;
    if (!shape.matches(view, offset + start, offset + end)) return false;
    this.#previous = born;
    if ((shape.remarks & ~this.remarks) !== 0) this.#remark(shape.remarks);
    if (shape.timestampAt < 0) return true;
    this.#timeAt(start + shape.timestampAt, context);
    return true;
  }

  /** Judges the metric that `#metric` has read. */
  #unfamiliar(start: number, end: number, context: ScanContext): void {
    const metric = this.#metric;
    const born = this.#find(metric, end, context.table);
    let remarks = 0;
    if (metric.timestamp < 0) remarks |= Remark.noTimestamp;
    else if (!metric.historical) {
      this.#time(metric.timestamp, context);
      this.#lastLow = 0; // its bytes are not those of the last timestamp any more
      this.#lastHigh = 0;
    }
    if (metric.structured) remarks |= Remark.structured;
    if (metric.nameStart >= 0 && metric.aliasAt >= 0) remarks |= Remark.nameAndAlias;
    if (metric.dataType >= 0) {
      remarks |= Remark.dataTypeGiven;
      if (metricField(metric.dataType) === 0) remarks |= Remark.dataTypeUnknown;
    }
    if (born === null) {
      const named = metric.nameStart >= 0 || metric.aliasAt >= 0;
      this.#remark(remarks | (named ? Remark.unknown : Remark.nameless));
      return;
    }
    this.#previous = born;
    if (metric.dataType >= 0 && metric.dataType !== born.dataType) remarks |= Remark.wrongField;
    if (metric.field !== 0 && !metric.isNull) remarks |= this.#value(born, metric, context);
    this.#remark(remarks);
    if (metric.simple) this.#learn(born, { start, end, remarks: remarks & METRIC_REMARKS });
  }

  /** The born metric of this alias or name; the one that is expected is tried first. */
  #find(metric: MetricReader, end: number, table: MetricTable): BornMetric | null {
    const { nameStart, nameEnd } = metric;
    const bytes = this.#bytes;
    const expected = this.#previous === null ? table.first : this.#previous.next;
    let born: BornMetric | null = null;
    if (metric.aliasAt >= 0) {
      const alias = metric.exactAlias(bytes, end);
      if (expected !== null && expected.alias === alias) return expected;
      born = table.byAlias(alias);
    } else if (nameStart >= 0) {
      if (expected !== null && sameBytes(expected.nameBytes, bytes, nameStart, nameEnd)) {
        return expected;
      }
      born = table.byName(bytes, nameStart, nameEnd);
    }
    if (born === null) return null;
    if (this.#previous === null) table.first = born;
    else this.#previous.next = born;
    return born;
  }

  /** The timestamp of six bytes at `at`. Metrics of one message mostly have the same one. */
  #timeAt(at: number, context: ScanContext): void {
    const low = this.#view.getInt32(this.#offset + at, true);
    const high = this.#view.getInt16(this.#offset + at + 4, true);
    if (low === this.#lastLow && high === this.#lastHigh) return;
    this.#lastLow = low;
    this.#lastHigh = high;
    this.#time(timestampIn(this.#bytes, at), context);
  }

  /** A metric that is not historical. */
  #time(ms: number, context: ScanContext): void {
    if (ms < this.#lastMs) this.#remark(Remark.outOfOrder);
    this.#lastMs = ms;
    if (ms < context.earliestMs || ms > context.latestMs) this.#remark(Remark.notUtc);
  }

  #value(born: BornMetric, metric: MetricReader, context: ScanContext): number {
    let remarks = 0;
    if (metric.field !== metricField(born.dataType)) {
      const tolerated = born.dataType === DataType.uint32 && metric.field === ValueField.long;
      remarks |= tolerated ? Remark.uint32Long : Remark.wrongField;
    }
    if (!context.watchChanges) return remarks;
    const hash = hashBytes(this.#bytes, metric.valueStart, metric.valueEnd);
    if (hash === born.valueHash) remarks |= Remark.unchanged;
    born.valueHash = hash;
    return remarks;
  }

  #learn(
    born: BornMetric,
    about: { readonly start: number; readonly end: number; readonly remarks: number },
  ): void {
    const { field, valueAt, valueEnd, timestampAt, historical } = this.#metric;
    if (born.shapesLeft === 0 || (field !== 0 && valueEnd !== about.end)) return;
    born.shapesLeft--;
    const reading = { ...about, field, timestampAt, historical };
    const shape = { ...reading, valueAt: field === 0 ? about.end : valueAt };
    born.shape = MetricShape.of(this.#bytes, shape);
  }

  #remark(remarks: number): void {
    let fresh = remarks & ~this.remarks;
    this.remarks |= remarks;
    for (; fresh !== 0; fresh &= fresh - 1) {
      this.#firstWith[31 - Math.clz32(fresh & -fresh)] = this.metrics;
    }
  }
}
