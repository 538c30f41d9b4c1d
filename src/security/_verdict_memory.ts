/** Verdicts that were given before, so that one that is asked again costs a look-up. */
import type { TopicName } from "../mqtt/mod.ts";

/** Verdicts that all clients together may keep; one takes about 100 bytes, its topic included. */
const VERDICTS_MAX = 65_536;
/** Longer topics are judged each time; this bounds the memory. */
const TOPIC_CHARACTERS_MAX = 256;

/** The verdicts on one client's operations, by topic; as bits: those known, and those allowed. */
export type KnownVerdicts = Map<TopicName, number>;

/**
 * The bound on what the clients of one set of rules keep. Topics are chosen by clients, so it is one
 * bound for all: whoever goes through more topics than that has everybody's forgotten, which costs
 * them the time of the verdicts anew, and no memory.
 */
export class VerdictMemory {
  readonly #max: number;
  readonly #used = new Set<KnownVerdicts>();
  #count = 0;

  constructor(max: number = VERDICTS_MAX) {
    this.#max = max;
  }

  /** Verdicts that are kept now. */
  get count(): number {
    return this.#count;
  }

  /** Keeps what is known of a topic, in the place of what was known before. */
  keep(verdicts: KnownVerdicts, topic: TopicName, bits: number): void {
    if (topic.length > TOPIC_CHARACTERS_MAX) return;
    if (!verdicts.has(topic)) {
      if (this.#count >= this.#max) this.#forget();
      this.#count++;
      this.#used.add(verdicts);
    }
    verdicts.set(topic, bits);
  }

  #forget(): void {
    for (const verdicts of this.#used) verdicts.clear();
    this.#used.clear();
    this.#count = 0;
  }
}
