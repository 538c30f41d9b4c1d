/** The durable store on SQLite: its device is a worker, so that the main loop never waits for a disk. */
import {
  type DurabilityOptions,
  DurableStore,
  type StoreClock,
  type StoreDevice,
} from "./durable_store.ts";
import type { LetterPage, LetterQuery, LetterShelf } from "./dead_letter_look.ts";
import type { QuarantineReport } from "./quarantine.ts";
import type { DatabaseOptions } from "./sqlite_database.ts";
import { reasonOf, type StoreProblem } from "./sqlite_problem.ts";
import { type LoadedState, readState } from "./sqlite_state_reader.ts";
import type { StoreReply, StoreRequest } from "./store_worker_messages.ts";

/** How the durable store is kept; the defaults are those of the configuration. */
export type SqliteStoreOptions = DurabilityOptions & Omit<DatabaseOptions, "durability">;

const DEFAULTS: SqliteStoreOptions = {
  durability: "commit",
  syncIntervalMs: 1_000,
  syncsPerSecondMax: 1_000,
  walBytesMax: 4_194_304,
};

const CLOCK: StoreClock = {
  nowMs: () => performance.now(),
  after: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * Opens or makes the database at `path`, or gives the reason why that is not possible. Damage is none:
 * `onQuarantine` is told what happened to a damaged database before the store is given.
 */
export async function openSqliteStore(
  path: string,
  options: Partial<SqliteStoreOptions> = {},
  onQuarantine: (report: QuarantineReport) => void = () => {},
): Promise<DurableStore | StoreProblem> {
  const complete = { ...DEFAULTS, ...options };
  const worker = new Worker(new URL("./store_worker.ts", import.meta.url), { type: "module" });
  const device = new WorkerDevice(worker);
  const { walBytesMax, durability } = complete;
  const opened = await device.open(path, { walBytesMax, durability });
  if (opened.kind === "refused") {
    worker.terminate();
    return opened.problem;
  }
  if (opened.kind !== "opened") {
    throw new Error(`Cannot open store: the worker says ${opened.kind}`);
  }
  let loaded: LoadedState;
  try {
    loaded = readState(consume(opened.chunks));
  } catch (error) {
    await device.abandon();
    return { problem: reasonOf(error), kind: "damaged" };
  }
  if (opened.quarantine !== null) onQuarantine(opened.quarantine);
  const store = new DurableStore(loaded, {
    device,
    clock: CLOCK,
    options: complete,
    letterShelf: device,
  });
  device.attach(store);
  return store;
}

/** Lets go of each chunk when the next one is read: what was copied out of it would be there twice. */
function* consume(chunks: Uint8Array<ArrayBuffer>[]): Generator<Uint8Array> {
  for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) yield chunk;
}

/** A look that is not answered. */
interface Look extends PromiseWithResolvers<LetterPage> {
  readonly query: LetterQuery;
}

/** The worker as the store sees it. */
class WorkerDevice implements StoreDevice, LetterShelf {
  readonly #worker: Worker;
  /**
   * Looks by their number, the oldest first. The worker has that one only: what is to be written stands
   * behind one look, and not behind all that somebody wants to have.
   */
  readonly #looks = new Map<number, Look>();
  #lastLook = 0;

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** The first request; its answer. */
  open(path: string, options: DatabaseOptions): Promise<StoreReply> {
    const reply = this.#reply();
    this.#post({ kind: "open", path, options });
    return reply;
  }

  /** Answers go to the store from now on. */
  attach(store: DurableStore): void {
    this.#worker.onerror = (event) => {
      event.preventDefault();
      throw new Error(`Cannot go on without the store: ${event.message}`);
    };
    this.#worker.onmessage = (event: MessageEvent<StoreReply>) => {
      const reply = event.data;
      if (reply.kind === "looked") return this.#looked(reply);
      if (reply.kind === "opened" || reply.kind === "refused") {
        throw new Error(`Cannot handle reply of the store worker: ${reply.kind}`);
      }
      if (reply.kind === "closed") this.#end();
      store.receive(reply);
    };
  }

  commit(changes: Uint8Array<ArrayBuffer>): void {
    this.#post({ kind: "commit", changes }, [changes.buffer]);
  }

  sync(): void {
    this.#post({ kind: "sync" });
  }

  look(query: LetterQuery): Promise<LetterPage> {
    const look = { ...Promise.withResolvers<LetterPage>(), query };
    this.#looks.set(++this.#lastLook, look);
    if (this.#looks.size === 1) this.#lookNext();
    return look.promise;
  }

  close(): void {
    this.#post({ kind: "close" });
  }

  /** Ends a worker whose database cannot be used. */
  async abandon(): Promise<void> {
    const reply = this.#reply();
    this.close();
    await reply;
    this.#worker.terminate();
  }

  #lookNext(): void {
    for (const [number, { query }] of this.#looks) {
      return this.#post({ kind: "look", number, query });
    }
  }

  #looked({ number, page }: StoreReply & { kind: "looked" }): void {
    const look = this.#looks.get(number)!;
    this.#looks.delete(number);
    this.#lookNext();
    if ("problem" in page) look.reject(new Error(`Cannot look at dead letters: ${page.problem}`));
    else look.resolve(page);
  }

  /** The worker is done; what it was asked behind that is not answered any more. */
  #end(): void {
    this.#worker.terminate();
    const reason = new Error("Cannot look at dead letters: the store is closed");
    for (const { reject } of this.#looks.values()) reject(reason);
    this.#looks.clear();
  }

  #reply(): Promise<StoreReply> {
    return new Promise((resolve) => {
      this.#worker.onmessage = (event: MessageEvent<StoreReply>) => resolve(event.data);
    });
  }

  #post(request: StoreRequest, transfer: Transferable[] = []): void {
    this.#worker.postMessage(request, transfer);
  }
}
