/** Wills as they are proved, and the real core with one client, step by step. */
import { assertEquals, assertThrows } from "@std/assert";
import { type AccessPolicy, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { ConnackCode } from "../../src/mqtt/mod.ts";
import { Random } from "../../fuzz/random.ts";
import { mutateSystem, type System } from "../../scripts/verify/proofs/system.ts";
import { WILLS } from "../../scripts/verify/systems/wills.ts";
import { Core } from "../broker/_core.ts";
import type { FakeClient } from "../broker/_fake_client.ts";
import { RecordingStore } from "../broker/_recording_store.ts";
import { name, payload } from "../support/wire_client.ts";
import { Replay } from "./_replay.ts";

/** The core, one client with a Will, and a session for which Wills are kept. */
class WillsBeside {
  readonly replay: Replay;
  #refuses = false;
  readonly #policy: AccessPolicy = {
    ...OPEN_ACCESS,
    connect: () =>
      this.#refuses ? { kind: "refuse", code: ConnackCode.notAuthorized } : { kind: "accept" },
  };
  #store = new RecordingStore();
  #core = new Core({ store: this.#store, policy: this.#policy });
  #client: FakeClient | null = null;

  constructor(system: System) {
    this.replay = new Replay(system);
    const subscriber = this.#core.connect({ clientIdentifier: "s", cleanSession: false });
    subscriber.subscribe("will", 1);
    subscriber.lose();
    this.#store.slow = true;
  }

  /** Takes the place of whoever is there. */
  connect(withWill: boolean): void {
    this.replay.take("open");
    this.replay.take("CONNECT");
    this.replay.take("accept", { withWill });
    this.#sealAlong(() => {
      this.#client = this.#core.open();
      const will = {
        topic: name("will"),
        payload: payload("gone"),
        qos: 1,
        retain: false,
      } as const;
      this.#client.sendConnect({ clientIdentifier: "c", ...withWill ? { will } : {} });
    });
  }

  refuse(): void {
    this.replay.take("open");
    this.replay.take("CONNECT");
    this.replay.take("newcomer_ends", { event: "connection/refuse" });
    this.#refuses = true;
    this.#sealAlong(() => this.#core.open().sendConnect({ clientIdentifier: "c" }));
    this.#refuses = false;
  }

  end(event: "DISCONNECT" | "close"): void {
    this.replay.take("present_ends", { event: `connection/${event}` });
    this.#sealAlong(() => event === "close" ? this.#client!.lose() : this.#client!.disconnect());
  }

  commit(): void {
    this.replay.take("commit");
    this.#sealAlong(() => this.#core.release(this.#store.progress(1)));
    this.compareDisk();
  }

  /** The system publishes what is due in the step; the code in its first batch. */
  crash(): void {
    this.replay.take("crash");
    this.#store = this.#store.afterCrash();
    this.#store.slow = true;
    this.#sealAlong(() => {
      this.#core = new Core({ store: this.#store, policy: this.#policy });
    });
  }

  compareDisk(): void {
    const { sessions, wills } = this.#store.load();
    const disk = this.replay.number("disk");
    const kept = sessions.find(({ clientIdentifier }) => clientIdentifier === "s")!;
    assertEquals(kept.deliveries.length, this.replay.at("published", disk));
    assertEquals(wills.length > 0, this.replay.at("will", disk));
  }

  #sealAlong(act: () => void): void {
    const before = this.#store.journal.batch;
    act();
    const batches = this.#store.journal.batch - before;
    for (let n = 0; n < batches; n++) this.replay.take("seal");
  }
}

function walk(system: System, seed: number): Set<string> {
  const random = new Random(seed);
  const beside = new WillsBeside(system);
  const { replay } = beside;
  for (let step = 0; step < 60; step++) {
    const pick = random.below(10);
    if (pick === 0) beside.crash();
    else if (pick === 1) beside.refuse();
    else if (pick < 4) beside.connect(!random.oneIn(3));
    else if (pick < 6 && replay.can("present_ends", { event: "connection/close" })) {
      beside.end(random.oneIn(2) ? "DISCONNECT" : "close");
    } else if (replay.can("commit")) beside.commit();
  }
  return new Set(replay.trail.map((step) => step.split("(")[0]!));
}

Deno.test("Wills are published as in the system that is proved [MQTT-3.1.2-8]", () => {
  const taken = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) for (const step of walk(WILLS, seed)) taken.add(step);
  assertEquals([...taken].sort(), Object.keys(WILLS.steps).sort());
});

Deno.test("a system that treats Wills otherwise is noticed beside the core", () => {
  for (const mutant of WILLS.mutants) {
    const broken = { ...mutateSystem(WILLS, mutant), claims: {}, invariant: {} };
    assertThrows(
      () => {
        for (let seed = 1; seed <= 60; seed++) walk(broken, seed);
      },
      Error,
      "",
    );
  }
});
