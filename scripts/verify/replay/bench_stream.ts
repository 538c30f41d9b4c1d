/** A byte stream whose peer sends, takes and fails when a rig says so. */
import type { ByteStream } from "../../../src/transport/mod.ts";

const NOTHING = new Uint8Array(0);

/** What waits for the peer. */
interface Waiting<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** The server's end of one connection. */
export class BenchStream implements ByteStream {
  /** All bytes that the peer has taken. */
  readonly taken: number[] = [];
  /** Whether our side was closed in good order, and whether the socket is gone. */
  finished = false;
  ended = false;
  #reading: (Waiting<number | null> & { readonly target: Uint8Array }) | null = null;
  #writing: (Waiting<number> & { readonly source: Uint8Array }) | null = null;
  #atEnd = false;

  /** Whether somebody reads. */
  get isRead(): boolean {
    return this.#reading !== null;
  }

  /** What waits for the peer to take it. */
  get offered(): Uint8Array {
    return this.#writing?.source ?? NOTHING;
  }

  read(target: Uint8Array): Promise<number | null> {
    if (this.#atEnd || this.ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => this.#reading = { target, resolve, reject });
  }

  write(source: Uint8Array): Promise<number> {
    if (this.ended || this.finished) return Promise.reject(new Error("Cannot write: it is closed"));
    return new Promise((resolve, reject) => this.#writing = { source, resolve, reject });
  }

  closeWrite(): Promise<void> {
    if (this.#writing !== null) throw new Error("Cannot close: bytes are on their way");
    this.finished = true;
    return Promise.resolve();
  }

  close(): void {
    if (this.ended) throw new Error("Cannot close: it is closed");
    this.ended = true;
    this.#endReading();
    this.#writing?.reject(new Error("closed"));
    this.#writing = null;
  }

  /** The peer sends. */
  send(bytes: Uint8Array): void {
    const reading = this.#reading;
    if (reading === null) throw new Error("Cannot send: nobody reads");
    this.#reading = null;
    reading.target.set(bytes);
    reading.resolve(bytes.length);
  }

  /** The peer closes its side. */
  hangUp(): void {
    this.#atEnd = true;
    this.#endReading();
  }

  /** The peer takes so many bytes. */
  take(count: number): void {
    const writing = this.#writing;
    if (writing === null || writing.source.length < count) throw new Error("Cannot take: too few");
    this.#writing = null;
    this.taken.push(...writing.source.subarray(0, count));
    writing.resolve(count);
  }

  /** The connection is reset: what is being written fails. */
  reset(): void {
    const writing = this.#writing;
    if (writing === null) throw new Error("Cannot reset: nothing is written");
    this.#writing = null;
    writing.reject(new Error("reset"));
  }

  #endReading(): void {
    const reading = this.#reading;
    this.#reading = null;
    reading?.resolve(null);
  }
}
