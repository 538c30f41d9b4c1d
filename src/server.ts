/**
 * The composition root: builds the broker from its rooms and owns the turn. A turn is everything
 * that was ready at one moment: many reads, one commit, one write for each connection with output.
 */
import { type Accepted, Listeners } from "./_server_listeners.ts";
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
import type { Config } from "./config/mod.ts";
import {
  type QuarantineReport,
  quarantineText,
  type Store,
  storeFacts,
  type StoreStatistics,
} from "./store/mod.ts";
import { BAD_PASSWORD, FrontDoor, type Gatekeeper } from "./security/mod.ts";
import { DataDirectory, Log, onReloadSignal, terminationSignal } from "./system/mod.ts";
import { type ByteStream, ConnectionDriver, type TurnOwner } from "./transport/mod.ts";

/** How often the core looks at timeouts. */
const TICK_MS = 250;
/** How often the certificates of open connections are judged again: they expire. */
const RECHECK_MS = 3_600_000;
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
    const ended = onReloadSignal(() => void server.reload());
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
  #listeners: Listeners | null = null;
  #door: FrontDoor | null = null;
  /** The reload of the listeners' files that goes on. */
  #reloading: Promise<void> = Promise.resolve();
  readonly #drivers = new Map<number, ConnectionDriver>();
  /** Connections whose clients have shown a certificate. */
  readonly #certified = new Map<ByteStream, Connection>();
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
    const door = FrontDoor.open(config.loginGuard, (text) => server.#log.line("warn", text));
    if ("problem" in door) {
      await server.stop("start failed");
      return door;
    }
    server.#door = door;
    const listeners = await Listeners.open(config, {
      admits: ({ hostname: host }, listener) =>
        door.admits({ host, listener }, server.instant().nowMs),
      accepted: (accepted) => server.#accepted(accepted),
      said: (level, text) => server.#log.line(level, text),
    });
    if ("problem" in listeners) {
      await server.stop("start failed");
      return listeners;
    }
    server.#listeners = listeners;
    server.#timers.push(setInterval(() => server.#tick(), TICK_MS));
    server.#timers.push(setInterval(() => void server.#recheckCertificates(), RECHECK_MS));
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
    return this.#listeners?.addresses ?? [];
  }

  /** Counters of what is written; null where nothing is. */
  get storeStatistics(): StoreStatistics | null {
    return this.#store.statistics;
  }

  instant(): Instant {
    // Whole milliseconds: fractions would cost an allocation wherever a time is kept.
    return { nowMs: Math.ceil(performance.now()), wallMs: Date.now() };
  }

  /** Reads all files again; one with a mistake leaves what it is about as it is. */
  async reload(): Promise<void> {
    const failure = this.#gatekeeper.reload();
    if (failure !== null) this.#reloadFailed(failure.problem);
    // At once: the files of the listeners may take their time.
    this.broker.setPolicy(this.#gatekeeper.policy);
    for (const connection of [...this.broker.connections()]) {
      if (this.#gatekeeper.isRevoked(connection)) this.#revoke(connection);
    }
    // One after the other: what was read first must not be put in the place of what was read later.
    this.#reloading = this.#reloading.then(() => this.#reloadListeners());
    await this.#reloading;
    await this.#recheckCertificates();
    this.#log.line("info", "reload done: passwords, access rules, certificates");
    this.requestTurn();
  }

  async #reloadListeners(): Promise<void> {
    for (const problem of await this.#listeners!.reload()) this.#reloadFailed(problem);
  }

  #reloadFailed(problem: string): void {
    this.#log.line("error", `reload failed, this is as it was: ${problem}`);
  }

  async #recheckCertificates(): Promise<void> {
    await this.#listeners!.recheck((stream, reason) => {
      const connection = this.#certified.get(stream);
      if (connection === undefined) return;
      const { remoteAddress } = connection.origin;
      this.#log.line("warn", `TLS: address=${remoteAddress} may not stay: ${reason}`);
      this.#revoke(connection);
    });
  }

  #revoke(connection: Connection): void {
    this.broker.close(connection, "revoked", this.instant());
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
    await this.#listeners?.close();
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

  #accepted({ stream, listener, peer, certificate }: Accepted): void {
    const origin = { remoteAddress: `${peer.hostname}:${peer.port}`, listener };
    const handle = this.#nextHandle++;
    const driver = ConnectionDriver.open(stream, this, { handle, origin });
    if (driver === null) {
      this.#log.line("warn", `refused: address=${origin.remoteAddress}, connections_max reached`);
      stream.close();
      return;
    }
    if (certificate !== null) {
      const { identity, serial } = certificate;
      const who = `identity=${JSON.stringify(identity)} serial=${serial}`;
      this.#log.line("info", `certificate accepted: address=${origin.remoteAddress} ${who}`);
      this.#gatekeeper.certified(driver.connection, certificate.identity);
      this.#certified.set(stream, driver.connection);
    }
    this.#drivers.set(handle, driver);
    void driver.run().then(() => {
      this.#certified.delete(stream);
      this.#ended(handle);
    });
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
    const { origin: { remoteAddress, listener }, clientIdentifier } = connection;
    const host = remoteAddress.slice(0, remoteAddress.lastIndexOf(":"));
    const visitor = { host, listener, clientIdentifier, userName: packet.userName };
    const { nowMs } = this.instant();
    if (code === null) this.#door?.succeeded(visitor, nowMs);
    else if (code === BAD_PASSWORD) this.#door?.failed(visitor, nowMs);
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
