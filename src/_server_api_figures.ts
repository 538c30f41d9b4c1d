/** The figures that the admin API shows: of the moment, and of the last second. */
import process from "node:process";
import type { ServerFigures } from "./_server_admin.ts";
import type { ListenerDetails } from "./_server_listeners.ts";
import type { Turns } from "./_server_turns.ts";
import deno from "../deno.json" with { type: "json" };
import { type ApiStatistics, RateMeter, RecentQuantiles, type StatusView } from "./admin/mod.ts";
import type { Histogram, Statistics } from "./broker/mod.ts";
import type { Config } from "./config/mod.ts";
import { MEMORY_STAGES } from "./system/mod.ts";

/** Samples of a second. */
const SAMPLES_PER_S = 10;
const DAY_MS = 86_400_000;
/** A certificate that runs out within this time is worth a warning. */
const EXPIRY_NOTICE_MS = 14 * DAY_MS;

/** What the figures are taken from. */
export interface FigureSources {
  readonly config: Config;
  readonly turns: Turns;
  readonly figures: () => ServerFigures;
  readonly loopLags: Histogram;
  /** All of them, the admin listener included. */
  readonly listeners: () => readonly ListenerDetails[];
}

/** Keeps what is needed to tell what came within the last second. */
export class FigureDesk {
  readonly #sources: FigureSources;
  readonly #startedMs = Date.now() - process.uptime() * 1000;
  readonly #rates = new RateMeter();
  readonly #latencies: RecentQuantiles;
  readonly #lags: RecentQuantiles;
  readonly #node = nodeName();
  #samples = 0;

  constructor(sources: FigureSources) {
    this.#sources = sources;
    this.#latencies = new RecentQuantiles(sources.turns.publishLatencies);
    this.#lags = new RecentQuantiles(sources.loopLags);
  }

  /** To be called ten times a second. */
  sample(): void {
    this.#rates.take(countersOf(this.#sources.turns.broker.statistics), performance.now());
    if (this.#samples++ % SAMPLES_PER_S !== 0) return;
    this.#latencies.turn();
    this.#lags.turn();
  }

  /** The figures of the moment. */
  get statistics(): ApiStatistics {
    const { turns, config, figures } = this.#sources;
    const { store, memory } = figures();
    const s = turns.broker.statistics;
    const { rss, heapUsed } = Deno.memoryUsage();
    return {
      time: new Date().toISOString(),
      counts: {
        clients_connected: s.clientsConnected,
        connections: s.connectionsOpen,
        sessions: s.sessions,
        subscriptions: s.subscriptions,
        retained: s.retainedMessages,
        retained_bytes: s.retainedBytes,
        queued_messages: s.queuedMessages,
        queued_bytes: s.queuedBytes,
        in_flight: s.inFlightMessages,
        dead_letters: s.deadLetters,
      },
      totals: {
        messages_in: s.publishReceived,
        messages_out: s.publishSent,
        dropped: droppedOf(s),
        connections: s.connectionsTotal,
        connections_refused: s.connectionsRefused,
      },
      rates: this.#ratesOf(),
      latency: {
        publish_p50_ms: inMs(this.#latencies.of(0.5)),
        publish_p99_ms: inMs(this.#latencies.of(0.99)),
        loop_lag_p99_ms: inMs(this.#lags.of(0.99)),
      },
      store: {
        kind: config.store.kind,
        trouble: store.trouble,
        backlog_bytes: store.backlogBytes,
        commits: store.statistics?.commits ?? 0,
        commit_ms: rounded(store.statistics?.commitMsLast ?? null),
        latency_ms: rounded(store.statistics?.latencyMsLast ?? null),
      },
      memory: {
        stage: memory === null ? null : MEMORY_STAGES[memory.stage]!,
        pressure: rounded(memory?.pressure ?? null),
        resident_bytes: rss,
        limit_bytes: memory === null || memory.limitBytes === 0 ? null : memory.limitBytes,
        heap_used_bytes: heapUsed,
      },
    };
  }

  /** All of it. */
  get status(): ReturnType<StatusView["status"]> {
    const startedMs = this.#startedMs;
    return {
      version: deno.version,
      node: this.#node,
      started_at: new Date(startedMs).toISOString(),
      uptime_s: Math.floor(process.uptime()),
      sparkplug_mode: this.#sources.config.sparkplug.mode,
      warnings: this.#warnings(),
      ...this.statistics,
    };
  }

  #ratesOf(): ApiStatistics["rates"] {
    const rates = this.#rates;
    return {
      messages_in_per_s: rates.perSecond(0),
      messages_out_per_s: rates.perSecond(1),
      bytes_in_per_s: rates.perSecond(2),
      bytes_out_per_s: rates.perSecond(3),
      connections_per_s: rates.perSecond(4),
      dropped_per_s: rates.perSecond(5),
    };
  }

  #warnings(): string[] {
    const { store, memory, reloads, audit } = this.#sources.figures();
    const warnings: string[] = [];
    if (store.trouble !== null) warnings.push(`the store is in trouble: ${store.trouble}`);
    if (store.quarantines > 0) {
      warnings.push(`${store.quarantines} damaged databases lie beside the present one`);
    }
    if (memory !== null && memory.stage > 0) {
      warnings.push(`the memory is short: ${MEMORY_STAGES[memory.stage]}`);
    }
    if (reloads.stale > 0) {
      const since = new Date(reloads.staleSinceMs).toISOString();
      warnings.push(`${reloads.stale} files could not be read again, since ${since}`);
    }
    if (audit !== null && audit.lost > 0) {
      warnings.push(`${audit.lost} lines of the audit log are lost`);
    }
    for (const { config: { address }, tls } of this.#sources.listeners()) {
      const notAfterMs = tls?.notAfterMs ?? Infinity;
      if (notAfterMs - Date.now() > EXPIRY_NOTICE_MS) continue;
      const verb = notAfterMs < Date.now() ? "expired" : "expires";
      const when = new Date(notAfterMs).toISOString();
      warnings.push(`a certificate of listener ${address} ${verb} on ${when}`);
    }
    return warnings;
  }
}

function countersOf(s: Statistics): readonly number[] {
  return [
    s.publishReceived,
    s.publishSent,
    s.bytesReceived,
    s.bytesSent,
    s.connectionsTotal,
    droppedOf(s),
  ];
}

function droppedOf({ dropped }: Statistics): number {
  return Object.values(dropped).reduce((sum, count) => sum + count, 0);
}

function inMs(seconds: number | null): number | null {
  return seconds === null ? null : rounded(seconds * 1e3);
}

/** To thousandths. */
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1e3) / 1e3;
}

/** Null where the process may not ask. */
function nodeName(): string | null {
  try {
    return Deno.hostname();
  } catch {
    return null;
  }
}
