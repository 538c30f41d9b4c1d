/** The listeners of the configuration: plain ones, and those that speak TLS. */
import { type Config, type ListenerConfig, parseListenAddress } from "./config/mod.ts";
import { type CertificateCrypto, type FileOutcome, loadCertificateCrypto } from "./security/mod.ts";
import {
  type Accepted,
  Entrance,
  type EntranceEvents,
  type EntranceParts,
} from "./_server_entrance.ts";
import { filesOf, type TlsConfig, tlsSettings } from "./_server_tls.ts";
import type { ListenerFigures } from "./admin/mod.ts";
import { type ByteStream, TcpListener, TlsAcceptor, type TlsSettings } from "./transport/mod.ts";

/** What the listeners need of others. */
export interface ListenerParts extends Pick<EntranceParts, "front" | "nowMs" | "pause"> {
  readonly accepted: (accepted: Accepted) => void;
  /** For the log. */
  readonly said: EntranceEvents["said"];
}

/** A listener as whoever operates the broker sees it. */
export interface ListenerDetails {
  readonly purpose: "mqtt" | "admin";
  readonly config:
    & TlsConfig
    & Pick<ListenerConfig, "address" | "websocketPath">
    & { readonly allowAnonymous: boolean | null };
  readonly address: Deno.NetAddr;
  readonly tls: TlsAcceptor | null;
  /** Null where the core counts them. */
  readonly connections: number | null;
}

interface Listening {
  config: ListenerConfig;
  readonly tcp: TcpListener;
  readonly entrance: Entrance;
}

/** All listeners of a broker. */
export class Listeners {
  readonly #parts: ListenerParts;
  #headerTimeoutMs: number;
  readonly #listening: Listening[] = [];
  #crypto: CertificateCrypto | null = null;

  private constructor(parts: ListenerParts, headerTimeoutMs: number) {
    this.#parts = parts;
    this.#headerTimeoutMs = headerTimeoutMs;
  }

  /** Binds every address, or gives the reason where that is not possible. */
  static async open(
    { listeners, limits }: Config,
    parts: ListenerParts,
  ): Promise<Listeners | { problem: string }> {
    const all = new Listeners(parts, limits.connectTimeoutMs);
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

  /** What there is to tell of them. */
  get details(): readonly ListenerDetails[] {
    return this.#listening.map(({ config, tcp: { address }, entrance: { tls } }) => ({
      purpose: "mqtt",
      config,
      address,
      tls,
      connections: null,
    }));
  }

  /** What they have counted. */
  get figures(): readonly ListenerFigures[] {
    return this.#listening.map(({ tcp, entrance: { tls } }) => ({
      address: nameOf(tcp.address),
      tls: tls?.statistics ?? null,
      certificateNotAfterMs: tls?.notAfterMs ?? null,
    }));
  }

  /**
   * Reads certificates, authorities and revocation lists again, all of a listener or none; of the
   * listeners that have one of these paths, or of all.
   */
  async reload(paths: ReadonlySet<string> | null): Promise<readonly FileOutcome[]> {
    const outcomes: FileOutcome[] = [];
    for (const { config, entrance: { tls } } of this.#listening) {
      if (tls === null) continue;
      if (paths !== null && !filesOf(config).some((path) => paths.has(path))) continue;
      const settings = await this.#settings(config);
      const problem = "problem" in settings ? settings.problem : await tls.replace(settings);
      const name = `certificates of listener ${config.address}`;
      const told = problem === null ? null : `listener ${config.address}: ${problem}`;
      outcomes.push({ name, problem: told });
    }
    return outcomes;
  }

  /**
   * Makes ready what a configuration says of these same listeners, in the same order, each with TLS or
   * without as it is; or says what is wrong. Who calls what it gives puts it in place.
   */
  async prepare({ listeners, limits }: Config): Promise<(() => void) | { problem: string }> {
    const uses: (() => void)[] = [];
    for (const [index, listening] of this.#listening.entries()) {
      const config = listeners[index]!;
      const way = listening.entrance.prepare(config, limits.connectTimeoutMs);
      if ("problem" in way) return { problem: `listener ${config.address}: ${way.problem}` };
      uses.push(way, () => listening.config = config);
      const { tls } = listening.entrance;
      if (tls === null) continue;
      const settings = await this.#settings(config);
      const use = "problem" in settings ? settings : await tls.prepare(settings);
      if ("problem" in use) return { problem: `listener ${config.address}: ${use.problem}` };
      uses.push(use);
    }
    uses.push(() => this.#headerTimeoutMs = limits.connectTimeoutMs);
    return () => {
      for (const use of uses) use();
    };
  }

  /** Judges the certificates of open connections again; `stale` is told of those that may not stay. */
  async recheck(stale: (stream: ByteStream, reason: string) => void): Promise<void> {
    for (const { entrance } of this.#listening) {
      await entrance.tls?.recheck((stream, { reason }) => stale(stream, reason));
    }
  }

  /** Accepts no more. */
  async close(): Promise<void> {
    await Promise.all(this.#listening.map(({ tcp }) => tcp.close()));
    for (const { entrance } of this.#listening) entrance.close();
  }

  async #listen(config: ListenerConfig): Promise<string | null> {
    const address = parseListenAddress(config.address);
    if ("problem" in address) return address.problem;
    const tls = config.certificateFile === "" ? null : await this.#openTls(config);
    if (tls !== null && "problem" in tls) return tls.problem;
    const entrance = Entrance.open(config, this.#entranceParts(tls));
    if ("problem" in entrance) return entrance.problem;
    const { said } = this.#parts;
    try {
      const tcp = TcpListener.listen(address, {
        accepted: (raw) => entrance.accept(raw, raw.remoteAddr),
        failed: ({ reason, passing }) =>
          said(passing ? "debug" : "warn", `accept failed: listener=${config.address} ${reason}`),
      });
      this.#listening.push({ config, tcp, entrance });
      return null;
    } catch (error) {
      entrance.close();
      return error instanceof Error ? error.message : String(error);
    }
  }

  #entranceParts(tls: TlsAcceptor | null): EntranceParts {
    const { front, nowMs, pause, accepted, said } = this.#parts;
    const events = { accepted, said, crowded: (ms: number) => this.#pause(ms) };
    return { front, tls, events, nowMs, pause, headerTimeoutMs: this.#headerTimeoutMs };
  }

  /** Who comes now waits in the kernel, whichever listener he comes to. */
  #pause(ms: number): void {
    for (const { tcp } of this.#listening) tcp.pause(ms);
  }

  async #openTls(config: ListenerConfig): Promise<TlsAcceptor | { problem: string }> {
    const settings = await this.#settings(config);
    if ("problem" in settings) return settings;
    return await TlsAcceptor.open(settings, { crypto: this.#crypto!, wallMs: Date.now });
  }

  async #settings(config: ListenerConfig): Promise<TlsSettings | { problem: string }> {
    const crypto = this.#crypto ??= await loadCertificateCrypto();
    return await tlsSettings(config, {
      crypto,
      warn: (text) => this.#parts.said("warn", `TLS: listener=${config.address} ${text}`),
    });
  }
}

/** An address as text. */
export function nameOf({ hostname, port }: Pick<Deno.NetAddr, "hostname" | "port">): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
