/**
 * One run from one seed: a safety phase in which everything may go wrong, then a liveness phase in
 * which nothing does and all that was promised has to come, then the end, where nothing may be left.
 */
import type { AccessPolicy } from "../../src/broker/mod.ts";
import { type AccessRules, drawRules, openRules, policyOf } from "./access_rules.ts";
import { Auditor } from "./auditor.ts";
import { BrokenPromise } from "./broken_promise.ts";
import { BrokerProcess } from "./broker_process.ts";
import { Dice } from "./dice.ts";
import { Link, type LinkClient } from "./link.ts";
import { type ClientWorld, ModelClient } from "./model_client.ts";
import { Oracle } from "./oracle.ts";
import type { TrafficRateOptions } from "../../src/security/mod.ts";
import { drawRates, drawScenario, type Scenario } from "./scenario.ts";
import { Scheduler } from "./scheduler.ts";
import { traced } from "./trace.ts";
import { VirtualDisk } from "./virtual_disk.ts";

/** Time after which everything must have come, once the faults have ended. */
const CONVERGENCE_MS = 60_000;
/** Time in which late copies would come, and Wills settle. */
const CALM_MS = 2_200;
/** How long a disk may need at most for the sync that ends a window, in latencies. */
const SYNC_LATENCIES = 30;
/** In this time after a disk was full the store has repeated what had failed. */
const DISK_RETRY_MS = 250;
/** How far the wall clock jumps at most. */
const JUMP_MS = 1e9;
/** Apart from all seeds of runs. */
const RATE_SEEDS = 1e9;
const ORACLE_TICK_MS = 250;
const WALL_START_MS = 1_700_000_000_000;
/** A run that takes more events than this does not get anywhere. */
const STEPS_MAX = 3_000_000;

/** How a run is done. */
export interface SimulationOptions {
  /** For the files of the virtual disk. */
  readonly directory: string;
  /** Takes a line for everything that the oracle sees. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** What a run that found nothing has seen. */
export interface Report {
  readonly events: number;
  readonly crashes: number;
  /** Times that a client was held for its rate. */
  readonly rateHolds: number;
  readonly received: number;
  readonly scenario: Scenario;
}

/** Runs a seed; throws what it finds. */
export async function simulate(seed: number, options: SimulationOptions): Promise<Report> {
  const simulation = new Simulation(seed, options);
  try {
    return await simulation.run();
  } finally {
    simulation.close();
  }
}

/** The world of one run. */
class Simulation implements ClientWorld {
  readonly scheduler = new Scheduler();
  readonly dice: Dice;
  readonly scenario: Scenario;
  readonly #rates: TrafficRateOptions | null;
  readonly oracle: Oracle;
  isCalm = false;
  readonly #disk: VirtualDisk;
  readonly #clients: ModelClient[];
  #rules: AccessRules = openRules(1);
  #policy: AccessPolicy = policyOf(this.#rules);
  #process: BrokerProcess | null = null;
  #acts = 0;
  #crashes = 0;
  #rateHolds = 0;
  #wallOffsetMs = WALL_START_MS;
  #diskFull = false;
  /** Since when the store may not have written everything; Infinity if it has. */
  #diskFullSinceMs = Infinity;
  #diskTroubleMs = -Infinity;
  #answered = false;
  #failure: unknown = null;
  readonly #trace: SimulationOptions["trace"];

