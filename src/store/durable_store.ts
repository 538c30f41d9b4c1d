/**
 * The durable store without thread, disk or clock: group commit, durability, the rate of fsyncs, and
 * what happens while the disk is in trouble. A device does the writing; the worker of the SQLite
 * store is one, the virtual disk of the simulator another.
 */
import type { Journal, StoredState } from "../broker/mod.ts";
import { BatchJournal } from "./batch_journal.ts";
import { ChangeWriter } from "./sqlite_change_writer.ts";
import { StoreNames, WriteGroup } from "./sqlite_group.ts";
import type { LoadedState } from "./sqlite_state_reader.ts";
import type { LetterShelf } from "./dead_letter_look.ts";
import type { Store } from "./store.ts";
import { emptyStoreStatistics, type StoreStatistics } from "./store_statistics.ts";
import { SyncAllowance } from "./sync_allowance.ts";

/** A returned buffer that is larger than this is not kept. */
const BUFFER_BYTES_MAX = 1_048_576;
/** How long a batch may wait for others if nobody waits for it: each fsync wears flash memory. */
const UNAWAITED_MS = 50;
/** So many bytes go to the disk even if nobody waits for them. */
const UNAWAITED_BYTES = 262_144;
const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 5_000;

/** How durable an acknowledgement is. */
export interface DurabilityOptions {
  /**
   * `commit`: what is acknowledged has been through fsync. `interval`: it is acknowledged first; a
   * power cut takes back at most what was acknowledged within `syncIntervalMs`.
   */
  readonly durability: "commit" | "interval";
  readonly syncIntervalMs: number;
  /** Most calls of fsync in a second, on the average; commits wait for their turn and share it. */
  readonly syncsPerSecondMax: number;
}

/** Writes groups of changes, one request at a time. It answers through `DurableStore.receive`. */
export interface StoreDevice {
  /** Applies the changes in one transaction; on the disk if the device was opened for `commit`. */
  commit(changes: Uint8Array<ArrayBuffer>): void;
  /** Brings what is committed to the disk. */
  sync(): void;
  /** Ends the device. */
  close(): void;
}

/** What a device answers. */
export type DeviceReply =
  | {
    readonly kind: "committed";
    /** The memory of the request, to be used again. */
    readonly buffer: ArrayBuffer;
    /** Time the transaction took. */
    readonly commitMs: number;
    /** Calls of fsync so far. */
    readonly syncs: number;
  }
  | { readonly kind: "synced"; readonly syncs: number }
  /** The request was not carried out; `passing`: it makes sense to try again. */
  | {
    readonly kind: "failed";
    readonly reason: string;
    readonly passing: boolean;
    /** The changes of a failed commit; null for other requests. */
    readonly changes: Uint8Array<ArrayBuffer> | null;
  }
  /** Behind a commit, the log was moved to the database; `problem` if that failed. */
  | {
    readonly kind: "checkpointed";
    readonly checkpointMs: number;
    readonly syncs: number;
    readonly problem: string | null;
  }
  | { readonly kind: "closed" };

/** Time as the store sees it. */
export interface StoreClock {
  /** Monotonic, in ms. */
  nowMs(): number;
  /** Calls back once; gives what cancels that. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Batches that are committed together, and whoever waits for them. */
interface Group {
  batch: number;
  /** Whether an acknowledgement waits for it. */
  awaited: boolean;
  records: number;
  bytes: number;
  changes: number;
  /** When the first batch was sealed. */
  readonly sealedMs: number;
  readonly promise: Promise<number>;
  readonly resolve: (batch: number) => void;
  readonly reject: (reason: Error) => void;
}

/** Keeps the state of a broker on a device; what `commit` has resolved for is as durable as asked. */
export class DurableStore implements Store {
  readonly statistics: StoreStatistics = emptyStoreStatistics();
  readonly letterShelf: LetterShelf;
  readonly #journal = new BatchJournal();
  readonly #changes: WriteGroup;
  readonly #device: StoreDevice;
  readonly #clock: StoreClock;
  readonly #options: DurabilityOptions;
  readonly #allowance: SyncAllowance;
  #writer = new ChangeWriter();
  #loaded: StoredState | null;
  /** What the next transaction will hold. */
  #filling: Group | null = null;
  /** What the device is writing, or tries to. */
  #inFlight: Group | null = null;
  /** What is written and not synced, oldest first; with `interval` only. */
  #unsynced: Group[] = [];
  /** How many of them the sync at work covers; 0 if there is none at work. */
  #syncing = 0;
  /** The timer that goes on with what had to wait. */
  #wake: (() => void) | null = null;
  #retryMs = RETRY_FIRST_MS;
  /** Whether the request at work has failed and waits to be tried again. */
  #stuck = false;
  #retry: (() => void) | null = null;
  #trouble: string | null = null;
  #failure: Error | null = null;
  #closing: { promise: Promise<void>; resolve: () => void; asked: boolean } | null = null;

