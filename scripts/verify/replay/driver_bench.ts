/** Turns for real connection drivers, on a clock of their own. */
import {
  Broker,
  type BrokerLimits,
  type Connection,
  type Instant,
  OPEN_ACCESS,
} from "../../../src/broker/mod.ts";
import { brokerLimits } from "../../../src/_server_parts.ts";
import { DEFAULT_CONFIG } from "../../../src/config/mod.ts";
import { BlockPool } from "../../../src/mqtt/mod.ts";
import { MemoryStore } from "../../../src/store/mod.ts";
import { ConnectionDriver, type TurnOwner } from "../../../src/transport/mod.ts";
import { BenchStream } from "./bench_stream.ts";

/** A core, its drivers, and time that stands still. */
export class DriverBench implements TurnOwner {
  readonly broker: Broker;
  readonly pool = new BlockPool(65_536);
  nowMs = 1_000;
  readonly #store = new MemoryStore();
  readonly #drivers = new Map<Connection, ConnectionDriver>();
  #requested = false;
  #nextHandle = 1;

  constructor(limits: Partial<BrokerLimits>) {
    this.broker = new Broker({
      limits: { ...brokerLimits(DEFAULT_CONFIG), ...limits },
      policy: OPEN_ACCESS,
      sparkplug: null,
      journal: this.#store.journal,
      randomId: () => `random-${this.#nextHandle}`,
      pool: this.pool,
    });
  }

  instant(): Instant {
    return { nowMs: this.nowMs, wallMs: this.nowMs };
  }

  received(): Instant {
    return this.instant();
  }

  requestTurn(): void {
    if (this.#requested) return;
    this.#requested = true;
    queueMicrotask(() => this.#endTurn());
  }

  nextIteration(): Promise<void> {
    return Promise.resolve();
  }

  /** A connection that is driven over a stream. */
  open(stream: BenchStream): ConnectionDriver {
    const origin = { remoteAddress: "192.0.2.1:1", listener: "bench" };
    const driver = ConnectionDriver.open(stream, this, { handle: this.#nextHandle++, origin });
    if (driver === null) throw new Error("Cannot open connection: refused by the broker");
    this.#drivers.set(driver.connection, driver);
    void driver.run();
    return driver;
  }

  /** Time passes, and the core looks at what is due. */
  tick(passedMs: number): void {
    this.nowMs += passedMs;
    this.broker.tick(this.instant());
    this.requestTurn();
  }

  #endTurn(): void {
    this.#requested = false;
    if (this.#store.dirty) this.broker.committed(this.#store.commit());
    const { dirty, resumed } = this.broker.endTurn();
    for (const connection of dirty) this.#drivers.get(connection)?.flush();
    for (const connection of resumed) this.#drivers.get(connection)?.resume();
  }
}