  constructor(seed: number, { directory, trace }: SimulationOptions) {
    this.dice = new Dice(seed);
    this.#trace = trace;
    this.scenario = drawScenario(this.dice);
    // Dice of their own: a seed without limits is the run that it was before there were any.
    this.#rates = drawRates(new Dice(seed + RATE_SEEDS));
    const { walBytesMax, store, diskLatencyMs } = this.scenario;
    const { durability } = store;
    const expectsPowerCut = this.scenario.crashes > 0 && this.scenario.powerCutRate > 0;
    trace?.(JSON.stringify({ ...this.scenario, rates: this.#rates }));
    this.#disk = new VirtualDisk(directory, { walBytesMax, durability, expectsPowerCut });
    const { limits, topics, isTight } = this.scenario;
    const queue = { messagesMax: limits.queueMessagesMax, bytesMax: limits.queueBytesMax };
    const oracle = new Oracle({
      queue: isTight ? queue : { messagesMax: Infinity, bytesMax: Infinity },
      retainedMayGo: limits.retainedMessagesMax < topics.length,
      rules: this.#rules,
      forgetsMs: durability === "interval"
        ? store.syncIntervalMs + SYNC_LATENCIES * diskLatencyMs
        : 0,
      sessionExpiryMs: this.scenario.limits.sessionExpiryMs,
      nowMs: () => this.scheduler.nowMs,
    });
    this.oracle = trace === undefined ? oracle : traced(oracle, {
      print: trace,
      nowMs: () => this.scheduler.nowMs,
    });
    this.#start();
    this.#clients = this.scenario.clients.map((id) => new ModelClient(id, this));
  }

  /** All phases, one after the other. */
  async run(): Promise<Report> {
    this.#planFaults();
    this.#watch();
    await this.#until(() => this.#acts >= this.scenario.acts);
    if (this.scenario.crashAtEnd) this.#crash();
    await this.#converge();
    const auditor = await this.#audit();
    this.oracle.checkRetained(auditor.retained);
    await this.#windDown();
    const { scenario, oracle, scheduler } = this;
    const events = scheduler.steps;
    const rateHolds = this.#rateHolds;
    return { events, crashes: this.#crashes, rateHolds, received: oracle.received, scenario };
  }

  /** Lets go of the files. */
  close(): void {
    this.#process?.crash();
    this.#disk.close();
  }

  connect(client: LinkClient, brokerSawEnd: () => void): Link | null {
    const process = this.#process;
    if (process === null) return null;
    const { scheduler, dice, scenario } = this;
    const { latencyMs, splitRate, socketBytes } = scenario;
    const link = new Link({ scheduler, dice, latencyMs, splitRate }, {
      client,
      socketBytes,
      brokerSawEnd,
    });
    process.accept(link);
    return link;
  }

  acted(): void {
    this.#acts++;
  }

  // The faults of the world.

  #planFaults(): void {
    const { dice, scenario } = this;
    const meanActMs = scenario.actMs / scenario.clients.length;
    const phaseMs = scenario.acts * meanActMs;
    for (let i = 0; i < scenario.crashes; i++) this.#plan(phaseMs, () => this.#crash());
    for (let i = 0; i < scenario.reloads; i++) this.#plan(phaseMs, () => this.#reload());
    for (let i = 0; i < scenario.clockJumps; i++) {
      this.#plan(phaseMs, () => {
        const byMs = dice.between(-JUMP_MS, JUMP_MS);
        this.#wallOffsetMs += byMs;
        this.oracle.clockJumped(byMs);
      });
    }
    for (let i = 0; i < scenario.diskFills; i++) {
      this.#plan(phaseMs, () => this.#fillDisk(dice.duration(100)));
    }
  }

  #plan(phaseMs: number, act: () => void): void {
    this.scheduler.after(this.dice.between(0, phaseMs), () => {
      if (!this.isCalm) act();
    });
  }

  #crash(): void {
    if (this.#process === null) return;
    this.#crashes++;
    this.#rateHolds += this.#process.broker.statistics.rateHolds;
    this.#process.crash();
    this.#process = null;
    const isPowerCut = !this.isCalm && this.dice.chance(this.scenario.powerCutRate);
    this.#disk.crash(isPowerCut ? this.dice : null);
    this.oracle.crashed(this.#diskFullSinceMs);
    this.scheduler.after(this.dice.duration(20), () => this.#start());
  }

  #start(): void {
    const { scheduler, dice, scenario } = this;
    try {
      this.#process = new BrokerProcess({
        scheduler,
        dice,
        disk: this.#disk,
        limits: scenario.limits,
        policy: this.#policy,
        rates: this.#rates,
        store: scenario.store,
        diskLatencyMs: scenario.diskLatencyMs,
        turnMs: scenario.turnMs,
        wallMs: () => this.#wallOffsetMs + scheduler.nowMs,
        isDiskFull: () => this.#diskFull,
        storeAnswered: () => this.#answered = true,
        failed: (error) => this.#failure ??= error,
        trace: this.#trace,
      });
    } catch (error) {
      if (error instanceof BrokenPromise) throw error;
      throw new BrokenPromise("store cannot be opened", String(error));
    }
    this.oracle.restarted();
  }

