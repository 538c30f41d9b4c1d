/**
 * The composition root: builds the broker from its rooms and owns the turn. A turn is everything
 * that was ready at one moment: many reads, one commit, one write for each connection with output.
 */
import { brokerLimits, iterate, openGatekeeper, openStore } from "./_server_parts.ts";
import deno from "../deno.json" with { type: "json" };
import { BlockPool, encodeUtf8, type TopicName } from "./mqtt/mod.ts";
import {
  Broker,
  type Connection,
  describeEvent,
  type Instant,
  type PendingAuthentication,
  SysTopics,
} from "./broker/mod.ts";
import { type Config, parseListenAddress } from "./config/mod.ts";
import {
  type QuarantineReport,
  quarantineText,
  type Store,
  storeFacts,
  type StoreStatistics,
} from "./store/mod.ts";
import type { Gatekeeper } from "./security/mod.ts";
import { DataDirectory, Log, onReloadSignal, terminationSignal } from "./system/mod.ts";
import { ConnectionDriver, TcpListener, type TurnOwner } from "./transport/mod.ts";

/** How often the core looks at timeouts. */
const TICK_MS = 250;
/** Memory that drained buffers may keep for reuse. */
const POOL_BYTES_MAX = 16_777_216;
/** How long connections may take to end at shutdown. */
const SHUTDOWN_MS = 2_000;
/** How long the loop may be busy before it has to look at every socket: costs 4 % of that time. */
const ITERATION_MS = 2;
/** Exit code of `relayq serve` when the broker cannot start. */
const EXIT_START = 3;

/** Where the broker writes. */
export interface ServerIo {
  /** Lines of the log, and why it cannot start. */
  err(text: string): void;
  /** It listens; addresses in the order of the configuration. */
  started?(addresses: readonly Deno.NetAddr[]): void;
}

/** Runs the broker until a signal ends it; resolves to the exit code of the process. */
export async function runServer(config: Config, io: ServerIo): Promise<number> {
  const signal = terminationSignal();
  try {
    const server = await Server.start(config, io);
    if ("problem" in server) {
      io.err(`Cannot start: ${server.problem}\n`);
      return EXIT_START;
    }
    io.started?.(server.addresses);
    const ended = onReloadSignal(() => server.reload());
    const name = await signal.received;
    ended();
    await server.stop(name);
    return 0;
  } finally {
    signal.cancel();
  }
}

/** A running broker. */
export class Server implements TurnOwner {
  readonly broker: Broker;
  readonly pool: BlockPool = new BlockPool(POOL_BYTES_MAX);
  readonly #config: Config;
  readonly #store: Store;
  readonly #directory: DataDirectory;
  readonly #gatekeeper: Gatekeeper;
  readonly #io: ServerIo;
  readonly #log: Log;
  /** Lines of this turn, so that a turn writes once. */
  #logLines = "";
  readonly #listeners: TcpListener[] = [];
  readonly #drivers = new Map<number, ConnectionDriver>();
  readonly #sysTopics = new SysTopics();
  readonly #startedMs = performance.now();
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #trouble: string | null = null;
  /** Damaged databases that lie beside the present one; 0 unless this start has set one aside. */
  #quarantines = 0;
  #nextHandle = 1;
  #allEnded: (() => void) | null = null;
  #turnRequested = false;
  #iteration: Promise<void> | null = null;
  #iteratedMs = 0;

