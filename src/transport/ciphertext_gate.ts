/**
 * The Node stream that a TLS socket reads ciphertext from and writes it to. It reads from the
 * network only while its gate is open: `TLSSocket.pause()` of Deno 2.9.6 stops no reading, and a
 * client that floods would fill the memory.
 */
import type { Duplex, DuplexOptions } from "node:stream";
import type { ByteStream } from "./byte_stream.ts";

/** Makes a stream; `node:stream` is imported where TLS is used. */
export type MakeDuplex = (options: DuplexOptions) => Duplex;

/** What one read may bring at first: a handshake has one or two kilobytes. */
const READ_BYTES_FIRST = 2_048;
/** An idle connection waits with a buffer of this size. */
const READ_BYTES_MIN = 1_024;
/** Read buffers grow to this while reads fill them; so much plaintext may wait for its reader. */
const READ_BYTES_MAX = 65_536;
/** Bytes read after which a connection lets the event loop turn. */
const BYTES_PER_ITERATION = 262_144;

/** What a gate tells. */
export interface GateEvents {
  /** Nothing more can be read, be it for an end or for a fault. */
  readonly ended: () => void;
  /** Nothing more can be written: the peer has gone. The gate has closed itself. */
  readonly failed: () => void;
}

/** Lets ciphertext through on demand. */
export class CiphertextGate {
  readonly duplex: Duplex;
  readonly #stream: ByteStream;
  readonly #events: GateEvents;
  #buffer = new Uint8Array(READ_BYTES_FIRST);
  #open = true;
  #wanted = false;
  #reading = false;
  #bytesRead = 0;
  #bytesReadMax = Infinity;
  #untilIteration = BYTES_PER_ITERATION;

  /** `makeDuplex` makes the stream that the TLS socket stands on. */
  constructor(
    stream: ByteStream,
    { makeDuplex, ...events }: GateEvents & { readonly makeDuplex: MakeDuplex },
  ) {
    this.#stream = stream;
    this.#events = events;
    this.duplex = makeDuplex({
      allowHalfOpen: true,
      read: () => {
        this.#wanted = true;
        void this.#pump();
      },
      write: (chunk: Uint8Array, _encoding, done) => void this.#write(chunk).then(() => done()),
      final: (done) => void this.#stream.closeWrite().then(() => done(), () => done()),
      destroy: (_error, done) => {
        this.#close();
        done(null);
      },
    });
    // Faults of the network are ends; without a listener they would end the process.
    this.duplex.on("error", () => {});
  }

  /** Ciphertext read so far, in bytes. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Ends the stream when more than this is read; a handshake is not endless. */
  set bytesReadMax(bytes: number) {
    this.#bytesReadMax = bytes;
  }

  /** Reads from the network on demand of the TLS layer. */
  open(): void {
    if (this.#open) return;
    this.#open = true;
    void this.#pump();
  }

  /** Reads no more, once a read that has begun is through. */
  shut(): void {
    this.#open = false;
  }

  /** Ends both sides at once. */
  close(): void {
    this.duplex.destroy();
    this.#close();
  }

  async #pump(): Promise<void> {
    if (!this.#open || !this.#wanted || this.#reading) return;
    this.#reading = true;
    this.#wanted = false;
    const buffer = this.#buffer;
    const count = await this.#read(buffer);
    // Reads that find bytes complete without a look at other sockets and timers.
    if (this.#untilIteration <= 0) {
      this.#untilIteration = BYTES_PER_ITERATION;
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#reading = false;
    if (this.duplex.destroyed) return;
    if (count === null) {
      this.duplex.push(null);
      // Plaintext that has been decrypted may still be on its way through the TLS socket.
      setImmediate(() => this.#events.ended());
      return;
    }
    // The TLS layer takes the bytes at once, and the buffer can be used again.
    this.duplex.push(buffer.subarray(0, count));
    const taken = this.duplex.readableLength === 0;
    this.#resize(count, taken);
    void this.#pump();
  }

  /** Gives null at the end; whether the connection was closed or reset is the same. */
  async #read(buffer: Uint8Array): Promise<number | null> {
    try {
      const count = await this.#stream.read(buffer);
      if (count === null) return null;
      this.#bytesRead += count;
      this.#untilIteration -= count;
      return this.#bytesRead > this.#bytesReadMax ? null : count;
    } catch {
      return null;
    }
  }

  #resize(count: number, taken: boolean): void {
    const size = this.#buffer.length;
    let wanted = size;
    if (count === size) wanted = Math.min(size * 4, READ_BYTES_MAX);
    else if (count * 8 < size) wanted = Math.max(size / 16, READ_BYTES_MIN);
    if (wanted !== size || !taken) this.#buffer = new Uint8Array(wanted);
  }

  // The TLS layer is not told of a fault: in Deno 2.9.6 it neither ends for it nor passes it on, and
  // what was being written would wait for ever.
  async #write(chunk: Uint8Array): Promise<void> {
    try {
      for (let written = 0; written < chunk.length;) {
        written += await this.#stream.write(written === 0 ? chunk : chunk.subarray(written));
      }
    } catch {
      this.close();
      this.#events.failed();
    }
  }

  #close(): void {
    try {
      this.#stream.close();
    } catch {
      // Closed already.
    }
  }
}
