/** The gate as it is proved, and `AckGate` as it ships, step by step. */
import { assertEquals, assertThrows } from "@std/assert";
import { AckGate } from "../../src/broker/ack_gate.ts";
import { Connection } from "../../src/broker/connection.ts";
import { OPEN_ACCESS } from "../../src/broker/mod.ts";
import { Turn } from "../../src/broker/turn.ts";
import { BlockPool } from "../../src/mqtt/mod.ts";
import { BatchJournal } from "../../src/store/mod.ts";
import { Random } from "../../fuzz/random.ts";
import { mutateSystem, type System } from "../../scripts/verify/proofs/system.ts";
import { GATE } from "../../scripts/verify/systems/gate.ts";
import { TEST_LIMITS } from "../broker/_limits.ts";
import { Replay } from "./_replay.ts";

const ACK = 0x40;
const DELIVERY = 0x30;

/** The real gate, and the system at its side. */
class GateBeside {
  readonly replay: Replay;
  readonly #journal = new BatchJournal();
  readonly #turn: Turn;
  readonly #gate: AckGate;
  #connection: Connection | null = null;
  /** What was appended and what left, as numbers. */
  #appended = 0;
  #left = 0;
  #openLeft = 0;

  constructor(system: System) {
    this.replay = new Replay(system);
    this.#turn = new Turn({
      limits: TEST_LIMITS,
      policy: OPEN_ACCESS,
      sparkplug: null,
      journal: this.#journal,
      randomId: () => "",
      pool: new BlockPool(65_536),
    });
    this.#gate = new AckGate(this.#turn);
  }

  connect(isResumed: boolean): void {
    const origin = { remoteAddress: "192.0.2.1:1", listener: "test" };
    this.#connection = new Connection(1, { origin, pool: this.#turn.pool, nowMs: 1 });
    this.replay.take(isResumed ? "resume" : "begin_clean");
    this.#appended = this.#left = this.#openLeft = 0;
    if (isResumed) {
      this.#gate.acknowledge(this.#connection, ACK, 1, true);
      this.#gate.holdDeliveries(this.#connection);
      this.#appended = 1;
    }
    this.compare();
  }

  append(kind: number, durable: boolean): void {
    const tail = this.replay.number("tail");
    const connection = this.#connection!;
    this.replay.take(kind === ACK ? "acknowledge" : "deliver", { durable });
    if (kind === ACK) this.#gate.acknowledge(connection, kind, 1, durable);
    else this.#gate.deliveryBuffer(connection, durable).append(Uint8Array.of(kind, 2, 0, 1), 0, 4);
    if (this.replay.number("tail") > tail) this.#appended++;
    else this.#openLeft++;
    this.compare();
  }

  /** The end of a turn. */
  seal(): void {
    this.#journal.seal();
    this.replay.take("seal");
  }

  commit(): void {
    this.replay.take("commit");
    this.#gate.release(this.replay.number("disk"));
    if (this.#connection === null) return;
    while (this.replay.can("release")) {
      this.replay.take("release");
      this.#left++;
    }
    this.compare();
  }

  close(): void {
    this.replay.take("close");
    this.#connection!.gated = null;
    this.#connection = null;
  }

  get isConnected(): boolean {
    return this.#connection !== null;
  }

  /** Each packet has four bytes. */
  compare(): void {
    const { outbox, gated } = this.#connection!;
    assertEquals(outbox.length, 4 * (this.#left + this.#openLeft));
    assertEquals(gated?.buffer.length ?? 0, 4 * (this.#appended - this.#left));
    assertEquals(gated?.acknowledgements ?? false, this.replay.get("holdsAcks"));
    assertEquals(gated?.deliveries ?? false, this.replay.get("holdsDeliveries"));
    if (gated !== null) assertEquals(gated.marks.at(-1)!.batch, this.replay.number("lastMark"));
  }
}

function walk(system: System, seed: number): void {
  const random = new Random(seed);
  const beside = new GateBeside(system);
  for (let step = 0; step < 60; step++) {
    const pick = random.below(10);
    if (!beside.isConnected) beside.connect(random.oneIn(2));
    else if (pick < 3) beside.append(ACK, random.oneIn(2));
    else if (pick < 5) beside.append(DELIVERY, random.oneIn(3));
    else if (pick < 7) beside.seal();
    else if (pick < 9 && beside.replay.can("commit")) beside.commit();
    else if (random.oneIn(4)) beside.close();
  }
}

Deno.test("the gate does what its system does that is proved", () => {
  for (let seed = 1; seed <= 200; seed++) walk(GATE, seed);
});

Deno.test("a system that is not the gate is noticed beside it", () => {
  for (const mutant of GATE.mutants) {
    const broken = { ...mutateSystem(GATE, mutant), claims: {}, invariant: {} };
    assertThrows(
      () => {
        for (let seed = 1; seed <= 200; seed++) walk(broken, seed);
      },
      Error,
      "",
    );
  }
});
