/** The way in through one listener: PROXY header, lists and rates, TLS; behind it MQTT begins. */
import type { ListenerConfig } from "./config/mod.ts";
import { type AcceptedCertificate, type FrontDoor, ListenerDoor, Visitor } from "./security/mod.ts";
import {
  type ByteStream,
  ProxyReader,
  type RawConnection,
  type TlsAcceptor,
  type TlsConnection,
  type TlsRefusal,
  WebSocketAcceptor,
} from "./transport/mod.ts";

/** A connection that may speak MQTT now. */
export interface Accepted {
  readonly stream: ByteStream;
  readonly visitor: Visitor;
  /** The client certificate that was accepted; null without one. */
  readonly certificate: AcceptedCertificate | null;
  /** Null without TLS. `stream` is what the certificate belongs to. */
  readonly tls: TlsFacts | null;
}

/** How a connection was secured. */
type TlsFacts = Pick<TlsConnection, "version" | "cipher" | "resumed" | "stream">;

/** How a connection was secured, and who came through that. */
type Secured = Pick<Accepted, "certificate" | "tls">;

/** What an entrance tells. */
export interface EntranceEvents {
  readonly accepted: (accepted: Accepted) => void;
  /** No listener is to accept any more for so long. */
  readonly crowded: (pauseMs: number) => void;
  /** For the log. */
  readonly said: (level: "debug" | "info" | "warn", text: string) => void;
}

/** What an entrance asks, and whom. */
export interface EntranceParts {
  readonly front: FrontDoor;
  readonly tls: TlsAcceptor | null;
  readonly events: EntranceEvents;
  readonly nowMs: () => number;
  /** How long a PROXY header may take. */
  readonly headerTimeoutMs: number;
  /** Resolves when every socket has had its chance. */
  readonly pause: () => Promise<void>;
}

/** Takes the connections of one listener. */
export class Entrance {
  readonly tls: TlsAcceptor | null;
  readonly #listener: string;
  readonly #front: FrontDoor;
  #door: ListenerDoor;
  readonly #events: EntranceEvents;
  readonly #nowMs: () => number;
  /** Null where clients come by themselves. */
  #proxies: ProxyReader | null;
  /** Null where clients speak MQTT itself. */
  #webSockets: WebSocketAcceptor | null;
  readonly #pause: () => Promise<void>;

  private constructor(config: ListenerConfig, door: ListenerDoor, parts: EntranceParts) {
    this.tls = parts.tls;
    this.#listener = config.address;
    this.#front = parts.front;
    this.#door = door;
    this.#events = parts.events;
    this.#nowMs = parts.nowMs;
    this.#pause = parts.pause;
    this.#proxies = proxiesOf(config, parts.headerTimeoutMs);
    this.#webSockets = webSocketsOf(config, parts.pause);
  }

  /** Makes the way in of a listener, or says what is wrong with its lists. */
  static open(config: ListenerConfig, parts: EntranceParts): Entrance | { problem: string } {
    const door = ListenerDoor.open(config);
    return "problem" in door ? door : new Entrance(config, door, parts);
  }

  /**
   * Makes ready what another configuration of this listener says of its way in, but for TLS; who calls
   * what it gives puts it in place for those who come from then on.
   */
  prepare(
    config: ListenerConfig,
    headerTimeoutMs: number,
  ): (() => void) | { problem: string } {
    const door = ListenerDoor.open(config);
    if ("problem" in door) return door;
    return () => {
      this.#door = door;
      // Those on their way through the old ones end there, by themselves or by their timeouts.
      this.#proxies = proxiesOf(config, headerTimeoutMs);
      this.#webSockets = webSocketsOf(config, this.#pause);
    };
  }