  constructor(
    loaded: LoadedState,
    parts: {
      device: StoreDevice;
      clock: StoreClock;
      options: DurabilityOptions;
      letterShelf: LetterShelf;
    },
  ) {
    this.letterShelf = parts.letterShelf;
    this.#changes = new WriteGroup(new StoreNames(loaded));
    this.#loaded = loaded.state;
    this.#device = parts.device;
    this.#clock = parts.clock;
    this.#options = parts.options;
    this.#allowance = new SyncAllowance(parts.options.syncsPerSecondMax);
  }

  get journal(): Journal {
    return this.#journal;
  }

  get dirty(): boolean {
    return this.#journal.dirty;
  }

  /** Why nothing can be written at the moment; null if all is well. The store goes on trying. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** What was there when the store was opened; once. */
  load(): StoredState {
    const loaded = this.#loaded;
    if (loaded === null) throw new Error("Cannot load state: it was taken already");
    this.#loaded = null;
    return loaded;
  }

  /**
   * Ends the batch. Batches that come while the device writes become one transaction. The promise
   * stays open while the disk is in trouble; it rejects if the state can never be written, and then
   * the process must end.
   */
  commit(): number | Promise<number> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const { batch, records, bytes, awaited } = this.#journal.seal();
    for (const record of records) this.#changes.add(record);
    const group = this.#filling ??= makeGroup(this.#clock.nowMs());
    group.batch = batch;
    group.awaited ||= awaited;
    group.records += records.length;
    group.bytes += bytes;
    this.statistics.recordsWaiting += records.length;
    this.#next();
    const done = this.#oldest === null;
    return done || this.#mayAcknowledgeFirst() ? batch : group.promise;
  }

  /** Commits what was handed over, and ends the device. Does not wait for a disk in trouble. */
  close(): Promise<void> {
    if (this.#closing === null) {
      this.#closing = { ...Promise.withResolvers<void>(), asked: false };
      if (this.#failure !== null) this.#end();
      this.#tryAgain();
      this.#next();
    }
    return this.#closing.promise;
  }

  /** The device has answered. */
  receive(reply: DeviceReply): void {
    switch (reply.kind) {
      case "committed":
        return this.#committed(reply);
      case "synced":
        return this.#synced(reply.syncs);
      case "failed":
        return this.#failed(reply);
      case "checkpointed": {
        const { statistics } = this;
        statistics.checkpoints++;
        statistics.checkpointMsMax = Math.max(statistics.checkpointMsMax, reply.checkpointMs);
        this.#count(reply.syncs);
        if (!this.#stuck) this.#trouble = reply.problem;
        return;
      }
      case "closed":
        this.#closing?.resolve();
    }
  }

  /** The group that has waited longest for its durability. */
  get #oldest(): Group | null {
    return this.#unsynced[0] ?? this.#inFlight ?? this.#filling;
  }

  /** With `interval`: whether what a power cut would take back is still within the window. */
  #mayAcknowledgeFirst(): boolean {
    const { durability, syncIntervalMs } = this.#options;
    if (durability !== "interval") return false;
    return this.#clock.nowMs() - this.#oldest!.sealedMs < syncIntervalMs;
  }

  /** Gives the device its next request, if there is one and it is free. */
  #next(): void {
    if (this.#inFlight !== null || this.#syncing > 0 || this.#closing?.asked) return;
    const syncMs = this.#syncDueMs();
    if (syncMs <= 0) return this.#sync();
    const sendMs = this.#sendDueMs();
    if (sendMs <= 0) return this.#send(this.#filling!);
    if (this.#closing !== null) return this.#end();
    const waitMs = Math.min(syncMs, sendMs);
    if (waitMs < Infinity) this.#wakeAfter(waitMs);
  }

  /** Time until the next group has to be written; Infinity if there is none. */
  #sendDueMs(): number {
    const group = this.#filling;
    if (group === null) return Infinity;
    if (this.#closing !== null) return 0;
    const { durability, syncIntervalMs } = this.#options;
    const nowMs = this.#clock.nowMs();
    const isUrgent = group.awaited || group.bytes > UNAWAITED_BYTES;
    if (durability === "commit") {
      const patienceMs = isUrgent ? 0 : group.sealedMs + UNAWAITED_MS - nowMs;
      return Math.max(patienceMs, this.#allowance.waitMs(nowMs));
    }
    // Its time counts against the window.
    return isUrgent ? 0 : group.sealedMs + Math.min(UNAWAITED_MS, syncIntervalMs / 8) - nowMs;
  }

  /** Time until what is written has to be synced; Infinity if nothing is. */
  #syncDueMs(): number {
    const oldest = this.#unsynced[0];
    if (oldest === undefined) return Infinity;
    if (this.#closing !== null) return 0;
    const nowMs = this.#clock.nowMs();
    // Half of the window is left for the sync itself.
    const dueMs = oldest.sealedMs + this.#options.syncIntervalMs / 2 - nowMs;
    return Math.max(dueMs, this.#allowance.waitMs(nowMs));
  }

  #wakeAfter(delayMs: number): void {
    this.#wake?.();
    this.#wake = this.#clock.after(delayMs, () => {
      this.#wake = null;
      this.#next();
    });
  }

