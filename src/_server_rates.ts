/** How much clients may send, out of the configuration, and the timer that lets them go on. */
import type { Broker, Instant } from "./broker/mod.ts";
import type { Config } from "./config/mod.ts";
import { TrafficRates } from "./security/mod.ts";

/** The longest time that a timer of the runtime takes. */
const TIMER_MS_MAX = 2_147_483_647;

/** What the configuration lets clients send; null where it sets no limit. */
export function openRates({ rate: config }: Config): TrafficRates | null {
  const each = {
    publishesPerSecond: config.clientMessagesPerSecond,
    publishesBurst: config.clientMessagesBurst || config.clientMessagesPerSecond,
    bytesPerSecond: config.clientBytesPerSecond,
    bytesBurst: config.clientBytesBurst || config.clientBytesPerSecond,
  };
  const all = {
    publishesPerSecond: config.totalMessagesPerSecond,
    publishesBurst: config.totalMessagesBurst || config.totalMessagesPerSecond,
    bytesPerSecond: config.totalBytesPerSecond,
    bytesBurst: config.totalBytesBurst || config.totalBytesPerSecond,
  };
  const rates = [each, all].flatMap((limits) => [limits.publishesPerSecond, limits.bytesPerSecond]);
  if (rates.every((rate) => rate === 0)) return null;
  return new TrafficRates({ each, all, overLimit: config.overLimit });
}

/** What the timer needs of the turns. */
export interface ReleaseOwner {
  readonly broker: Broker;
  instant(): Instant;
  requestTurn(): void;
}

/** The one timer for all clients that wait because they have sent too much. */
export class ReleaseTimer {
  readonly #owner: ReleaseOwner;
  #dueMs = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(owner: ReleaseOwner) {
    this.#owner = owner;
  }

  /** To be called when a turn has ended: the next release may be another one than before. */
  set(): void {
    const dueMs = this.#owner.broker.nextRateReleaseMs;
    if (dueMs === this.#dueMs) return;
    this.stop();
    if (dueMs === Infinity) return;
    this.#dueMs = dueMs;
    const delayMs = Math.min(dueMs - this.#owner.instant().nowMs, TIMER_MS_MAX);
    this.#timer = setTimeout(() => this.#release(), delayMs);
  }

  /** Nobody is released any more until it is set again. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Infinity;
  }

  #release(): void {
    this.#dueMs = Infinity;
    this.#owner.broker.releaseRates(this.#owner.instant());
    this.#owner.requestTurn();
  }
}
