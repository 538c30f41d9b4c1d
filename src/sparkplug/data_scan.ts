/**
 * Reads NDATA and DDATA in place: what DATA is judged by, without an object, a string or a copy. The
 * fields are those of `payload_schema.ts`; a test holds both readers against each other.
 */
import { metricField, ValueField } from "./data_type.ts";
import { FieldCursor, WireType } from "./field_cursor.ts";
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

/** What a scan is told. */
export interface ScanContext {
  readonly table: MetricTable;
  /** Whether values are compared with the last ones. */
  readonly watchChanges: boolean;
  /** Timestamps of metrics outside of these are remarked. */
  readonly earliestMs: number;
  readonly latestMs: number;
}

/** No timestamp, or no seq. */
const ABSENT = -1;
const BITS = 13;
const PROPERTIES = 9;

/** One object serves one message after the other; the results are its fields. */
export class DataScan {
  /** Milliseconds since 1970; -1 if there is none. Beyond 2^53 it is not exact. */
  timestamp = ABSENT;
  seq = ABSENT;
  metrics = 0;
  remarks = 0;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #bad = false;
  /** Ordinal of the first metric with each remark. */
  readonly #firstWith = new Int32Array(BITS);
  readonly #cursor = new FieldCursor();
  #lastMetricMs = 0;
  #previous: BornMetric | null = null;

