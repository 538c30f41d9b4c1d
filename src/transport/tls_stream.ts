/** A TLS connection as a byte stream: what the driver of a connection sees instead of TCP. */
import type { TLSSocket } from "node:tls";
import type { ByteStream } from "./byte_stream.ts";
import type { CiphertextGate } from "./ciphertext_gate.ts";

/** Plaintext that one write takes, so that its reader's progress shows between writes. */
const WRITE_BYTES_MAX = 65_536;

/** A read that waits for plaintext. */
interface WaitingRead {
  readonly target: Uint8Array;
  readonly resolve: (count: number | null) => void;
}

/**
 * Reads plaintext on demand: ciphertext is taken from the network only while a read waits, and at
 * most one read of the network, 64 kB, is decrypted ahead.
 */
export class TlsStream implements ByteStream {
  readonly #socket: TLSSocket;
  readonly #gate: CiphertextGate;
  readonly #chunks: Uint8Array[] = [];
  #waiting: WaitingRead | null = null;
  #failWrite: ((error: Error) => void) | null = null;
  #endWrite: (() => void) | null = null;
  #ended = false;
  #closed = false;
  #onClosed: (() => void) | null = null;

  /** `gate` feeds `socket`; it stays open until the handshake is over. */
  constructor(socket: TLSSocket, gate: CiphertextGate) {
    this.#socket = socket;
    this.#gate = gate;
    socket.on("data", (chunk: Uint8Array) => this.#received(chunk));
    socket.on("end", () => this.end());
    socket.on("close", () => this.close());
    // For example a record that does not decrypt: the connection is over, and says no more.
    socket.on("error", () => this.close());
  }

  /** Ciphertext read from the network so far, in bytes. */
  get ciphertextBytesRead(): number {
    return this.#gate.bytesRead;
  }

  /** Called once, when the stream is closed from either side. */
  set onClosed(listener: () => void) {
    this.#onClosed = listener;
  }

  /** Nothing more will come; what has come can still be read. */
  end(): void {
    this.#ended = true;
    this.#gate.shut();
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.resolve(null);
  }

  read(target: Uint8Array): Promise<number | null> {
    if (this.#chunks.length > 0) return Promise.resolve(this.#take(target));
    if (this.#ended) return Promise.resolve(null);
    if (this.#waiting !== null) {
      return Promise.reject(new Error("Cannot read: a read waits already"));
    }
    return new Promise((resolve) => {
      this.#waiting = { target, resolve };
      this.#gate.open();
    });
  }

  write(source: Uint8Array): Promise<number> {
    if (this.#closed) return Promise.reject(new Error("Cannot write: the stream is closed"));
    const block = source.length > WRITE_BYTES_MAX ? source.subarray(0, WRITE_BYTES_MAX) : source;
    return new Promise((resolve, reject) => {
      this.#failWrite = reject;
      this.#socket.write(block, (error) => {
        this.#failWrite = null;
        if (error) reject(error);
        else resolve(block.length);
      });
    });
  }

  /** Sends close_notify, then ends our side of the connection. RFC 8446 section 6.1. */
  closeWrite(): Promise<void> {
    if (this.#closed) return Promise.reject(new Error("Cannot end: the stream is closed"));
    return new Promise((resolve) => {
      // A socket that is destroyed meanwhile calls nobody back.
      this.#endWrite = resolve;
      this.#socket.end(() => this.#gate.duplex.end(() => resolve()));
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.end();
    this.#chunks.length = 0;
    this.#failWrite?.(new Error("Cannot write: the stream was closed"));
    this.#failWrite = null;
    this.#endWrite?.();
    this.#endWrite = null;
    this.#socket.destroy();
    this.#gate.close();
    this.#onClosed?.();
  }

  /** The handshake is over: from now on the network is read only while somebody reads here. */
  settle(): void {
    if (this.#waiting === null) this.#gate.shut();
  }

  #received(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#chunks.push(chunk);
    const waiting = this.#waiting;
    if (waiting === null) return;
    this.#waiting = null;
    this.#gate.shut();
    waiting.resolve(this.#take(waiting.target));
  }

  /** Moves waiting plaintext into `target`; gives how much. */
  #take(target: Uint8Array): number {
    let count = 0;
    while (count < target.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) break;
      const room = target.length - count;
      if (chunk.length > room) {
        target.set(chunk.subarray(0, room), count);
        this.#chunks[0] = chunk.subarray(room);
        return target.length;
      }
      target.set(chunk, count);
      count += chunk.length;
      this.#chunks.shift();
    }
    return count;
  }
}
