/** Turns TCP connections into TLS connections whose client certificates have been judged. */
import type { TLSSocket } from "node:tls";
import {
  type AcceptedCertificate,
  type CertificateCrypto,
  CertificateJudge,
  type CertificateTrust,
  type CertificateVerdict,
  type RefusalCause,
} from "../security/mod.ts";
import type { ByteStream } from "./byte_stream.ts";
import type { CiphertextGate } from "./ciphertext_gate.ts";
import { loadTlsRuntime, TlsContext, type TlsRuntime, type TlsSettings } from "./tls_context.ts";
import { certificateOf, presentedBy } from "./tls_peer.ts";
import { TlsStream } from "./tls_stream.ts";

/** A connection that has passed. */
export interface TlsConnection {
  readonly stream: TlsStream;
  /** Null where no certificate counts. */
  readonly certificate: AcceptedCertificate | null;
  /** What the policy let pass and should be logged. */
  readonly warnings: readonly string[];
  /** `TLSv1.2` or `TLSv1.3`. */
  readonly version: string;
  /** By the name that the standards give it. */
  readonly cipher: string;
  readonly resumed: boolean;
}

/** Why a connection did not pass, or may not stay. */
export type TlsCause = RefusalCause | "handshake" | "timeout" | "overload" | "identityChanged";

/** A connection that did not pass. */
export interface TlsRefusal {
  readonly cause: TlsCause;
  readonly reason: string;
}

/** An accepted TCP connection; of `Deno.TcpConn`. */
export interface RawConnection extends ByteStream {
  setNoDelay(on?: boolean): void;
  setKeepAlive(on?: boolean): void;
}

/** How the handshake of one connection ends; exactly one of the two is called. */
export interface TlsOutcome {
  readonly established: (connection: TlsConnection) => void;
  readonly refused: (refusal: TlsRefusal) => void;
}

/** Counters of one listener. */
export interface TlsStatistics {
  handshaking: number;
  established: number;
  resumed: number;
  /** Refused by cause. */
  readonly refused: Map<TlsCause, number>;
}

/** A handshake that goes on. */
interface Handshake {
  readonly startedMs: number;
  readonly fail: (refusal: TlsRefusal) => void;
}

/** What a connection showed, to judge it again. */
interface Presented {
  readonly certificates: readonly Uint8Array[];
  readonly identity: string | null;
}

/** No handshake is longer: 64 kB of certificates, and some more. */
const HANDSHAKE_BYTES_MAX = 131_072;
/** How long connections are judged again before the event loop turns. */
const RECHECK_MS = 5;
/** A handshake that has gone on for this long may be given up for a new one. */
const HANDSHAKE_OLD_MS = 1_000;

/** The TLS side of one listener. */
export class TlsAcceptor {
  readonly statistics: TlsStatistics = {
    handshaking: 0,
    established: 0,
    resumed: 0,
    refused: new Map(),
  };
  readonly #runtime: TlsRuntime;
  readonly #judge: CertificateJudge;
  readonly #wallMs: () => number;
  /** In the order of their beginnings. */
  readonly #handshakes = new Set<Handshake>();
  readonly #connections = new Map<TlsStream, Presented>();
  #settings: TlsSettings;
  #context: TlsContext;

  private constructor(
    parts: { runtime: TlsRuntime; context: TlsContext; judge: CertificateJudge },
    settings: TlsSettings,
    wallMs: () => number,
  ) {
    this.#runtime = parts.runtime;
    this.#context = parts.context;
    this.#judge = parts.judge;
    this.#settings = settings;
    this.#wallMs = wallMs;
  }

  /** Imports the TLS engine and tries the settings; gives the reason where they do not work. */
  static async open(
    settings: TlsSettings,
    { crypto, wallMs }: { crypto: CertificateCrypto; wallMs: () => number },
  ): Promise<TlsAcceptor | { readonly problem: string }> {
    const runtime = await loadTlsRuntime();
    const context = await TlsContext.open(runtime, settings);
    if ("problem" in context) return context;
    const judge = new CertificateJudge(trustOf(settings), crypto);
    return new TlsAcceptor({ runtime, context, judge }, settings, wallMs);
  }

  /** The certificates that are in use. */
  get material(): TlsSettings["material"] {
    return this.#settings.material;
  }

  /** When the first certificate of the server's chain expires, in ms since 1970. */
  get notAfterMs(): number {
    return this.#settings.material.notAfterMs;
  }

  /**
   * Uses other settings for new connections, and for `recheck`; gives the reason, and changes
   * nothing, where they do not work.
   */
  async replace(settings: TlsSettings): Promise<string | null> {
    const use = await this.prepare(settings);
    if ("problem" in use) return use.problem;
    use();
    return null;
  }

