/**
 * What the core gives up while the process is short of memory: new clients, QoS 0 for whoever is
 * behind, and at last the oldest messages of the largest queues. Nothing that is in flight, retained
 * or stored besides queues is touched.
 */
import type { Backlog } from "./backlog.ts";
import type { SessionRegistry } from "./session_registry.ts";
import type { Turn } from "./turn.ts";

/**
 * What may be given up before the store has written it, in messages and in what they cost. Until then
 * it is referred to, and to give up more would take memory instead of freeing it.
 */
const UNWRITTEN_MESSAGES_MAX = 4_096;
const UNWRITTEN_BYTES_MAX = 4_194_304;
/** What may wait for the store meanwhile: publishers must not be faster than what is given up. */
const STORE_BACKLOG_BYTES = 262_144;
/** Halvings that find the level: queues have less than 2^40 bytes, and a byte does not matter. */
const LEVEL_STEPS = 40;

/** What is given up, least harmful first. */
export interface Pressure {
  /** Clients without a session here are refused; those that are connected stay. */
  readonly refuseConnections: boolean;
  /** QoS 0 messages for receivers with a backlog are dropped and counted. */
  readonly shedQos0: boolean;
  /**
   * What waits may not grow: the largest queues give up their oldest messages for new ones, and
   * publishers are not read while what that takes has not been written.
   */
  readonly shedQueues: boolean;
}

/** Keeps what waits for sessions below a ceiling as long as the memory is short. */
export class Shedding {
  readonly #turn: Turn;
  readonly #sessions: SessionRegistry;
  readonly #backlog: Backlog;
  /** Bytes that may wait for all sessions together; Infinity as long as nothing is shed. */
  #ceilingBytes = Infinity;
  /** What was given up in batches that are not committed, oldest first. */
  #unwritten: { readonly batch: number; messages: number; bytes: number }[] = [];

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
    const { storeBacklogBytesMax } = turn.limits;
    turn.storeBacklogBytesMax = shedQueues
      ? Math.min(storeBacklogBytesMax, STORE_BACKLOG_BYTES)
      : storeBacklogBytesMax;
    if (!shedQueues) this.#ceilingBytes = Infinity;
    else this.#ceilingBytes = Math.min(this.#ceilingBytes, turn.statistics.queuedBytes);
  }

  /** The limits are others now. */
  limitsChanged(): void {
    const { limits } = this.#turn;
    const shedsQueues = this.#ceilingBytes !== Infinity;
    this.#turn.storeBacklogBytesMax = shedsQueues
      ? Math.min(limits.storeBacklogBytesMax, STORE_BACKLOG_BYTES)
      : limits.storeBacklogBytesMax;
  }

  /** It was not enough: a share of what waits has to go, from 0 to 1, but not below `floorBytes`. */
  lower({ share, floorBytes }: { share: number; floorBytes: number }): void {
    if (this.#ceilingBytes === Infinity) return;
    const { queuedBytes } = this.#turn.statistics;
    const aimBytes = Math.floor(queuedBytes * (1 - share));
    this.#ceilingBytes = Math.max(floorBytes, Math.min(this.#ceilingBytes, aimBytes));
  }

  /** Brings what waits down to the ceiling, or as far towards it as may be at this moment. */
  settle(): void {
    const { statistics, journal } = this.#turn;
    const excessBytes = statistics.queuedBytes - this.#ceilingBytes;
    if (!(excessBytes > 0)) return;
    const { messages, bytes } = this.#room();
    if (messages <= 0 || bytes <= 0) return;
    const shed = { batch: journal.batch, messages: 0, bytes: 0 };
    const beforeBytes = statistics.queuedBytes;
    const levelBytes = this.#level(excessBytes);
    for (const session of this.#sessions.values()) {
      const { queue } = session;
      while (queue.bytes > levelBytes && statistics.queuedBytes > this.#ceilingBytes) {
        if (shed.messages === messages || shed.bytes >= bytes) break;
        this.#backlog.shed(session);
        shed.messages++;
        shed.bytes = beforeBytes - statistics.queuedBytes;
      }
    }
    this.#unwritten.push(shed);
  }

  /** How much more may be given up now. */
  #room(): { messages: number; bytes: number } {
    const { committedBatch } = this.#turn;
    this.#unwritten = this.#unwritten.filter(({ batch }) => batch > committedBatch);
    let messages = UNWRITTEN_MESSAGES_MAX;
    let bytes = UNWRITTEN_BYTES_MAX;
    for (const one of this.#unwritten) {
      messages -= one.messages;
      bytes -= one.bytes;
    }
    return { messages, bytes };
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
