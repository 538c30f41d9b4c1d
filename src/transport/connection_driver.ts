/** Moves bytes between one socket and the core. */
import type { Connection, ConnectionOrigin } from "../broker/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import type { TurnOwner } from "./turn_owner.ts";

/** Read buffers start here: an idle connection costs little. */
const READ_BYTES_MIN = 512;
/** Read buffers grow to this while reads fill them. */
const READ_BYTES_MAX = 65_536;
/** Bytes read after which a connection lets the event loop turn. */
const BYTES_PER_ITERATION = 262_144;
/** How long a closed connection may take our last bytes before its socket goes. */
const LINGER_MS = 1_000;

/** One connection: a loop that reads, and writes on demand. */
export class ConnectionDriver {
  readonly connection: Connection;
  readonly #stream: ByteStream;
  readonly #owner: TurnOwner;
  #buffer: Uint8Array;
  #filled = 0;
  #writing = false;
  #finished = false;
  #ended = false;
  #lingerTimer: ReturnType<typeof setTimeout> | null = null;
  #resume: (() => void) | null = null;

  private constructor(stream: ByteStream, connection: Connection, owner: TurnOwner) {
    this.#stream = stream;
    this.connection = connection;
    this.#owner = owner;
    this.#buffer = owner.pool.take(READ_BYTES_MIN);
  }

  /** Opens a connection in the core; null if the core has no room for it. */
  static open(
    stream: ByteStream,
    owner: TurnOwner,
    { handle, origin }: { handle: number; origin: ConnectionOrigin },
  ): ConnectionDriver | null {
    const connection = owner.broker.opened(handle, origin, owner.instant());
    return connection === null ? null : new ConnectionDriver(stream, connection, owner);
  }

  /** Reads until the connection has ended. Rejects only for a fault of the broker itself. */
  async run(): Promise<void> {
    const { connection } = this;
    let bytes = 0;
    for (;;) {
      const room = this.#filled === 0 ? this.#buffer : this.#buffer.subarray(this.#filled);
      const count = await this.#read(room);
      if (count === null) break;
      // Behind its end a connection is only read to let the peer see our last bytes.
      if (!connection.closed) {
        this.#filled += count;
        const full = this.#filled === this.#buffer.length;
        for (let wait = this.#present(); wait !== null; wait = this.#present()) await wait;
        this.#resize(full, count);
      }
      // A read that finds bytes completes without a look at other sockets and timers: a client
      // that floods would be the only one served.
      bytes += count;
      if (bytes < BYTES_PER_ITERATION) continue;
      bytes = 0;
      await this.#owner.nextIteration();
    }
    const { broker, pool } = this.#owner;
    pool.give(this.#buffer);
    broker.close(connection, "peerClosed", this.#owner.instant());
    this.#owner.requestTurn();
    this.#end();
  }

  /** The core let the connection be read again. */
  resume(): void {
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
  }

  /** The core has bytes to send, or has closed the connection. */
  flush(): void {
    if (this.#ended) return;
    const { connection } = this;
    if (connection.closed) {
      if (connection.aborted) {
        this.#end();
        return;
      }
      // Also bounds a write that the peer does not take.
      this.#lingerTimer ??= setTimeout(() => this.#end(), LINGER_MS);
    }
    if (this.#writing) return;
    if (connection.outbox.length > 0) {
      this.#writing = true;
      void this.#writeLoop();
    } else if (connection.closed && connection.gated === null) this.#finish();
  }

  /** Gives null at the end of the Network Connection: whether it was closed or reset is the same. */
  async #read(target: Uint8Array): Promise<number | null> {
    try {
      return await this.#stream.read(target);
    } catch {
      return null;
    }
  }

  /** Gives null when the peer takes no more. */
  async #write(source: Uint8Array): Promise<number | null> {
    try {
      return await this.#stream.write(source);
    } catch {
      return null;
    }
  }

  /**
   * Presents the buffered bytes to the core. Gives null when more bytes are needed, else what to
   * wait for before the rest is presented again.
   */
  #present(): Promise<void> | null {
    const owner = this.#owner;
    const { connection } = this;
    const end = this.#filled;
    if (end === 0 || connection.closed) return null;
    const instant = owner.received();
    const position = owner.broker.receive(connection, this.#buffer, { start: 0, end, instant });
    if (position > 0) {
      if (position < end) this.#buffer.copyWithin(0, position, end);
      this.#filled = end - position;
    }
    owner.requestTurn();
    if (connection.closed) this.#filled = 0;
    else if (!connection.readable) return this.#untilReadable();
    else if (owner.broker.turnFull) return owner.nextIteration();
    return null;
  }

  #untilReadable(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  /** Grows the buffer while reads fill it, shrinks it when they do not. */
  #resize(full: boolean, count: number): void {
    const size = this.#buffer.length;
    if (full && this.#filled === size) this.#replace(size * 2); // one packet fills it all
    else if (full && size < READ_BYTES_MAX) this.#replace(Math.min(size * 4, READ_BYTES_MAX));
    else if (this.#filled === 0 && count * 8 < size && size > READ_BYTES_MIN) {
      this.#replace(Math.max(size / 16, READ_BYTES_MIN));
    }
  }

  #replace(size: number): void {
    const { pool } = this.#owner;
    const larger = pool.take(size);
    larger.set(this.#buffer.subarray(0, this.#filled));
    pool.give(this.#buffer);
    this.#buffer = larger;
  }

  async #writeLoop(): Promise<void> {
    const owner = this.#owner;
    const { connection } = this;
    const { outbox } = connection;
    while (outbox.length > 0 && !connection.aborted) {
      const length = outbox.length;
      const block = outbox.detach();
      connection.writingBytes = length;
      connection.lastWriteMs = owner.instant().nowMs;
      let written = 0;
      while (written < length) {
        const count = await this.#write(block.subarray(written, length));
        if (count === null) {
          owner.broker.close(connection, "peerClosed", owner.instant());
          break;
        }
        written += count;
        owner.broker.drained(connection, count, owner.instant());
        owner.requestTurn();
      }
      owner.pool.give(block);
      if (written < length) break;
    }
    owner.requestTurn();
    this.#writing = false;
    this.flush();
  }

  /** Everything is sent: ends our side, so that the peer sees the end behind the last byte. */
  #finish(): void {
    if (this.#ended || this.#finished) return;
    this.#finished = true;
    this.resume();
    this.#stream.closeWrite().catch(() => this.#end());
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#lingerTimer !== null) clearTimeout(this.#lingerTimer);
    try {
      this.#stream.close();
    } catch {
      // Closed already by the runtime.
    }
    this.#owner.broker.gone(this.connection);
    this.resume();
  }
}
