/**
 * The broker core without sockets, on a virtual clock. A turn is what the server makes of it:
 * receive, commit, release, drain every dirty outbox, go on with whoever may be read again.
 */
import {
  type AccessPolicy,
  Broker,
  type BrokerEvent,
  type BrokerLimits,
  type Connection,
  type Instant,
  OPEN_ACCESS,
  type RateLimiter,
  type SparkplugPolicy,
  type TakeOverPolicy,
} from "../../src/broker/mod.ts";
import { BlockPool, type TopicName } from "../../src/mqtt/mod.ts";
import { MemoryStore, type Store } from "../../src/store/mod.ts";
import type { ConnectOptions } from "../support/wire_client.ts";
import { FakeClient } from "./_fake_client.ts";
import { TEST_LIMITS } from "./_limits.ts";

/** Blocks that come back are overwritten, so that whoever still reads them is found out. */
class PoisoningPool extends BlockPool {
  override give(block: Uint8Array): void {
    block.fill(0xdd);
    super.give(block);
  }
}

/** What a test may say of the broker under test. */
export interface CoreOptions {
  readonly limits?: Partial<BrokerLimits>;
  readonly store?: Store;
  readonly policy?: AccessPolicy;
  readonly rates?: RateLimiter;
  readonly sparkplug?: SparkplugPolicy;
  readonly takeOvers?: TakeOverPolicy;
  /** Where the wall clock stands at the start. */
  readonly wallMs?: number;
}

/** One broker and its clients. */
export class Core {
  readonly broker: Broker;
  readonly store: Store;
  readonly pool: BlockPool = new PoisoningPool(1_048_576);
  readonly limits: BrokerLimits;
  /** Everything that happened so far. */
  readonly events: BrokerEvent[] = [];
  nowMs = 1_000;
  wallMs: number;
  readonly #clients = new Map<Connection, FakeClient>();
  #nextHandle = 1;
  #nextId = 1;

  constructor(options: CoreOptions = {}) {
    this.store = options.store ?? new MemoryStore();
    this.wallMs = options.wallMs ?? 1_800_000_000_000;
    this.limits = { ...TEST_LIMITS, ...options.limits };
    this.broker = new Broker({
      limits: this.limits,
      policy: options.policy ?? OPEN_ACCESS,
      sparkplug: options.sparkplug ?? null,
      journal: this.store.journal,
      randomId: () => `random-${this.#nextId++}`,
      pool: this.pool,
      rates: options.rates ?? null,
      ...options.takeOvers === undefined ? {} : { takeOvers: options.takeOvers },
    });
    this.broker.restore(this.store.load(), this.instant());
    this.turn();
  }

  get statistics(): Broker["statistics"] {
    return this.broker.statistics;
  }

  instant(): Instant {
    return { nowMs: this.nowMs, wallMs: this.wallMs };
  }

  /** A connection that has sent nothing; fails if the broker has no room. */
  open(): FakeClient {
    const client = this.tryOpen();
    if (client === null) throw new Error("Cannot open connection: refused by the broker");
    return client;
  }

  /** A connection that has sent nothing, or null if the broker has no room. */
  tryOpen(): FakeClient | null {
    const origin = { remoteAddress: "192.0.2.1:1", listener: "test" };
    const connection = this.broker.opened(this.#nextHandle++, origin, this.instant());
    if (connection === null) return null;
    const client = new FakeClient(this, connection);
    this.#clients.set(connection, client);
    return client;
  }

  /** A client whose CONNECT was accepted; its CONNACK is taken from the inbox. */
  connect(options: ConnectOptions = {}): FakeClient {
    const client = this.open();
    client.sendConnect(options);
    const connack = client.take("CONNACK");
    if (connack.returnCode !== 0) throw new Error(`Cannot connect: CONNACK ${connack.returnCode}`);
    client.sessionPresent = connack.sessionPresent;
    return client;
  }

  /** Runs turns until nothing is left to do at this moment. */
  turn(): void {
    for (;;) {
      this.broker.settle();
      this.commit();
      const { dirty, resumed } = this.broker.endTurn();
      for (const connection of dirty) this.#clients.get(connection)?.flush();
      for (const connection of resumed) this.#clients.get(connection)?.process();
      this.events.push(...this.broker.takeEvents());
      if (dirty.length === 0 && resumed.length === 0) return;
    }
  }

  /** Commits the batch; a store that commits later calls `release` when it has. */
  commit(): void {
    if (!this.store.dirty) return;
    const committed = this.store.commit();
    if (typeof committed === "number") this.broker.committed(committed);
  }

  /** Batches up to `batch` are committed. */
  release(batch: number): void {
    this.broker.committed(batch);
    this.turn();
  }

  /** Lets time pass, in steps of a tick or up to the next release, as the server does. */
  advance(ms: number, tickMs = 250): void {
    const end = this.nowMs + ms;
    while (this.nowMs < end) {
      const tickAt = this.nowMs + tickMs - this.nowMs % tickMs;
      const next = Math.min(tickAt, end, this.broker.nextRateReleaseMs);
      this.wallMs += next - this.nowMs;
      this.nowMs = next;
      if (next === this.broker.nextRateReleaseMs) this.broker.releaseRates(this.instant());
      else this.broker.tick(this.instant());
      this.turn();
      for (const client of [...this.#clients.values()]) {
        if (client.connection.closed) client.flush();
      }
    }
  }

  /** Publishes a message of the server itself. */
  publish(topic: string, payload: Uint8Array, retain = false): void {
    this.broker.publish(topic as TopicName, { payload, qos: 0, retain }, this.instant());
    this.turn();
  }

  /** The socket is closed: the broker forgets the connection. */
  forget(client: FakeClient): void {
    this.#clients.delete(client.connection);
    this.broker.gone(client.connection);
  }

  /** Gauges that have to be 0 when nobody is there and nothing is stored. */
  gauges(): Record<string, number> {
    const s = this.statistics;
    return {
      connectionsOpen: s.connectionsOpen,
      clientsConnected: s.clientsConnected,
      sessions: s.sessions,
      subscriptions: s.subscriptions,
      queuedMessages: s.queuedMessages,
      queuedBytes: s.queuedBytes,
      inFlightMessages: s.inFlightMessages,
    };
  }
}

/** What `Core.gauges` gives when nothing is left behind. */
export const NOTHING_LEFT: Record<string, number> = {
  connectionsOpen: 0,
  clientsConnected: 0,
  sessions: 0,
  subscriptions: 0,
  queuedMessages: 0,
  queuedBytes: 0,
  inFlightMessages: 0,
};
