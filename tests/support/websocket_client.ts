/** The client's end of a WebSocket over any pipe of bytes, written down without the broker's code. */
import type { ClientSocket } from "./local_socket.ts";
import { type ClientFrame, clientFrame } from "./websocket_frames.ts";

/** What carries the WebSocket; `receive` gives null at the end. */
export interface Pipe {
  send(bytes: Uint8Array): Promise<void>;
  receive(): Promise<Uint8Array | null>;
  close(): void;
}

/** What a test may say of the opening handshake. */
export interface HandshakeOptions {
  readonly path?: string;
  readonly protocol?: string | null;
  readonly origin?: string;
  /** Sent behind the request, without a wait for the answer. */
  readonly early?: Uint8Array;
}

/** A frame of the server. */
export interface ServerFrame {
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** A pipe over TCP. */
export async function tcpPipe(port: number): Promise<Pipe> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  socket.setNoDelay(true);
  const buffer = new Uint8Array(65_536);
  return {
    async send(bytes) {
      for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
    },
    async receive() {
      const count = await socket.read(buffer).catch(() => null);
      return count === null ? null : buffer.slice(0, count);
    },
    close() {
      try {
        socket.close();
      } catch {
        // Closed already.
      }
    },
  };
}

/** A WebSocket; as a socket its bytes are those of MQTT. */
export class WebSocketClient implements ClientSocket {
  /** Status line and fields of the answer. */
  readonly answer: string;
  readonly #pipe: Pipe;
  #bytes: Uint8Array;
  #rest = new Uint8Array(0);

  private constructor(pipe: Pipe, answer: string, bytes: Uint8Array) {
    this.#pipe = pipe;
    this.answer = answer;
    this.#bytes = bytes;
  }

  /** Asks for a WebSocket; `answer` tells whether it is one. Null if the pipe ends before. */
  static async open(pipe: Pipe, options: HandshakeOptions = {}): Promise<WebSocketClient | null> {
    const { path = "/mqtt", protocol = "mqtt", origin, early } = options;
    const lines = [
      `GET ${path} HTTP/1.1`,
      "Host: localhost",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      ...protocol === null ? [] : [`Sec-WebSocket-Protocol: ${protocol}`],
      ...origin === undefined ? [] : [`Origin: ${origin}`],
    ];
    const request = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
    await pipe.send(early === undefined ? request : joined(request, early)).catch(() => {});
    let bytes = new Uint8Array(0);
    for (;;) {
      const text = new TextDecoder("latin1").decode(bytes);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) return new WebSocketClient(pipe, text.slice(0, end), bytes.slice(end + 4));
      const more = await pipe.receive();
      if (more === null) return null;
      bytes = joined(bytes, more);
    }
  }

  /** Whether the server has agreed. */
  get isOpen(): boolean {
    return this.answer.startsWith("HTTP/1.1 101 ");
  }

  /** Sends a frame. */
  send(frame: ClientFrame): Promise<void> {
    return this.#pipe.send(clientFrame(frame));
  }

  /** Sends bytes that need not be a frame. */
  sendRaw(bytes: Uint8Array): Promise<void> {
    return this.#pipe.send(bytes);
  }

  /** The next frame of the server; null at the end. */
  async frame(): Promise<ServerFrame | null> {
    for (;;) {
      const frame = parseFrame(this.#bytes);
      if (frame !== null) {
        this.#bytes = this.#bytes.slice(frame.length);
        return frame;
      }
      const more = await this.#pipe.receive();
      if (more === null) return null;
      this.#bytes = joined(this.#bytes, more);
    }
  }

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#rest.length === 0) {
      const frame = await this.frame();
      if (frame === null || frame.opcode === 8) return null;
      if (frame.opcode === 2) this.#rest = frame.payload.slice();
    }
    const count = Math.min(target.length, this.#rest.length);
    target.set(this.#rest.subarray(0, count));
    this.#rest = this.#rest.slice(count);
    return count;
  }

  async write(source: Uint8Array): Promise<number> {
    await this.send({ payload: source });
    return source.length;
  }

  close(): void {
    this.#pipe.close();
  }
}

function parseFrame(bytes: Uint8Array): ServerFrame & { length: number } | null {
  if (bytes.length < 2) return null;
  const [first, second] = [bytes[0]!, bytes[1]!];
  if ((first & 0xf0) !== 0x80 || second >= 0x80) {
    throw new Error(`Cannot read frame: it begins with ${first} ${second}`);
  }
  const extended = second === 127 ? 8 : second === 126 ? 2 : 0;
  if (bytes.length < 2 + extended) return null;
  let length = extended === 0 ? second : 0;
  for (let i = 0; i < extended; i++) length = length * 256 + bytes[2 + i]!;
  const start = 2 + extended;
  if (bytes.length < start + length) return null;
  const payload = bytes.slice(start, start + length);
  return { opcode: first & 15, payload, length: start + length };
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
