/** The composition root: builds the broker from its rooms, starts it, reloads it and ends it. */
import type { AdminListener, ServerFigures } from "./_server_admin.ts";
import { type AdminSide, loadAdminSide } from "./_server_admin_side.ts";
import { type AuditFacts, AuditTrail } from "./_server_audit.ts";
import { type CoreParts, makeBroker } from "./_server_broker.ts";
import { ConnectionAudit } from "./_server_audit_connections.ts";
import { inTime } from "./_server_in_time.ts";
import { letGo } from "./_server_let_go.ts";
import { Listeners } from "./_server_listeners.ts";
import { type LogIo, logOptions, LogOutlet, refusalFacts } from "./_server_log.ts";
import { MemoryWatch } from "./_server_memory.ts";
import { openGatekeeper, openStore, reloadableFiles } from "./_server_parts.ts";
import { Reception } from "./_server_reception.ts";
import { type ConfigSource, Reconfiguration, type ReloadAnswer } from "./_server_reconfigure.ts";
import { type ReloadParts, Reloads } from "./_server_reloads.ts";
import { openSparkplug, type SparkplugSide } from "./_server_sparkplug.ts";
import { Service, STOP_MS_MAX } from "./_server_service.ts";
import { StoreTroubles, tellQuarantine } from "./_server_store_troubles.ts";
import { SysRounds } from "./_server_sys_rounds.ts";
import { type ConfiguredTakeOvers, takeOverPolicy } from "./_server_take_over.ts";
import { Turns } from "./_server_turns.ts";
import deno from "../deno.json" with { type: "json" };
import type { Broker } from "./broker/mod.ts";
import type { Config } from "./config/mod.ts";
import { type QuarantineReport, type Store, type StoreStatistics } from "./store/mod.ts";
import { FrontDoor, type Gatekeeper } from "./security/mod.ts";
import {
  DataDirectory,
  type FileMarks,
  fileMarks,
  type Log,
  onReloadSignal,
  terminationSignal,
} from "./system/mod.ts";

/** How often the core looks at timeouts. */
const TICK_MS = 250;
/** How often the certificates of open connections are judged again: they expire. */
const RECHECK_MS = 3_600_000;
/**
 * Exit codes of `relayq serve`: it cannot start; it has ended for want of memory, to be started again;
 * it was told to end and could not in time, but what it had acknowledged is stored.
 */
const EXIT = { start: 3, memory: 6, late: 7 } as const;

/** Where the broker writes. */
export interface ServerIo extends LogIo {
  /** It listens; addresses in the order of the configuration; `admin`: that of the admin listener, if there is one. */
  started?(addresses: readonly Deno.NetAddr[], admin: Deno.NetAddr | null): void;
  /** Reads the configuration anew. */
  readonly reread?: ConfigSource;
}

/** What a broker is made of, opened. */
interface ServerParts extends Omit<CoreParts, "pool" | "takeOvers"> {
  readonly directory: DataDirectory;
  readonly trail: AuditTrail;
  readonly outlet: LogOutlet;
  readonly side: AdminSide | null;
}

/** Runs the broker until a signal ends it; resolves to the exit code of the process. */
export async function runServer(config: Config, io: ServerIo): Promise<number> {
  // Whoever asks twice does not want to wait, and what was acknowledged is stored.
  const signal = terminationSignal((name) => Deno.exit(name === "SIGINT" ? 130 : 143));
  const service = Service.open();
  const endMsMax = () => (server?.config ?? config).service.drainMs + STOP_MS_MAX;
  let server: Server | null = null;
  let reload: (() => void) | null = null;
  let wanted = false;
  // From the first moment to the last: left to the system, SIGHUP would end the process.
  const ended = onReloadSignal(() => {
    if (reload === null) wanted = true;
    else reload();
  });
  try {
    const starting = Server.start(config, io);
    const signalled = signal.received.then(() => inTime(starting, endMsMax()));
    const started = await Promise.race([starting, signalled]);
    if (started === null) {
      io.err("Cannot end in time: the start is not done\n");
      return EXIT.late;
    }
    if ("problem" in started) {
      io.err(`Cannot start: ${started.problem}\n`);
      return EXIT.start;
    }
    server = started;
    io.started?.(server.addresses, server.adminAddress);
    service.ready(server.turns, server.config.service);
    reload = () => service.reloading(started.reload());
    if (wanted) reload();
    const told = signal.received.then((reason) => ({ reason, code: 0 }));
    const exhausted = server.exhausted.then((reason) => ({ reason, code: EXIT.memory }));
    const { reason, code } = await Promise.race([told, exhausted]);
    reload = () => {};
    service.stopping(reason, server.config.service);
    return await inTime(server.stop(reason), endMsMax()) === true ? code : EXIT.late;
  } finally {
    await service.close();
    ended();
    signal.cancel();
  }
}

