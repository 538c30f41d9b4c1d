/** Walks a payload before it is decoded: caps, well-formed fields and UTF-8. */
import { decodeUtf8 } from "../mqtt/mod.ts";
import { FieldCursor, WireType } from "./field_cursor.ts";
import type { PayloadLimits } from "./payload_limits.ts";
import { type FieldSchema, isMessageType, type MessageName, SCHEMA } from "./payload_schema.ts";

/** What the walk came to. */
export interface GuardResult {
  /** Why the payload is not decodable; null if it is. */
  readonly problem: string | null;
  /** Whether the version of a Template is not well-formed UTF-8. */
  readonly illFormedVersion: boolean;
}

const WIRE_TYPES: Readonly<Record<string, number>> = {
  uint32: WireType.varint,
  uint64: WireType.varint,
  bool: WireType.varint,
  float: WireType.fixed32,
  double: WireType.fixed64,
};

/** Walks one payload at a time. */
export class PayloadGuard {
  readonly #limits: PayloadLimits;
  /** A cursor for each level. */
  readonly #cursors: FieldCursor[] = [];
  #metrics = 0;
  #fields = 0;
  #illFormedVersion = false;

  constructor(limits: PayloadLimits) {
    this.#limits = limits;
  }

  /** Judges `bytes[start, end)` as a Payload. */
  check(bytes: Uint8Array, start: number, end: number): GuardResult {
    this.#metrics = 0;
    this.#fields = 0;
    this.#illFormedVersion = false;
    const problem = this.#message(bytes, { start, end }, { name: "Payload", depth: 0 });
    return { problem, illFormedVersion: this.#illFormedVersion };
  }

  #message(
    bytes: Uint8Array,
    range: { start: number; end: number },
    message: { name: MessageName; depth: number },
  ): string | null {
    const { name, depth } = message;
    const { depthMax, fieldsMax, metricsMax } = this.#limits;
    if (depth > depthMax) return `more than ${depthMax} levels of messages`;
    if (name === "Metric" && ++this.#metrics > metricsMax) return `more than ${metricsMax} metrics`;
    const fields = SCHEMA.get(name)!;
    const cursor = this.#cursors[depth] ??= new FieldCursor();
    cursor.open(bytes, range.start, range.end);
    while (cursor.next()) {
      if (++this.#fields > fieldsMax) return `more than ${fieldsMax} fields`;
      const field = fields[cursor.field];
      if (field === undefined) continue;
      const problem = this.#field(cursor, field, depth);
      if (problem !== null) return problem;
    }
    return cursor.malformed ? `${name} is not well-formed` : null;
  }

  #field(cursor: FieldCursor, field: FieldSchema, depth: number): string | null {
    const { type, name } = field;
    const { wireType, bytes, valueStart: start, valueEnd: end } = cursor;
    const expected = WIRE_TYPES[type] ?? WireType.bytes;
    if (wireType !== expected) {
      const packed = type === "uint32" && field.repeated && wireType === WireType.bytes;
      if (!packed) return null; // it counts as a field that nobody knows
      this.#fields += end - start;
      return this.#fields > this.#limits.fieldsMax ? `${name} has too many elements` : null;
    }
    if (isMessageType(type)) {
      return this.#message(bytes, { start, end }, { name: type, depth: depth + 1 });
    }
    if (type !== "string") return null;
    const { stringBytesMax } = this.#limits;
    if (end - start > stringBytesMax) return `${name} has more than ${stringBytesMax} bytes`;
    if (name === "version" && !isWellFormed(bytes, start, end)) this.#illFormedVersion = true;
    return null;
  }
}

function isWellFormed(bytes: Uint8Array, start: number, end: number): boolean {
  return typeof decodeUtf8(bytes, start, end) === "string";
}
