/** Takes another configuration while the broker runs: all of it that can hold at once, or nothing. */
import type { AuditTrail } from "./_server_audit.ts";
import { compareConfigs, type Taker } from "./_server_config_change.ts";
import type { Listeners } from "./_server_listeners.ts";
import { logOptions } from "./_server_log.ts";
import type { MemoryWatch } from "./_server_memory.ts";
import { brokerLimits, gatekeeperSettings, reloadableFiles } from "./_server_parts.ts";
import { openRates } from "./_server_rates.ts";
import type { Reception } from "./_server_reception.ts";
import type { Reloads } from "./_server_reloads.ts";
import type { SparkplugDesk } from "./_server_sparkplug.ts";
import type { ConfiguredTakeOvers } from "./_server_take_over.ts";
import type { Turns } from "./_server_turns.ts";
import type { Config } from "./config/mod.ts";
import type { FrontDoor, Gatekeeper } from "./security/mod.ts";

/** A configuration that was read anew; null where there is no file to read. */
export type ConfigSource = () => Promise<Config | { readonly problems: readonly string[] } | null>;

/** What became of another configuration. */
export interface ReloadAnswer {
  /** Keys that hold now and did not before. */
  readonly applied: readonly string[];
  /** Keys that are other in the file than what holds until the next start. */
  readonly needsRestart: readonly string[];
  /** What is wrong; nothing was changed then. */
  readonly problems: readonly string[];
}

/** Who puts changed keys in place. */
export interface ReconfigurableParts {
  readonly turns: Turns;
  readonly door: FrontDoor;
  readonly gatekeeper: Gatekeeper;
  readonly listeners: Listeners;
  readonly reception: Reception;
  readonly reloads: Reloads;
  readonly takeOvers: ConfiguredTakeOvers;
  readonly desk: SparkplugDesk | null;
  readonly memory: () => MemoryWatch | null;
  readonly trail: AuditTrail;
  /** The interval of the `$SYS` topics is another one. */
  readonly rounds: () => void;
}

/** Puts in place what was made ready; or why it cannot be made ready. */
type Prepared = (() => void) | { readonly problem: string };

const NOTHING: ReloadAnswer = { applied: [], needsRestart: [], problems: [] };

/** One configuration after the other. */
export class Reconfiguration {
  /** What holds: one object, which whoever looks something up has. */
  readonly #config: Config;
  readonly #parts: ReconfigurableParts;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  constructor(config: Config, parts: ReconfigurableParts) {
    this.#config = config;
    this.#parts = parts;
  }

  /** Reads the configuration anew and takes it. Never rejects. */
  reread(source: ConfigSource): Promise<ReloadAnswer> {
    const answer = this.#last.then(async () => {
      const wanted = await source();
      if (wanted === null) return NOTHING;
      return "problems" in wanted ? this.#refuse(wanted.problems) : await this.#take(wanted);
    }).catch((error) => this.#refuse([error instanceof Error ? error.message : String(error)]));
    this.#last = answer;
    return answer;
  }

  /** The broker ends: what is being read is not put in place any more. */
  stop(): void {
    this.#isOver = true;
  }

  async #take(wanted: Config): Promise<ReloadAnswer> {
    const { next, applied, needsRestart, takers } = compareConfigs(this.#config, wanted);
    const uses: (() => void)[] = [];
    for (const taker of takers) {
      const prepared = await this.#prepare(taker, next);
      if ("problem" in prepared) return this.#refuse([prepared.problem]);
      uses.push(prepared);
    }
    if (this.#isOver) return NOTHING;
    // From here on nothing can fail and nothing is waited for: it is one turn.
    for (const use of uses) use();
    this.#hold(next);
    this.#tell({ applied, needsRestart });
    return { applied, needsRestart, problems: [] };
  }

  #prepare(taker: Taker, next: Config): Prepared | Promise<Prepared> {
    const parts = this.#parts;
    const { broker, log } = parts.turns;
    switch (taker) {
      case "access":
        return this.#prepareAccess(next);
      case "core":
        return broker.prepareLimits(brokerLimits(next));
      case "door":
        return parts.door.prepare(next);
      case "judging":
        return parts.desk?.prepareOverrides(next.sparkplug.overrides) ?? doNothing;
      case "listeners":
        return this.#prepareListeners(next);
      case "log": {
        const options = logOptions(next.log);
        return () => log.configure(options);
      }
      case "memory":
        return parts.memory()?.prepare(next.memory) ?? doNothing;
      case "rates": {
        const rates = openRates(next);
        return () => broker.setRates(rates, parts.turns.instant());
      }
      case "rounds":
        return () => queueMicrotask(parts.rounds);
      case "takeOvers":
        return parts.takeOvers.prepare(next.takeOver);
      case "watch": {
        const paths = reloadableFiles(next);
        return () => void parts.reloads.rewatch(paths, next.security.fileCheckMs);
      }
      case "views":
        return doNothing;
    }
  }

  async #prepareAccess(next: Config): Promise<Prepared> {
    const { gatekeeper, reception, turns } = this.#parts;
    const use = await gatekeeper.prepare(gatekeeperSettings(next, gatekeeper.bans));
    if ("problem" in use) return use;
    return () => {
      use();
      turns.broker.setPolicy(gatekeeper.policy);
      reception.revoke();
    };
  }

  async #prepareListeners(next: Config): Promise<Prepared> {
    const { listeners, reception } = this.#parts;
    const use = await listeners.prepare(next);
    if ("problem" in use) return use;
    return () => {
      use();
      void reception.recheckCertificates(listeners);
    };
  }

  /** Whoever has the configuration that holds sees the new one. */
  #hold({ listeners, ...sections }: Config): void {
    listeners.forEach((listener, i) => Object.assign(this.#config.listeners[i]!, listener));
    for (const [section, values] of Object.entries(sections)) {
      Object.assign(this.#config[section as keyof Config], values);
    }
  }

  #tell({ applied, needsRestart }: Pick<ReloadAnswer, "applied" | "needsRestart">): void {
    const { turns, trail } = this.#parts;
    trail.record({ event: "reload", what: "configuration", result: "ok" });
    const parts = [
      ...applied.length > 0 ? [`in force now: ${applied.join(", ")}`] : [],
      ...needsRestart.length > 0 ? [`at the next start: ${needsRestart.join(", ")}`] : [],
    ];
    const level = needsRestart.length > 0 ? "warn" : "info";
    turns.log.line(level, `configuration read: ${parts.join("; ") || "nothing is new"}`);
    turns.requestTurn();
  }

  #refuse(problems: readonly string[]): ReloadAnswer {
    const { turns, trail } = this.#parts;
    const [first = ""] = problems;
    trail.record({ event: "reload", what: "configuration", result: "failed", problem: first });
    for (const problem of problems) {
      turns.log.line("error", `reload failed, nothing is changed: ${problem}`, { kind: null });
    }
    turns.requestTurn();
    return { applied: [], needsRestart: [], problems };
  }
}

function doNothing(): void {}