  /** Reads `bytes[start, end)`; false if that is not Protocol Buffers. */
  scan(bytes: Uint8Array, range: { start: number; end: number }, context: ScanContext): boolean {
    const { end } = range;
    this.#bytes = bytes;
    this.timestamp = ABSENT;
    this.seq = ABSENT;
    this.metrics = 0;
    this.remarks = 0;
    this.#bad = false;
    this.#lastMetricMs = 0;
    this.#previous = null;
    let at = range.start;
    while (at < end && !this.#bad) {
      switch (bytes[at]) {
        case 0x08:
          this.timestamp = this.#varint(at + 1, end);
          break;
        case 0x12: {
          const length = this.#varint(at + 1, end);
          const metricStart = this.#at;
          const metricEnd = metricStart + length;
          if (this.#bad || metricEnd > end) return false;
          this.metrics++;
          this.#metric(metricStart, metricEnd, context);
          this.#at = metricEnd;
          break;
        }
        case 0x18:
          this.seq = this.#varint(at + 1, end);
          break;
        default:
          this.#other(at, end);
      }
      at = this.#at;
    }
    return !this.#bad;
  }

  /** The ordinal, from 1, of the first metric with a remark. */
  firstWith(remark: number): number {
    return this.#firstWith[31 - Math.clz32(remark)]!;
  }

  /** A field of the payload that is written in an unusual way, or one of the rare ones. */
  #other(at: number, end: number): void {
    const cursor = this.#cursor;
    cursor.open(this.#bytes, at, end);
    if (!cursor.next()) {
      this.#bad = true;
      return;
    }
    this.#at = cursor.position;
    const { field, wireType } = cursor;
    if (field === 1 && wireType === WireType.varint) this.timestamp = Number(cursor.integer());
    else if (field === 3 && wireType === WireType.varint) this.seq = Number(cursor.integer());
    else if (field === 4 && wireType === WireType.bytes) this.#remark(Remark.marked);
    else if (field === 2 && wireType === WireType.bytes) {
      // A tag that is longer than it need be: nobody writes it, and the full decoder reads it.
      this.metrics++;
      this.#remark(Remark.structured);
    }
  }

  #metric(start: number, end: number, context: ScanContext): void {
    const bytes = this.#bytes;
    let nameStart = ABSENT;
    let nameEnd = 0;
    let aliasAt = ABSENT;
    let alias = 0;
    let timestamp = ABSENT;
    let dataType = ABSENT;
    let historical = false;
    let isNull = false;
    let field = 0;
    let valueStart = 0;
    let valueEnd = 0;
    let at = start;
    while (at < end) {
      switch (bytes[at]) {
        case 0x0a: {
          const length = this.#varint(at + 1, end);
          nameStart = this.#at;
          this.#at = nameEnd = nameStart + length;
          break;
        }
        case 0x10:
          aliasAt = at;
          alias = this.#varint(at + 1, end);
          break;
        case 0x18:
          timestamp = this.#varint(at + 1, end);
          break;
        case 0x20:
          dataType = this.#varint(at + 1, end) % 0x1_0000_0000;
          break;
        case 0x28:
          historical = this.#varint(at + 1, end) !== 0;
          break;
        case 0x38:
          isNull = this.#varint(at + 1, end) !== 0;
          break;
        case 0x50:
        case 0x58:
        case 0x70:
          field = bytes[at]! >> 3;
          valueStart = at + 1;
          this.#varint(at + 1, end);
          valueEnd = this.#at;
          break;
        case 0x65:
          field = ValueField.float;
          valueStart = at + 1;
          this.#at = valueEnd = at + 5;
          break;
        case 0x69:
          field = ValueField.double;
          valueStart = at + 1;
          this.#at = valueEnd = at + 9;
          break;
        case 0x7a: {
          field = ValueField.string;
          const length = this.#varint(at + 1, end);
          valueStart = this.#at;
          this.#at = valueEnd = valueStart + length;
          break;
        }
        default: {
          const cursor = this.#cursor;
          cursor.open(bytes, at, end);
          if (!cursor.next()) {
            this.#bad = true;
            return;
          }
          this.#at = cursor.position;
          const found = cursor.wireType === WireType.bytes ? cursor.field : 0;
          if (found >= ValueField.bytes && found <= ValueField.extension) {
            field = found;
            valueStart = cursor.valueStart;
            valueEnd = cursor.valueEnd;
          }
          const structured = found === PROPERTIES || found === ValueField.dataSet ||
            found === ValueField.template;
          // One of the fields above with a tag that is longer than it need be.
          if (structured || (cursor.field < ValueField.bytes && padded(cursor))) {
            this.#remark(Remark.structured);
          }
        }
      }
      if (this.#bad) return;
      at = this.#at;
    }
    if (at !== end) {
      this.#bad = true;
      return;
    }
    let born = this.#previous === null ? context.table.first : this.#previous.next;
    if (aliasAt >= 0) {
      if (born === null || born.alias !== alias || alias > Number.MAX_SAFE_INTEGER) {
        born = context.table.byAlias(this.#exactAlias(aliasAt, end, alias));
        this.#follow(born, context.table);
      }
      if (nameStart >= 0) {
        this.#remark(Remark.nameAndAlias);
        if (born === null) born = context.table.byName(bytes, nameStart, nameEnd);
      }
    } else if (nameStart >= 0) {
      if (born === null || !sameBytes(born.nameBytes, bytes, nameStart, nameEnd)) {
        born = context.table.byName(bytes, nameStart, nameEnd);
        this.#follow(born, context.table);
      }
    } else {
      this.#remark(Remark.nameless);
      born = null;
    }
    this.#judgeTime(timestamp, historical, context);
    if (dataType >= 0) {
      this.#remark(Remark.dataTypeGiven);
      if (metricField(dataType) === 0) this.#remark(Remark.dataTypeUnknown);
    }
    if (born === null) {
      if (nameStart >= 0 || aliasAt >= 0) this.#remark(Remark.unknown);
      return;
    }
    this.#previous = born;
    if (field !== 0 && !isNull) this.#judgeValue(born, field, context, valueStart, valueEnd);
  }

  #judgeTime(timestamp: number, historical: boolean, context: ScanContext): void {
    if (timestamp < 0) {
      this.#remark(Remark.noTimestamp);
      return;
    }
    if (historical) return;
    if (timestamp < this.#lastMetricMs) this.#remark(Remark.outOfOrder);
    this.#lastMetricMs = timestamp;
    if (timestamp < context.earliestMs || timestamp > context.latestMs) this.#remark(Remark.notUtc);
  }

  #judgeValue(
    born: BornMetric,
    field: number,
    context: ScanContext,
    start: number,
    end: number,
  ): void {
    const expected = metricField(born.dataType);
    if (field !== expected) {
      const tolerated = born.dataType === 7 && field === ValueField.long;
      this.#remark(tolerated ? Remark.uint32Long : Remark.wrongField);
    }
    if (!context.watchChanges) return;
    const hash = hashBytes(this.#bytes, start, end);
    if (hash === born.valueHash) this.#remark(Remark.unchanged);
    born.valueHash = hash;
  }

  /** Remembers that `born` stands here. */
  #follow(born: BornMetric | null, table: MetricTable): void {
    if (born === null) return;
    if (this.#previous === null) table.first = born;
    else this.#previous.next = born;
  }

  #exactAlias(at: number, end: number, alias: number): number | bigint {
    if (alias <= Number.MAX_SAFE_INTEGER) return alias;
    this.#cursor.open(this.#bytes, at, end);
    this.#cursor.next();
    return this.#cursor.integer();
  }

  #remark(remark: number): void {
    if ((this.remarks & remark) !== 0) return;
    this.remarks |= remark;
    this.#firstWith[31 - Math.clz32(remark)] = this.metrics;
  }

  /** Reads a varint at `at` as a number, exact up to 2^53, and leaves the offset behind it. */
  #varint(at: number, end: number): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (at >= end) break;
      const byte = bytes[at++]!;
      if (byte < 0x80) {
        if (i === 9 && byte > 1) break;
        this.#at = at;
        return value + byte * scale;
      }
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    this.#bad = true;
    this.#at = end;
    return 0;
  }
}

/** Whether a known field below 16 came in more bytes than its tag needs. */
function padded(cursor: FieldCursor): boolean {
  return cursor.bytes[cursor.tagStart]! >= 0x80;
}
