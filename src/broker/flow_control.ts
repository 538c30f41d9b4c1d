/**
 * Backpressure. A publisher is not read while a receiver of its messages is congested, so that a
 * fast publisher is slowed down and loses nothing. A receiver that has not worked off its backlog
 * within the grace is a slow consumer: it loses that right until it has caught up, so that it never
 * holds anybody for long.
 */
import type { Connection } from "./connection.ts";
import type { DeliveryQueue } from "./delivery_queue.ts";
import type { Session } from "./session.ts";
import type { Turn } from "./turn.ts";

/** Windows of waiting messages from which on the publishers of a connected client are held. */
const HIGH_WATER_WINDOWS = 4;

/** Decides who is read and who is not. */
export class FlowControl {
  readonly #turn: Turn;
  readonly #congested = new Set<Connection>();
  /** Who is not read until the store has caught up. */
  #heldByStore = new Set<Connection>();

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** The backlog of `receiver` is above its high-water mark: hold the publisher at work. */
  press(receiver: Connection): void {
    const turn = this.#turn;
    if (receiver.congestedSinceMs === 0) {
      receiver.congestedSinceMs = turn.nowMs;
      this.#congested.add(receiver);
    }
    const publisher = turn.publisher;
    if (publisher === null || publisher.closed || receiver.slow) return;
    if (publisher === receiver) return;
    const holding = receiver.holding ??= new Set();
    if (holding.has(publisher)) return;
    // Whom it held before could wait for each other in a circle: they are held anew if need be.
    this.#release(publisher);
    holding.add(publisher);
    if (publisher.holds++ === 0) publisher.heldSinceMs = turn.nowMs;
    turn.statistics.publishersHeld++;
  }

  /**
   * Whether a connected client has so much waiting that its publishers should be held: some windows
   * full, or half of what its queue may hold.
   */
  queueIsHigh(queue: DeliveryQueue): boolean {
    const { limits } = this.#turn;
    return queue.length > limits.inFlightMessagesMax * HIGH_WATER_WINDOWS ||
      queue.length * 2 > limits.queueMessagesMax || queue.bytes * 2 > limits.queueBytesMax;
  }

  /** Whether a receiver has a backlog. */
  isBehind({ queue }: Session, receiver: Connection): boolean {
    return receiver.congestedSinceMs !== 0 || !queue.isEmpty;
  }

  /** The client took bytes or acknowledged a message: perhaps it has caught up. */
  progress(receiver: Connection): void {
    if (receiver.congestedSinceMs === 0) return;
    if (this.#backlogged(receiver)) return;
    receiver.congestedSinceMs = 0;
    this.#congested.delete(receiver);
    this.#release(receiver);
    if (!receiver.slow) return;
    receiver.slow = false;
    this.#turn.events.add({ kind: "slowConsumer", connection: receiver, caughtUp: true });
  }

  /** Stops reading a client that does not take its own answers, until it has taken them. */
  limitSelf(connection: Connection): void {
    if (connection.pendingBytes <= this.#turn.limits.outboxBytesMax) return;
    if (!connection.closed) connection.holdsItself = true;
  }

  /** Lets a connection that held itself be read again. */
  relaxSelf(connection: Connection): void {
    if (!connection.holdsItself) return;
    if (connection.pendingBytes > this.#turn.limits.outboxLowWaterBytes) return;
    connection.holdsItself = false;
    this.resume(connection);
  }

  /** Stops reading a publisher whose messages wait for a store that does not keep up. */
  limitStore(connection: Connection): void {
    const { journal, storeBacklogBytesMax, statistics } = this.#turn;
    if (journal.backlogBytes <= storeBacklogBytesMax) return;
    if (connection.closed || connection.heldByStore) return;
    connection.heldByStore = true;
    this.#heldByStore.add(connection);
    statistics.storeHolds++;
  }

  /** Perhaps the store has caught up: it says so only when something was committed in its time. */
  storeProgress(): void {
    if (this.#heldByStore.size === 0) return;
    const { journal, storeBacklogBytesMax, nowMs } = this.#turn;
    if (journal.backlogBytes * 2 > storeBacklogBytesMax) return;
    const held = this.#heldByStore;
    this.#heldByStore = new Set();
    for (const connection of held) {
      connection.heldByStore = false;
      if (connection.congestedSinceMs !== 0) connection.congestedSinceMs = nowMs;
      this.resume(connection);
    }
  }

  /** The connection ended: it holds nobody, and nobody holds it. */
  forget(connection: Connection): void {
    this.#congested.delete(connection);
    this.#heldByStore.delete(connection);
    connection.heldByStore = false;
    connection.congestedSinceMs = 0;
    this.#release(connection);
    if (connection.holds === 0) return;
    for (const receiver of this.#congested) receiver.holding?.delete(connection);
    connection.holds = 0;
  }

  /** Nothing that the caller knows of holds it any more: it is read again if nothing else does. */
  resume(connection: Connection): void {
    if (!connection.readable) return;
    // While it was held its packets could not be seen: its keep alive starts anew.
    connection.lastPacketMs = this.#turn.nowMs;
    this.#turn.resumed.push(connection);
  }

  /** Finds the receivers that have been congested for too long, and asks for the store. */
  tick(): void {
    const { nowMs, limits, statistics, events } = this.#turn;
    // Where acknowledgements do not wait for the disk, nothing else tells that it has caught up.
    this.storeProgress();
    for (const receiver of this.#congested) {
      // Who is held cannot acknowledge: that time is not part of its grace. Who has sent too much
      // is held for that alone, and must not hold others by it.
      if (receiver.slow || receiver.holds > 0 || receiver.heldByStore) continue;
      if (nowMs - receiver.congestedSinceMs <= limits.slowConsumerGraceMs) continue;
      receiver.slow = true;
      statistics.slowConsumers++;
      events.add({ kind: "slowConsumer", connection: receiver, caughtUp: false });
      this.#release(receiver);
    }
  }

  #backlogged(receiver: Connection): boolean {
    const { limits } = this.#turn;
    if (receiver.pendingBytes > limits.outboxLowWaterBytes) return true;
    const queue = receiver.session?.queue;
    if (queue === undefined) return false;
    return queue.length > limits.inFlightMessagesMax || queue.bytes * 4 > limits.queueBytesMax;
  }

  #release(receiver: Connection): void {
    const { holding } = receiver;
    if (holding === null) return;
    receiver.holding = null;
    for (const publisher of holding) {
      publisher.holds--;
      if (publisher.holds === 0 && publisher.congestedSinceMs !== 0) {
        const heldSinceMs = Math.max(publisher.heldSinceMs, publisher.congestedSinceMs);
        publisher.congestedSinceMs += this.#turn.nowMs - heldSinceMs;
      }
      this.resume(publisher);
    }
  }
}
