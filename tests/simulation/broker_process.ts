/**
 * One life of the broker: the real core over the real store, with the turns that the server makes of
 * them, until it crashes or ends.
 */
import {
  type AccessPolicy,
  Broker,
  type BrokerLimits,
  type Connection,
  describeEvent,
  type Instant,
  type StoredState,
} from "../../src/broker/mod.ts";
import { BlockPool } from "../../src/mqtt/mod.ts";
import { type TrafficRateOptions, TrafficRates } from "../../src/security/mod.ts";
import { SparkplugAwareness } from "../../src/sparkplug/mod.ts";
import { type DurabilityOptions, DurableStore } from "../../src/store/durable_store.ts";
import { MemoryStore } from "../../src/store/memory_store.ts";
import { readState } from "../../src/store/sqlite_state_reader.ts";
import { ownerOf } from "./access_rules.ts";
import { BrokenPromise } from "./broken_promise.ts";
import type { Dice } from "./dice.ts";
import type { Link } from "./link.ts";
import type { Scheduler } from "./scheduler.ts";
import { ServerSocket, type SocketOwner } from "./server_socket.ts";
import { VirtualDevice } from "./virtual_device.ts";
import type { VirtualDisk } from "./virtual_disk.ts";

/** How often the core looks at timeouts. */
const TICK_MS = 250;

/** What a broker process finds in the world. */
export interface ProcessWorld {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly disk: VirtualDisk;
  readonly limits: BrokerLimits;
  readonly policy: AccessPolicy;
  /** What clients may send; null for no limit. */
  readonly rates: TrafficRateOptions | null;
  readonly store: DurabilityOptions;
  readonly diskLatencyMs: number;
  /** How long the loop takes from the first input of a turn to its end, on the average. */
  readonly turnMs: number;
  wallMs(): number;
  isDiskFull(): boolean;
  /** A promise of the store was kept: whoever waits for it has to run before the next event. */
  storeAnswered(): void;
  failed(error: unknown): void;
  /** Takes the lines of the broker's log. */
  readonly trace: ((line: string) => void) | undefined;
}

/** Blocks that come back are overwritten, so that whoever still reads them is found out. */
class PoisoningPool extends BlockPool {
  override give(block: Uint8Array): void {
    block.fill(0xdd);
    super.give(block);
  }
}

/** A running broker. */
export class BrokerProcess implements SocketOwner {
  readonly broker: Broker;
  readonly pool: BlockPool = new PoisoningPool(1_048_576);
  readonly store: DurableStore;
  readonly #world: ProcessWorld;
  readonly #sockets = new Map<Connection, ServerSocket>();
  readonly #startedMs: number;
  #alive = true;
  #turnRequested = false;
  #releaseMs = Infinity;
  #cancelRelease: (() => void) | null = null;
  #nextHandle = 1;
  #nextRandomId = 1;

  /** Starts on what the disk holds; throws if the store cannot be opened. */
  constructor(world: ProcessWorld) {
    this.#world = world;
    this.#startedMs = world.scheduler.nowMs;
    const database = world.disk.open();
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    database.load((chunk) => chunks.push(chunk));
    const device = new VirtualDevice({
      dice: world.dice,
      disk: world.disk,
      durability: world.store.durability,
      latencyMs: world.diskLatencyMs,
      isFull: world.isDiskFull,
      after: (delayMs, act) => this.after(delayMs, act),
      reply: (reply) => {
        this.store.receive(reply);
        world.storeAnswered();
      },
    }, database);
    const clock = {
      nowMs: () => world.scheduler.nowMs,
      after: (delayMs: number, callback: () => void) => this.#timer(delayMs, callback),
    };
    const options = world.store;
    this.store = new DurableStore(readState(chunks), {
      device,
      clock,
      options,
      letterShelf: new MemoryStore(),
    });
    this.broker = new Broker({
      limits: world.limits,
      policy: world.policy,
      sparkplug: new SparkplugAwareness({ retainLive: true, ndeathTimestamp: true }),
      journal: this.store.journal,
      randomId: () => `random-${this.#startedMs}-${this.#nextRandomId++}`,
      pool: this.pool,
      rates: world.rates === null ? null : new TrafficRates(world.rates),
    });
    const state = this.store.load();
    checkOwners(state);
    this.broker.restore(state, this.instant());
    this.requestTurn();
    this.#tickLater();
  }