  private constructor(
    config: Config,
    parts: { directory: DataDirectory; store: Store; gatekeeper: Gatekeeper },
    io: ServerIo,
  ) {
    this.#config = config;
    this.#directory = parts.directory;
    this.#store = parts.store;
    this.#gatekeeper = parts.gatekeeper;
    this.#io = io;
    this.#log = new Log(config.log.level, {
      write: (line) => {
        this.#logLines += line;
        this.requestTurn();
      },
      wallMs: Date.now,
    });
    this.broker = new Broker({
      limits: brokerLimits(config),
      policy: parts.gatekeeper.policy,
      journal: this.#store.journal,
      randomId: () => `relayq-${crypto.randomUUID()}`,
      pool: this.pool,
    });
    this.broker.restore(this.#store.load(), this.instant());
  }

  /** A damaged database was set aside at the start. */
  #quarantined(report: QuarantineReport): void {
    this.#quarantines = report.setAside;
    for (const line of quarantineText(report)) this.#log.line("error", line);
    this.broker.lost(report.orphans);
  }

  /** Binds the listeners and starts; gives the reason where that is not possible. */
  static async start(config: Config, io: ServerIo): Promise<Server | { problem: string }> {
    const gatekeeper = openGatekeeper(config);
    if ("problem" in gatekeeper) return gatekeeper;
    const directory = await DataDirectory.open(config.store.dataDir);
    if ("problem" in directory) return directory;
    const quarantine: QuarantineReport[] = [];
    const store = await openStore(config, (report) => quarantine.push(report));
    if ("problem" in store) {
      directory.close();
      return { problem: `store in ${config.store.dataDir} (${store.kind}): ${store.problem}` };
    }
    const server = new Server(config, { directory, store, gatekeeper }, io);
    for (const report of quarantine) server.#quarantined(report);
    for (const { address } of config.listeners) {
      try {
        server.#listen(address);
      } catch (error) {
        await server.stop("start failed");
        return {
          problem: `listener ${address}: ${error instanceof Error ? error.message : error}`,
        };
      }
    }
    server.#timers.push(setInterval(() => server.#tick(), TICK_MS));
    if (config.sysTopics.enabled) {
      server.#publishSysTopics();
      const interval = config.sysTopics.intervalMs;
      server.#timers.push(setInterval(() => server.#publishSysTopics(), interval));
    }
    server.#log.line("info", `started: relayq ${deno.version}`);
    return server;
  }

  /** Where the broker listens, in the order of the configuration. */
  get addresses(): readonly Deno.NetAddr[] {
    return this.#listeners.map((listener) => listener.address);
  }

  /** Counters of what is written; null where nothing is. */
  get storeStatistics(): StoreStatistics | null {
    return this.#store.statistics;
  }

  instant(): Instant {
    // Whole milliseconds: fractions would cost an allocation wherever a time is kept.
    return { nowMs: Math.ceil(performance.now()), wallMs: Date.now() };
  }

  /** Reads password and access file again; what is wrong with one leaves all as it is. */
  reload(): void {
    const failure = this.#gatekeeper.reload();
    if (failure !== null) {
      this.#log.line("error", `reload failed, nothing is changed: ${failure.problem}`);
      return;
    }
    this.broker.setPolicy(this.#gatekeeper.policy);
    for (const connection of [...this.broker.connections()]) {
      if (!this.#gatekeeper.isRevoked(connection)) continue;
      this.broker.close(connection, "revoked", this.instant());
    }
    this.#log.line("info", "reloaded: password file and access file");
    this.requestTurn();
  }

  requestTurn(): void {
    if (this.#turnRequested) return;
    this.#turnRequested = true;
    // Runs behind the continuations of all reads that completed together with this one.
    queueMicrotask(() => this.#endTurn());
  }

  nextIteration(): Promise<void> {
    if (performance.now() - this.#iteratedMs < ITERATION_MS) return Promise.resolve();
    return this.#iteration ??= iterate().then(() => {
      this.#iteration = null;
      this.#iteratedMs = performance.now();
    });
  }

  /** Closes every connection, publishes the Wills this causes, and lets go of everything. */
  async stop(reason: string): Promise<void> {
    this.#log.line("info", `stopping: ${reason}`);
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const connection of [...this.broker.connections()]) {
      this.broker.close(connection, "shutdown", this.instant());
    }
    this.requestTurn();
    await this.#connectionsEnded();
    this.broker.stopping(this.instant());
    this.#endTurn();
    await this.#store.close();
    this.#directory.close();
  }

  /** Resolves when no connection is left, or not in time. */
  #connectionsEnded(): Promise<void> {
    if (this.#drivers.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, SHUTDOWN_MS);
      this.#allEnded = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #listen(address: string): void {
    const parsed = parseListenAddress(address);
    if ("problem" in parsed) throw new Error(parsed.problem);
    const listener = TcpListener.listen(parsed, {
      accepted: (stream) => this.#accepted(stream, address),
      failed: ({ reason, passing }) =>
        this.#log.line(passing ? "debug" : "warn", `accept failed: listener=${address} ${reason}`),
    });
    this.#listeners.push(listener);
  }

  #accepted(stream: Deno.TcpConn, listener: string): void {
    const { hostname, port } = stream.remoteAddr;
    const origin = { remoteAddress: `${hostname}:${port}`, listener };
    const handle = this.#nextHandle++;
    const driver = ConnectionDriver.open(stream, this, { handle, origin });
    if (driver === null) {
      this.#log.line("warn", `refused: address=${origin.remoteAddress}, connections_max reached`);
      stream.close();
      return;
    }
    try {
      stream.setNoDelay(true);
      stream.setKeepAlive(true);
    } catch {
      // The peer is gone already; the read loop will see it.
    }
    this.#drivers.set(handle, driver);
    void driver.run().then(() => this.#ended(handle));
  }

  #ended(handle: number): void {
    this.#drivers.delete(handle);
    if (this.#drivers.size === 0) this.#allEnded?.();
  }

  #endTurn(): void {
    this.#turnRequested = false;
    this.broker.settle();
    if (this.#store.dirty) this.#commit();
    const { dirty, resumed } = this.broker.endTurn();
    for (const connection of dirty) this.#driver(connection)?.flush();
    for (const connection of resumed) this.#driver(connection)?.resume();
    for (const event of this.broker.takeEvents()) {
      const { severity, text } = describeEvent(event);
      this.#log.line(severity, text);
    }
    if (this.broker.replaysWait) void this.#continueReplays();
    for (const pending of this.broker.takeAuthentications()) void this.#authenticate(pending);
    this.#flushLog();
  }

  async #authenticate(pending: PendingAuthentication): Promise<void> {
    const { connection, packet } = pending;
    const code = await this.#gatekeeper.verify(connection, packet);
    this.broker.authenticated(pending, code, this.instant());
    this.requestTurn();
  }

  async #continueReplays(): Promise<void> {
    await this.nextIteration();
    this.broker.continueReplays(this.instant());
    this.requestTurn();
  }

  #flushLog(): void {
    if (this.#logLines === "") return;
    const lines = this.#logLines;
    this.#logLines = "";
    this.#io.err(lines);
  }

  #commit(): void {
    const committed = this.#store.commit();
    if (typeof committed === "number") {
      this.broker.committed(committed);
      return;
    }
    void committed.then((batch) => {
      this.broker.committed(batch);
      this.requestTurn();
    });
  }

  #driver(connection: Connection): ConnectionDriver | undefined {
    return this.#drivers.get(connection.handle);
  }

  #tick(): void {
    this.broker.tick(this.instant());
    const { trouble } = this.#store;
    if (trouble !== this.#trouble) {
      this.#trouble = trouble;
      if (trouble === null) this.#log.line("warn", "store recovered: acknowledgements leave again");
      else this.#log.line("error", `store in trouble: acknowledgements wait: ${trouble}`);
    }
    this.requestTurn();
  }

  #publishSysTopics(): void {
    const facts = {
      version: deno.version,
      uptimeMs: performance.now() - this.#startedMs,
      heapBytes: Deno.memoryUsage().heapUsed,
      store: { ...storeFacts(this.#store), quarantines: this.#quarantines },
    };
    const instant = this.instant();
    for (const [topic, value] of this.#sysTopics.round(this.broker.statistics, facts)) {
      const payload = encodeUtf8(value);
      this.broker.publish(topic as TopicName, { payload, qos: 0, retain: true }, instant);
    }
    this.requestTurn();
  }
}
