/** Reads the simple fields of one metric in place. The fields are those of `payload_schema.ts`. */
import { ValueField } from "./data_type.ts";
import { FieldCursor, WireType } from "./field_cursor.ts";

/** What is not there. */
export const ABSENT = -1;
const PROPERTIES_FIELD = 9;

/** One object serves one metric after the other; the results are its fields. */
export class MetricReader {
  nameStart = ABSENT;
  nameEnd = 0;
  /** Where the alias' tag stands. */
  aliasAt = ABSENT;
  /** Exact up to 2^53. */
  alias = 0;
  /** Milliseconds since 1970; exact up to 2^53. */
  timestamp = ABSENT;
  timestampAt = ABSENT;
  dataType = ABSENT;
  historical = false;
  isNull = false;
  /** The field of the value, 0 if there is none. */
  field = 0;
  /** Where the value stands, with its length if it has one. */
  valueAt = 0;
  valueStart = 0;
  valueEnd = 0;
  /** Whether it has only fields that are read here, none twice. */
  simple = true;
  /** Whether there are properties, a DataSet or a Template. */
  structured = false;
  readonly #cursor = new FieldCursor();
  #at = 0;
  #bad = false;

  /** Reads the metric `bytes[start, end)`; false if that is not Protocol Buffers. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    this.#clear();
    let at = start;
    while (at < end) {
      switch (bytes[at]) {
        case 0x0a:
          this.#name(bytes, at + 1, end);
          break;
        case 0x10:
          this.aliasAt = at;
          this.alias = this.varint(bytes, at + 1, end);
          break;
        case 0x18:
          if (this.timestampAt >= 0) this.simple = false;
          this.timestampAt = at + 1;
          this.timestamp = this.varint(bytes, at + 1, end);
          break;
        case 0x20:
          this.dataType = this.varint(bytes, at + 1, end) % 0x1_0000_0000;
          break;
        case 0x28:
          this.historical = this.varint(bytes, at + 1, end) !== 0;
          break;
        case 0x38:
          this.isNull = this.varint(bytes, at + 1, end) !== 0;
          break;
        case 0x50:
        case 0x58:
        case 0x70:
          this.varint(bytes, at + 1, end);
          this.#value(bytes[at]! >> 3, at + 1);
          break;
        case 0x65:
          this.#at = at + 5;
          this.#value(ValueField.float, at + 1);
          break;
        case 0x69:
          this.#at = at + 9;
          this.#value(ValueField.double, at + 1);
          break;
        default:
          this.#other(bytes, at, end);
      }
      if (this.#bad) return false;
      at = this.#at;
    }
    return at === end;
  }

  /** The alias, when it is beyond 2^53. */
  exactAlias(bytes: Uint8Array, end: number): number | bigint {
    if (this.alias <= Number.MAX_SAFE_INTEGER) return this.alias;
    this.#cursor.open(bytes, this.aliasAt, end);
    this.#cursor.next();
    return this.#cursor.integer();
  }

  /** Reads a varint at `at` as a number, exact up to 2^53; -1 if it is malformed. */
  varint(bytes: Uint8Array, at: number, end: number): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10 && at < end; i++) {
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
    return ABSENT;
  }

  /** Offset behind the varint that was read last. */
  get position(): number {
    return this.#at;
  }

  #clear(): void {
    this.nameStart = ABSENT;
    this.aliasAt = ABSENT;
    this.timestamp = ABSENT;
    this.timestampAt = ABSENT;
    this.dataType = ABSENT;
    this.historical = false;
    this.isNull = false;
    this.field = 0;
    this.simple = true;
    this.structured = false;
    this.#bad = false;
  }

  #value(field: number, at: number): void {
    if (this.field !== 0) this.simple = false;
    this.field = field;
    this.valueAt = at;
    this.valueStart = at;
    this.valueEnd = this.#at;
  }

  #name(bytes: Uint8Array, at: number, end: number): void {
    const length = this.varint(bytes, at, end);
    if (this.#bad) return;
    this.nameStart = this.#at;
    this.#at = this.nameEnd = this.nameStart + length;
  }

  /** The rare fields, and what is written in an unusual way. */
  #other(bytes: Uint8Array, at: number, end: number): void {
    const cursor = this.#cursor;
    cursor.open(bytes, at, end);
    if (!cursor.next()) {
      this.#bad = true;
      return;
    }
    this.#at = cursor.position;
    const { field, wireType } = cursor;
    if (field === ValueField.string && wireType === WireType.bytes) {
      this.#value(field, at + 1);
      this.valueStart = cursor.valueStart;
      return;
    }
    this.simple = false;
    // A tag that is longer than it need be: nobody writes it, and the full decoder reads it.
    if (field < ValueField.bytes && bytes[at]! >= 0x80) this.structured = true;
    if (wireType !== WireType.bytes) return;
    if (field >= ValueField.bytes && field <= ValueField.extension) {
      this.#value(field, at);
      this.valueStart = cursor.valueStart;
    }
    this.structured ||= field === PROPERTIES_FIELD || field === ValueField.dataSet ||
      field === ValueField.template;
  }
}