  #send(group: Group): void {
    const writer = this.#writer;
    this.#filling = null;
    this.#changes.writeTo(writer);
    group.changes = writer.changes;
    if (group.changes === 0) { // what came was undone again
      this.#written(group);
      return this.#next();
    }
    this.#inFlight = group;
    this.#device.commit(writer.take());
  }

  #sync(): void {
    this.#syncing = this.#unsynced.length;
    this.#device.sync();
  }

  #committed({ buffer, commitMs, syncs }: DeviceReply & { kind: "committed" }): void {
    const { statistics } = this;
    statistics.commits++;
    statistics.commitMsLast = commitMs;
    statistics.commitMsMax = Math.max(statistics.commitMsMax, commitMs);
    statistics.commitTimes.observe(commitMs / 1000);
    this.#count(syncs);
    this.#recovered();
    if (buffer.byteLength <= BUFFER_BYTES_MAX) this.#writer.take(new Uint8Array(buffer));
    const group = this.#inFlight!;
    this.#inFlight = null;
    this.#written(group);
    this.#next();
  }

  /** A group is in the file; with `commit` that means on the disk. */
  #written(group: Group): void {
    const { statistics } = this;
    statistics.recordsWaiting -= group.records;
    statistics.recordsCommitted += group.records;
    statistics.changesWritten += group.changes;
    this.#journal.settled(group.bytes);
    // Behind something that is not synced, nothing is, even if there was nothing to write.
    const durable = this.#options.durability === "commit" ||
      (group.changes === 0 && this.#unsynced.length === 0);
    if (durable) this.#durable(group);
    else this.#unsynced.push(group);
  }

  #synced(syncs: number): void {
    this.#count(syncs);
    this.#recovered();
    const groups = this.#unsynced.splice(0, this.#syncing);
    this.#syncing = 0;
    for (const group of groups) this.#durable(group);
    this.#next();
  }

  #durable(group: Group): void {
    const { statistics } = this;
    const latencyMs = this.#clock.nowMs() - group.sealedMs;
    statistics.latencyMsLast = latencyMs;
    statistics.latencyMsMax = Math.max(statistics.latencyMsMax, latencyMs);
    statistics.latencies.observe(latencyMs / 1000);
    group.resolve(group.batch);
  }

  #failed({ reason, passing, changes }: DeviceReply & { kind: "failed" }): void {
    this.#trouble = `Cannot ${changes === null ? "sync" : "commit"}: ${reason}`;
    this.statistics.failures++;
    if (!passing) {
      const failure = this.#failure = new Error(this.#trouble);
      for (const group of [...this.#unsynced, this.#inFlight, this.#filling]) {
        group?.reject(failure);
        group?.promise.catch(() => {}); // with `interval` nobody may be waiting
      }
      if (this.#closing !== null) this.#end();
      return;
    }
    if (this.#closing !== null && this.#stuck) return this.#end();
    this.#stuck = true;
    this.#retry = (): void => {
      this.#retry = null;
      if (changes === null) this.#device.sync();
      else this.#device.commit(changes);
    };
    if (this.#closing !== null) return this.#tryAgain();
    this.#wake?.();
    this.#wake = this.#clock.after(this.#retryMs, () => this.#tryAgain());
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_LONGEST_MS);
  }

  /** Repeats the request that failed. */
  #tryAgain(): void {
    this.#wake?.();
    this.#wake = null;
    this.#retry?.();
  }

  #recovered(): void {
    this.#trouble = null;
    this.#stuck = false;
    this.#retryMs = RETRY_FIRST_MS;
  }

  /** Ends the device, whatever it still had to write. */
  #end(): void {
    if (this.#closing!.asked) return;
    this.#closing!.asked = true;
    this.#device.close();
  }

  #count(syncs: number): void {
    this.#allowance.use(syncs - this.statistics.syncs, this.#clock.nowMs());
    this.statistics.syncs = syncs;
  }
}

function makeGroup(sealedMs: number): Group {
  const empty = { batch: 0, awaited: false, records: 0, bytes: 0, changes: 0 };
  return { ...empty, sealedMs, ...Promise.withResolvers<number>() };
}