  /** Takes a connection that was accepted; `peer` is the other end of its socket. */
  accept(raw: RawConnection, peer: Deno.NetAddr): void {
    const visitor = Visitor.of(this.#listener, peer);
    if (visitor === null) {
      // Not a case of TCP, and nothing that any list could judge.
      raw.close();
      this.#events.said("warn", `refused: ${peer.hostname} is no IP address`);
    } else if (this.#proxies === null) this.#admit(raw, visitor);
    else if (this.#door.trusts(visitor.address)) this.#readHeader(raw, visitor, this.#proxies);
    else {
      raw.close();
      this.#refuse(visitor, "not a trusted proxy");
    }
  }

  /** Ends what is on its way in. */
  close(): void {
    this.#proxies?.close();
    this.tls?.close();
    this.#webSockets?.close();
  }

  /** The proxy says who its client is; where it names nobody, it comes for itself. */
  #readHeader(raw: RawConnection, proxy: Visitor, proxies: ProxyReader): void {
    proxies.read(raw, {
      named: (stream, source) =>
        this.#admit(stream, source === null ? proxy : new Visitor(this.#listener, source)),
      failed: (problem) => this.#refuse(proxy, problem),
    });
  }

  #admit(raw: RawConnection, visitor: Visitor): void {
    const options = { door: this.#door, nowMs: this.#nowMs() };
    const { admitted, pauseMs } = this.#front.admits(visitor, options);
    if (pauseMs > 0) this.#events.crowded(pauseMs);
    if (!admitted) raw.close();
    else if (this.tls === null) this.#enterPlain(raw, visitor);
    else this.#shakeHands(raw, visitor, this.tls);
  }

  #enterPlain(raw: RawConnection, visitor: Visitor): void {
    try {
      raw.setNoDelay(true);
      raw.setKeepAlive(true);
    } catch {
      // The peer is gone already; the read loop will see it.
    }
    this.#enter(raw, visitor, { certificate: null, tls: null });
  }

  #enter(stream: ByteStream, visitor: Visitor, secured: Secured): void {
    const { accepted } = this.#events;
    const isPlain = secured.tls === null;
    if (this.#webSockets === null) visitor.transport = isPlain ? "tcp" : "tls";
    else visitor.transport = isPlain ? "ws" : "wss";
    if (this.#webSockets === null) return accepted({ stream, visitor, ...secured });
    this.#webSockets.accept(stream, {
      established: (stream) => accepted({ stream, visitor, ...secured }),
      refused: (detail) => {
        const reason = "websocket-handshake";
        this.#front.refused(visitor, { reason, detail, nowMs: this.#nowMs() });
      },
    });
  }

  #shakeHands(raw: RawConnection, visitor: Visitor, tls: TlsAcceptor): void {
    tls.accept(raw, {
      established: ({ certificate, warnings, ...tls }) => {
        const from = `address=${visitor.remoteAddress} listener=${this.#listener}`;
        for (const warning of warnings) this.#events.said("warn", `TLS: ${from} ${warning}`);
        this.#enter(tls.stream, visitor, { certificate, tls });
      },
      refused: (refusal) => this.#refuseTls(visitor, refusal),
    });
  }

  #refuse(proxy: Visitor, detail: string): void {
    this.#front.refused(proxy, { reason: "proxy-protocol", detail, nowMs: this.#nowMs() });
  }

  #refuseTls(visitor: Visitor, { cause, reason: why }: TlsRefusal): void {
    const broken = cause === "handshake" || cause === "timeout" || cause === "overload";
    const reason = broken ? "tls-handshake" : "certificate-refused";
    const detail = `cause=${cause} ${why}`;
    this.#front.refused(visitor, { reason, detail, nowMs: this.#nowMs() });
  }
}

function proxiesOf(
  { proxyProtocol: versions }: ListenerConfig,
  timeoutMs: number,
): ProxyReader | null {
  return versions === "off" ? null : new ProxyReader({ versions, timeoutMs });
}

function webSocketsOf(
  config: ListenerConfig,
  pause: () => Promise<void>,
): WebSocketAcceptor | null {
  const { websocketPath: path, websocketOrigins, handshakeTimeoutMs, handshakesMax } = config;
  if (path === "") return null;
  const origins = websocketOrigins.toLowerCase().split(/\s+/).filter((origin) => origin !== "");
  return new WebSocketAcceptor({ path, origins, handshakeTimeoutMs, handshakesMax, pause });
}
