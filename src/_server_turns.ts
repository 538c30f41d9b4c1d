/**
 * The turns of a broker. A turn is everything that was ready at one moment: many reads, one commit,
 * one write for each connection with output, one write of the log.
 */
import { inTime } from "./_server_in_time.ts";
import { logEvent } from "./_server_log.ts";
import { iterate } from "./_server_parts.ts";
import { ReleaseTimer } from "./_server_rates.ts";
import {
  type Broker,
  type BrokerEvent,
  type Connection,
  type ConnectRefusal,
  type Denial,
  DURATION_BOUNDS_S,
  Histogram,
  type Instant,
  type Oversight,
  type PendingAuthentication,
} from "./broker/mod.ts";
import { BlockPool } from "./mqtt/mod.ts";
import type { Store } from "./store/mod.ts";
import { Log, type LogLine, type LogOptions } from "./system/mod.ts";
import type { ConnectionDriver, TurnOwner } from "./transport/mod.ts";

/** Memory that drained buffers may keep for reuse. */
const POOL_BYTES_MAX = 16_777_216;
/** How long whoever makes a change waits for its commit. */
const CHANGE_MS = 5_000;
/** How long the loop may be busy before it has to look at every socket: costs 4 % of that time. */
const ITERATION_MS = 2;

/** What the end of a turn needs of whoever holds the connections. */
export interface TurnHands {
  /** The driver of a connection, as long as its socket is open. */
  driver(connection: Connection): ConnectionDriver | undefined;
  /** A CONNECT was refused. */
  refused(connection: Connection, refusal: ConnectRefusal): void;
  /** A CONNECT waits for the verdict on its password. */
  authenticate(pending: PendingAuthentication): void;
}

/** Whoever keeps a record of what happens in the core. */
export interface TurnWitness {
  happened(event: BrokerEvent): void;
  /** `others`: denials that there was no room for. */
  denied(denials: { kept: readonly Denial[]; others: number }): void;
  /** More happened than could be told. */
  missed(events: number): void;
}

/** Runs the turns and keeps the log. */
export class Turns implements TurnOwner {
  readonly broker: Broker;
  readonly pool: BlockPool;
  readonly log: Log;
  /**
   * Seconds from the moment a turn takes the first bytes until its output was handed to the sockets,
   * once for every PUBLISH of the turn: for each of them an upper bound.
   */
  readonly publishLatencies = new Histogram(DURATION_BOUNDS_S);
  readonly #store: Store;
  readonly #writeLog: (lines: string) => void;
  readonly #witness: TurnWitness;
  readonly #releases = new ReleaseTimer(this);
  #hands: TurnHands | null = null;
  /** Lines of this turn, so that a turn writes once. */
  #logLines = "";
  #requested = false;
  #ended = 0;
  /** Commits that have not been answered, and since when there have been any without an answer. */
  #commits = 0;
  #commitsSinceMs = Infinity;
  #iteration: Promise<void> | null = null;
  #iteratedMs = 0;
  #eventsLost = 0;
  /** Who waits for the commit of a change, by its batch. */
  #changes: { readonly batch: number; readonly resolve: (done: true) => void }[] = [];
  /** When this turn took its first bytes; 0 if it has none yet. */
  #receivedMs = 0;
  /** PUBLISH packets up to the last turn. */
  #publishes = 0;

  /** `makeBroker` is given the pool that the transport shares with the core. */
  constructor(
    makeBroker: (pool: BlockPool) => Broker,
    parts: {
      store: Store;
      witness: TurnWitness;
      logOptions: LogOptions;
      writeLog: (lines: string) => void;
      /** Each line before it is written. */
      lineSeen: (line: LogLine) => void;
    },
  ) {
    this.pool = new BlockPool(POOL_BYTES_MAX);
    this.broker = makeBroker(this.pool);
    this.#store = parts.store;
    this.#writeLog = parts.writeLog;
    this.#witness = parts.witness;
    this.log = new Log(parts.logOptions, {
      write: (line) => {
        this.#logLines += line;
        this.requestTurn();
      },
      seen: parts.lineSeen,
      wallMs: Date.now,
      nowMs: () => performance.now(),
    });
  }

  /** Connections may come from now on: `hands` has their drivers. */
  serve(hands: TurnHands): void {
    this.#hands = hands;
  }

