/** The store worker: waits for the disk, so that the main loop does not. */
import { SqliteDatabase } from "./sqlite_database.ts";
import { isPassing, problemOf, reasonOf } from "./sqlite_problem.ts";
import type { LoadOutcome, StoreReply, StoreRequest } from "./store_worker_messages.ts";

const RETRY_FIRST_MS = 50;
const RETRY_LONGEST_MS = 5_000;

/** The part of the global scope of a worker that is used here. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<StoreRequest>) => void) | null;
  postMessage(message: StoreReply, transfer?: Transferable[]): void;
  close(): void;
}

const scope = globalThis as unknown as WorkerScope;

/** Owns the database of this worker. */
class StoreWorker {
  #database: SqliteDatabase | null = null;
  /** A group that could not be committed yet. */
  #waiting: { changes: Uint8Array<ArrayBuffer>; timer: ReturnType<typeof setTimeout> } | null =
    null;

  handle(request: StoreRequest): void {
    switch (request.kind) {
      case "open":
        return this.#open(request);
      case "commit":
        return this.#commit(request.changes, RETRY_FIRST_MS);
      case "load":
        return this.#load(request);
      case "close":
        return this.#close();
    }
  }

  #open({ path, options }: StoreRequest & { kind: "open" }): void {
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    try {
      this.#database = SqliteDatabase.open(path, options);
      this.#database.load((chunk) => chunks.push(chunk));
    } catch (error) {
      this.#database?.close();
      this.#database = null;
      scope.postMessage({ kind: "refused", problem: problemOf(error) });
      scope.close();
      return;
    }
    scope.postMessage({ kind: "opened", chunks }, chunks.map(({ buffer }) => buffer));
  }

  #commit(changes: Uint8Array<ArrayBuffer>, delayMs: number): void {
    const database = this.#opened();
    const startedMs = performance.now();
    try {
      database.commit(changes);
    } catch (error) {
      this.#failed(error, { changes, delayMs });
      return;
    }
    const commitMs = performance.now() - startedMs;
    const { buffer } = changes;
    scope.postMessage({ kind: "committed", buffer, commitMs, syncs: database.syncs }, [buffer]);
    this.#checkpoint(database);
  }

  /** After the reply, so that no acknowledgement waits for it. */
  #checkpoint(database: SqliteDatabase): void {
    const startedMs = performance.now();
    try {
      if (!database.checkpointIfDue()) return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      const trouble = `Cannot checkpoint: ${reasonOf(error)}`;
      scope.postMessage({ kind: "trouble", trouble, stuck: false });
      return;
    }
    const checkpointMs = performance.now() - startedMs;
    scope.postMessage({ kind: "checkpointed", checkpointMs, syncs: database.syncs });
  }

  #failed(
    error: unknown,
    { changes, delayMs }: { changes: Uint8Array<ArrayBuffer>; delayMs: number },
  ): void {
    if (!isPassing(error)) {
      scope.postMessage({ kind: "failed", reason: reasonOf(error) });
      return;
    }
    const timer = setTimeout(() => {
      this.#waiting = null;
      this.#commit(changes, Math.min(delayMs * 2, RETRY_LONGEST_MS));
    }, delayMs);
    this.#waiting = { changes, timer };
    const trouble = `Cannot commit: ${reasonOf(error)}`;
    scope.postMessage({ kind: "trouble", trouble, stuck: true });
  }

  #load({ port, signal }: StoreRequest & { kind: "load" }): void {
    let outcome: LoadOutcome = { failure: null };
    try {
      this.#opened().load((chunk) => port.postMessage(chunk, [chunk.buffer]));
    } catch (error) {
      outcome = { failure: reasonOf(error) };
    }
    port.postMessage(outcome);
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  }

  #close(): void {
    const changes = this.#stopWaiting();
    if (changes !== null) this.#commit(changes, RETRY_LONGEST_MS);
    this.#stopWaiting();
    try {
      this.#database?.close();
    } catch (error) {
      const trouble = `Cannot close: ${reasonOf(error)}`;
      scope.postMessage({ kind: "trouble", trouble, stuck: false });
    }
    scope.postMessage({ kind: "closed" });
    scope.close();
  }

  /** Stops the next attempt, and gives what it was for. */
  #stopWaiting(): Uint8Array<ArrayBuffer> | null {
    const waiting = this.#waiting;
    if (waiting === null) return null;
    clearTimeout(waiting.timer);
    this.#waiting = null;
    return waiting.changes;
  }

  #opened(): SqliteDatabase {
    if (this.#database === null) throw new Error("Cannot use store: it is not open");
    return this.#database;
  }
}

const worker = new StoreWorker();
scope.onmessage = (event) => worker.handle(event.data);
