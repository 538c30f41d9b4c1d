/** What the access policy denied, for the record: collected by the core, written by others. */
import type { Connection } from "./connection.ts";
import type { Message } from "./message.ts";
import type { TopicEntry } from "./topic_cache.ts";

/** What a client wanted and did not get. */
export interface Wish {
  readonly action: "publish" | "subscribe" | "will" | "read";
  /** A Topic Name; of a subscription its Topic Filter. */
  readonly topic: string;
  /** Whether it was denied because only the server publishes there, and not by a rule. */
  readonly serverOwned: boolean;
  /** Messages; 1 if there is nothing to count. */
  readonly count: number;
}

/** One denial, or several in a row of the same wish. */
export interface Denial extends Omit<Wish, "count"> {
  readonly connection: Connection;
  count: number;
}

/** How many different ones a turn may collect; more are counted, not kept. */
const DENIALS_MAX = 64;

/** Denials since they were last taken. */
export class Denials {
  #kept: Denial[] = [];
  #others = 0;

  /** Messages were not routed. */
  publish(connection: Connection, { name, serverOwned }: TopicEntry, count: number): void {
    this.note(connection, { action: "publish", topic: name, serverOwned, count });
  }

  /** A message that has waited is not delivered any more. */
  read(connection: Connection, { topic }: Message): void {
    this.note(connection, { action: "read", topic, serverOwned: false, count: 1 });
  }

  /** Something was denied. */
  note(connection: Connection, wish: Wish): void {
    const last = this.#kept.at(-1);
    const again = last?.connection === connection && last.action === wish.action &&
      last.topic === wish.topic;
    if (again) last.count += wish.count;
    else if (this.#kept.length < DENIALS_MAX) this.#kept.push({ ...wish, connection });
    else this.#others += wish.count;
  }

  /** Hands them over, oldest first; null if there are none. */
  take(): { readonly kept: readonly Denial[]; readonly others: number } | null {
    if (this.#kept.length === 0) return null;
    const taken = { kept: this.#kept, others: this.#others };
    this.#kept = [];
    this.#others = 0;
    return taken;
  }
}
