/** The admin listener: where it gets its figures, and who accepts its connections. */
import process from "node:process";
import type { ApiKit } from "./_server_api.ts";
import { type AuditTrail, hostOf } from "./_server_audit.ts";
import { type ListenerDetails, nameOf } from "./_server_listeners.ts";
import { brokerLimits } from "./_server_parts.ts";
import { filesOf, tlsSettings } from "./_server_tls.ts";
import type { Turns } from "./_server_turns.ts";
import deno from "../deno.json" with { type: "json" };
import {
  AdminAccess,
  adminRoutes,
  type ApiAudit,
  type ApiRoute,
  type Caller,
  HttpServer,
  type MetricSources,
  pathOf,
  type Route,
  Router,
} from "./admin/mod.ts";
import { DURATION_BOUNDS_S, Histogram } from "./broker/mod.ts";
import { type AdminConfig, type Config, parseListenAddress } from "./config/mod.ts";
import {
  AdminTokens,
  type CertificateCrypto,
  type FileOutcome,
  loadCertificateCrypto,
  quote,
} from "./security/mod.ts";
import { type LineFacts, type LogLevel, LoopLag } from "./system/mod.ts";
import { TcpListener, TlsAcceptor, type TlsSettings } from "./transport/mod.ts";

/** What the keys of a listener say that this one does not have. */
const TLS = {
  tlsVersionMin: "1.3",
  crlExpired: "warn",
  crlMissing: "warn",
  certificateClock: "strict",
  certificatePins: "",
  identityFrom: "cn",
  handshakeTimeoutMs: 10_000,
  handshakesMax: 32,
} as const;
/** How often it is looked how late the loop is, and how much waits. */
const SAMPLE_MS = 100;
const DEPTH_BOUNDS = [0, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/** What the listener tells, as far as the server knows it better. */
export type ServerFigures = Omit<
  MetricSources,
  "version" | "broker" | "limits" | "measurements" | "process" | "http"
>;

/** What the listener needs of the server. */
export interface AdminSurroundings {
  readonly turns: Turns;
  readonly trail: AuditTrail;
  readonly figures: () => ServerFigures;
  /** Whether the broker takes part, and is not about to end. */
  readonly accepting: () => boolean;
  /** The routes of the API. */
  readonly api: (kit: ApiKit) => readonly ApiRoute[];
  /** Others may be let in now than before: to be asked about those who still listen. */
  readonly admitsChanged: (stillAdmits: (caller: Caller) => boolean) => void;
}

/** Listens for whoever operates the broker. */
export class AdminListener {
  readonly #config: AdminConfig;
  readonly #surroundings: AdminSurroundings;
  readonly #access: AdminAccess;
  readonly #http: HttpServer;
  readonly #samples: Samples;
  #crypto: CertificateCrypto | null = null;
  #tls: TlsAcceptor | null = null;
  #tcp: TcpListener | null = null;
  #sampler: ReturnType<typeof setInterval> | undefined;

  private constructor(config: Config, surroundings: AdminSurroundings) {
    const { admin } = config;
    this.#config = admin;
    this.#surroundings = surroundings;
    this.#samples = new Samples(surroundings.turns);
    this.#access = new AdminAccess({
      hasTokens: admin.tokensFile !== "",
      asksCertificates: admin.clientCertificates !== "none",
      requestsPerSecond: admin.requestsPerSecond,
      nowMs: () => performance.now(),
    });
    this.#http = new HttpServer({
      answer: (exchange) => router.answer(exchange),
      bodyBytesMax: (announced) => router.bodyBytesMax(announced),
      failed: (reason) => this.#say("error", `admin: request failed: ${reason}`),
    });
    const hosts = admin.hosts.toLowerCase().split(/\s+/).filter((host) => host !== "");
    const router = new Router(this.#routes(config), {
      hosts,
      // A page of somebody else, in the browser of somebody who may perhaps.
      foreignRefused: ({ request, target, peer: { address } }, status) => {
        const about = { actor: null, address, action: `${request.method} of another site` };
        this.#audited({ ...about, target: pathOf(target), status, refused: true });
      },
    });
  }

  /** Binds the address, or gives the reason where that is not possible; null if nothing is to listen. */
  static async open(
    config: Config,
    surroundings: AdminSurroundings,
  ): Promise<AdminListener | { problem: string } | null> {
    const { address: text } = config.admin;
    if (text === "") return null;
    const listener = new AdminListener(config, surroundings);
    const problem = await listener.#readTokens() ?? await listener.#openTls() ??
      listener.#listen();
    return problem === null ? listener : { problem: `admin listener ${text}: ${problem}` };
  }

  /** Where it listens, with the port that was assigned. */
  get address(): Deno.NetAddr {
    return this.#tcp!.address;
  }

  /** What there is to tell of it. */
  get #details(): ListenerDetails {
    const connections = this.#http.statistics.connections;
    const config = { ...this.#config, ...TLS, websocketPath: "", allowAnonymous: null };
    return { purpose: "admin", config, address: this.address, tls: this.#tls, connections };
  }

  /** Reads tokens and certificates again, those of these paths or all. */
  async reload(paths: ReadonlySet<string> | null): Promise<readonly FileOutcome[]> {
    const outcomes: FileOutcome[] = [];
    const { tokensFile } = this.#config;
    if (tokensFile !== "" && (paths === null || paths.has(tokensFile))) {
      outcomes.push({ name: "admin tokens", problem: await this.#readTokens() });
    }
    const files = filesOf(this.#config);
    if (this.#tls !== null && (paths === null || files.some((path) => paths.has(path)))) {
      const settings = await this.#settings();
      const why = "problem" in settings ? settings.problem : await this.#tls.replace(settings);
      const problem = why === null ? null : `admin listener: ${why}`;
      outcomes.push({ name: "certificates of the admin listener", problem });
      await this.recheck();
    }
    return outcomes;
  }

  /** Judges the certificates of open connections again, and ends those that would not come in now. */
  async recheck(): Promise<void> {
    await this.#tls?.recheck((stream, { reason }) => {
      this.#say("warn", `admin: a connection may not stay: ${reason}`);
      stream.close();
    });
  }

  /** Accepts no more, and ends what goes on. */
  async close(): Promise<void> {
    clearInterval(this.#sampler);
    await this.#tcp?.close();
    this.#tls?.close();
    await this.#http.close();
  }

  #listen(): string | null {
    const address = parseListenAddress(this.#config.address);
    if ("problem" in address) return address.problem;
    try {
      this.#tcp = TcpListener.listen(address, {
        accepted: (raw) => this.#accept(raw),
        failed: ({ reason, passing }) =>
          this.#say(passing ? "debug" : "warn", `accept failed: admin listener ${reason}`),
      });
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    this.#sampler = setInterval(() => this.#samples.take(), SAMPLE_MS);
    return null;
  }

  #accept(raw: Deno.TcpConn): void {
    const address = nameOf(raw.remoteAddr);
    if (this.#tls === null) {
      return this.#http.accept(raw, { address, isSecure: false, certificate: null });
    }
    this.#tls.accept(raw, {
      established: ({ stream, certificate, warnings }) => {
        for (const warning of warnings) this.#say("warn", `admin: TLS: ${address} ${warning}`);
        const peer = { address, isSecure: true, certificate: certificate?.identity ?? null };
        this.#http.accept(stream, peer);
      },
      refused: ({ cause, reason }) =>
        this.#say("info", `admin: TLS refused: ${address} cause=${cause} ${reason}`),
    });
  }

  /** Gives the reason where the file cannot be used; then what was read before counts on. */
  async #readTokens(): Promise<string | null> {
    const { tokensFile } = this.#config;
    if (tokensFile === "") return null;
    const tokens = await AdminTokens.read(tokensFile);
    if ("problem" in tokens) return tokens.problem;
    this.#access.tokens = tokens;
    this.#surroundings.admitsChanged((caller) => this.#access.stillAdmits(caller));
    return null;
  }

  async #openTls(): Promise<string | null> {
    if (this.#config.certificateFile === "") return null;
    const settings = await this.#settings();
    if ("problem" in settings) return settings.problem;
    const tls = await TlsAcceptor.open(settings, { crypto: this.#crypto!, wallMs: Date.now });
    if ("problem" in tls) return tls.problem;
    this.#tls = tls;
    return null;
  }

  async #settings(): Promise<TlsSettings | { problem: string }> {
    const crypto = this.#crypto ??= await loadCertificateCrypto();
    const warn = (text: string) => this.#say("warn", `admin: TLS: ${text}`);
    return await tlsSettings({ ...this.#config, ...TLS }, { crypto, warn });
  }

  #routes(config: Config): readonly Route[] {
    const { turns, figures, accepting, api } = this.#surroundings;
    const startS = startedS();
    const readiness = () => ({
      accepting: accepting(),
      refusesConnections: turns.broker.refusesConnections,
      storeTrouble: figures().store.trouble,
    });
    return adminRoutes({
      version: deno.version,
      metricsTokenSha256: this.#config.metricsTokenSha256,
      metrics: () => ({
        ...figures(),
        version: deno.version,
        broker: turns.broker.statistics,
        limits: brokerLimits(config),
        measurements: this.#samples,
        process: processFigures(startS),
        http: this.#http.statistics,
      }),
      readiness,
      access: this.#access,
      audited: (entry) => this.#audited(entry),
      api: api({
        loopLags: this.#samples.loopLags,
        readiness,
        figures,
        details: () => this.#details,
        everySample: (callback) => this.#samples.also(callback),
      }),
    });
  }

  /** What was changed is recorded each time, what was refused as often as it may be. */
  #audited({ refused, actor, address, action, target, status }: ApiAudit): void {
    const { trail } = this.#surroundings;
    const entry = { event: "admin", actor, address, action, target, result: status } as const;
    if (refused) trail.sample("admin", `${status} ${hostOf(address)}`, entry);
    else trail.record(entry);
    const who = `${address} ${actor === null ? "" : quote(actor)}`;
    const about = target === "" ? "" : ` target=${quote(target)}`;
    const verb = refused ? "refused" : status < 400 ? "changed" : "asked";
    const text = `admin: ${verb} ${who} ${action}${about} ${status}`;
    this.#say("info", text, { actor, address, action, target, status });
  }

  #say(level: LogLevel, text: string, fields: LineFacts["fields"] = {}): void {
    this.#surroundings.turns.log.line(level, text, { room: "admin", fields });
  }
}

/** What is looked at every so often, since the way of every message would pay for more. */
class Samples {
  readonly loopLags = new Histogram(DURATION_BOUNDS_S);
  readonly queueDepths = new Histogram(DEPTH_BOUNDS);
  readonly publishLatencies: Histogram;
  readonly #turns: Turns;
  readonly #lag = new LoopLag(SAMPLE_MS);
  readonly #others: (() => void)[] = [];

  constructor(turns: Turns) {
    this.#turns = turns;
    this.publishLatencies = turns.publishLatencies;
  }

  /** Looks. */
  take(): void {
    this.loopLags.observe(this.#lag.ticked(performance.now()) / 1000);
    this.queueDepths.observe(this.#turns.broker.statistics.queuedMessages);
    for (const callback of this.#others) callback();
  }

  /** Calls back at every look. */
  also(callback: () => void): void {
    this.#others.push(callback);
  }
}

/** When the process started, in seconds since 1970; the clock may be set later. */
function startedS(): number {
  return Date.now() / 1000 - process.uptime();
}

function processFigures(startS: number): MetricSources["process"] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = Deno.memoryUsage();
  return {
    startS,
    cpuS: (user + system) / 1e6,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
  };
}
