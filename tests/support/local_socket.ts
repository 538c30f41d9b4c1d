/** A TCP connection from an address of the test's choice: all of 127.0.0.0/8 is this machine. */
import net from "node:net";

/** As much of a connection as tests need. */
export type ClientSocket = Pick<Deno.TcpConn, "read" | "write" | "close">;

/** A socket of `node:net`, which can be bound, with the methods of Deno's. */
export class LocalSocket implements ClientSocket {
  readonly socket: net.Socket;
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | null = null;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => {
      this.#chunks.push(chunk);
      this.#wake?.();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  /** Connects to 127.0.0.1 from `localAddress`. */
  static connect(port: number, localAddress: string): Promise<LocalSocket> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: "127.0.0.1", port, localAddress });
      socket.once("error", reject);
      socket.once("connect", () => resolve(new LocalSocket(socket)));
    });
  }

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return null;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const chunk = this.#chunks.shift()!;
    const count = Math.min(chunk.length, target.length);
    target.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks.unshift(chunk.subarray(count));
    return count;
  }

  write(source: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null) => error ? reject(error) : resolve(source.length);
      this.socket.write(source, done);
    });
  }

  close(): void {
    this.socket.destroy();
  }
}
