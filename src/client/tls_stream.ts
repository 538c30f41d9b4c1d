/** TLS as a client, with or without a certificate of its own. */
import type * as NodeTls from "node:tls";
import type { ClientStream } from "./client_stream.ts";

/** Whom to trust, and what to show. PEM, not paths. */
export interface TlsTrust {
  /** Authorities that may have issued the server's certificate; without it the usual public ones. */
  readonly authority?: string;
  /** The client's certificate with its intermediate ones, and its private key. */
  readonly own?: { readonly certificate: string; readonly key: string };
  /** Whether any certificate of the server will do, which protects from nobody. */
  readonly insecure?: boolean;
}

/**
 * Connects and shakes hands. `Deno.connectTls` would do for most of it, but not for TCP_NODELAY: its
 * handshakes wait 40 ms for an acknowledgement that the other side delays. So this is `node:tls`,
 * which costs 35 ms and is loaded here only.
 */
export async function openTls(
  { host, port }: { host: string; port: number },
  { authority, own, insecure = false }: TlsTrust,
): Promise<ClientStream> {
  const tls = await import("node:tls");
  const socket = tls.connect({
    host,
    port,
    rejectUnauthorized: !insecure,
    ...(authority !== undefined && { ca: authority }),
    ...(own !== undefined && { cert: own.certificate, key: own.key }),
  });
  socket.setNoDelay(true);
  return await new Promise((resolve, reject) => {
    function failed(error: Error & { code?: string }): void {
      socket.destroy();
      const nobodyListens = error.code === "ECONNREFUSED";
      reject(nobodyListens ? new Deno.errors.ConnectionRefused(error.message) : error);
    }
    function closed(): void {
      failed(new Error("closed during the TLS handshake"));
    }
    socket.once("error", failed);
    socket.once("close", closed);
    socket.once("secureConnect", () => {
      socket.off("error", failed);
      socket.off("close", closed);
      resolve(new TlsStream(socket));
    });
  });
}

class TlsStream implements ClientStream {
  readonly #socket: NodeTls.TLSSocket;
  #arrived: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: NodeTls.TLSSocket) {
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

  async read(target: Uint8Array): Promise<number | null> {
    while (this.#arrived.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const [chunk, ...rest] = this.#arrived;
    if (chunk === undefined) return null;
    const part = chunk.subarray(0, target.length);
    target.set(part);
    this.#arrived = part.length < chunk.length ? [chunk.subarray(part.length), ...rest] : rest;
    return part.length;
  }

  write(source: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(source, (error) => error ? reject(error) : resolve(source.length));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
