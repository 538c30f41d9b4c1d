/** MQTT over WebSocket as a client: RFC 6455 sections 4.1 and 5, MQTT 3.1.1 section 6. */
import { ClientError } from "./client_error.ts";
import { type ClientStream, writeAll } from "./client_stream.ts";

/** What RFC 6455 section 1.3 puts behind the key. */
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const HEAD_BYTES_MAX = 16_384;
/** Frames of a server; a longer one is no packet of MQTT. */
const FRAME_BYTES_MAX = 268_435_460;
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Bytes of MQTT in binary frames; gives pings their answers by itself. */
export class WebSocketStream implements ClientStream {
  readonly #inner: ClientStream;
  /** Bytes that have come and are no whole frame yet. */
  #bytes: Uint8Array;
  /** What is left of the payload of a frame. */
  #payload: Uint8Array = new Uint8Array(0);
  readonly #buffer = new Uint8Array(65_536);

  private constructor(inner: ClientStream, early: Uint8Array) {
    this.#inner = inner;
    this.#bytes = early;
  }

  /** Asks for a WebSocket with the subprotocol "mqtt"; rejects with the answer if it is none. */
  static async open(
    inner: ClientStream,
    { host, path }: { host: string; path: string },
  ): Promise<WebSocketStream> {
    const key = crypto.getRandomValues(new Uint8Array(16)).toBase64();
    const request = [
      `GET ${path} HTTP/1.1`,
      `Host: ${host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${key}`,
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Protocol: mqtt",
    ];
    await writeAll(inner, new TextEncoder().encode(`${request.join("\r\n")}\r\n\r\n`));
    const { head, rest } = await readHead(inner);
    const [status = "", ...fields] = head.split("\r\n");
    const refusal = status.startsWith("HTTP/1.1 101 ") ? null : status;
    if (refusal !== null) throw new ClientError("refused", `no WebSocket: ${refusal}`);
    if (fieldOf(fields, "sec-websocket-accept") !== await acceptOf(key)) {
      throw new ClientError("protocol", "no WebSocket: the answer does not belong to the question");
    }
    if (fieldOf(fields, "sec-websocket-protocol") !== "mqtt") {
      throw new ClientError("protocol", 'no WebSocket for MQTT: the subprotocol is not "mqtt"');
    }
    return new WebSocketStream(inner, rest);
  }

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#payload.length === 0) {
      const frame = takeFrame(this.#bytes);
      if (frame === null) {
        const count = await this.#inner.read(this.#buffer);
        if (count === null) return null;
        this.#bytes = joined(this.#bytes, this.#buffer.subarray(0, count));
        continue;
      }
      this.#bytes = this.#bytes.subarray(frame.end);
      if (frame.opcode === OPCODE.close) return null;
      if (frame.opcode === OPCODE.ping) {
        await writeAll(this.#inner, maskedFrame(OPCODE.pong, frame.payload));
      } else if (frame.opcode === OPCODE.text) { // [MQTT-6.0.0-1]
        throw new ClientError("protocol", "the server sent a text frame");
      } else if (frame.opcode !== OPCODE.pong) this.#payload = frame.payload;
    }
    const part = this.#payload.subarray(0, target.length);
    target.set(part);
    this.#payload = this.#payload.subarray(part.length);
    return part.length;
  }

  async write(source: Uint8Array): Promise<number> {
    await writeAll(this.#inner, maskedFrame(OPCODE.binary, source));
    return source.length;
  }

  close(): void {
    this.#inner.close();
  }
}

/** A final frame with a new mask (RFC 6455 section 5.3). */
function maskedFrame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const maskAt = 2 + lengthBytes;
  const frame = new Uint8Array(maskAt + 4 + length);
  const view = new DataView(frame.buffer);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  if (lengthBytes === 2) view.setUint16(2, length);
  if (lengthBytes === 8) view.setUint32(6, length);
  crypto.getRandomValues(frame.subarray(maskAt, maskAt + 4));
  for (let i = 0; i < length; i++) {
    frame[maskAt + 4 + i] = payload[i]! ^ frame[maskAt + (i & 3)]!;
  }
  return frame;
}

/** The frame at the start of `bytes`; null if it is not whole. Throws at what no server may send. */
function takeFrame(
  bytes: Uint8Array,
): { opcode: number; payload: Uint8Array; end: number } | null {
  if (bytes.length < 2) return null;
  const [first, second] = [bytes[0]!, bytes[1]!];
  if ((first & 0x70) !== 0 || second > 127) {
    throw new ClientError("protocol", "the server sent a frame that is reserved or masked");
  }
  const lengthBytes = second === 127 ? 8 : second === 126 ? 2 : 0;
  if (bytes.length < 2 + lengthBytes) return null;
  let length = lengthBytes === 0 ? second : 0;
  for (let i = 0; i < lengthBytes; i++) length = length * 256 + bytes[2 + i]!;
  if (length > FRAME_BYTES_MAX) throw new ClientError("protocol", "a frame is too long");
  const start = 2 + lengthBytes;
  const end = start + length;
  if (bytes.length < end) return null;
  return { opcode: first & 15, payload: bytes.subarray(start, end), end };
}

async function readHead(inner: ClientStream): Promise<{ head: string; rest: Uint8Array }> {
  const buffer = new Uint8Array(4_096);
  let bytes: Uint8Array = new Uint8Array(0);
  while (bytes.length < HEAD_BYTES_MAX) {
    const count = await inner.read(buffer);
    if (count === null) throw new ClientError("network", "closed before it answered");
    bytes = joined(bytes, buffer.subarray(0, count));
    const head = new TextDecoder("latin1").decode(bytes);
    const end = head.indexOf("\r\n\r\n");
    if (end >= 0) return { head: head.slice(0, end), rest: bytes.slice(end + 4) };
  }
  throw new ClientError("protocol", "the answer of the server has no end");
}

function fieldOf(fields: readonly string[], name: string): string | undefined {
  const field = fields.find((line) => line.toLowerCase().startsWith(`${name}:`));
  return field?.slice(name.length + 1).trim();
}

async function acceptOf(key: string): Promise<string> {
  const text = new TextEncoder().encode(key + ACCEPT_SUFFIX);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", text)).toBase64();
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
