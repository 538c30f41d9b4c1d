/** WebSocket frames as a server reads and writes them. RFC 6455 section 5. */

/** Opcodes. RFC 6455 section 5.2. */
const CONTINUATION = 0x0;
const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

/** Why a connection ends. RFC 6455 section 7.4.1. */
export const CloseCode = {
  normal: 1000,
  protocolError: 1002,
  unsupportedData: 1003,
  invalidPayload: 1007,
} as const;

/** A close code of `CloseCode`, or one that the peer gave. */
export type CloseCode = number;

/** Most payload bytes of a control frame. RFC 6455 section 5.5. */
const CONTROL_BYTES_MAX = 125;
/** Fixed header, extended payload length and masking key. */
const HEAD_BYTES_MAX = 14;
/** The close code that says "none was given" and stands in no frame. RFC 6455 section 7.4.1. */
const NO_CODE = 1005;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads the frames of a client out of a stream that is cut anywhere, in place and without a limit
 * on frames: their payload is handed on as it comes, so that a long one costs no memory.
 */
export class FrameReader {
  readonly #head = new Uint8Array(HEAD_BYTES_MAX);
  #headLength = 0;
  /** Bytes of the head that are known to be needed. */
  #headNeeded = 2;
  /** Payload bytes of the present frame still to come; -1 while its head is not complete. */
  #remaining = -1;
  #maskOffset = 0;
  /** A fragmented message has begun and its last frame has not come. */
  #fragmented = false;
  readonly #control = new Uint8Array(CONTROL_BYTES_MAX);
  #controlLength = 0;
  #ping: Uint8Array | null = null;
  #closeCode: CloseCode | null = null;
  #fault: CloseCode | null = null;

  /** What the connection has to be failed with; null as long as all is well. */
  get fault(): CloseCode | null {
    return this.#fault;
  }

  /** The code of the Close frame that has come (1005 for one without); null before. */
  get closeCode(): CloseCode | null {
    return this.#closeCode;
  }

  /** Takes the payload of the last ping since the last call: only that one needs a pong. */
  takePing(): Uint8Array | null {
    const ping = this.#ping;
    this.#ping = null;
    return ping;
  }

  /**
   * Replaces the frames in `bytes[0, count)` by the payload of their data frames; gives its length.
   * Behind a fault or a Close frame nothing is read any more.
   */
  decode(bytes: Uint8Array, count: number): number {
    let written = 0;
    let position = 0;
    while (position < count && this.#fault === null && this.#closeCode === null) {
      if (this.#remaining < 0) {
        this.#head[this.#headLength++] = bytes[position++]!;
        if (this.#headLength < this.#headNeeded) continue;
        this.#headBytes();
        if (this.#remaining !== 0) continue;
      }
      const length = Math.min(this.#remaining, count - position);
      if (this.#isControl) this.#readControl(bytes.subarray(position, position + length));
      else {
        this.#unmask(bytes, { from: position, to: written, length });
        written += length;
      }
      position += length;
      this.#remaining -= length;
      if (this.#remaining === 0) this.#frameEnd();
    }
    return written;
  }

  get #isControl(): boolean {
    return (this.#head[0]! & 0x08) !== 0;
  }

  /** All bytes of the head that were asked for are there: it is complete, or longer than that. */
  #headBytes(): void {
    const head = this.#head;
    if (this.#headLength === 2) {
      this.#fault = this.#firstBytesFault();
      const length = head[1]! & 0x7f;
      this.#headNeeded = 6 + (length === 126 ? 2 : length === 127 ? 8 : 0);
      return;
    }
    const keyStart = this.#headLength - 4;
    let length = head[1]! & 0x7f;
    if (keyStart > 2) {
      length = 0;
      for (let i = 2; i < keyStart; i++) length = length * 256 + head[i]!;
      const leastBytes = keyStart === 4 ? 126 : 65_536;
      // The shortest form must be used, and the first bit of eight bytes is 0.
      if (length < leastBytes || length > Number.MAX_SAFE_INTEGER) {
        this.#fault = CloseCode.protocolError;
        return;
      }
    }
    head.copyWithin(10, keyStart, keyStart + 4);
    this.#maskOffset = 0;
    this.#controlLength = 0;
    this.#remaining = length;
  }

  #firstBytesFault(): CloseCode | null {
    const first = this.#head[0]!;
    const second = this.#head[1]!;
    const isFinal = (first & 0x80) !== 0;
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) return CloseCode.protocolError; // no extension was agreed upon
    if ((second & 0x80) === 0) return CloseCode.protocolError; // a client masks, always
    if (opcode >= CLOSE) {
      const known = opcode <= PONG && isFinal && (second & 0x7f) <= CONTROL_BYTES_MAX;
      return known ? null : CloseCode.protocolError;
    }
    if (opcode === TEXT) return CloseCode.unsupportedData; // [MQTT-6.0.0-1]
    if (opcode > BINARY) return CloseCode.protocolError;
    const expected = this.#fragmented ? CONTINUATION : BINARY;
    if (opcode !== expected) return CloseCode.protocolError;
    this.#fragmented = !isFinal;
    return null;
  }

  #unmask(bytes: Uint8Array, { from, to, length }: { from: number; to: number; length: number }) {
    const head = this.#head;
    let offset = this.#maskOffset;
    for (let i = 0; i < length; i++) {
      bytes[to + i] = bytes[from + i]! ^ head[10 + (offset++ & 3)]!;
    }
    this.#maskOffset = offset & 3;
  }

  #readControl(part: Uint8Array): void {
    for (const byte of part) {
      const key = this.#head[10 + (this.#controlLength & 3)]!;
      this.#control[this.#controlLength++] = byte ^ key;
    }
  }

  #frameEnd(): void {
    this.#remaining = -1;
    this.#headLength = 0;
    this.#headNeeded = 2;
    const opcode = this.#head[0]! & 0x0f;
    if (opcode === PING) this.#ping = this.#control.slice(0, this.#controlLength);
    else if (opcode === CLOSE) this.#close(this.#control.subarray(0, this.#controlLength));
  }

  #close(payload: Uint8Array): void {
    if (payload.length === 0) {
      this.#closeCode = NO_CODE;
      return;
    }
    const code = payload[0]! * 256 + (payload[1] ?? 0);
    if (payload.length === 1 || !mayBeSent(code)) this.#fault = CloseCode.protocolError;
    else if (!isUtf8(payload.subarray(2))) this.#fault = CloseCode.invalidPayload;
    else this.#closeCode = code;
  }
}

/** A binary frame that holds a whole message. */
export function binaryFrame(payload: Uint8Array): Uint8Array {
  return frame(BINARY, payload);
}

/** The answer to a ping with this payload. */
export function pongFrame(payload: Uint8Array): Uint8Array {
  return frame(PONG, payload);
}

/** A Close frame; a code of 1005 stands for none. */
export function closeFrame(code: CloseCode): Uint8Array {
  return frame(CLOSE, code === NO_CODE ? new Uint8Array(0) : Uint8Array.of(code >> 8, code & 0xff));
}

function frame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const headLength = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = new Uint8Array(headLength + length);
  bytes[0] = 0x80 | opcode;
  if (headLength === 2) bytes[1] = length;
  else {
    bytes[1] = headLength === 4 ? 126 : 127;
    const view = new DataView(bytes.buffer);
    if (headLength === 4) view.setUint16(2, length);
    else view.setBigUint64(2, BigInt(length));
  }
  bytes.set(payload, headLength);
  return bytes;
}

/** Whether a Close frame may carry this code. RFC 6455 section 7.4. */
function mayBeSent(code: number): boolean {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    UTF8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
