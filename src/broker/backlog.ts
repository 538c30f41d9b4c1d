/** What waits for sessions: the limits of their queues, and what is given up at them. */
import { isDeadLetterTopic } from "./dead_letters.ts";
import type { Delivery } from "./delivery_queue.ts";
import type { FlowControl } from "./flow_control.ts";
import { Replay } from "./replay.ts";
import type { Session } from "./session.ts";
import type { DropReason } from "./statistics.ts";
import type { Turn } from "./turn.ts";

/** Deliveries at the head of a queue that may share memory with other messages. */
const SHARED_QUEUE_MAX = 256;

/** Puts deliveries into queues and takes them out. */
export class Backlog {
  readonly #turn: Turn;
  readonly #flow: FlowControl;

  constructor(turn: Turn, flow: FlowControl) {
    this.#turn = turn;
    this.#flow = flow;
  }

  /** Puts a delivery at the end of the queue; gives whether there was room. */
  add(session: Session, delivery: Delivery): boolean {
    const { statistics, ageS } = this.#turn;
    const connection = session.connection;
    if (!this.#makeRoom(session, delivery)) {
      this.#giveUp(session, delivery, "queue-full-newest");
      if (connection !== null) this.#flow.press(connection);
      return false;
    }
    // A short backlog of a connected client is gone in a moment; a long one would keep whole blocks.
    if (connection === null || session.queue.length >= SHARED_QUEUE_MAX) delivery.message.detach();
    delivery.queuedS = ageS;
    session.queue.push(delivery);
    statistics.queuedMessages++;
    statistics.queuedBytes += delivery.cost;
    if (connection !== null && this.#flow.queueIsHigh(session.queue)) this.#flow.press(connection);
    return true;
  }

  /** Puts a stored delivery back. */
  restore(session: Session, delivery: Delivery): void {
    session.queue.push(delivery);
    this.#turn.statistics.queuedMessages++;
    this.#turn.statistics.queuedBytes += delivery.cost;
  }

  /** Takes the first delivery out, which is at the head. */
  shift(session: Session): Delivery {
    const delivery = session.queue.shift() as Delivery;
    this.#taken(delivery);
    return delivery;
  }

  /** Whether a delivery has waited for longer than messages may. */
  isExpired({ queuedS }: Delivery): boolean {
    const { limits, ageS } = this.#turn;
    const { queueMessageExpiryMs } = limits;
    return queueMessageExpiryMs > 0 && ageS - queuedS > queueMessageExpiryMs / 1000;
  }

  /** Gives up what has waited for too long. */
  expire(session: Session): void {
    for (;;) {
      const oldest = session.queue.oldest();
      if (oldest === undefined || !this.isExpired(oldest)) return;
      session.queue.shiftDelivery();
      this.#taken(oldest);
      this.giveUp(session, oldest, "message-expired");
    }
  }

  /** Empties the queue; `reason`: why its messages are given up, null if nobody wants them. */
  clear(session: Session, reason: DropReason | null): void {
    for (;;) {
      const delivery = session.queue.shift();
      if (delivery === undefined) return;
      if (delivery instanceof Replay) continue;
      this.#taken(delivery);
      if (reason !== null) this.#giveUp(session, delivery, reason);
    }
  }

  /** Gives up the oldest delivery, of which there is one, because the memory is short. */
  shed(session: Session): void {
    const delivery = session.queue.shiftDelivery()!;
    this.#taken(delivery);
    this.giveUp(session, delivery, "shed-queue");
  }

  /** Gives oldest messages memory of their own. */
  detachOld(session: Session): void {
    session.queue.detach(SHARED_QUEUE_MAX);
  }

  /** A delivery that is out of the queue, or was never in it, is given up. */
  giveUp(session: Session, delivery: Delivery, reason: DropReason): void {
    this.#giveUp(session, delivery, reason);
    if (delivery.sequence === 0) return;
    this.#turn.journal.deliveryFinished(session.clientIdentifier, delivery.sequence);
  }

  #giveUp(session: Session, delivery: Delivery, reason: DropReason): void {
    const { message, qos, retain } = delivery;
    const lost = { qos, retain, session: session.clientIdentifier };
    const { deadLetters } = this.#turn;
    // What has waited came from somebody else than the client at work.
    if (reason === "queue-full-newest") deadLetters.give(reason, message, lost);
    else deadLetters.give(reason, message, { ...lost, publisher: "" });
  }

  #taken(delivery: Delivery): void {
    this.#turn.statistics.queuedMessages--;
    this.#turn.statistics.queuedBytes -= delivery.cost;
  }

  /** Whether one more delivery of this cost fits, after giving up older ones where that is the rule. */
  #makeRoom(session: Session, { message, cost }: Delivery): boolean {
    const { limits, statistics } = this.#turn;
    const { queue } = session;
    // Nothing is given up for a message that would not fit even then.
    if (cost > limits.queueBytesMax) return false;
    if (this.#memoryBytes - queue.bytes + cost > limits.queueTotalBytesMax) return false;
    if (statistics.queuedMessages - queue.length >= limits.queueTotalMessagesMax) return false;
    for (;;) {
      const fits = queue.length < limits.queueMessagesMax &&
        queue.bytes + cost <= limits.queueBytesMax && this.#fitsInTotal(cost);
      if (fits) return true;
      if (limits.queueFull === "drop_newest") return false;
      // One that makes room would become the next one, until nothing else is left in the queue.
      if (limits.deadLettersRepublish && isDeadLetterTopic(message)) return false;
      const oldest = queue.shiftDelivery();
      if (oldest === undefined) return false;
      this.#taken(oldest);
      this.giveUp(session, oldest, "queue-full-oldest");
    }
  }

  /** What all deliveries cost that wait or are in flight, in bytes. */
  get #memoryBytes(): number {
    const { statistics } = this.#turn;
    return statistics.queuedBytes + statistics.inFlightBytes;
  }

  #fitsInTotal(cost: number): boolean {
    const { limits, statistics } = this.#turn;
    return this.#memoryBytes + cost <= limits.queueTotalBytesMax &&
      statistics.queuedMessages < limits.queueTotalMessagesMax;
  }
}
