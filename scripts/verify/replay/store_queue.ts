/** The steps of `models/store_queue.pml` on the durable store. */
import { type Observation, type Rig, settle } from "./rig.ts";
import { StoreBench } from "./store_bench.ts";

/** Unit of the model's time. */
const UNIT_MS = 50;
const WINDOW_UNITS = 20;

const REQUESTS = { commit: 1, sync: 2, close: 0 } as const;
/** What the publisher of a batch was told. */
const TOLD = { nothing: 0, first: 1, waits: 2, kept: 3, rejected: 4 } as const;

/** One store, its device, and what whoever gave it batches was told. */
export class StoreQueueRig implements Rig {
  readonly #batchesMax: number;
  readonly #durability: "commit" | "interval";
  #bench!: StoreBench;
  #told: number[] = [];
  #startedMs = 0;
  #closed = false;
  #failed = false;

  constructor(options: { batches: number; durability: "commit" | "interval" }) {
    this.#batchesMax = options.batches;
    this.#durability = options.durability;
  }

  reset(): void {
    const durability = this.#durability;
    const syncIntervalMs = WINDOW_UNITS * UNIT_MS;
    this.#bench = new StoreBench([], { durability, syncIntervalMs });
    this.#startedMs = this.#bench.clock.nowMs() - UNIT_MS;
    this.#told = [];
    this.#closed = false;
    this.#failed = false;
  }

  step([act, argument]: readonly string[]): Promise<void> {
    const { store, device, clock } = this.#bench;
    switch (act) {
      case "commit":
        this.#commit(argument === "1");
        break;
      case "committed":
        this.#bench.committed();
        break;
      case "synced":
        device.take("sync");
        store.receive({ kind: "synced", syncs: 0 });
        break;
      case "fail":
      case "fail_for_good":
        this.#fail(act === "fail");
        break;
      case "ended":
        device.take("close");
        store.receive({ kind: "closed" });
        break;
      case "ring":
        clock.ring();
        break;
      case "slow":
        clock.pass(WINDOW_UNITS * UNIT_MS);
        break;
      case "close":
        void store.close().then(() => this.#closed = true);
        break;
      default:
        throw new Error(`Cannot carry out step: ${act}`);
    }
    return settle();
  }

  observe(): Observation {
    const { device, clock } = this.#bench;
    const asked = device.requests.some(({ kind }) => kind === "close");
    const observation: Record<string, number> = {
      device: device.requests.reduce((sum, { kind }) => sum + REQUESTS[kind], 0),
      asked: Number(asked || this.#closed),
      closed: Number(this.#closed),
      failed: Number(this.#failed),
      now: this.#units(clock.nowMs()),
      timer: clock.nextMs === null ? 0 : this.#units(clock.nextMs),
      batches: this.#told.length,
    };
    for (let batch = 0; batch < this.#batchesMax; batch++) {
      observation[`told${batch}`] = this.#told[batch] ?? TOLD.nothing;
    }
    return observation;
  }

  close(): void {}

  #commit(awaited: boolean): void {
    const { store } = this.#bench;
    const index = this.#told.length;
    store.journal.sessionCreated(`c${index}`);
    if (awaited) store.journal.awaitCommit();
    const committed = store.commit();
    if (typeof committed === "number") {
      this.#told.push(TOLD.first);
      return;
    }
    this.#told.push(TOLD.waits);
    void committed.then(
      () => this.#told[index] = TOLD.kept,
      () => this.#told[index] = TOLD.rejected,
    );
  }

  #fail(passing: boolean): void {
    const { store, device } = this.#bench;
    const request = device.requests.shift();
    if (request === undefined || request.kind === "close") {
      throw new Error(`Cannot fail: the device has ${request?.kind} to do`);
    }
    if (!passing) this.#failed = true;
    const changes = request.kind === "commit" ? request.changes : null;
    store.receive({ kind: "failed", reason: "disk is full", passing, changes });
  }

  #units(ms: number): number {
    return Math.round((ms - this.#startedMs) / UNIT_MS);
  }
}
