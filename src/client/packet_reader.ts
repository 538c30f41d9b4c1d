/** Control Packets out of a stream. */
import { type ControlPacket, decodePacket, PROTOCOL_LIMITS } from "../mqtt/mod.ts";
import { ClientError } from "./client_error.ts";
import type { ClientStream } from "./client_stream.ts";

const BUFFER_BYTES = 16_384;

/** Reads one packet after the other. */
export class PacketReader {
  readonly #stream: ClientStream;
  #buffer = new Uint8Array(BUFFER_BYTES);
  #start = 0;
  #end = 0;

  constructor(stream: ClientStream) {
    this.#stream = stream;
  }

  /** The next packet; null at the end. Rejects at what is no packet. */
  async next(): Promise<ControlPacket | null> {
    for (;;) {
      const bytes = this.#buffer.subarray(0, this.#end);
      const result = decodePacket(bytes, this.#start, PROTOCOL_LIMITS);
      if (result.status === "error") throw new ClientError("protocol", result.error.reason);
      if (result.status === "packet") {
        this.#start = result.end;
        return result.packet;
      }
      this.#makeRoom(result.totalBytes);
      const count = await this.#stream.read(this.#buffer.subarray(this.#end));
      if (count === null) return null;
      this.#end += count;
    }
  }

  /** For a packet of so many bytes; 0 if that is not known yet. */
  #makeRoom(totalBytes: number): void {
    if (this.#start === 0 && this.#end < this.#buffer.length) return;
    const waiting = this.#buffer.subarray(this.#start, this.#end);
    // It grows with what has really come: a length alone costs no memory.
    const isFull = waiting.length === this.#buffer.length;
    const room = isFull ? Math.min(totalBytes, 2 * waiting.length) : this.#buffer.length;
    const buffer = room > this.#buffer.length ? new Uint8Array(room) : this.#buffer;
    buffer.set(waiting);
    this.#buffer = buffer;
    this.#start = 0;
    this.#end = waiting.length;
  }
}
