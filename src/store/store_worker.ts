/** The store worker: waits for the disk, so that the main loop does not. */
import { openOrQuarantine } from "./quarantine.ts";
import type { SqliteDatabase } from "./sqlite_database.ts";
import { isPassing, problemOf, reasonOf } from "./sqlite_problem.ts";
import type { StoreReply, StoreRequest } from "./store_worker_messages.ts";

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

  handle(request: StoreRequest): void {
    switch (request.kind) {
      case "open":
        return this.#open(request);
      case "commit":
        return this.#commit(request.changes);
      case "sync":
        return this.#sync();
      case "look":
        return this.#look(request);
      case "close":
        return this.#close();
    }
  }

  #open({ path, options }: StoreRequest & { kind: "open" }): void {
    try {
      const { database, chunks, quarantine } = openOrQuarantine(path, options, Date.now());
      this.#database = database;
      const buffers = chunks.map(({ buffer }) => buffer);
      scope.postMessage({ kind: "opened", chunks, quarantine }, buffers);
    } catch (error) {
      scope.postMessage({ kind: "refused", problem: problemOf(error) });
      scope.close();
    }
  }

  #commit(changes: Uint8Array<ArrayBuffer>): void {
    const database = this.#opened();
    const startedMs = performance.now();
    try {
      database.commit(changes);
    } catch (error) {
      this.#failed(error, changes);
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
    let problem: string | null = null;
    try {
      if (!database.checkpointIfDue()) return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      problem = `Cannot checkpoint: ${reasonOf(error)}`;
    }
    const checkpointMs = performance.now() - startedMs;
    scope.postMessage({ kind: "checkpointed", checkpointMs, syncs: database.syncs, problem });
  }

  #sync(): void {
    const database = this.#opened();
    try {
      database.sync();
    } catch (error) {
      this.#failed(error, null);
      return;
    }
    scope.postMessage({ kind: "synced", syncs: database.syncs });
  }

  #look({ number, query }: StoreRequest & { kind: "look" }): void {
    try {
      scope.postMessage({ kind: "looked", number, page: this.#opened().look(query) });
    } catch (error) {
      scope.postMessage({ kind: "looked", number, page: { problem: reasonOf(error) } });
    }
  }

  #failed(error: unknown, changes: Uint8Array<ArrayBuffer> | null): void {
    const failed = { kind: "failed", reason: reasonOf(error), passing: isPassing(error) } as const;
    scope.postMessage({ ...failed, changes }, changes === null ? [] : [changes.buffer]);
  }

  #close(): void {
    try {
      this.#database?.close();
    } catch {
      // What is committed is in the log; the next start moves it.
    }
    scope.postMessage({ kind: "closed" });
    scope.close();
  }

  #opened(): SqliteDatabase {
    if (this.#database === null) throw new Error("Cannot use store: it is not open");
    return this.#database;
  }
}

const worker = new StoreWorker();
scope.onmessage = (event) => worker.handle(event.data);