  /** Tries other settings, or says why they do not work; who calls what it gives puts them in place. */
  async prepare(settings: TlsSettings): Promise<(() => void) | { readonly problem: string }> {
    const context = await TlsContext.open(this.#runtime, settings);
    if ("problem" in context) return context;
    return () => {
      this.#context = context;
      this.#settings = settings;
      this.#judge.replace(trustOf(settings));
    };
  }

  /**
   * Names connections that would not pass any more to `stale`, one after another; closing them is up
   * to the caller. After a reload, and now and then for certificates that expire. To judge ten
   * thousand certificates again takes seconds, so that the event loop turns in between.
   */
  async recheck(stale: (stream: TlsStream, refusal: TlsRefusal) => void): Promise<void> {
    let sinceMs = performance.now();
    for (const [stream, presented] of this.#connections) {
      const refusal = this.#refusalOf(presented);
      if (refusal !== null) stale(stream, refusal);
      if (performance.now() - sinceMs < RECHECK_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      sinceMs = performance.now();
    }
  }

  /** Shakes hands with a client; takes the connection and closes it if it is refused. */
  accept(raw: RawConnection, outcome: TlsOutcome): void {
    if (!this.#makeRoom()) {
      raw.close();
      this.#count("overload");
      const { handshakesMax } = this.#settings;
      outcome.refused({ cause: "overload", reason: `${handshakesMax} handshakes go on already` });
      return;
    }
    try {
      raw.setNoDelay(true);
      raw.setKeepAlive(true);
    } catch {
      // The peer is gone already; the handshake will see it.
    }
    const context = this.#context;
    const gate = context.gate(raw, {
      ended: () => {
        stream.end();
        fail({ cause: "handshake", reason: "the client has gone" });
      },
      failed: () => stream.close(),
    });
    gate.bytesReadMax = HANDSHAKE_BYTES_MAX;
    const socket = context.serve(gate.duplex);
    const stream = new TlsStream(socket, gate);
    const fail = this.#shakeHands({ socket, stream, gate }, outcome);
  }

  /** Ends every handshake that goes on. Connections are their drivers'. */
  close(): void {
    for (const { fail } of [...this.#handshakes]) {
      fail({ cause: "handshake", reason: "the listener closes" });
    }
  }

  /** Gives the way to end this handshake; it does nothing once the handshake is over. */
  #shakeHands(
    { socket, stream, gate }: { socket: TLSSocket; stream: TlsStream; gate: CiphertextGate },
    outcome: TlsOutcome,
  ): Handshake["fail"] {
    const { handshakeTimeoutMs } = this.#settings;
    const end = (): boolean => {
      clearTimeout(timer);
      const going = this.#handshakes.delete(handshake);
      this.statistics.handshaking = this.#handshakes.size;
      return going;
    };
    const fail = (refusal: TlsRefusal): void => {
      if (!end()) return;
      this.#count(refusal.cause);
      stream.close();
      outcome.refused(refusal);
    };
    const timer = setTimeout(() => {
      fail({ cause: "timeout", reason: `no handshake within ${handshakeTimeoutMs} ms` });
    }, handshakeTimeoutMs);
    const handshake: Handshake = { startedMs: performance.now(), fail };
    this.#handshakes.add(handshake);
    this.statistics.handshaking = this.#handshakes.size;
    // Before the stream, which closes at an error and knows no reason.
    socket.prependListener("error", ({ message }: Error) => {
      fail({ cause: "handshake", reason: message });
    });
    stream.onClosed = () => fail({ cause: "handshake", reason: "the client has gone" });
    socket.once("secure", () => {
      const refusal = this.#established({ socket, stream }, { end, outcome });
      if (refusal !== null) fail(refusal);
      else gate.bytesReadMax = Infinity;
    });
    return fail;
  }

  /** The one place where a connection passes: nothing of what the client sent has been used. */
  #established(
    { socket, stream }: { socket: TLSSocket; stream: TlsStream },
    { end, outcome }: { end: () => boolean; outcome: TlsOutcome },
  ): TlsRefusal | null {
    const verdict = this.#verdictOn(socket);
    if (!verdict.accepted) return { cause: verdict.cause, reason: verdict.reason };
    if (!end()) return null;
    const { certificate, warnings, presented } = verdict;
    const resumed = socket.isSessionReused();
    this.statistics.established++;
    if (resumed) this.statistics.resumed++;
    stream.settle();
    this.#connections.set(stream, {
      certificates: presented,
      identity: certificate?.identity ?? null,
    });
    stream.onClosed = () => this.#connections.delete(stream);
    const version = socket.getProtocol() ?? "";
    const cipher = socket.getCipher()?.standardName ?? "";
    outcome.established({ stream, certificate, warnings, version, cipher, resumed });
    return null;
  }

  #verdictOn(socket: TLSSocket): CertificateVerdict {
    const judge = this.#judge;
    const nowMs = this.#wallMs();
    if (!judge.asks) return judge.judge([], nowMs);
    const certificate = certificateOf(socket);
    const recalled = certificate === null ? null : judge.recall(certificate, nowMs);
    return recalled ?? judge.judge(presentedBy(socket), nowMs);
  }

  /** Why a connection would not pass now, or would pass as somebody else. */
  #refusalOf({ certificates, identity }: Presented): TlsRefusal | null {
    const verdict = this.#judge.judge(certificates, this.#wallMs());
    if (!verdict.accepted) return { cause: verdict.cause, reason: verdict.reason };
    if ((verdict.certificate?.identity ?? null) === identity) return null;
    return { cause: "identityChanged", reason: "its identity is another now" };
  }

  /**
   * Whether one more handshake may begin. At the limit the oldest one goes, unless it is young:
   * clients that hold their handshakes open must not keep the others out, and an honest rush must
   * not undo what is nearly done.
   */
  #makeRoom(): boolean {
    if (this.#handshakes.size < this.#settings.handshakesMax) return true;
    const [oldest] = this.#handshakes;
    if (oldest === undefined || performance.now() - oldest.startedMs < HANDSHAKE_OLD_MS) {
      return false;
    }
    oldest.fail({ cause: "overload", reason: "given up for a newer handshake" });
    return true;
  }

  #count(cause: TlsCause): void {
    const { refused } = this.statistics;
    refused.set(cause, (refused.get(cause) ?? 0) + 1);
  }
}

function trustOf({ policy, pins, material }: TlsSettings): CertificateTrust {
  return { policy, pins, store: material.store };
}
