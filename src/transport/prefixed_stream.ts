/** A connection of which some bytes have been read already. */
import type { RawConnection } from "./tls_acceptor.ts";

/** Gives the bytes that were read too far first, and then is the connection itself. */
export class PrefixedStream implements RawConnection {
  readonly #raw: RawConnection;
  #prefix: Uint8Array;

  constructor(raw: RawConnection, prefix: Uint8Array) {
    this.#raw = raw;
    this.#prefix = prefix;
  }

  read(target: Uint8Array): Promise<number | null> {
    const { length } = this.#prefix;
    if (length === 0) return this.#raw.read(target);
    const count = Math.min(length, target.length);
    target.set(this.#prefix.subarray(0, count));
    this.#prefix = count === length ? NOTHING : this.#prefix.subarray(count);
    return Promise.resolve(count);
  }

  write(source: Uint8Array): Promise<number> {
    return this.#raw.write(source);
  }

  closeWrite(): Promise<void> {
    return this.#raw.closeWrite();
  }

  close(): void {
    this.#raw.close();
  }

  setNoDelay(on?: boolean): void {
    this.#raw.setNoDelay(on);
  }

  setKeepAlive(on?: boolean): void {
    this.#raw.setKeepAlive(on);
  }
}

/** Does not keep the buffer that the bytes were read into. */
const NOTHING = new Uint8Array(0);
