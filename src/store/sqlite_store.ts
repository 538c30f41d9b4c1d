/** The durable store: SQLite in a worker, with group commit. */
import { receiveMessageOnPort } from "node:worker_threads";
import type { Journal, StoredState } from "../broker/mod.ts";
import { BatchJournal } from "./batch_journal.ts";
import { ChangeWriter } from "./sqlite_changes.ts";
import type { DatabaseOptions } from "./sqlite_database.ts";
import { StoreNames, WriteGroup } from "./sqlite_group.ts";
import { reasonOf, type StoreProblem } from "./sqlite_problem.ts";
import { type LoadedState, readState } from "./sqlite_state_reader.ts";
import type { Store } from "./store.ts";
import type { LoadOutcome, StoreReply, StoreRequest } from "./store_worker_messages.ts";

const WAL_BYTES_MAX = 4_194_304;
/** A returned buffer that is larger than this is not kept. */
const BUFFER_BYTES_MAX = 1_048_576;

/** Counters of a durable store; a live object. */
export interface StoreStatistics {
  /** Transactions that were committed. */
  commits: number;
  /** Calls of fsync. */
  syncs: number;
  checkpoints: number;
  /** Records of the core in batches that were committed. */
  recordsCommitted: number;
  /** Changes that were left of them, and written. */
  changesWritten: number;
  /** Records that wait for a commit, those in the worker included. */
  recordsWaiting: number;
  /** Time from the end of the first batch of a group to the end of its commit. */
  latencyMsLast: number;
  latencyMsMax: number;
  /** Time of a transaction. */
  commitMsLast: number;
  commitMsMax: number;
  checkpointMsMax: number;
}

interface Waiting {
  readonly promise: Promise<number>;
  readonly resolve: (batch: number) => void;
  readonly reject: (reason: Error) => void;
  readonly sealedMs: number;
}

/** A group that the worker has. */
interface GroupInFlight {
  readonly batch: number;
  readonly records: number;
  readonly changes: number;
  readonly waiting: Waiting;
}

/** Keeps the state of a broker in a file; what `commit` has resolved for survives a power cut. */
export class SqliteStore implements Store {
  readonly #worker: Worker;
  readonly #journal = new BatchJournal();
  readonly #group: WriteGroup;
  #writer = new ChangeWriter();
  /** What was loaded at open, until it is taken or something changes. */
  #loaded: StoredState | null;
  #inFlight: GroupInFlight | null = null;
  /** The callers whose batches are in the group that is being filled. */
  #waiting: Waiting | null = null;
  #closing: { promise: Promise<void>; resolve: () => void; asked: boolean } | null = null;
  #trouble: string | null = null;
  #failure: Error | null = null;
  /** Whether the trouble is that of the group in flight. */
  #stuck = false;
  readonly statistics: StoreStatistics = emptyStatistics();

  private constructor(worker: Worker, loaded: LoadedState) {
    this.#worker = worker;
    this.#group = new WriteGroup(new StoreNames(loaded));
    this.#loaded = loaded.state;
    worker.onmessage = (event: MessageEvent<StoreReply>) => this.#receive(event.data);
  }

