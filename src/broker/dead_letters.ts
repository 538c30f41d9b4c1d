/**
 * What the broker has to give up is counted by its reason and goes to the dead letters: a bounded,
 * durable ring in the store. The core keeps their bounds, not their content.
 */
import type { Qos } from "../mqtt/mod.ts";
import type { StoredDeadLetter } from "./journal.ts";
import type { Message } from "./message.ts";
import type { DropReason } from "./statistics.ts";
import type { Turn } from "./turn.ts";

/** What a dead letter takes besides its message, about. */
const OVERHEAD_BYTES = 256;

/** How a message that is given up would have been delivered. */
export interface Undelivered {
  readonly qos: Qos;
  readonly retain: boolean;
  /** The session that does not get it; absent if nobody does. */
  readonly session?: string;
  /** Its publisher, empty if not known any more; by default the client at work. */
  readonly publisher?: string;
}

/** Keeps the ring of dead letters within its bounds. */
export class DeadLetters {
  readonly #turn: Turn;
  #ring: StoredDeadLetter[] = [];
  #head = 0;
  #bytes = 0;
  #nextId = 1;
  /** How many may be kept at this moment: a burst that fits the ring, then the rate. */
  #allowance: number;
  #refilledMs = 0;
  #republished: Message[] = [];

  constructor(turn: Turn) {
    this.#turn = turn;
    this.#allowance = turn.limits.deadLettersMessagesMax;
  }

  /** Whether a message given up now is kept; if not, `count` says all there is to say. */
  get open(): boolean {
    const { nowMs, limits } = this.#turn;
    if (limits.deadLettersMessagesMax === 0) return false;
    const refill = (nowMs - this.#refilledMs) * limits.deadLettersPerSecondMax / 1000;
    this.#refilledMs = nowMs;
    this.#allowance = Math.min(limits.deadLettersMessagesMax, this.#allowance + refill);
    return this.#allowance >= 1;
  }

  /** Takes over the ring that the store holds. */
  restore(letters: readonly StoredDeadLetter[]): void {
    this.#ring = [...letters];
    this.#nextId = (letters.at(-1)?.id ?? 0) + 1;
    for (const { bytes } of letters) this.#bytes += bytes;
    this.#trim();
  }

  /** Counts messages that are given up and not kept. */
  count(reason: DropReason, messages: number): void {
    const { statistics } = this.#turn;
    statistics.dropped[reason] += messages;
    statistics.deadLettersNotKept += messages;
  }

  /** A message is given up. */
  give(reason: DropReason, message: Message, undelivered: Undelivered): void {
    const { limits, journal, statistics, publisher, wallMs, ageS } = this.#turn;
    const bytes = message.size + OVERHEAD_BYTES;
    // What is given up of the dead letters themselves must not come back to them.
    const own = isDeadLetterTopic(message);
    if (own || !this.open || bytes > limits.deadLettersBytesMax) {
      this.count(reason, 1);
      return;
    }
    this.#allowance--;
    message.detach(); // it may be kept for long, and its neighbours are not
    statistics.dropped[reason]++;
    const id = this.#nextId++;
    journal.deadLetterAdded({
      id,
      reason,
      wallMs,
      ageS,
      publisher: undelivered.publisher ?? publisher?.clientIdentifier ?? "",
      session: undelivered.session ?? "",
      message,
      qos: undelivered.qos,
      retain: undelivered.retain,
      bytes,
    });
    this.#ring.push({ id, ageS, bytes });
    this.#bytes += bytes;
    this.#trim();
    if (limits.deadLettersRepublish) this.#republished.push(message);
  }

  /** The youngest that is kept; 0 if none is. */
  get last(): number {
    return this.#head < this.#ring.length ? this.#ring.at(-1)!.id : 0;
  }

  /** Takes letters out of the ring; gives those of them that were there. */
  remove(ids: Iterable<number>): ReadonlySet<number> {
    const wanted = new Set(ids);
    const taken = new Set<number>();
    const rest: StoredDeadLetter[] = [];
    for (const letter of this.#ring.slice(this.#head)) {
      if (!wanted.has(letter.id)) {
        rest.push(letter);
        continue;
      }
      taken.add(letter.id);
      this.#bytes -= letter.bytes;
    }
    if (taken.size === 0) return taken;
    this.#ring = rest;
    this.#head = 0;
    this.#turn.journal.deadLettersRemoved([...taken]);
    this.#count();
    return taken;
  }

  /** Forgets what is too old. */
  expire(): void {
    const { limits, ageS } = this.#turn;
    if (limits.deadLettersExpiryMs === 0) return;
    const oldestS = ageS - limits.deadLettersExpiryMs / 1000;
    this.#drop((letter) => letter.ageS < oldestS);
  }

  /** The messages that are to be published as dead letters, since the last call. */
  takeRepublished(): readonly Message[] {
    if (this.#republished.length === 0) return this.#republished;
    const messages = this.#republished;
    this.#republished = [];
    return messages;
  }

  #trim(): void {
    const { deadLettersMessagesMax, deadLettersBytesMax } = this.#turn.limits;
    this.#drop(() =>
      this.#ring.length - this.#head > deadLettersMessagesMax || this.#bytes > deadLettersBytesMax
    );
  }

  /** Drops the oldest as long as `more` holds for them. */
  #drop(more: (oldest: StoredDeadLetter) => boolean): void {
    const { journal } = this.#turn;
    let through = 0;
    while (this.#head < this.#ring.length && more(this.#ring[this.#head]!)) {
      const { id, bytes } = this.#ring[this.#head++]!;
      this.#bytes -= bytes;
      through = id;
    }
    if (through > 0) journal.deadLettersDropped(through);
    if (this.#head > 1024 && this.#head * 2 > this.#ring.length) {
      this.#ring = this.#ring.slice(this.#head);
      this.#head = 0;
    }
    this.#count();
  }

  #count(): void {
    const { statistics } = this.#turn;
    statistics.deadLetters = this.#ring.length - this.#head;
    statistics.deadLetterBytes = this.#bytes;
  }
}

/** Under which dead letters are published, if that is wanted; clients cannot publish there. */
export const DEAD_LETTER_TOPIC = "$dead-letter/";
const PREFIX = new TextEncoder().encode(DEAD_LETTER_TOPIC);

/** Whether a message is one of the dead letters that are published. */
export function isDeadLetterTopic({ bytes, start, topicEnd }: Message): boolean {
  const at = start + 2;
  return topicEnd - at >= PREFIX.length && PREFIX.every((byte, i) => bytes[at + i] === byte);
}