  instant(): Instant {
    const nowMs = 1_000 + Math.ceil(this.#world.scheduler.nowMs - this.#startedMs);
    return { nowMs, wallMs: Math.floor(this.#world.wallMs()) };
  }

  /** A client has opened a connection. */
  accept(link: Link): void {
    const origin = { remoteAddress: "192.0.2.1:1", listener: "simulated" };
    const connection = this.broker.opened(this.#nextHandle++, origin, this.instant());
    if (connection === null) return link.closedByServer();
    const socket = new ServerSocket(this, connection, link);
    this.#sockets.set(connection, socket);
    link.accept(socket);
  }

  /** The process is gone, between two steps. What it had not handed on is lost. */
  crash(): void {
    this.#alive = false;
    for (const { link } of this.#sockets.values()) link.crash();
  }

  after(delayMs: number, act: () => void): void {
    this.#timer(delayMs, act);
  }

  requestTurn(): void {
    if (this.#turnRequested) return;
    this.#turnRequested = true;
    const { dice, turnMs } = this.#world;
    this.after(dice.duration(turnMs), () => this.#endTurn());
  }

  forget(socket: ServerSocket): void {
    this.#sockets.delete(socket.connection);
  }

  #timer(delayMs: number, act: () => void): () => void {
    const appointment = this.#world.scheduler.after(delayMs, () => {
      if (this.#alive) act();
    });
    return () => {
      appointment.cancelled = true;
    };
  }

  #endTurn(): void {
    this.#turnRequested = false;
    this.broker.settle();
    if (this.store.dirty) this.#commit();
    const { dirty, resumed } = this.broker.endTurn();
    for (const connection of dirty) this.#sockets.get(connection)?.flush();
    for (const connection of resumed) this.#sockets.get(connection)?.present();
    for (const event of this.broker.takeEvents()) this.#world.trace?.(describeEvent(event).text);
    if (this.broker.replaysWait) {
      this.after(0, () => {
        this.broker.continueReplays(this.instant());
        this.requestTurn();
      });
    }
    this.#releaseLater();
  }

  /** Sets the one timer for clients that have sent too much. */
  #releaseLater(): void {
    const releaseMs = this.broker.nextRateReleaseMs;
    if (releaseMs === this.#releaseMs) return;
    this.#releaseMs = releaseMs;
    this.#cancelRelease?.();
    this.#cancelRelease = null;
    if (releaseMs === Infinity) return;
    this.#cancelRelease = this.#timer(releaseMs - this.instant().nowMs, () => {
      this.#releaseMs = Infinity;
      this.broker.releaseRates(this.instant());
      this.requestTurn();
    });
  }

  #commit(): void {
    const committed = this.store.commit();
    if (typeof committed === "number") {
      this.broker.committed(committed);
      return;
    }
    committed.then((batch) => {
      if (!this.#alive) return;
      this.broker.committed(batch);
      this.requestTurn();
    }).catch((error: unknown) => this.#world.failed(error));
  }

  #tickLater(): void {
    this.after(TICK_MS, () => {
      this.broker.tick(this.instant());
      this.requestTurn();
      this.#tickLater();
    });
  }
}

/** "owner of a session lost": what was committed belongs to whom the policy gave it. */
function checkOwners({ sessions, wills }: StoredState): void {
  // A Client Identifier that the broker assigns is not known when it asks.
  const all = [...sessions, ...wills.filter(({ owner }) => owner !== ownerOf(""))];
  const stray = all.find(({ clientIdentifier, owner }) => owner !== ownerOf(clientIdentifier));
  if (stray === undefined) return;
  const detail = `${stray.clientIdentifier} is of "${stray.owner}"`;
  throw new BrokenPromise("owner of a session lost", detail);
}
