/** The exchange as it is proved, with the real core over its store as the sender. */
import { assertEquals, assertThrows } from "@std/assert";
import { type AccessPolicy, OPEN_ACCESS } from "../../src/broker/mod.ts";
import type { ControlPacket, TopicName } from "../../src/mqtt/mod.ts";
import { Random } from "../../fuzz/random.ts";
import { mutateSystem, type System } from "../../scripts/verify/proofs/system.ts";
import { EXCHANGE } from "../../scripts/verify/systems/exchange.ts";
import { Core } from "../broker/_core.ts";
import type { FakeClient } from "../broker/_fake_client.ts";
import { RecordingStore } from "../broker/_recording_store.ts";
import { Replay } from "./_replay.ts";

const SUBSCRIBER = { clientIdentifier: "subscriber", cleanSession: false };

/** The core as the sender of one message after the other; the receiver is the system's. */
class SenderBeside {
  readonly replay: Replay;
  /** Whether the rules do not let the client read while it comes back. */
  #denies = false;
  readonly #policy: AccessPolicy = { ...OPEN_ACCESS, read: () => !this.#denies };
  #store = new RecordingStore();
  #core = new Core({ store: this.#store, policy: this.#policy });
  #client: FakeClient | null = null;
  #packetId = 0;

  constructor(system: System) {
    this.replay = new Replay(system);
    const subscriber = this.#core.connect(SUBSCRIBER);
    subscriber.subscribe("t", 2);
    subscriber.lose();
    this.#store.slow = true;
  }

  reconnect(refuses: boolean): void {
    this.replay.take("reconnect", { refuses });
    this.#denies = refuses;
    this.#sealAlong(() => {
      this.#client = this.#core.open();
      this.#client.sendConnect(SUBSCRIBER);
    });
    this.#denies = false;
    this.compare();
  }

  send(two: boolean): void {
    const number = this.replay.number("fresh");
    this.replay.take("send", { two });
    const payload = new TextEncoder().encode(String(number));
    const content = { payload, qos: two ? 2 : 1, retain: false } as const;
    this.#sealAlong(() => {
      this.#core.broker.publish("t" as TopicName, content, this.#core.instant());
      this.#core.turn();
    });
    this.compare();
  }

  hear(): void {
    const type = String(this.replay.get("packet")).slice(7) as "PUBACK" | "PUBREC" | "PUBCOMP";
    this.replay.take("hear");
    this.#sealAlong(() => this.#client!.send({ type, packetId: this.#packetId }));
    assertEquals(this.#client!.connection.closed, false, type);
    this.compare();
  }

  receive(): void {
    this.replay.take("receive");
    this.#client!.takeAll();
  }

  commit(): void {
    this.replay.take("senderCommits");
    this.#sealAlong(() => this.#core.release(this.#store.progress(1)));
    this.compare();
    this.compareDisk();
  }

  lose(): void {
    this.replay.take("senderLoses");
    this.#sealAlong(() => this.#client!.lose());
  }

  crash(): void {
    this.replay.take("senderCrashes");
    this.#store = this.#store.afterCrash();
    this.#store.slow = true;
    this.compareDisk();
    this.#sealAlong(() => {
      this.#core = new Core({ store: this.#store, policy: this.#policy });
    });
  }

  /** What the client gets is what the system sends. */
  compare(): void {
    if (this.replay.can("releaseSender")) this.replay.take("releaseSender");
    const packets = this.#client?.inbox.filter(({ type }) => type !== "CONNACK") ?? [];
    if (this.replay.get("senderUp") !== true) return;
    const expected = this.replay.get("at") === "at.toReceiver" ? [this.#expected()] : [];
    assertEquals(packets.map(textOf), expected, this.replay.trail.slice(-20).join(" "));
    for (const packet of packets) if ("packetId" in packet) this.#packetId = packet.packetId;
  }

  /** The one delivery that there may be, as the disk tells it. */
  compareDisk(): void {
    const [session] = this.#store.load().sessions;
    const batch = this.replay.number("senderDisk");
    const told = session!.deliveries.map(({ qos, released }) =>
      qos === 1 ? "sender.awaitPuback" : released ? "sender.awaitPubcomp" : "sender.awaitPubrec"
    );
    const state = this.replay.at("senderState", batch);
    assertEquals(told, state === "sender.idle" ? [] : [String(state)]);
  }

  #expected(): string {
    const packet = String(this.replay.get("packet")).slice(7);
    if (packet === "PUBREL") return packet;
    const dup = this.replay.get("again") === true ? " DUP" : "";
    return `${packet}${dup} ${this.replay.number("carried")}`;
  }

  /** Every batch that the code seals is one of the system. */
  #sealAlong(act: () => void): void {
    const before = this.#store.journal.batch;
    act();
    const batches = this.#store.journal.batch - before;
    for (let n = 0; n < batches; n++) this.replay.take("senderSeals");
  }
}

function textOf(packet: ControlPacket): string {
  if (packet.type !== "PUBLISH") return packet.type;
  const number = new TextDecoder().decode(packet.payload);
  return `PUBLISH${packet.qos}${packet.dup ? " DUP" : ""} ${number}`;
}

function walk(system: System, seed: number): Set<string> {
  const random = new Random(seed);
  const beside = new SenderBeside(system);
  const { replay } = beside;
  for (let step = 0; step < 80; step++) {
    if (random.oneIn(14) && replay.can("senderLoses")) beside.lose();
    else if (random.oneIn(20)) beside.crash();
    else if (random.oneIn(14) && replay.can("receiverLoses")) replay.take("receiverLoses");
    else if (random.oneIn(30)) replay.take("receiverCrashes");
    else if (replay.can("reconnect", { refuses: false })) beside.reconnect(random.oneIn(4));
    else if (replay.can("receive")) beside.receive();
    else if (replay.can("hear") && random.oneIn(2)) beside.hear();
    else if (replay.can("releaseReceiver")) replay.take("releaseReceiver");
    else if (replay.can("senderCommits") && random.oneIn(2)) beside.commit();
    else if (replay.can("receiverCommits")) replay.take("receiverCommits");
    else if (replay.can("send", { two: true }) && random.oneIn(2)) beside.send(!random.oneIn(3));
    else replay.take("receiverSeals");
  }
  return new Set(replay.trail.map((step) => step.split("(")[0]!));
}

Deno.test("the core sends as in the exchange that is proved [MQTT-4.3.3-1] [MQTT-4.4.0-1]", () => {
  const taken = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) for (const step of walk(EXCHANGE, seed)) taken.add(step);
  assertEquals([...taken].sort(), Object.keys(EXCHANGE.steps).sort());
});

Deno.test("an exchange with another sender is noticed beside the core", () => {
  for (const mutant of EXCHANGE.mutants.filter(({ step }) => step !== "receive")) {
    const broken = { ...mutateSystem(EXCHANGE, mutant), claims: {}, invariant: {} };
    assertThrows(
      () => {
        for (let seed = 1; seed <= 60; seed++) walk(broken, seed);
      },
      Error,
      "",
    );
  }
});