/** A running broker. */
export class Server {
  readonly broker: Broker;
  /** What holds at present. */
  readonly config: Config;
  readonly #store: Store;
  readonly #directory: DataDirectory;
  readonly #gatekeeper: Gatekeeper;
  /** Who moves bytes between the sockets and the core. */
  readonly turns: Turns;
  readonly #log: Log;
  readonly #trail: AuditTrail;
  readonly #outlet: LogOutlet;
  readonly #audit: ConnectionAudit;
  readonly #sparkplug: SparkplugSide;
  readonly #side: AdminSide | null;
  readonly #takeOvers: ConfiguredTakeOvers;
  #door: FrontDoor | null = null;
  #reception: Reception | null = null;
  #listeners: Listeners | null = null;
  #reloads: Reloads | null = null;
  #reconfiguration: Reconfiguration | null = null;
  #reread: ConfigSource = () => Promise.resolve(null);
  #admin: AdminListener | null = null;
  #accepting = false;
  #rounds: SysRounds | null = null;
  #memory: MemoryWatch | null = null;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #troubles = new StoreTroubles();
  /** Damaged databases that lie beside the present one; 0 unless this start has set one aside. */
  #quarantines = 0;

  private constructor(config: Config, parts: ServerParts) {
    this.config = config;
    this.#directory = parts.directory;
    this.#store = parts.store;
    this.#gatekeeper = parts.gatekeeper;
    this.#trail = parts.trail;
    this.#sparkplug = parts.sparkplug;
    this.#outlet = parts.outlet;
    const side = this.#side = parts.side;
    this.#audit = new ConnectionAudit(parts.trail, (client) => parts.gatekeeper.identityOf(client));
    const takeOvers = this.#takeOvers = takeOverPolicy(config.takeOver, {
      trail: parts.trail,
      say: (level, text) => this.#log.line(level, text, { room: "security" }),
    });
    this.turns = new Turns((pool) => makeBroker(config, { ...parts, pool, takeOvers }), {
      store: parts.store,
      witness: side?.api.beside(this.#audit) ?? this.#audit,
      logOptions: logOptions(config.log),
      writeLog: (lines) => parts.outlet.add(lines),
      lineSeen: (line) => side?.api.lineSeen(line),
    });
    this.#log = this.turns.log;
    this.broker = this.turns.broker;
    const state = this.#store.load();
    this.broker.restore(state, this.turns.instant());
    const surroundings = { turns: this.turns, audit: this.#audit, journal: parts.store.journal };
    this.#sparkplug.desk?.begin(surroundings, state);
  }

  /** Binds the listeners and starts; gives the reason where that is not possible. */
  static async start(config: Config, io: ServerIo): Promise<Server | { problem: string }> {
    const outlet = await LogOutlet.open(config.log, io);
    if ("problem" in outlet) return outlet;
    // A copy of our own: what changes while the broker runs is seen by all who have it.
    const server = await Server.#start(structuredClone(config), outlet);
    if ("problem" in server) await outlet.end();
    else server.#reread = io.reread ?? server.#reread;
    return server;
  }

  static async #start(
    config: Config,
    outlet: LogOutlet,
  ): Promise<Server | { problem: string }> {
    // Before they are read for the first time.
    const marks = await fileMarks(reloadableFiles(config));
    const gatekeeper = await openGatekeeper(config);
    if ("problem" in gatekeeper) return gatekeeper;
    const directory = await DataDirectory.open(config.store.dataDir);
    if ("problem" in directory) return directory;
    let server: Server | null = null;
    const trail = await AuditTrail.open(config.audit, {
      dataDir: config.store.dataDir,
      version: deno.version,
      say: (level, text) => {
        if (server !== null) server.#log.line(level, text, { room: "security" });
      },
    });
    if ("problem" in trail) {
      directory.close();
      return trail;
    }
    const sparkplug = await openSparkplug(config);
    if ("problem" in sparkplug) {
      await trail.close("start failed");
      directory.close();
      return sparkplug;
    }
    const quarantine: QuarantineReport[] = [];
    const store = await openStore(config, (report) => quarantine.push(report));
    if ("problem" in store) {
      await trail.close("start failed");
      directory.close();
      return { problem: `store in ${config.store.dataDir} (${store.kind}): ${store.problem}` };
    }
    const side = await loadAdminSide(config);
    server = new Server(config, { directory, store, gatekeeper, trail, sparkplug, outlet, side });
    for (const report of quarantine) server.#quarantined(report);
    const problem = await server.#listen(marks);
    if (problem !== null) {
      await server.stop("start failed");
      return problem;
    }
    server.#startTimers();
    server.#log.line("info", `started: relayq ${deno.version}`);
    trail.started(config);
    return server;
  }

  /** Where the broker listens, in the order of the configuration. */
  get addresses(): readonly Deno.NetAddr[] {
    return this.#listeners?.addresses ?? [];
  }

  /** Where the admin listener listens; null without one. */
  get adminAddress(): Deno.NetAddr | null {
    return this.#admin?.address ?? null;
  }

  /** Counters of what is written; null where nothing is. */
  get storeStatistics(): StoreStatistics | null {
    return this.#store.statistics;
  }

  /** Figures of the audit log; null where none is kept. */
  get auditFacts(): AuditFacts | null {
    return this.#trail.facts;
  }

  /** Resolves to the reason when the memory is so short that the broker has to end. */
  get exhausted(): Promise<string> {
    return this.#memory?.exhausted ?? new Promise(() => {});
  }

  /**
   * Takes the configuration as it is now, or as `reread` gives it, then reads all files again. With a mistake in the
   * configuration nothing is changed at all; a file with one leaves what it is about as it is.
   */
  async reload(reread: ConfigSource = this.#reread): Promise<ReloadAnswer> {
    this.#outlet.reopen();
    const answer = await this.#reconfiguration!.reread(reread);
    if (answer.problems.length === 0) await this.#reloads!.reload();
    return answer;
  }

  /**
   * Lets clients take what is theirs, closes their connections, publishes the Wills this causes, and
   * lets go of everything; each in its time. Gives whether the store took all it was given.
   */
  async stop(reason: string): Promise<boolean> {
    this.#accepting = false;
    this.#log.line("info", `stopping: ${reason}`);
    this.#trail.record({ event: "stopping", reason });
    this.#reconfiguration?.stop();
    this.#rounds?.end();
    for (const timer of this.#timers) clearInterval(timer);
    this.#memory?.close();
    await Promise.all([this.#reloads?.stop(), this.#listeners?.close()]);
    const { drainMs } = this.config.service;
    const behind = await this.#reception?.drain(drainMs) ?? 0;
    const text = `stopping: ${behind} clients have not taken in ${drainMs} ms what was theirs`;
    if (behind > 0) this.#log.line("warn", text);
    await this.#reception?.shutDown();
    this.#side?.api.hub.close();
    await this.#admin?.close(); // until here it says that nobody is accepted any more
    this.broker.stopping(this.turns.instant());
    this.turns.end();
    const parts = { desk: this.#sparkplug.desk, store: this.#store, trail: this.#trail };
    const isStored = await letGo(reason, { ...parts, log: this.#log });
    this.#log.tick(Infinity);
    this.turns.end(); // the last lines of the log
    await this.#outlet.end();
    this.#directory.close();
    return isStored;
  }

  /** Opens the door and the listeners, or says why that is not possible. */
  async #listen(marks: FileMarks): Promise<{ problem: string } | null> {
    const config = this.config;
    const door = FrontDoor.open(config, (text, refusal) => {
      this.#log.line("warn", text, refusalFacts(refusal));
    });
    if ("problem" in door) return door;
    const audit = this.#audit;
    door.onRefusal = (refusal) => audit.turnedAway(refusal);
    const reception = new Reception(this.turns, { gatekeeper: this.#gatekeeper, door, audit });
    this.turns.serve(reception);
    const listeners = await Listeners.open(config, {
      front: door,
      nowMs: () => this.turns.instant().nowMs,
      pause: () => this.turns.nextIteration(),
      accepted: (accepted) => reception.accepted(accepted),
      said: (level, text) => this.#log.line(level, text, { room: "transport" }),
    });
    if ("problem" in listeners) return listeners;
    this.#door = door;
    this.#reception = reception;
    this.#listeners = listeners;
    const parts = { gatekeeper: this.#gatekeeper, reception, audit, trail: this.#trail };
    const others: ReloadParts["others"] = async (paths) => await this.#admin?.reload(paths) ?? [];
    this.#reloads = new Reloads(this.turns, { ...parts, listeners, others });
    this.#reloads.watch(marks, config.security.fileCheckMs);
    this.#reconfiguration = new Reconfiguration(config, {
      ...{ ...parts, turns: this.turns, takeOvers: this.#takeOvers },
      ...{ door, listeners, reloads: this.#reloads },
      desk: this.#sparkplug.desk,
      memory: () => this.#memory,
      rounds: () => this.#rounds?.begin(),
    });
    const admin = await this.#side?.open(config, {
      turns: this.turns,
      trail: this.#trail,
      figures: () => this.#figures(),
      accepting: () => this.#accepting,
      api: (kit) => {
        const sparkplug = this.#sparkplug;
        const reload = () => this.reload();
        const held = { ...parts, config, turns: this.turns, store: this.#store, sparkplug, reload };
        return this.#side!.api.routes({ ...held, listeners: () => listeners.details }, kit);
      },
      admitsChanged: (stillAdmits) => this.#side!.api.hub.recheck(stillAdmits),
    }) ?? null;
    if (admin !== null && "problem" in admin) return admin;
    this.#admin = admin;
    this.#accepting = true;
    return null;
  }

  #startTimers(): void {
    const { memory } = this.config;
    if (memory.enabled) {
      this.#memory = new MemoryWatch(memory, { turns: this.turns, trail: this.#trail });
    }
    this.#timers.push(setInterval(() => this.#tick(), TICK_MS));
    const recheck = () => {
      void this.#reception!.recheckCertificates(this.#listeners!);
      void this.#admin?.recheck();
    };
    this.#timers.push(setInterval(recheck, RECHECK_MS));
    this.#rounds = new SysRounds({
      ...{ turns: this.turns, trail: this.#trail, store: this.#store },
      ...{ quarantines: this.#quarantines, gatekeeper: this.#gatekeeper },
      ...{ door: this.#door!, reloads: this.#reloads!, memory: this.#memory },
      ...{ config: this.config.sysTopics, sparkplug: this.#sparkplug },
    });
    this.#rounds.begin();
  }

  /** A damaged database was set aside at the start. */
  #quarantined(report: QuarantineReport): void {
    this.#quarantines = report.setAside;
    tellQuarantine(report, { log: this.#log, trail: this.#trail });
    this.broker.lost(report.orphans);
  }

  #tick(): void {
    const instant = this.turns.instant();
    this.broker.tick(instant);
    this.#sparkplug.desk?.tick(instant);
    this.#trail.tick(instant.nowMs);
    this.#gatekeeper.bans.expire(instant.wallMs);
    this.#door?.tick(instant.nowMs);
    this.#troubles.look(this.#store.trouble, this.#log);
    this.#log.tick(performance.now());
    this.turns.requestTurn();
  }

  /** What the metrics tell of the parts. */
  #figures(): ServerFigures {
    const { statistics, journal: { backlogBytes }, trouble } = this.#store;
    return {
      store: { statistics, backlogBytes, trouble, quarantines: this.#quarantines },
      listeners: this.#listeners!.figures,
      door: this.#door!.figures,
      logins: this.#gatekeeper.logins,
      reloads: this.#reloads!.figures,
      audit: this.#trail.facts,
      memory: this.#memory?.figures ?? null,
      sparkplug: this.#sparkplug.desk?.figures ?? null,
      lastValues: this.#sparkplug.values?.figures ?? null,
    };
  }
}
