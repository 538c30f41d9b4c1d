/** TLS connections with a client certificate. */

import tls from "node:tls";

/** What the rig needs of a connection. */
export type Connection = Pick<Deno.Conn, "read" | "write" | "close">;

/**
 * `Deno.connectTls` knows client certificates, but not TCP_NODELAY: its handshakes wait 40 ms for
 * an acknowledgement that the other side delays. So this is `node:tls`.
 */
export async function connectCertified(
  address: { hostname: string; port: number },
  pem: { authority: string; certificate: string; key: string },
): Promise<Connection> {
  const socket = tls.connect({
    host: address.hostname,
    port: address.port,
    ca: pem.authority,
    cert: pem.certificate,
    key: pem.key,
  });
  socket.setNoDelay(true);
  return await new Promise(function connect(resolve, reject): void {
    function failed(error: Error & { code?: string }): void {
      const nobodyListens = error.code === "ECONNREFUSED";
      reject(nobodyListens ? new Deno.errors.ConnectionRefused(error.message) : error);
    }
    socket.once("error", failed);
    socket.once("secureConnect", function connected(): void {
      socket.off("error", failed);
      resolve(new CertifiedConnection(socket));
    });
  });
}

class CertifiedConnection implements Connection {
  readonly #socket: tls.TLSSocket;
  #arrived: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      this.#arrived.push(chunk);
      this.#wake?.();
    });
    for (const event of ["end", "close", "error"]) {
      socket.on(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#arrived.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const [chunk, ...rest] = this.#arrived;
    if (chunk === undefined) return null;
    const part = chunk.subarray(0, into.length);
    into.set(part);
    this.#arrived = part.length < chunk.length ? [chunk.subarray(part.length), ...rest] : rest;
    return part.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => error ? reject(error) : resolve(bytes.length));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
