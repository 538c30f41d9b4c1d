/**
 * The store device of the simulation: the real database, driven by the virtual clock. What the store
 * worker does without a break is done in steps here, and the process may die between any two.
 */
import { StatementSync } from "node:sqlite";
import type { DeviceReply, StoreDevice } from "../../src/store/durable_store.ts";
import type { SqliteDatabase } from "../../src/store/sqlite_database.ts";
import { isPassing, reasonOf } from "../../src/store/sqlite_problem.ts";
import type { Dice } from "./dice.ts";
import type { VirtualDisk } from "./virtual_disk.ts";

/** SQLITE_FULL of https://sqlite.org/rescode.html. */
const SQLITE_FULL = 13;

/** What a device needs of its process. */
export interface DeviceWorld {
  readonly dice: Dice;
  readonly disk: VirtualDisk;
  readonly durability: "commit" | "interval";
  /** How long a write or a sync takes, on the average. */
  readonly latencyMs: number;
  /** Whether the disk is full at present. */
  isFull(): boolean;
  /** Does something later, if the process lives on. */
  after(delayMs: number, act: () => void): void;
  reply(reply: DeviceReply): void;
}

/** Carries out one request after the other. */
export class VirtualDevice implements StoreDevice {
  readonly #world: DeviceWorld;
  readonly #database: SqliteDatabase;
  #busy = false;
  readonly #waiting: (() => void)[] = [];

  constructor(world: DeviceWorld, database: SqliteDatabase) {
    this.#world = world;
    this.#database = database;
  }

  commit(changes: Uint8Array<ArrayBuffer>): void {
    // The worker is given the memory: nobody may write there meanwhile.
    this.#request(() => this.#write(changes.slice()));
  }

  sync(): void {
    this.#request(() => {
      this.#database.sync();
      this.#later(() => {
        this.#world.disk.logSynced();
        this.#answer({ kind: "synced", syncs: this.#database.syncs });
        this.#free();
      });
    });
  }

  close(): void {
    this.#request(() => {
      this.#database.close();
      this.#answer({ kind: "closed" });
    });
  }

  #write(changes: Uint8Array<ArrayBuffer>): void {
    const { disk, durability, isFull } = this.#world;
    try {
      if (isFull()) fullDisk(this.#world.dice.integer(1, 12), () => this.#database.commit(changes));
      else this.#database.commit(changes);
    } catch (error) {
      const reason = reasonOf(error);
      disk.synced(); // the database was relieved of its log
      this.#later(() => {
        this.#answer({ kind: "failed", reason, passing: isPassing(error), changes });
        this.#free();
      });
      return;
    }
    this.#later(() => {
      if (durability === "commit") disk.logSynced();
      // The reply can be under way when the process ends.
      this.#later(() => {
        const { syncs } = this.#database;
        this.#answer({ kind: "committed", buffer: changes.buffer, commitMs: 1, syncs });
        this.#checkpoint();
      });
    });
  }

  #checkpoint(): void {
    if (!this.#database.checkpointIfDue()) return this.#free();
    this.#world.disk.checkpointed();
    this.#later(() => {
      this.#world.disk.synced();
      const { syncs } = this.#database;
      this.#answer({ kind: "checkpointed", checkpointMs: 1, syncs, problem: null });
      this.#free();
    });
  }

  #request(act: () => void): void {
    this.#waiting.push(act);
    if (!this.#busy) this.#free();
  }

  #free(): void {
    const next = this.#waiting.shift();
    this.#busy = next !== undefined;
    if (next !== undefined) this.#later(next);
  }

  #later(act: () => void): void {
    const { dice, latencyMs } = this.#world;
    this.#world.after(dice.duration(latencyMs), act);
  }

  #answer(reply: DeviceReply): void {
    this.#world.reply(reply);
  }
}

/** Runs something while the disk has room for so many statements only. */
function fullDisk(statements: number, act: () => void): void {
  const run = StatementSync.prototype.run;
  let left = statements;
  StatementSync.prototype.run = function (...parameters) {
    if (left-- > 0) return Reflect.apply(run, this, parameters);
    throw Object.assign(new Error("database or disk is full"), { errcode: SQLITE_FULL });
  };
  try {
    act();
  } finally {
    StatementSync.prototype.run = run;
  }
}
