/** The composition root: builds the broker from its rooms, starts it, reloads it and ends it. */
import { Listeners } from "./_server_listeners.ts";
import { brokerLimits, openGatekeeper, openStore, sparkplugPolicy } from "./_server_parts.ts";
import { openRates } from "./_server_rates.ts";
import { Reception } from "./_server_reception.ts";
import { Turns } from "./_server_turns.ts";
import deno from "../deno.json" with { type: "json" };
import { type BlockPool, encodeUtf8, type TopicName } from "./mqtt/mod.ts";
import { Broker, SysTopics } from "./broker/mod.ts";
import type { Config } from "./config/mod.ts";
import {
  type QuarantineReport,
  quarantineText,
  type Store,
  storeFacts,
  type StoreStatistics,
} from "./store/mod.ts";
import { FrontDoor, type Gatekeeper } from "./security/mod.ts";
import { DataDirectory, type Log, onReloadSignal, terminationSignal } from "./system/mod.ts";

/** How often the core looks at timeouts. */
const TICK_MS = 250;
/** How often the certificates of open connections are judged again: they expire. */
const RECHECK_MS = 3_600_000;
/** Exit code of `relayq serve` when the broker cannot start. */
const EXIT_START = 3;

/** Where the broker writes. */
export interface ServerIo {
  /** Lines of the log, and why it cannot start. */
  err(text: string): void;
  /** It listens; addresses in the order of the configuration. */
  started?(addresses: readonly Deno.NetAddr[]): void;
}

/** What a broker is made of, opened. */
interface ServerParts {
  readonly directory: DataDirectory;
  readonly store: Store;
  readonly gatekeeper: Gatekeeper;
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
export class Server {
  readonly broker: Broker;
  readonly #config: Config;
  readonly #store: Store;
  readonly #directory: DataDirectory;
  readonly #gatekeeper: Gatekeeper;
  /** Who moves bytes between the sockets and the core. */
  readonly turns: Turns;
  readonly #log: Log;
  #door: FrontDoor | null = null;
  #reception: Reception | null = null;
  #listeners: Listeners | null = null;
  /** The reload of the listeners' files that goes on. */
  #reloading: Promise<void> = Promise.resolve();
  readonly #sysTopics = new SysTopics();
  readonly #startedMs = performance.now();
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #trouble: string | null = null;
  /** Damaged databases that lie beside the present one; 0 unless this start has set one aside. */
  #quarantines = 0;

  private constructor(config: Config, parts: ServerParts, io: ServerIo) {
    this.#config = config;
    this.#directory = parts.directory;
    this.#store = parts.store;
    this.#gatekeeper = parts.gatekeeper;
    this.turns = new Turns((pool) => makeBroker(config, parts, pool), {
      store: parts.store,
      logLevel: config.log.level,
      writeLog: (lines) => io.err(lines),
    });
    this.#log = this.turns.log;
    this.broker = this.turns.broker;
    this.broker.restore(this.#store.load(), this.turns.instant());
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
    const problem = await server.#listen();
    if (problem !== null) {
      await server.stop("start failed");
      return problem;
    }
    server.#startTimers();
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

  /** Reads all files again; one with a mistake leaves what it is about as it is. */
  async reload(): Promise<void> {
    const failure = this.#gatekeeper.reload();
    if (failure !== null) this.#reloadFailed(failure.problem);
    // At once: the files of the listeners may take their time.
    this.broker.setPolicy(this.#gatekeeper.policy);
    this.#reception!.revokeUnknown();
    // One after the other: what was read first must not be put in the place of what was read later.
    this.#reloading = this.#reloading.then(() => this.#reloadListeners());
    await this.#reloading;
    await this.#reception!.recheckCertificates(this.#listeners!);
    this.#log.line("info", "reload done: passwords, access rules, certificates");
    this.turns.requestTurn();
  }

  /** Closes every connection, publishes the Wills this causes, and lets go of everything. */
  async stop(reason: string): Promise<void> {
    this.#log.line("info", `stopping: ${reason}`);
    for (const timer of this.#timers) clearInterval(timer);
    await this.#listeners?.close();
    await this.#reception?.shutDown();
    this.broker.stopping(this.turns.instant());
    this.turns.end();
    await this.#store.close();
    this.#directory.close();
  }

  /** Opens the door and the listeners, or says why that is not possible. */
  async #listen(): Promise<{ problem: string } | null> {
    const config = this.#config;
    const door = FrontDoor.open(config, (text) => this.#log.line("warn", text));
    if ("problem" in door) return door;
    const reception = new Reception(this.turns, { gatekeeper: this.#gatekeeper, door });
    this.turns.serve(reception);
    const listeners = await Listeners.open(config, {
      front: door,
      nowMs: () => this.turns.instant().nowMs,
      accepted: (accepted) => reception.accepted(accepted),
      said: (level, text) => this.#log.line(level, text),
    });
    if ("problem" in listeners) return listeners;
    this.#door = door;
    this.#reception = reception;
    this.#listeners = listeners;
    return null;
  }

  #startTimers(): void {
    this.#timers.push(setInterval(() => this.#tick(), TICK_MS));
    const recheck = () => void this.#reception!.recheckCertificates(this.#listeners!);
    this.#timers.push(setInterval(recheck, RECHECK_MS));
    const { enabled, intervalMs } = this.#config.sysTopics;
    if (!enabled) return;
    this.#publishSysTopics();
    this.#timers.push(setInterval(() => this.#publishSysTopics(), intervalMs));
  }

  /** A damaged database was set aside at the start. */
  #quarantined(report: QuarantineReport): void {
    this.#quarantines = report.setAside;
    for (const line of quarantineText(report)) this.#log.line("error", line);
    this.broker.lost(report.orphans);
  }

  async #reloadListeners(): Promise<void> {
    for (const problem of await this.#listeners!.reload()) this.#reloadFailed(problem);
  }

  #reloadFailed(problem: string): void {
    this.#log.line("error", `reload failed, this is as it was: ${problem}`);
  }

  #tick(): void {
    const instant = this.turns.instant();
    this.broker.tick(instant);
    this.#door?.tick(instant.nowMs);
    const { trouble } = this.#store;
    if (trouble !== this.#trouble) {
      this.#trouble = trouble;
      if (trouble === null) this.#log.line("warn", "store recovered: acknowledgements leave again");
      else this.#log.line("error", `store in trouble: acknowledgements wait: ${trouble}`);
    }
    this.turns.requestTurn();
  }

  #publishSysTopics(): void {
    const facts = {
      version: deno.version,
      uptimeMs: performance.now() - this.#startedMs,
      heapBytes: Deno.memoryUsage().heapUsed,
      store: { ...storeFacts(this.#store), quarantines: this.#quarantines },
      door: this.#door?.facts ?? {},
    };
    const instant = this.turns.instant();
    for (const [topic, value] of this.#sysTopics.round(this.broker.statistics, facts)) {
      const payload = encodeUtf8(value);
      this.broker.publish(topic as TopicName, { payload, qos: 0, retain: true }, instant);
    }
    this.turns.requestTurn();
  }
}

function makeBroker(config: Config, { gatekeeper, store }: ServerParts, pool: BlockPool): Broker {
  return new Broker({
    limits: brokerLimits(config),
    policy: gatekeeper.policy,
    sparkplug: sparkplugPolicy(config),
    journal: store.journal,
    randomId: () => `relayq-${crypto.randomUUID()}`,
    pool,
    rates: openRates(config),
  });
}
