/**
 * HTTP for few clients. `Deno.serve` knows no bound on connections and no time for a head: whoever
 * opened connections and sent nothing would take every file descriptor of the broker.
 */
import type { HttpPeer } from "./caller.ts";
import {
  HttpConnection,
  type HttpExchange,
  type HttpStream,
  type HttpTimes,
} from "./http_connection.ts";
import { problem } from "./problem.ts";

/** What is counted. */
export interface HttpStatistics {
  connections: number;
  accepted: number;
  /** Connections that made room for others, which are new and perhaps better. */
  evicted: number;
  timeouts: number;
  /** Answers by status code. */
  readonly answered: Map<string, number>;
}

/** Bounds of the server. */
export interface HttpLimits extends HttpTimes {
  readonly connectionsMax: number;
}

/** What holds unless a test wants it otherwise. */
const LIMITS: HttpLimits = {
  connectionsMax: 64,
  requestMs: 10_000,
  idleMs: 120_000,
  answerMs: 10_000,
};

/** What the server needs. */
export interface HttpParts {
  readonly answer: (exchange: HttpExchange) => Promise<Response>;
  /** Most bytes of a body that is announced, where that is more than usual. */
  readonly bodyBytesMax?: (announced: HttpExchange) => number;
  /** An answer could not be made, by a fault of ours. */
  readonly failed: (reason: string) => void;
  readonly limits?: Partial<HttpLimits>;
}

/** Serves connections that somebody else accepts. */
export class HttpServer {
  readonly statistics: HttpStatistics = {
    connections: 0,
    accepted: 0,
    evicted: 0,
    timeouts: 0,
    answered: new Map(),
  };
  readonly #parts: HttpParts;
  readonly #limits: HttpLimits;
  readonly #connections = new Map<HttpConnection, Promise<void>>();

  constructor(parts: HttpParts) {
    this.#parts = parts;
    this.#limits = { ...LIMITS, ...parts.limits };
  }

  /** Takes a connection, and closes it in the end. */
  accept(stream: HttpStream, peer: HttpPeer): void {
    const { statistics } = this;
    statistics.accepted++;
    if (this.#connections.size >= this.#limits.connectionsMax && !this.#makeRoom()) {
      statistics.evicted++;
      stream.close();
      return;
    }
    const connection = new HttpConnection(stream, {
      times: this.#limits,
      peer,
      answer: (exchange) => this.#answer(exchange),
      bodyBytesMax: (announced) => this.#parts.bodyBytesMax?.(announced) ?? 0,
      answered: (status) => this.#count(String(status)),
      timedOut: () => statistics.timeouts++,
    });
    this.#connections.set(connection, connection.run().then(() => this.#forget(connection)));
    statistics.connections = this.#connections.size;
  }

  /** Ends all connections; resolves when none is left. */
  async close(): Promise<void> {
    const ended = [...this.#connections.values()];
    for (const connection of this.#connections.keys()) connection.close();
    await Promise.all(ended);
  }

  /** Closes the connection that has waited longest for a request of its client, if there is one. */
  #makeRoom(): boolean {
    let oldest: HttpConnection | null = null;
    let sinceMs = Infinity;
    for (const connection of this.#connections.keys()) {
      const { waitsSinceMs } = connection;
      if (waitsSinceMs === null || waitsSinceMs >= sinceMs) continue;
      sinceMs = waitsSinceMs;
      oldest = connection;
    }
    if (oldest === null) return false;
    this.statistics.evicted++;
    this.#forget(oldest);
    oldest.close();
    return true;
  }

  #forget(connection: HttpConnection): void {
    this.#connections.delete(connection);
    this.statistics.connections = this.#connections.size;
  }

  #count(code: string): void {
    const { answered } = this.statistics;
    answered.set(code, (answered.get(code) ?? 0) + 1);
  }

  async #answer(exchange: HttpExchange): Promise<Response> {
    try {
      return await this.#parts.answer(exchange);
    } catch (error) {
      const reason = error instanceof Error ? error.stack ?? error.message : String(error);
      this.#parts.failed(reason);
      return problem(500, "this is a fault of the broker; its log says more");
    }
  }
}
