/** A WebSocket as a byte stream: MQTT's bytes are the payload of its binary messages. */
import type { ByteStream } from "./byte_stream.ts";
import { binaryFrame, CloseCode, closeFrame, FrameReader, pongFrame } from "./websocket_frames.ts";

/** Bytes that one frame takes, so that its reader's progress shows between writes. */
const WRITE_BYTES_MAX = 65_536;
/** Bytes that held no payload after which the event loop is let turn. */
const FRUITLESS_BYTES_MAX = 65_536;
/** How long our last frame may take before the connection ends without it. */
const FAREWELL_MS = 1_000;

/** The server's end of an open WebSocket. */
export class WebSocketStream implements ByteStream {
  readonly #inner: ByteStream;
  readonly #reader = new FrameReader();
  readonly #pause: () => Promise<void>;
  /** Bytes that came with the opening handshake. */
  #early: Uint8Array | null;
  /** The last frame to be written: frames must not mix. */
  #written: Promise<void> = Promise.resolve();
  #pong: Uint8Array | null = null;
  #closeSent = false;

  /**
   * `early` came behind the head of the request. `pause` resolves when every socket has had its
   * chance: a peer that sends nothing but pings must not keep others from being served.
   */
  constructor(
    inner: ByteStream,
    { early, pause }: { early: Uint8Array; pause: () => Promise<void> },
  ) {
    this.#inner = inner;
    this.#early = early.length === 0 ? null : early;
    this.#pause = pause;
  }

  async read(target: Uint8Array): Promise<number | null> {
    const reader = this.#reader;
    let fruitless = 0;
    for (;;) {
      if (reader.fault !== null || reader.closeCode !== null) return await this.#end();
      const count = await this.#receive(target);
      if (count === null) return null;
      const length = reader.decode(target, count);
      this.#answerPing();
      if (length > 0) return length;
      fruitless += count;
      if (fruitless < FRUITLESS_BYTES_MAX) continue;
      fruitless = 0;
      await this.#pause();
    }
  }

  async write(source: Uint8Array): Promise<number> {
    if (this.#closeSent) throw new Error("Cannot write: the WebSocket is closed");
    const block = source.length > WRITE_BYTES_MAX ? source.subarray(0, WRITE_BYTES_MAX) : source;
    await this.#send(binaryFrame(block));
    return block.length;
  }

  /** Sends a Close frame, then ends our side of the connection; the peer's can still be read. */
  async closeWrite(): Promise<void> {
    this.#sendClose(CloseCode.normal);
    await this.#written;
    await this.#inner.closeWrite();
  }

  close(): void {
    this.#closeSent = true;
    this.#inner.close();
  }

  /** The peer has closed, or has to be closed: the stream ends behind our Close frame. */
  async #end(): Promise<null> {
    const { fault, closeCode } = this.#reader;
    this.#sendClose(fault ?? closeCode!);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FAREWELL_MS);
    });
    await Promise.race([this.#written, late]);
    clearTimeout(timer);
    return null;
  }

  async #receive(target: Uint8Array): Promise<number | null> {
    const early = this.#early;
    if (early === null) return await this.#inner.read(target);
    const count = Math.min(early.length, target.length);
    target.set(early.subarray(0, count));
    this.#early = count === early.length ? null : early.subarray(count);
    return count;
  }

  /** One pong is enough for all pings that came while it waited. RFC 6455 section 5.5.3. */
  #answerPing(): void {
    const ping = this.#reader.takePing();
    if (ping === null || this.#closeSent) return;
    const isWaiting = this.#pong !== null;
    this.#pong = ping;
    if (isWaiting) return;
    const sent = this.#written.then(async () => {
      const pong = this.#pong!;
      this.#pong = null;
      await this.#writeAll(pongFrame(pong));
    });
    this.#written = sent.catch(ignore);
  }

  /** Sends a Close frame, once: to end the connection, or as the answer to the peer's. */
  #sendClose(code: CloseCode): void {
    if (this.#closeSent) return;
    this.#closeSent = true;
    this.#send(closeFrame(code)).catch(ignore);
  }

  #send(frame: Uint8Array): Promise<void> {
    const sent = this.#written.then(() => this.#writeAll(frame));
    this.#written = sent.catch(ignore);
    return sent;
  }

  async #writeAll(frame: Uint8Array): Promise<void> {
    for (let written = 0; written < frame.length;) {
      written += await this.#inner.write(frame.subarray(written));
    }
  }
}

/** A write failed: whoever reads or writes next learns that the connection is gone. */
function ignore(): void {}
