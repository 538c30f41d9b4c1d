/** One direction of a virtual Network Connection: bytes in order, with delays, until it ends. */
import { concatenate } from "../support/wire_client.ts";
import type { Dice } from "./dice.ts";
import type { Appointment, Scheduler } from "./scheduler.ts";

const NOTHING = new Uint8Array(0);

/** What a pipe needs of the world. */
export interface PipeWorld {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  /** How long bytes are under way, on the average. */
  readonly latencyMs: number;
  /** How often bytes that were written together arrive in parts. */
  readonly splitRate: number;
}

/** Who reads at the end of a pipe. */
export interface PipeReader {
  bytesArrived(bytes: Uint8Array): void;
  endArrived(): void;
}

/** Bytes under way from a writer to a reader. */
export class Pipe {
  readonly #world: PipeWorld;
  readonly #reader: PipeReader;
  #bytes: Uint8Array = NOTHING;
  #ending = false;
  #over = false;
  #frozen = false;
  #next: Appointment | null = null;

  constructor(world: PipeWorld, reader: PipeReader) {
    this.#world = world;
    this.#reader = reader;
  }

  /** Bytes that have not arrived. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Sends bytes; behind the end they go nowhere. */
  write(bytes: Uint8Array): void {
    if (this.#ending || this.#over) return;
    this.#bytes = this.#bytes.length === 0 ? bytes.slice() : concatenate([this.#bytes, bytes]);
    this.#expect();
  }

  /** The reader sees the end behind the last byte, at the earliest after `delayMs`. */
  end(delayMs = 0): void {
    if (this.#ending || this.#over) return;
    this.#ending = true;
    this.#expect(delayMs);
  }

  /** The network fails: any part of what is under way still arrives, then the end. */
  cut(delayMs = 0): void {
    if (this.#ending || this.#over) return;
    this.#bytes = this.#bytes.subarray(0, this.#world.dice.below(this.#bytes.length + 1));
    this.end(delayMs);
  }

  /** What is under way does not arrive. */
  lose(): void {
    this.#bytes = NOTHING;
  }

  /** Nothing arrives any more, not even the end. */
  abandon(): void {
    this.#over = true;
    this.#bytes = NOTHING;
    if (this.#next !== null) this.#next.cancelled = true;
  }

  /** While frozen the reader takes nothing. */
  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    if (!frozen) this.#expect();
  }

  #expect(delayMs = 0): void {
    if (this.#over || this.#frozen || this.#next !== null) return;
    if (this.#bytes.length === 0 && !this.#ending) return;
    const { scheduler, dice, latencyMs } = this.#world;
    this.#next = scheduler.after(delayMs + dice.duration(latencyMs), () => this.#arrive());
  }

  #arrive(): void {
    this.#next = null;
    if (this.#over || this.#frozen) return;
    const { dice, splitRate } = this.#world;
    const bytes = this.#bytes;
    if (bytes.length > 0) {
      const count = dice.chance(splitRate) ? dice.integer(1, bytes.length) : bytes.length;
      this.#bytes = bytes.subarray(count);
      this.#reader.bytesArrived(bytes.subarray(0, count));
    }
    if (this.#bytes.length > 0 || !this.#ending || this.#over) {
      this.#expect();
      return;
    }
    this.#over = true;
    this.#reader.endArrived();
  }
}