  /** Opens or makes the database at `path`, or gives the reason why that is not possible. */
  static async open(
    path: string,
    options: Partial<DatabaseOptions> = {},
  ): Promise<SqliteStore | StoreProblem> {
    const worker = new Worker(new URL("./store_worker.ts", import.meta.url), { type: "module" });
    const reply = new Promise<StoreReply>((resolve) => {
      worker.onmessage = (event: MessageEvent<StoreReply>) => resolve(event.data);
    });
    post(worker, {
      kind: "open",
      path,
      options: { walBytesMax: options.walBytesMax ?? WAL_BYTES_MAX },
    });
    const opened = await reply;
    if (opened.kind !== "opened") {
      worker.terminate();
      if (opened.kind === "refused") return opened.problem;
      throw new Error(`Cannot open store: the worker says ${opened.kind}`);
    }
    try {
      return new SqliteStore(worker, readState(opened.chunks));
    } catch (error) {
      await closed(worker);
      return { problem: reasonOf(error), kind: "damaged" };
    }
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

  /** What is committed. Free of cost once after `open`; later it blocks until the worker is done. */
  load(): StoredState {
    const loaded = this.#loaded;
    this.#loaded = null;
    if (loaded !== null) return loaded;
    const { port1, port2 } = new MessageChannel();
    const signal = new Int32Array(new SharedArrayBuffer(4));
    post(this.#worker, { kind: "load", port: port2, signal }, [port2]);
    Atomics.wait(signal, 0, 0);
    // The port of the web is the port of Node here; only their types differ.
    const port = port1 as unknown as Parameters<typeof receiveMessageOnPort>[0];
    const chunks: Uint8Array[] = [];
    for (;;) {
      const received: { message: unknown } | undefined = receiveMessageOnPort(port);
      if (received === undefined) throw new Error("Cannot load state: the worker is gone");
      if (received.message instanceof Uint8Array) {
        chunks.push(received.message);
        continue;
      }
      port1.close();
      const { failure } = received.message as LoadOutcome;
      if (failure !== null) throw new Error(`Cannot load state: ${failure}`);
      return readState(chunks).state;
    }
  }

  /**
   * Ends the batch. Batches that come while the worker commits become one transaction. The promise
   * stays open while the disk is in trouble; it rejects if the state can never be written, and then
   * the process must end.
   */
  commit(): number | Promise<number> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const { batch, records } = this.#journal.seal();
    const group = this.#group;
    for (const record of records) group.add(record);
    group.batch = batch;
    this.#loaded = null;
    this.statistics.recordsWaiting += records.length;
    this.#waiting ??= { ...Promise.withResolvers<number>(), sealedMs: performance.now() };
    const { promise } = this.#waiting;
    return this.#inFlight === null && !this.#send() ? batch : promise;
  }

  /** Commits what was handed over, and ends the worker. Does not wait for a disk in trouble. */
  close(): Promise<void> {
    if (this.#closing === null) {
      this.#closing = { ...Promise.withResolvers<void>(), asked: false };
      this.#closeWhenIdle();
    }
    return this.#closing.promise;
  }

  /** Gives the group to the worker; false if nothing is left to write: then it is committed. */
  #send(): boolean {
    const waiting = this.#waiting!;
    const writer = this.#writer;
    const { batch, records } = this.#group;
    this.#waiting = null;
    this.#group.writeTo(writer);
    const group = { batch, records, changes: writer.changes, waiting };
    if (group.changes === 0) {
      this.#committed(group);
      return false;
    }
    this.#inFlight = group;
    const changes = writer.take();
    post(this.#worker, { kind: "commit", changes }, [changes.buffer]);
    return true;
  }

  #committed({ batch, records, changes, waiting }: GroupInFlight): void {
    const { statistics } = this;
    statistics.recordsWaiting -= records;
    statistics.recordsCommitted += records;
    statistics.changesWritten += changes;
    const latencyMs = performance.now() - waiting.sealedMs;
    statistics.latencyMsLast = latencyMs;
    statistics.latencyMsMax = Math.max(statistics.latencyMsMax, latencyMs);
    waiting.resolve(batch);
  }

  #receive(reply: StoreReply): void {
    const { statistics } = this;
    switch (reply.kind) {
      case "committed":
        return this.#groupDone(reply);
      case "checkpointed":
        statistics.checkpoints++;
        statistics.syncs = reply.syncs;
        statistics.checkpointMsMax = Math.max(statistics.checkpointMsMax, reply.checkpointMs);
        return;
      case "trouble":
        this.#trouble = reply.trouble;
        this.#stuck = reply.stuck;
        this.#closeWhenIdle();
        return;
      case "failed": {
        this.#trouble = reply.reason;
        this.#stuck = true;
        this.#failure = new Error(`Cannot commit: ${reply.reason}`);
        this.#inFlight?.waiting.reject(this.#failure);
        this.#waiting?.reject(this.#failure);
        return;
      }
      case "closed":
        this.#worker.terminate();
        this.#closing?.resolve();
        return;
      case "opened":
      case "refused":
        throw new Error(`Cannot handle reply of the store worker: ${reply.kind}`);
    }
  }

  #groupDone({ buffer, commitMs, syncs }: StoreReply & { kind: "committed" }): void {
    const { statistics } = this;
    statistics.commits++;
    statistics.syncs = syncs;
    statistics.commitMsLast = commitMs;
    statistics.commitMsMax = Math.max(statistics.commitMsMax, commitMs);
    this.#trouble = null;
    this.#stuck = false;
    if (buffer.byteLength <= BUFFER_BYTES_MAX) this.#writer.take(new Uint8Array(buffer));
    const group = this.#inFlight!;
    this.#inFlight = null;
    this.#committed(group);
    if (this.#waiting !== null) this.#send();
    this.#closeWhenIdle();
  }

  #closeWhenIdle(): void {
    const isIdle = this.#inFlight === null && this.#waiting === null;
    if (this.#closing === null || this.#closing.asked || !(isIdle || this.#stuck)) return;
    this.#closing.asked = true;
    post(this.#worker, { kind: "close" });
  }
}

function post(worker: Worker, request: StoreRequest, transfer: Transferable[] = []): void {
  worker.postMessage(request, transfer);
}

/** Ends a worker that has just opened its database. */
function closed(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.onmessage = (event: MessageEvent<StoreReply>) => {
      if (event.data.kind !== "closed") return;
      worker.terminate();
      resolve();
    };
    post(worker, { kind: "close" });
  });
}

function emptyStatistics(): StoreStatistics {
  return {
    commits: 0,
    syncs: 0,
    checkpoints: 0,
    recordsCommitted: 0,
    changesWritten: 0,
    recordsWaiting: 0,
    latencyMsLast: 0,
    latencyMsMax: 0,
    commitMsLast: 0,
    commitMsMax: 0,
    checkpointMsMax: 0,
  };
}
