/** Reads the fields of a packet's body one after the other. Off the hot path. */
import type { ProtocolError } from "./protocol_error.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * A cursor that stops at the first fault: once `fault` is set every further read gives an empty
 * value, so that callers need to look at it only once, at the end.
 */
export class FieldReader {
  readonly bytes: Uint8Array;
  readonly end: number;
  position: number;
  fault: ProtocolError | null = null;
  readonly #truncated: ProtocolError;

  /** Reads `bytes[start, end)`; `truncated` is the fault of a field that runs past the end. */
  constructor(
    bytes: Uint8Array,
    range: { start: number; end: number; truncated: ProtocolError },
  ) {
    this.bytes = bytes;
    this.position = range.start;
    this.end = range.end;
    this.#truncated = range.truncated;
  }

  /** Whether all bytes are read, or a fault ended the reading. */
  get done(): boolean {
    return this.fault !== null || this.position >= this.end;
  }

  uint8(): number {
    const start = this.#advance(1);
    return start < 0 ? 0 : this.bytes[start]!;
  }

  uint16(): number {
    const start = this.#advance(2);
    return start < 0 ? 0 : (this.bytes[start]! << 8) | this.bytes[start + 1]!;
  }

  /** A field of two length bytes and that many bytes: where its content stands. */
  lengthPrefixed(): { start: number; end: number } {
    const length = this.uint16();
    const start = this.#advance(length);
    return start < 0 ? { start: 0, end: 0 } : { start, end: start + length };
  }

  /** A copy of the content of a length-prefixed field. */
  binary(): Uint8Array {
    const { start, end } = this.lengthPrefixed();
    return this.bytes.slice(start, end);
  }

  /** A UTF-8 encoded string (section 1.5.3). */
  string(): string {
    const { start, end } = this.lengthPrefixed();
    return this.take(decodeUtf8(this.bytes, start, end), "");
  }

  /** Keeps the fault if `result` is one, and gives `fallback` then. */
  take<T extends string>(result: T | ProtocolError, fallback: T): T {
    if (typeof result === "string") return this.fault === null ? result : fallback;
    this.fault ??= result;
    return fallback;
  }

  #advance(count: number): number {
    if (this.fault !== null) return -1;
    const start = this.position;
    if (start + count > this.end) {
      this.fault = this.#truncated;
      return -1;
    }
    this.position = start + count;
    return start;
  }
}
