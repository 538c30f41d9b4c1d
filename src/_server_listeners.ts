/** The listeners of the configuration: plain ones, and those that speak TLS. */
import { type Config, type ListenerConfig, parseListenAddress } from "./config/mod.ts";
import {
  type AcceptedCertificate,
  type CertificateCrypto,
  loadCertificateCrypto,
  loadTlsFiles,
  parsePins,
} from "./security/mod.ts";
import { type ByteStream, TcpListener, TlsAcceptor, type TlsSettings } from "./transport/mod.ts";

/** A connection that may speak MQTT now. */
export interface Accepted {
  readonly stream: ByteStream;
  /** Address of the listener, as configured. */
  readonly listener: string;
  readonly peer: Deno.NetAddr;
  /** The client certificate that was accepted; null without one. */
  readonly certificate: AcceptedCertificate | null;
}

/** What the listeners tell. */
export interface ListenerEvents {
  /** Whether a peer may try; asked before TLS. */
  admits(peer: Deno.NetAddr, listener: string): boolean;
  accepted(accepted: Accepted): void;
  /** For the log. */
  said(level: "debug" | "info" | "warn", text: string): void;
}

interface Listening {
  readonly config: ListenerConfig;
  readonly tcp: TcpListener;
  readonly tls: TlsAcceptor | null;
}

/** All listeners of a broker. */
export class Listeners {
  readonly #events: ListenerEvents;
  readonly #listening: Listening[] = [];
  #crypto: CertificateCrypto | null = null;

  private constructor(events: ListenerEvents) {
    this.#events = events;
  }

  /** Binds every address, or gives the reason where that is not possible. */
  static async open(
    { listeners }: Config,
    events: ListenerEvents,
  ): Promise<Listeners | { problem: string }> {
    const all = new Listeners(events);
    for (const config of listeners) {
      const problem = await all.#listen(config);
      if (problem === null) continue;
      await all.close();
      return { problem: `listener ${config.address}: ${problem}` };
    }
    return all;
  }

  /** Where they listen, in the order of the configuration. */
  get addresses(): readonly Deno.NetAddr[] {
    return this.#listening.map(({ tcp }) => tcp.address);
  }

  /** Reads certificates, authorities and revocation lists again, all of a listener or none. */
  async reload(): Promise<string[]> {
    const problems: string[] = [];
    for (const { config, tls } of this.#listening) {
      if (tls === null) continue;
      const settings = await this.#settings(config);
      const problem = "problem" in settings ? settings.problem : await tls.replace(settings);
      if (problem !== null) problems.push(`listener ${config.address}: ${problem}`);
    }
    return problems;
  }

  /** Judges the certificates of open connections again; `stale` is told of those that may not stay. */
  async recheck(stale: (stream: ByteStream, reason: string) => void): Promise<void> {
    for (const { tls } of this.#listening) {
      await tls?.recheck((stream, { reason }) => stale(stream, reason));
    }
  }

  /** Accepts no more. */
  async close(): Promise<void> {
    await Promise.all(this.#listening.map(({ tcp }) => tcp.close()));
    for (const { tls } of this.#listening) tls?.close();
  }

  async #listen(config: ListenerConfig): Promise<string | null> {
    const address = parseListenAddress(config.address);
    if ("problem" in address) return address.problem;
    const tls = config.certificateFile === "" ? null : await this.#openTls(config);
    if (tls !== null && "problem" in tls) return tls.problem;
    const { said } = this.#events;
    try {
      const tcp = TcpListener.listen(address, {
        accepted: (raw) => this.#accepted(raw, config, tls),
        failed: ({ reason, passing }) =>
          said(passing ? "debug" : "warn", `accept failed: listener=${config.address} ${reason}`),
      });
      this.#listening.push({ config, tcp, tls });
      return null;
    } catch (error) {
      tls?.close();
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #openTls(config: ListenerConfig): Promise<TlsAcceptor | { problem: string }> {
    const settings = await this.#settings(config);
    if ("problem" in settings) return settings;
    return await TlsAcceptor.open(settings, { crypto: this.#crypto!, wallMs: Date.now });
  }

  async #settings(config: ListenerConfig): Promise<TlsSettings | { problem: string }> {
    const crypto = this.#crypto ??= await loadCertificateCrypto();
    const { certificateFile, keyFile, caFile, crlFile } = config;
    const paths = {
      certificateFile,
      keyFile,
      caFile: caFile === "" ? null : caFile,
      crlFiles: crlFile === "" ? [] : [crlFile],
    };
    const material = await loadTlsFiles(paths, { crypto, nowMs: Date.now() });
    if ("problem" in material) return material;
    for (const warning of material.warnings) {
      this.#events.said("warn", `TLS: listener=${config.address} ${warning}`);
    }
    const pins = parsePins(config.certificatePins.split(/\s+/).filter((pin) => pin !== ""));
    if ("problem" in pins) return pins;
    return {
      material,
      pins,
      policy: {
        clientCertificate: config.clientCertificates,
        certificateClock: config.certificateClock,
        crlExpired: config.crlExpired,
        crlMissing: config.crlMissing,
        identityFrom: config.identityFrom,
      },
      minVersion: `TLSv${config.tlsVersionMin}`,
      alpn: [],
      handshakeTimeoutMs: config.handshakeTimeoutMs,
      handshakesMax: config.handshakesMax,
    };
  }

  #accepted(raw: Deno.TcpConn, { address: listener }: ListenerConfig, tls: TlsAcceptor | null) {
    const peer = raw.remoteAddr;
    if (!this.#events.admits(peer, listener)) return raw.close();
    if (tls === null) {
      try {
        raw.setNoDelay(true);
        raw.setKeepAlive(true);
      } catch {
        // The peer is gone already; the read loop will see it.
      }
      this.#events.accepted({ stream: raw, listener, peer, certificate: null });
      return;
    }
    const from = `address=${peer.hostname}:${peer.port} listener=${listener}`;
    tls.accept(raw, {
      established: ({ stream, certificate, warnings }) => {
        for (const warning of warnings) this.#events.said("warn", `TLS: ${from} ${warning}`);
        this.#events.accepted({ stream, listener, peer, certificate });
      },
      refused: ({ cause, reason }) =>
        this.#events.said("warn", `TLS refused: ${from} cause=${cause} ${reason}`),
    });
  }
}