  #reload(): void {
    const { clients, topics, filters } = this.scenario;
    const generation = this.#rules.generation + 1;
    this.#use(drawRules(this.dice, generation, { clients, topics, filters }));
  }

  #use(rules: AccessRules): void {
    this.#rules = rules;
    this.#policy = policyOf(rules);
    this.#process?.broker.setPolicy(this.#policy);
    this.oracle.reloaded(rules);
  }

  #fillDisk(forMs: number): void {
    this.#diskFull = true;
    this.#diskFullSinceMs = Math.min(this.#diskFullSinceMs, this.scheduler.nowMs);
    this.scheduler.after(forMs, () => {
      this.#diskFull = false;
      // What was tried again is worth a look.
      const crashes = this.scenario.crashes > 0 && this.dice.chance(0.5);
      if (crashes) this.#plan(DISK_RETRY_MS, () => this.#crash());
    });
  }

  /** Tells the oracle that time passes, and looks at the gauges. */
  #watch(): void {
    const { nowMs } = this.scheduler;
    const trouble = this.#process === null || this.#process.store.trouble !== null;
    if (this.#diskFull || trouble) this.#diskTroubleMs = nowMs;
    else this.#diskFullSinceMs = Infinity;
    this.oracle.elapsed(this.#diskTroubleMs < nowMs);
    this.#checkLimits();
    this.scheduler.after(ORACLE_TICK_MS, () => this.#watch());
  }

  /** "limit exceeded", "message given up without need" */
  #checkLimits(): void {
    if (this.#process === null) return;
    const { statistics } = this.#process.broker;
    const { limits } = this.scenario;
    const bounds: readonly (readonly [string, number, number])[] = [
      ["sessions", statistics.sessions, limits.sessionsMax],
      ["subscriptions", statistics.subscriptions, limits.subscriptionsMax],
      ["retainedMessages", statistics.retainedMessages, limits.retainedMessagesMax],
      ["retainedBytes", statistics.retainedBytes, limits.retainedBytesMax],
      [
        "queuedMessages",
        statistics.queuedMessages,
        limits.queueMessagesMax * statistics.sessions,
      ],
      ["queuedBytes", statistics.queuedBytes, limits.queueTotalBytesMax],
      ["deadLetters", statistics.deadLetters, limits.deadLettersMessagesMax],
      ["deadLetterBytes", statistics.deadLetterBytes, limits.deadLettersBytesMax],
      [
        "inFlightMessages",
        statistics.inFlightMessages,
        limits.inFlightMessagesMax * statistics.sessions,
      ],
    ];
    if (!this.scenario.isTight) {
      const { dropped } = statistics;
      const given = dropped["queue-full-newest"] + dropped["queue-full-oldest"];
      if (given > 0) throw new BrokenPromise("message given up without need", `${given}`);
    }
    for (const [name, value, limit] of bounds) {
      if (value >= 0 && value <= limit) continue;
      throw new BrokenPromise("limit exceeded", `${name} is ${value}, the limit is ${limit}`);
    }
  }

  // The phases.

  /** The liveness phase. */
  async #converge(): Promise<void> {
    this.isCalm = true;
    this.#disk.expectsPowerCut = false;
    this.#diskFull = false;
    this.#use(openRules(this.#rules.generation + 1));
    const deadlineMs = this.scheduler.nowMs + CONVERGENCE_MS;
    await this.#until(() => this.#isConverged || this.scheduler.nowMs > deadlineMs);
    const calmMs = this.scheduler.nowMs + CALM_MS;
    await this.#until(() => this.scheduler.nowMs > calmMs);
    await this.#until(() => this.#isConverged || this.scheduler.nowMs > deadlineMs);
    this.oracle.checkNothingOwed();
    if (this.#isConverged) return;
    const busy = this.#clients.filter((client) => !client.isSettled).map(({ id }) => id);
    throw new BrokenPromise("no convergence", `${busy.join(", ")} after ${CONVERGENCE_MS} ms`);
  }

  get #isConverged(): boolean {
    return this.oracle.owed === 0 && this.#clients.every((client) => client.isSettled);
  }

  /** What a new subscription gets. */
  async #audit(): Promise<Auditor> {
    const auditor = new Auditor(this, () => this.scheduler.nowMs);
    await this.#until(() => this.scheduler.nowMs - auditor.heardMs > 500);
    return auditor;
  }

  /** "gauge drifts": everybody leaves for good, and nothing is left behind. */
  async #windDown(): Promise<void> {
    for (const client of this.#clients) client.leave();
    const deadlineMs = this.scheduler.nowMs + CONVERGENCE_MS;
    await this.#until(() =>
      this.#clients.every((client) => client.hasLeft) || this.scheduler.nowMs > deadlineMs
    );
    const auditor = await this.#audit();
    auditor.cleanUp();
    await this.#until(() => this.#isWritten || this.scheduler.nowMs > deadlineMs);
    this.#checkEmpty();
    this.#crash();
    await this.#until(() => this.#process !== null);
    this.#checkEmpty();
  }

  /** Whether everybody has left, and the store has nothing to do. */
  get #isWritten(): boolean {
    if (this.#process === null) return false;
    const { broker, store } = this.#process;
    return broker.statistics.connectionsOpen === 0 && !store.dirty &&
      store.statistics.recordsWaiting === 0;
  }

  #checkEmpty(): void {
    const { statistics } = this.#process!.broker;
    const { sessions, subscriptions, queuedMessages, queuedBytes } = statistics;
    const { inFlightMessages, inFlightBytes, retainedMessages, retainedBytes } = statistics;
    const gauges = {
      ...{ sessions, subscriptions, queuedMessages, queuedBytes },
      ...{ inFlightMessages, inFlightBytes, retainedMessages, retainedBytes },
    };
    if (Object.values(gauges).every((value) => value === 0)) return;
    throw new BrokenPromise("gauge drifts", JSON.stringify(gauges));
  }

  async #until(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (!this.scheduler.step()) throw new Error("Cannot go on: nothing is left to happen");
      if (this.scheduler.steps > STEPS_MAX) {
        throw new BrokenPromise("no convergence", `${STEPS_MAX} events`);
      }
      if (this.#answered) await this.#promisesKept();
      if (this.#failure !== null) throw this.#failure;
    }
  }

  /** Whoever waited for the store runs before the next event. */
  async #promisesKept(): Promise<void> {
    this.#answered = false;
    await Promise.resolve();
    await Promise.resolve();
  }
}
