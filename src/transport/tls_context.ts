/** The TLS engine with certificate, key and versions: built for each reload, tried before use. */
import type * as NodeStream from "node:stream";
import type * as NodeTls from "node:tls";
import type { CertificatePolicy, Pins, TlsMaterial } from "../security/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import { CiphertextGate, type GateEvents } from "./ciphertext_gate.ts";

/** How a listener speaks TLS. */
export interface TlsSettings {
  readonly material: TlsMaterial;
  readonly policy: CertificatePolicy;
  /** Client certificates or keys that are accepted; empty for all that the CAs vouch for. */
  readonly pins: Pins;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** Application protocols (RFC 7301) in order of preference; empty for no negotiation. */
  readonly alpn: readonly string[];
  /** How long a handshake may take. */
  readonly handshakeTimeoutMs: number;
  /** Handshakes at one time. */
  readonly handshakesMax: number;
}

/** The modules of Node that do TLS: 35 ms and 10 MB, imported where a listener needs them. */
export interface TlsRuntime {
  readonly tls: typeof NodeTls;
  readonly stream: typeof NodeStream;
}

/** A handshake with ourselves takes some milliseconds. */
const TRIAL_MS = 5_000;

/** Imports the TLS engine. */
export async function loadTlsRuntime(): Promise<TlsRuntime> {
  const [tls, stream] = await Promise.all([import("node:tls"), import("node:stream")]);
  return { tls, stream };
}

/** Makes server sockets with one state of the settings. */
export class TlsContext {
  readonly #runtime: TlsRuntime;
  readonly #settings: TlsSettings;
  readonly #context: NodeTls.SecureContext;

  private constructor(runtime: TlsRuntime, settings: TlsSettings) {
    this.#runtime = runtime;
    this.#settings = settings;
    const { certificatePem, keyPem, caPem } = settings.material;
    this.#context = runtime.tls.createSecureContext({
      cert: certificatePem,
      key: keyPem,
      minVersion: settings.minVersion,
      ...(this.#asks ? { ca: caPem } : {}),
    });
  }

  /** Builds a context and shakes hands with it once; gives the reason where that does not work. */
  static async open(
    runtime: TlsRuntime,
    settings: TlsSettings,
  ): Promise<TlsContext | { readonly problem: string }> {
    const { policy, material } = settings;
    if (policy.clientCertificate !== "none" && material.store.authorities.length === 0) {
      return { problem: "client certificates are asked for, but there is no CA to judge them by" };
    }
    try {
      const context = new TlsContext(runtime, settings);
      const problem = await context.#trial();
      return problem === null ? context : { problem };
    } catch (error) {
      return { problem: error instanceof Error ? error.message : String(error) };
    }
  }

  /** A server's socket above `duplex`. It begins its handshake by itself. */
  serve(duplex: NodeStream.Duplex): NodeTls.TLSSocket {
    const { alpn } = this.#settings;
    return new this.#runtime.tls.TLSSocket(duplex, {
      isServer: true,
      secureContext: this.#context,
      requestCert: this.#asks,
      // Everybody is let through the handshake, and judged behind it. The runtime's own check is
      // not even a first line: resumed sessions pass it, it sends no alert, and it knows no CRL, no
      // pins and no grace. The proof that the client has the private key is checked in any case.
      rejectUnauthorized: false,
      ...(alpn.length > 0 ? { ALPNProtocols: [...alpn] } : {}),
    });
  }

  /** A gate for a connection that this context serves. */
  gate(stream: ByteStream, events: GateEvents): CiphertextGate {
    const { Duplex } = this.#runtime.stream;
    return new CiphertextGate(stream, { makeDuplex: (options) => new Duplex(options), ...events });
  }

  get #asks(): boolean {
    return this.#settings.policy.clientCertificate !== "none";
  }

  /**
   * What rustls cannot use, a key of an unknown curve for example, does not show when a context is
   * made: handshakes would just never end.
   */
  #trial(): Promise<string | null> {
    const { stream, tls } = this.#runtime;
    const [left, right] = connectedPair(stream);
    const server = this.serve(left);
    const client = tls.connect({ socket: right, rejectUnauthorized: false });
    return new Promise((resolve) => {
      function end(problem: string | null): void {
        clearTimeout(timer);
        resolve(problem);
        for (const part of [client, server, left, right]) part.destroy();
      }
      const timer = setTimeout(() => end("a handshake does not end"), TRIAL_MS);
      for (const part of [client, server, left, right]) {
        part.on("error", (error: Error) => end(`a handshake fails: ${error.message}`));
      }
      client.on("secureConnect", () => end(null));
    });
  }
}

/** Two streams, each of which reads what the other one writes. */
function connectedPair({ Duplex }: typeof NodeStream): [NodeStream.Duplex, NodeStream.Duplex] {
  const pair: NodeStream.Duplex[] = [];
  for (const other of [1, 0]) {
    pair.push(
      new Duplex({
        read() {},
        write(chunk, _encoding, done) {
          pair[other]!.push(chunk);
          done();
        },
        final(done) {
          pair[other]!.push(null);
          done();
        },
      }),
    );
  }
  return [pair[0]!, pair[1]!];
}
