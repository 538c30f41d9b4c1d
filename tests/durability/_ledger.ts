/** What was published and acknowledged, what arrived where, and what that says about the broker. */

/** One row of numbered messages from one publisher. Numbers begin with 0. */
export class Stream {
  /** Numbers handed to the publisher's client so far. */
  sent = 0;
  /** How many of them are acknowledged: PUBACK or PUBCOMP has come. */
  acknowledged = 0;
  readonly #flags = new Flags();

  /** `name` is the second level of its topics. */
  constructor(readonly name: string, readonly qos: 1 | 2) {}

  /** The broker has promised this message. */
  acknowledge(number: number): void {
    if (this.#flags.raise(number) === 1) this.acknowledged++;
  }

  /** Whether the broker has promised this message. */
  promised(number: number): boolean {
    return this.#flags.count(number) > 0;
  }
}

/** What one subscriber has received of one stream. */
class Arrivals {
  received = 0;
  duplicated = 0;
  /** First arrivals behind one with a higher number. */
  disordered = 0;
  readonly #counts = new Flags();
  #highest = -1;
  /** Everything promised below this number has arrived. */
  #complete = 0;

  add(number: number): void {
    this.received++;
    if (this.#counts.raise(number) > 1) {
      this.duplicated++;
      return;
    }
    if (number < this.#highest) this.disordered++;
    else this.#highest = number;
  }

  /** The promised numbers that have not arrived. */
  missing(stream: Stream): number[] {
    const missing: number[] = [];
    for (let number = this.#complete; number < stream.sent; number++) {
      if (stream.promised(number) && this.#counts.count(number) === 0) missing.push(number);
      else if (missing.length === 0) this.#complete = number + 1;
    }
    return missing;
  }
}

/** One persistent subscriber: everything promised must arrive here. */
export class Mailbox {
  /** When a message last arrived, by `performance.now`. */
  lastArrivalMs = 0;
  readonly #strange: string[] = [];
  readonly #arrivals: ReadonlyMap<string, { stream: Stream; arrivals: Arrivals }>;

  constructor(readonly name: string, readonly qos: 1 | 2, streams: readonly Stream[]) {
    this.#arrivals = new Map(
      streams.map((stream) => [stream.name, { stream, arrivals: new Arrivals() }]),
    );
  }

  /** A message: its topic says which stream, its payload begins with the number. */
  accept(topic: string, payload: string): void {
    this.lastArrivalMs = performance.now();
    const entry = this.#arrivals.get(topic.split("/")[1] ?? "");
    const number = Number.parseInt(payload);
    if (entry === undefined || !(number >= 0) || number >= entry.stream.sent) {
      this.#strange.push(`${this.name}: nobody sent this: ${topic} ${payload.slice(0, 40)}`);
    } else entry.arrivals.add(number);
  }

  /** Whether every promised message is here. */
  get complete(): boolean {
    return this.#all().every(({ stream, arrivals }) => arrivals.missing(stream).length === 0);
  }

  /** The figures of this subscriber, and a line for each kind of violation. */
  judge(): Verdict {
    const verdict: Verdict = {
      received: 0,
      repeated: 0,
      lost: 0,
      duplicated: 0,
      violations: this.#strange.slice(0, 8),
    };
    for (const { stream, arrivals } of this.#all()) {
      const missing = arrivals.missing(stream);
      const exactlyOnce = this.qos === 2 && stream.qos === 2;
      const { received, duplicated, disordered } = arrivals;
      verdict.received += received;
      verdict.lost += missing.length;
      verdict[exactlyOnce ? "duplicated" : "repeated"] += duplicated;
      const place = `${this.name}: ${stream.name}`;
      if (missing.length > 0) {
        verdict.violations.push(
          `${place}: LOST ${missing.length} acknowledged (${missing.slice(0, 8).join(" ")})`,
        );
      }
      if (exactlyOnce && duplicated > 0) {
        verdict.violations.push(`${place}: ${duplicated} DUPLICATED at QoS 2`);
      }
      if (disordered > 0) verdict.violations.push(`${place}: ${disordered} OUT OF ORDER`);
    }
    return verdict;
  }

  #all(): { stream: Stream; arrivals: Arrivals }[] {
    return [...this.#arrivals.values()];
  }
}

/** What a mailbox shows so far. */
export interface Verdict {
  received: number;
  /** Arrivals beyond the first where at least once is what was asked for. */
  repeated: number;
  lost: number;
  /** Arrivals beyond the first where exactly once was asked for. */
  duplicated: number;
  readonly violations: string[];
}

/** A small counter for each number. */
class Flags {
  #counts = new Uint8Array(1024);

  count(number: number): number {
    return this.#counts[number] ?? 0;
  }

  /** One more; gives how many it are now, 255 at most. */
  raise(number: number): number {
    if (number >= this.#counts.length) {
      const larger = new Uint8Array(2 * number);
      larger.set(this.#counts);
      this.#counts = larger;
    }
    const count = Math.min(255, this.count(number) + 1);
    this.#counts[number] = count;
    return count;
  }
}