  instant(): Instant {
    // Whole milliseconds: fractions would cost an allocation wherever a time is kept.
    return { nowMs: Math.ceil(performance.now()), wallMs: Date.now() };
  }

  received(): Instant {
    const nowMs = performance.now();
    if (this.#receivedMs === 0) this.#receivedMs = nowMs;
    return { nowMs: Math.ceil(nowMs), wallMs: Date.now() };
  }

  requestTurn(): void {
    if (this.#requested) return;
    this.#requested = true;
    // Runs behind the continuations of all reads that completed together with this one.
    queueMicrotask(() => this.end());
  }

  nextIteration(): Promise<void> {
    if (performance.now() - this.#iteratedMs < ITERATION_MS) return Promise.resolve();
    return this.#iteration ??= iterate().then(() => {
      this.#iteration = null;
      this.#iteratedMs = performance.now();
    });
  }

  /**
   * Makes a change that no client has caused, in a turn of its own. `committed` resolves when all that
   * was written down for it is committed, to whether that was in time.
   */
  change<T>(
    act: (oversight: Oversight, instant: Instant) => T,
    { withinMs = CHANGE_MS }: { withinMs?: number } = {},
  ): { readonly result: T; readonly committed: Promise<boolean> } {
    const { journal } = this.#store;
    const { records, batch } = journal;
    const result = act(this.broker.oversight, this.instant());
    this.requestTurn();
    if (journal.records === records) return { result, committed: Promise.resolve(true) };
    journal.awaitCommit();
    const { promise, resolve } = Promise.withResolvers<true>();
    this.#changes.push({ batch, resolve });
    return { result, committed: inTime(promise, withinMs).then((done) => done === true) };
  }

  /** Turns so far. */
  get ended(): number {
    return this.#ended;
  }

  /** How long something has waited for the store without any answer, in ms. */
  get storeSilentMs(): number {
    return Math.max(0, performance.now() - this.#commitsSinceMs);
  }

  /** Ends the turn now. */
  end(): void {
    const { broker } = this;
    this.#ended++;
    const hands = this.#hands;
    this.#requested = false;
    broker.settle();
    if (this.#store.dirty) this.#commit();
    const { dirty, resumed } = broker.endTurn();
    for (const connection of dirty) hands?.driver(connection)?.flush();
    this.#timePublishes();
    for (const connection of resumed) hands?.driver(connection)?.resume();
    for (const event of broker.takeEvents()) {
      logEvent(this.log, event);
      const { connection } = event;
      if (event.kind === "closed" && event.refusal) hands?.refused(connection, event.refusal);
      this.#witness.happened(event);
    }
    this.#tellLost();
    const denials = broker.takeDenials();
    if (denials !== null) this.#witness.denied(denials);
    if (broker.replaysWait) void this.#continueReplays();
    for (const pending of broker.takeAuthentications()) hands?.authenticate(pending);
    this.#releases.set();
    this.#flushLog();
  }

  #tellLost(): void {
    const { eventsLost } = this.broker.statistics;
    const lost = eventsLost - this.#eventsLost;
    if (lost === 0) return;
    this.#eventsLost = eventsLost;
    this.log.line("warn", `${lost} events more at the same moment, which are not told`);
    this.#witness.missed(lost);
  }

  /** Two looks at the clock for a turn, however many packets it has. */
  #timePublishes(): void {
    const sinceMs = this.#receivedMs;
    if (sinceMs === 0) return;
    this.#receivedMs = 0;
    const { publishReceived } = this.broker.statistics;
    const count = publishReceived - this.#publishes;
    this.#publishes = publishReceived;
    if (count > 0) this.publishLatencies.observe((performance.now() - sinceMs) / 1000, count);
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
    this.#writeLog(lines);
  }

  #commit(): void {
    const committed = this.#store.commit();
    if (typeof committed === "number") {
      this.#committed(committed);
      return;
    }
    if (this.#commits++ === 0) this.#commitsSinceMs = performance.now();
    void committed.then((batch) => {
      this.#commitsSinceMs = --this.#commits === 0 ? Infinity : performance.now();
      this.#committed(batch);
      this.requestTurn();
    });
  }

  #committed(batch: number): void {
    this.broker.committed(batch);
    if (this.#changes.length === 0) return;
    const done = this.#changes.filter((change) => change.batch <= batch);
    this.#changes = this.#changes.filter((change) => change.batch > batch);
    for (const { resolve } of done) resolve(true);
  }
}
