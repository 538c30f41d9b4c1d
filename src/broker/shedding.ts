/**
 * What the core gives up while the process is short of memory: new connections, QoS 0 for whoever is
 * behind, and at last the oldest messages of the largest queues. Nothing that is in flight, retained
 * or stored besides queues is touched.
 */
import type { Backlog } from "./backlog.ts";
import type { SessionRegistry } from "./session_registry.ts";
import type { Turn } from "./turn.ts";

/** Messages that one turn gives up at most. */
const MESSAGES_PER_TURN = 16_384;
/** Halvings that find the level: queues have less than 2^40 bytes, and a byte does not matter. */
const LEVEL_STEPS = 40;

/** What is given up, least harmful first. */
export interface Pressure {
  /** New connections are refused; those that are there live on. */
  readonly refuseConnections: boolean;
  /** QoS 0 messages for receivers with a backlog are dropped and counted. */
  readonly shedQos0: boolean;
  /** What waits may not grow: the largest queues give up their oldest messages for new ones. */
  readonly shedQueues: boolean;
}

/** Keeps what waits for sessions below a ceiling as long as the memory is short. */
export class Shedding {
  readonly #turn: Turn;
  readonly #sessions: SessionRegistry;
  readonly #backlog: Backlog;
  /** Bytes that may wait for all sessions together; Infinity as long as nothing is shed. */
  #ceilingBytes = Infinity;

  constructor(turn: Turn, parts: { sessions: SessionRegistry; backlog: Backlog }) {
    this.#turn = turn;
    this.#sessions = parts.sessions;
    this.#backlog = parts.backlog;
  }

  /** This is given up from now on; what waits now is the most that may wait. */
  set({ refuseConnections, shedQos0, shedQueues }: Pressure): void {
    const turn = this.#turn;
    turn.refusesConnections = refuseConnections;
    turn.shedsQos0 = shedQos0;
    if (!shedQueues) this.#ceilingBytes = Infinity;
    else this.#ceilingBytes = Math.min(this.#ceilingBytes, turn.statistics.queuedBytes);
  }

  /** It was not enough: a share of what waits has to go, from 0 to 1, but not below `floorBytes`. */
  lower({ share, floorBytes }: { share: number; floorBytes: number }): void {
    if (this.#ceilingBytes === Infinity) return;
    const { queuedBytes } = this.#turn.statistics;
    const aimBytes = Math.floor(queuedBytes * (1 - share));
    this.#ceilingBytes = Math.max(floorBytes, Math.min(this.#ceilingBytes, aimBytes));
  }

  /** Brings what waits down to the ceiling, or as far towards it as one turn may go. */
  settle(): void {
    const { statistics, journal, limits } = this.#turn;
    const excessBytes = statistics.queuedBytes - this.#ceilingBytes;
    if (!(excessBytes > 0)) return;
    // What is given up is referred to until the store has written that: there is nothing to gain.
    if (journal.backlogBytes > limits.storeBacklogBytesMax) return;
    const levelBytes = this.#level(excessBytes);
    let left = MESSAGES_PER_TURN;
    for (const session of this.#sessions.values()) {
      const { queue } = session;
      while (queue.bytes > levelBytes && statistics.queuedBytes > this.#ceilingBytes) {
        if (left-- === 0) return;
        this.#backlog.shed(session);
      }
    }
  }

  /** The bytes to which every larger queue has to come down for so many bytes to go. */
  #level(excessBytes: number): number {
    const sizes: number[] = [];
    for (const { queue } of this.#sessions.values()) if (queue.bytes > 0) sizes.push(queue.bytes);
    let low = 0;
    let high = sizes.reduce((a, b) => Math.max(a, b), 0);
    for (let step = 0; step < LEVEL_STEPS && high - low > 1; step++) {
      const middle = (low + high) / 2;
      let above = 0;
      for (const size of sizes) if (size > middle) above += size - middle;
      if (above >= excessBytes) low = middle;
      else high = middle;
    }
    return low;
  }
}
