/** A client over `node:tls` that shows the certificate a test gives it. */
import net from "node:net";
import tls from "node:tls";
import type { IssuedFiles } from "./test_authority.ts";

/** How long a test waits for what should happen at once. */
const PATIENCE_MS = 10_000;

/** What a test may say of a client. */
export interface TlsClientOptions {
  readonly port: number;
  readonly certificate?: IssuedFiles;
  /** Certificates sent besides. */
  readonly intermediates?: readonly IssuedFiles[];
  readonly version?: "TLSv1.2" | "TLSv1.3";
  /** Address of this machine that the client comes from. */
  readonly from?: string;
  /** Sent in front of the ClientHello, in the same segment as far as the system joins them. */
  readonly preamble?: Uint8Array;
}

/** One connection; `using` destroys it. */
export class TlsClient implements Disposable {
  readonly socket: tls.TLSSocket;
  readonly #raw: net.Socket;
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #wake: (() => void) | null = null;

  private constructor(socket: tls.TLSSocket, raw: net.Socket) {
    this.socket = socket;
    this.#raw = raw;
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

  /** Connects; resolves when the client's side of the handshake is over, in whatever way. */
  static async connect(options: TlsClientOptions): Promise<TlsClient> {
    const { certificate, intermediates = [], version } = options;
    const chain = certificate === undefined ? [] : [certificate, ...intermediates];
    const { port, from = "127.0.0.1", preamble } = options;
    const raw = net.connect({ host: "127.0.0.1", port, localAddress: from });
    raw.on("error", () => {});
    if (preamble !== undefined) raw.write(preamble);
    const socket = tls.connect({
      socket: raw,
      servername: "localhost",
      rejectUnauthorized: false,
      ...(certificate === undefined ? {} : {
        cert: chain.map(({ certificateFile }) => Deno.readTextFileSync(certificateFile)).join(""),
        key: Deno.readTextFileSync(certificate.keyFile),
      }),
      ...(version === undefined ? {} : { minVersion: version, maxVersion: version }),
    });
    const client = new TlsClient(socket, raw);
    await new Promise<void>((resolve) => {
      for (const event of ["secureConnect", "close", "error"]) socket.once(event, () => resolve());
    });
    return client;
  }

  /** Bytes of the server's side of the handshake, and all that came behind it. */
  get ciphertextBytes(): number {
    return this.#raw.bytesRead;
  }

  /** Sends bytes, as the socket takes them. */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  /** Gives what has come, at least one byte; null at the end. */
  async receive(): Promise<Uint8Array | null> {
    const deadlineMs = performance.now() + PATIENCE_MS;
    while (this.#chunks.length === 0 && !this.#ended) {
      if (performance.now() > deadlineMs) throw new Error("Cannot receive: silence");
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 500);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#chunks.shift() ?? null;
  }

  /** Waits for the end; gives the bytes that came before it. */
  async ended(): Promise<number> {
    let bytes = 0;
    for (let chunk = await this.receive(); chunk !== null; chunk = await this.receive()) {
      bytes += chunk.length;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
