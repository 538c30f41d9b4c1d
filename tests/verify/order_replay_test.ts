/** The order of messages as it is proved, and the real core with a subscriber, step by step. */
import { assertEquals, assertThrows } from "@std/assert";
import type { TopicName } from "../../src/mqtt/mod.ts";
import { Random } from "../../fuzz/random.ts";
import { mutateSystem, type System } from "../../scripts/verify/proofs/system.ts";
import { ORDER } from "../../scripts/verify/systems/order.ts";
import { Core } from "../broker/_core.ts";
import type { FakeClient } from "../broker/_fake_client.ts";
import { RecordingStore } from "../broker/_recording_store.ts";
import { Replay } from "./_replay.ts";

const SUBSCRIBER = { clientIdentifier: "subscriber", cleanSession: false };
const WINDOW = 3;
const LIMITS = { inFlightMessagesMax: WINDOW };

/** Odd messages are QoS 1, even ones QoS 2. */
function isTwo(number: number): boolean {
  return number % 2 === 0;
}

/** The core and one subscriber. */
class OrderBeside {
  readonly replay: Replay;
  #store = new RecordingStore();
  #core = new Core({ store: this.#store, limits: LIMITS });
  #client: FakeClient | null = null;
  /** Packet Identifiers of this connection, by message. */
  readonly #ids = new Map<number, number>();

  constructor(system: System) {
    this.replay = new Replay(system);
    const subscriber = this.#core.connect(SUBSCRIBER);
    subscriber.subscribe("t", 2);
    subscriber.lose();
    this.#store.slow = true;
  }

  get next(): number {
    return this.replay.at("sent", this.replay.number("batch")) as number;
  }

  comes(): void {
    const number = this.replay.at("come", this.replay.number("batch")) as number;
    this.replay.take("comes");
    const payload = new TextEncoder().encode(String(number));
    const content = { payload, qos: isTwo(number) ? 2 : 1, retain: false } as const;
    this.#sealAlong(() => {
      this.#core.broker.publish("t" as TopicName, content, this.#core.instant());
      this.#core.turn();
    });
  }

  connect(): void {
    this.replay.take("connect");
    while (this.replay.can("send_again")) this.replay.take("send_again");
    this.replay.take("all_is_sent_again");
    this.#ids.clear();
    this.#sealAlong(() => {
      this.#client = this.#core.open();
      this.#client.sendConnect(SUBSCRIBER);
    });
  }

  acknowledge(number: number): void {
    const packetId = this.#ids.get(number);
    if (packetId === undefined) return;
    const state = String(this.#stateOf(number));
    const type = state === "sender.awaitPuback"
      ? "PUBACK"
      : state === "sender.awaitPubrec"
      ? "PUBREC"
      : "PUBCOMP";
    if (!this.replay.can("acknowledges", { n: number, event: `sender/${type}` })) return;
    this.replay.take("acknowledges", { n: number, event: `sender/${type}` });
    this.#sealAlong(() => this.#client!.send({ type, packetId }));
  }

  commit(): void {
    this.replay.take("commit");
    this.#sealAlong(() => this.#core.release(this.#store.progress(1)));
  }

  lose(): void {
    this.replay.take("lose");
    this.#sealAlong(() => this.#client!.lose());
    this.#client = null;
  }

  crash(): void {
    this.replay.take("crash");
    this.#store = this.#store.afterCrash();
    this.#store.slow = true;
    this.#client = null;
    this.#sealAlong(() => {
      this.#core = new Core({ store: this.#store, limits: LIMITS });
    });
  }

  /** The code has sent what the window lets; what came is what the system put on the wire. */
  #settle(): void {
    while (this.replay.can("send", { two: isTwo(this.next) }) && this.#inFlight() < WINDOW) {
      this.replay.take("send", { two: isTwo(this.next) });
    }
    for (const packet of this.#client?.takeMessages() ?? []) {
      const number = Number(new TextDecoder().decode(packet.payload));
      this.#ids.set(number, packet.packetId);
      assertEquals(this.replay.at("wire", this.replay.number("head")), number);
      this.replay.take("subscriber_gets");
    }
  }

  #inFlight(): number {
    let count = 0;
    for (let number = 1; number < this.next; number++) {
      if (this.#stateOf(number) !== "sender.idle") count++;
    }
    return count;
  }

  #stateOf(number: number): unknown {
    const states = this.replay.at("states", this.replay.number("batch"));
    return (states as unknown as { select(n: number): unknown }).select(number);
  }

  #sealAlong(act: () => void): void {
    const before = this.#store.journal.batch;
    act();
    this.#settle();
    const batches = this.#store.journal.batch - before;
    for (let n = 0; n < batches; n++) this.replay.take("seal");
  }
}

function walk(system: System, seed: number): Set<string> {
  const random = new Random(seed);
  const beside = new OrderBeside(system);
  const { replay } = beside;
  for (let step = 0; step < 80; step++) {
    const pick = random.below(12);
    if (pick === 0 && replay.can("lose")) beside.lose();
    else if (pick === 1 && random.oneIn(2)) beside.crash();
    else if (pick < 4) beside.comes();
    else if (replay.can("connect")) beside.connect();
    else if (pick < 8 && replay.number("seen") > 0) {
      beside.acknowledge(1 + random.below(replay.number("seen")));
    } else if (replay.can("commit")) beside.commit();
  }
  return new Set(replay.trail.map((step) => step.split("(")[0]!));
}

Deno.test("messages keep the order that is proved, through resume and crash [MQTT-4.6.0-1]", () => {
  const taken = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) for (const step of walk(ORDER, seed)) taken.add(step);
  assertEquals([...taken].sort(), Object.keys(ORDER.steps).sort());
});

Deno.test("another order is noticed beside the core", () => {
  for (const mutant of ORDER.mutants.slice(1)) {
    const broken = { ...mutateSystem(ORDER, mutant), claims: {}, invariant: {} };
    assertThrows(
      () => {
        for (let seed = 1; seed <= 60; seed++) walk(broken, seed);
      },
      Error,
      "",
    );
  }
});
