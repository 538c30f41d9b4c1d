/** Protocol Buffers on the wire, field by field, in place: no copy, no object, no exception. */

/** How a field is encoded. */
export const WireType = {
  varint: 0,
  fixed64: 1,
  bytes: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const;

/** Nesting of groups, which only unknown fields can have. */
const GROUP_DEPTH_MAX = 16;

/**
 * A cursor over the fields of one message. `next` steps to the next field until there is none; then
 * `malformed` tells whether the end was reached or the bytes are not Protocol Buffers.
 */
export class FieldCursor {
  bytes: Uint8Array = new Uint8Array(0);
  /** Offset of the first byte behind the current field. */
  position = 0;
  end = 0;
  malformed = false;
  /** Field number. */
  field = 0;
  wireType = 0;
  /** Offset of the tag of the current field. */
  tagStart = 0;
  /** Where the value stands; of length-delimited fields without the length. */
  valueStart = 0;
  valueEnd = 0;
  /** The lower 32 bits of a varint, unsigned. */
  low = 0;
  /** The upper 32 bits of a varint, unsigned. */
  high = 0;

  /** Begins with `bytes[start, end)`. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.malformed = false;
  }

  /** Steps to the next field; false at the end and where the bytes are malformed. */
  next(): boolean {
    if (this.position >= this.end || this.malformed) return false;
    this.tagStart = this.position;
    const first = this.bytes[this.position]!;
    if (first < 0x80) {
      this.position++;
      this.field = first >> 3;
      this.wireType = first & 7;
    } else {
      if (!this.#varint()) return false;
      if (this.high !== 0) return this.#fail();
      this.field = this.low >>> 3;
      this.wireType = this.low & 7;
    }
    if (this.field === 0) return this.#fail();
    return this.#value();
  }

  /** The current varint as a number if that is exact, else as a BigInt. */
  integer(): number | bigint {
    if (this.high < 0x200000) return this.high * 0x1_0000_0000 + this.low;
    return (BigInt(this.high) << 32n) | BigInt(this.low);
  }

  #value(): boolean {
    switch (this.wireType) {
      case WireType.varint:
        this.valueStart = this.position;
        if (!this.#varint()) return false;
        this.valueEnd = this.position;
        return true;
      case WireType.bytes: {
        if (!this.#varint()) return false;
        this.valueStart = this.position;
        if (this.high !== 0) return this.#fail();
        return this.#fixed(this.low);
      }
      case WireType.fixed32:
        this.valueStart = this.position;
        return this.#fixed(4);
      case WireType.fixed64:
        this.valueStart = this.position;
        return this.#fixed(8);
      case WireType.groupStart:
        return this.#group();
      default:
        return this.#fail();
    }
  }

  #fixed(length: number): boolean {
    const end = this.position + length;
    if (end > this.end) return this.#fail();
    this.valueEnd = this.position = end;
    return true;
  }

  /** Skips a group whose start tag has been read; its fields may not be closed by another's end. */
  #group(): boolean {
    const { field, tagStart, position } = this;
    const open = [field];
    while (open.length > 0) {
      if (open.length > GROUP_DEPTH_MAX || this.position >= this.end) return this.#fail();
      if (!this.#varint()) return false;
      if (this.high !== 0 || this.low >>> 3 === 0) return this.#fail();
      const inner = this.low >>> 3;
      this.wireType = this.low & 7;
      if (this.wireType === WireType.groupStart) open.push(inner);
      else if (this.wireType === WireType.groupEnd) {
        if (open.pop() !== inner) return this.#fail();
      } else if (!this.#value()) return false;
    }
    this.field = field;
    this.wireType = WireType.groupStart;
    this.tagStart = tagStart;
    this.valueStart = position;
    this.valueEnd = this.position;
    return true;
  }

  /** Reads a varint of at most ten bytes; what does not fit into 64 bits is malformed. */
  #varint(): boolean {
    const { bytes, end } = this;
    let at = this.position;
    let low = 0;
    let shift = 0;
    for (; shift < 28; shift += 7) {
      if (at >= end) return this.#fail();
      const byte = bytes[at++]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return this.#read(low >>> 0, 0, at);
    }
    if (at >= end) return this.#fail();
    const middle = bytes[at++]!;
    low = (low | (middle << 28)) >>> 0;
    let high = (middle & 0x7f) >>> 4;
    if (middle < 0x80) return this.#read(low, high, at);
    for (shift = 3; shift <= 31; shift += 7) {
      if (at >= end) return this.#fail();
      const byte = bytes[at++]!;
      if (shift === 31 && byte > 1) return this.#fail();
      high |= (byte & 0x7f) << shift;
      if (byte < 0x80) return this.#read(low, high >>> 0, at);
    }
    return this.#fail();
  }

  #read(low: number, high: number, position: number): true {
    this.low = low;
    this.high = high;
    this.position = position;
    return true;
  }

  #fail(): false {
    this.malformed = true;
    return false;
  }
}
