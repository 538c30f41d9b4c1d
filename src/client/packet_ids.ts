/** Packet Identifiers of what this client has asked for and has not got an answer to. */
import type { ClientError } from "./client_error.ts";

const ID_MAX = 65_535;

/** Identifiers in use, each with who waits for its answer. */
export class PacketIds<T> {
  readonly #waiting = new Map<number, PromiseWithResolvers<T>>();
  #last = 0;
  #roomWanted: { readonly below: number; readonly given: PromiseWithResolvers<void> } | null = null;
  #failure: ClientError | null = null;

  /** How many are in use. */
  get size(): number {
    return this.#waiting.size;
  }

  /** An identifier that nobody uses [MQTT-2.3.1-2]; `done` resolves to its answer. */
  take(): { readonly packetId: number; readonly done: Promise<T> } {
    if (this.#failure !== null) throw this.#failure;
    if (this.#waiting.size === ID_MAX) {
      throw new RangeError("Cannot take a Packet Identifier: none");
    }
    do this.#last = this.#last === ID_MAX ? 1 : this.#last + 1; while (
      this.#waiting.has(this.#last)
    );
    const waiting = Promise.withResolvers<T>();
    // Who has asked may not have come to wait yet when the connection ends.
    waiting.promise.catch(() => {});
    this.#waiting.set(this.#last, waiting);
    return { packetId: this.#last, done: waiting.promise };
  }

  /** The answer has come; one that nobody waits for is passed over. */
  settle(packetId: number, answer: T): void {
    this.#waiting.get(packetId)?.resolve(answer);
    this.#waiting.delete(packetId);
    const wanted = this.#roomWanted;
    if (wanted === null || this.#waiting.size >= wanted.below) return;
    this.#roomWanted = null;
    wanted.given.resolve();
  }

  /** Resolves when fewer than so many are in use; for one at a time. */
  below(count: number): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#waiting.size < count) return Promise.resolve();
    this.#roomWanted ??= { below: count, given: Promise.withResolvers() };
    return this.#roomWanted.given.promise;
  }

  /** No answer will come any more. */
  fail(error: ClientError): void {
    this.#failure = error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#roomWanted?.given.reject(error);
    this.#roomWanted = null;
  }
}
