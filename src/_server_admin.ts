/** The admin listener: where it gets its figures, and who accepts its connections. */
import process from "node:process";
import { brokerLimits } from "./_server_parts.ts";
import type { Turns } from "./_server_turns.ts";
import deno from "../deno.json" with { type: "json" };
import { adminRoutes, HttpServer, type MetricSources, type Route, Router } from "./admin/mod.ts";
import { DURATION_BOUNDS_S, Histogram } from "./broker/mod.ts";
import { type Config, parseListenAddress } from "./config/mod.ts";
import { LoopLag } from "./system/mod.ts";
import { TcpListener } from "./transport/mod.ts";

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
  readonly figures: () => ServerFigures;
  /** Whether the broker takes part, and is not about to end. */
  readonly accepting: () => boolean;
}

/** Listens for whoever operates the broker. */
export class AdminListener {
  readonly #tcp: TcpListener;
  readonly #http: HttpServer;
  readonly #sampler: ReturnType<typeof setInterval>;

  private constructor(tcp: TcpListener, http: HttpServer, sample: () => void) {
    this.#tcp = tcp;
    this.#http = http;
    this.#sampler = setInterval(sample, SAMPLE_MS);
  }

  /** Binds the address, or gives the reason where that is not possible; null if nothing is to listen. */
  static open(
    config: Config,
    surroundings: AdminSurroundings,
  ): AdminListener | { problem: string } | null {
    const { address: text, hosts } = config.admin;
    if (text === "") return null;
    const address = parseListenAddress(text);
    if ("problem" in address) return { problem: `admin.address: ${address.problem}` };
    const { turns } = surroundings;
    const samples = new Samples(turns);
    const http: HttpServer = new HttpServer({
      answer: (request) => router.answer(request),
      failed: (reason) =>
        turns.log.line("error", `admin: request failed: ${reason}`, { room: "admin" }),
    });
    const routes = routesOf(config, { ...surroundings, http, samples });
    const router = new Router(
      routes,
      hosts.toLowerCase().split(/\s+/).filter((host) => host !== ""),
    );
    try {
      const tcp = TcpListener.listen(address, {
        accepted: (stream) => http.accept(stream),
        failed: ({ reason, passing }) =>
          turns.log.line(passing ? "debug" : "warn", `accept failed: admin listener ${reason}`, {
            room: "admin",
          }),
      });
      return new AdminListener(tcp, http, () => samples.take());
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { problem: `admin listener ${text}: ${reason}` };
    }
  }

  /** Where it listens, with the port that was assigned. */
  get address(): Deno.NetAddr {
    return this.#tcp.address;
  }

  /** Accepts no more, and ends what goes on. */
  async close(): Promise<void> {
    clearInterval(this.#sampler);
    await this.#tcp.close();
    await this.#http.close();
  }
}

function routesOf(
  config: Config,
  { turns, figures, accepting, http, samples }:
    & AdminSurroundings
    & { http: HttpServer; samples: Samples },
): readonly Route[] {
  const limits = brokerLimits(config);
  const startS = startedS();
  return adminRoutes({
    metricsTokenSha256: config.admin.metricsTokenSha256,
    metrics: () => ({
      ...figures(),
      version: deno.version,
      broker: turns.broker.statistics,
      limits,
      measurements: samples,
      process: processFigures(startS),
      http: http.statistics,
    }),
    readiness: () => ({
      accepting: accepting(),
      refusesConnections: turns.broker.refusesConnections,
      storeTrouble: figures().store.trouble,
    }),
  });
}

/** What is looked at every so often, since the way of every message would pay for more. */
class Samples {
  readonly loopLags = new Histogram(DURATION_BOUNDS_S);
  readonly queueDepths = new Histogram(DEPTH_BOUNDS);
  readonly publishLatencies: Histogram;
  readonly #turns: Turns;
  readonly #lag = new LoopLag(SAMPLE_MS);

  constructor(turns: Turns) {
    this.#turns = turns;
    this.publishLatencies = turns.publishLatencies;
  }

  /** Looks. */
  take(): void {
    this.loopLags.observe(this.#lag.ticked(performance.now()) / 1000);
    this.queueDepths.observe(this.#turns.broker.statistics.queuedMessages);
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
