/** A real broker in this process, on a free port of 127.0.0.1, with a data directory of its own. */
import { compareConfigs } from "../../src/_server_config_change.ts";
import { type Config, DEFAULT_CONFIG, type ListenerConfig } from "../../src/config/mod.ts";
import { Server } from "../../src/server.ts";

/** Changes to the default configuration, section by section. */
export type ConfigChanges = {
  readonly [S in keyof Omit<Config, "listeners">]?: Partial<Config[S]>;
};

/** What a test wants besides the configuration. */
export interface TestOptions {
  readonly keepDataDir?: boolean;
  readonly listener?: Partial<ListenerConfig>;
  /** Further listeners; their ports are in `server.addresses`. */
  readonly more?: readonly Partial<ListenerConfig>[];
}

/** A running broker; `await using` ends it. */
export class TestBroker implements AsyncDisposable {
  /** Whether brokers start without the changes that can be made later, and get them by a reload. */
  static throughReload = false;
  /** How many of them have been reloaded. */
  static reloads = 0;

  readonly port: number;
  readonly server: Server;
  /** Lines of the log so far. */
  readonly log: string[];
  /** Removed at the end; null to keep it. */
  readonly #dataDir: string | null;

  private constructor(server: Server, log: string[], dataDir: string | null) {
    this.server = server;
    this.port = server.addresses[0]!.port;
    this.log = log;
    this.#dataDir = dataDir;
  }

  /** Starts a broker with the default configuration and these changes; by default without $SYS. */
  static async start(
    changes: ConfigChanges = {},
    { keepDataDir = false, listener = {}, more = [] }: TestOptions = {},
  ): Promise<TestBroker> {
    const dataDir = changes.store?.dataDir ??
      await Deno.makeTempDir({ prefix: "relayq-test-" });
    const config: Config = {
      listeners: [listener, ...more].map((changed) => ({
        ...DEFAULT_CONFIG.listeners[0]!,
        address: "127.0.0.1:0",
        ...changed,
      })),
      ip: { ...DEFAULT_CONFIG.ip, ...changes.ip },
      connectionRate: { ...DEFAULT_CONFIG.connectionRate, ...changes.connectionRate },
      loginGuard: { ...DEFAULT_CONFIG.loginGuard, ...changes.loginGuard },
      rate: { ...DEFAULT_CONFIG.rate, ...changes.rate },
      security: { ...DEFAULT_CONFIG.security, fileCheckMs: 0, ...changes.security },
      audit: { ...DEFAULT_CONFIG.audit, ...changes.audit },
      takeOver: { ...DEFAULT_CONFIG.takeOver, ...changes.takeOver },
      protocol: { ...DEFAULT_CONFIG.protocol, ...changes.protocol },
      limits: { ...DEFAULT_CONFIG.limits, ...changes.limits },
      queue: { ...DEFAULT_CONFIG.queue, ...changes.queue },
      outbox: { ...DEFAULT_CONFIG.outbox, ...changes.outbox },
      retained: { ...DEFAULT_CONFIG.retained, ...changes.retained },
      deadLetters: { ...DEFAULT_CONFIG.deadLetters, ...changes.deadLetters },
      memory: { ...DEFAULT_CONFIG.memory, ...changes.memory },
      session: { ...DEFAULT_CONFIG.session, ...changes.session },
      store: { ...DEFAULT_CONFIG.store, dataDir, ...changes.store },
      sparkplug: { ...DEFAULT_CONFIG.sparkplug, ...changes.sparkplug },
      sysTopics: { ...DEFAULT_CONFIG.sysTopics, enabled: false, ...changes.sysTopics },
      admin: { ...DEFAULT_CONFIG.admin, ...changes.admin },
      // Tests count lines.
      log: { ...DEFAULT_CONFIG.log, level: "debug", repeatsPerSecondMax: 0, ...changes.log },
      // Nor do they wait for clients that take nothing.
      service: { ...DEFAULT_CONFIG.service, drainMs: 0, ...changes.service },
    };
    const log: string[] = [];
    const server = await Server.start(
      TestBroker.throughReload ? withoutLiveChanges(config) : config,
      { err: (text) => log.push(text) },
    );
    if ("problem" in server) throw new Error(`Cannot start test broker: ${server.problem}`);
    if (TestBroker.throughReload) {
      const { problems, needsRestart } = await server.reload(() => Promise.resolve(config));
      const faults = [...problems, ...needsRestart];
      if (faults.length > 0) throw new Error(`Cannot reload test broker: ${faults.join("; ")}`);
      log.length = 0;
      TestBroker.reloads++;
    }
    return new TestBroker(server, log, keepDataDir ? null : dataDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop("end of test");
    if (this.#dataDir !== null) await Deno.remove(this.#dataDir, { recursive: true });
  }
}

/** The defaults, but for what only a start can change. */
function withoutLiveChanges(config: Config): Config {
  const [listener] = DEFAULT_CONFIG.listeners;
  // A listener has TLS from the start or never.
  const listeners = config.listeners.map(({ address, certificateFile, keyFile }) => ({
    ...listener!,
    ...{ address, certificateFile, keyFile },
  }));
  const security = { ...DEFAULT_CONFIG.security, fileCheckMs: 0 };
  return compareConfigs(config, { ...DEFAULT_CONFIG, listeners, security }).next;
}
