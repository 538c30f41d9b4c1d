/** A broker behind a TLS listener, put together for tests until the server does it. */
import { Broker, type Instant, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { BlockPool } from "../../src/mqtt/mod.ts";
import {
  type CertificatePolicy,
  loadCertificateCrypto,
  loadTlsFiles,
  parsePins,
  type TlsPaths,
} from "../../src/security/mod.ts";
import { MemoryStore } from "../../src/store/mod.ts";
import {
  ConnectionDriver,
  TcpListener,
  TlsAcceptor,
  type TlsConnection,
  type TlsRefusal,
  type TlsSettings,
  type TurnOwner,
} from "../../src/transport/mod.ts";
import { TEST_LIMITS } from "../broker/_limits.ts";

/** How long a test waits for what should happen at once. */
const PATIENCE_MS = 10_000;

const CRYPTO = await loadCertificateCrypto();

/** What a test says of a TLS listener. */
export interface TlsOptions extends Omit<TlsPaths, "caFile" | "crlFiles"> {
  readonly caFile?: string;
  readonly crlFiles?: readonly string[];
  readonly pins?: readonly string[];
  readonly policy?: Partial<CertificatePolicy>;
  readonly settings?: Partial<TlsSettings>;
}

/** Reads the files of a listener; they must be good. */
export async function tlsSettings(options: TlsOptions): Promise<TlsSettings> {
  const paths = {
    certificateFile: options.certificateFile,
    keyFile: options.keyFile,
    caFile: options.caFile ?? null,
    crlFiles: options.crlFiles ?? [],
  };
  const material = await loadTlsFiles(paths, { crypto: CRYPTO, nowMs: Date.now() });
  if ("problem" in material) throw new Error(material.problem);
  const pins = parsePins(options.pins ?? []);
  if ("problem" in pins) throw new Error(pins.problem);
  return {
    material,
    pins,
    policy: {
      clientCertificate: options.caFile === undefined ? "none" : "required",
      certificateClock: "strict",
      crlExpired: "refuse",
      crlMissing: "warn",
      identityFrom: "cn",
      ...options.policy,
    },
    minVersion: "TLSv1.2",
    alpn: [],
    handshakeTimeoutMs: 5_000,
    handshakesMax: 64,
    ...options.settings,
  };
}

/** A TLS listener with nothing behind it: what passes and what does not is noted. */
export class TlsTestListener implements AsyncDisposable {
  readonly acceptor: TlsAcceptor;
  readonly established: TlsConnection[] = [];
  readonly refused: TlsRefusal[] = [];
  readonly #listener: TcpListener;
  readonly #waiting: (() => void)[] = [];

  protected constructor(acceptor: TlsAcceptor) {
    this.acceptor = acceptor;
    this.#listener = TcpListener.listen({ host: "127.0.0.1", port: 0 }, {
      accepted: (raw) =>
        acceptor.accept(raw, {
          established: (connection) => {
            this.established.push(connection);
            this.opened(connection);
            this.#happened();
          },
          refused: (refusal) => {
            this.refused.push(refusal);
            this.#happened();
          },
        }),
      failed: () => {},
    });
  }

  /** Starts to listen. */
  static async start(options: TlsOptions): Promise<TlsTestListener> {
    return new TlsTestListener(await openAcceptor(options));
  }

  get port(): number {
    return this.#listener.address.port;
  }

  /** Waits until so many connections have passed or have been refused; not for ever. */
  async settled(count: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error("Cannot settle: no outcome")), PATIENCE_MS);
    const look = (): void => {
      if (this.established.length + this.refused.length >= count) resolve();
      else this.#waiting.push(look);
    };
    look();
    await promise.finally(() => clearTimeout(timer));
  }

  /** Reads the files again and uses them; gives the reason where that does not work. */
  async reload(options: TlsOptions): Promise<string | null> {
    return await this.acceptor.replace(await tlsSettings(options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener.close();
    this.acceptor.close();
    for (const { stream } of this.established) stream.close();
    // What the closed sockets still have to say.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** A connection has passed. */
  protected opened(_connection: TlsConnection): void {}

  #happened(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** The same with a broker behind it. */
export class TlsBroker extends TlsTestListener implements TurnOwner {
  readonly pool = new BlockPool(1_048_576);
  readonly broker: Broker;
  readonly #store = new MemoryStore();
  readonly #drivers = new Map<number, ConnectionDriver>();
  #handle = 1;
  #requested = false;

  private constructor(acceptor: TlsAcceptor) {
    super(acceptor);
    this.broker = new Broker({
      // As in production: one read may bring more than the small outboxes of other tests hold.
      limits: {
        ...TEST_LIMITS,
        outboxBytesMax: 1_048_576,
        outboxHighWaterBytes: 262_144,
        outboxLowWaterBytes: 65_536,
        slowConsumerGraceMs: 30_000,
      },
      policy: OPEN_ACCESS,
      sparkplug: null,
      journal: this.#store.journal,
      randomId: () => "random",
      pool: this.pool,
    });
  }

  static override async start(options: TlsOptions): Promise<TlsBroker> {
    return new TlsBroker(await openAcceptor(options));
  }

  instant(): Instant {
    return { nowMs: Math.ceil(performance.now()), wallMs: Date.now() };
  }

  received(): Instant {
    return this.instant();
  }

  requestTurn(): void {
    if (this.#requested) return;
    this.#requested = true;
    queueMicrotask(() => this.#endTurn());
  }

  nextIteration(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  protected override opened({ stream, certificate }: TlsConnection): void {
    const handle = this.#handle++;
    const origin = { remoteAddress: certificate?.identity ?? "nobody", listener: "tls" };
    const driver = ConnectionDriver.open(stream, this, { handle, origin });
    if (driver === null) throw new Error("Cannot open a connection: no room");
    this.#drivers.set(handle, driver);
    void driver.run().then(() => this.#drivers.delete(handle));
  }

  #endTurn(): void {
    this.#requested = false;
    this.broker.settle();
    if (this.#store.dirty) {
      const committed = this.#store.commit();
      if (typeof committed === "number") this.broker.committed(committed);
    }
    const { dirty, resumed } = this.broker.endTurn();
    for (const { handle } of dirty) this.#drivers.get(handle)?.flush();
    for (const { handle } of resumed) this.#drivers.get(handle)?.resume();
    this.broker.takeEvents();
  }
}

async function openAcceptor(options: TlsOptions): Promise<TlsAcceptor> {
  const settings = await tlsSettings(options);
  const acceptor = await TlsAcceptor.open(settings, { crypto: CRYPTO, wallMs: Date.now });
  if ("problem" in acceptor) throw new Error(acceptor.problem);
  return acceptor;
}
