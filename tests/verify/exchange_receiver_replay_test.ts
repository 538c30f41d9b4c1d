/** The exchange as it is proved, with the real core over its store as the receiver. */
import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../fuzz/random.ts";
import { mutateSystem, type System } from "../../scripts/verify/proofs/system.ts";
import { EXCHANGE } from "../../scripts/verify/systems/exchange.ts";
import { Core } from "../broker/_core.ts";
import type { FakeClient } from "../broker/_fake_client.ts";
import { RecordingStore } from "../broker/_recording_store.ts";
import { publishPacket } from "../support/wire_client.ts";
import { Replay } from "./_replay.ts";

const ID = 7;
const PUBLISHER = { clientIdentifier: "publisher", cleanSession: false };
const SUBSCRIBER = { clientIdentifier: "subscriber", cleanSession: false };

/** The core as the receiver of one Packet Identifier; the sender is the system's. */
class ReceiverBeside {
  readonly replay: Replay;
  #store = new RecordingStore();
  #core = new Core({ store: this.#store });
  #client: FakeClient | null = null;

  constructor(system: System) {
    this.replay = new Replay(system);
    // Somebody for whom messages are kept.
    const subscriber = this.#core.connect(SUBSCRIBER);
    subscriber.subscribe("t", 2);
    subscriber.lose();
    this.#core.connect(PUBLISHER).lose();
    this.#store.slow = true;
  }

  reconnect(): void {
    this.replay.take("reconnect", { refuses: false });
    this.#sealAlong(() => {
      this.#client = this.#core.open();
      this.#client.sendConnect(PUBLISHER);
    });
  }

  receive(): void {
    const packet = String(this.replay.get("packet"));
    const number = this.replay.number("carried");
    const dup = this.replay.get("again") === true;
    this.replay.take("receive");
    this.#sealAlong(() => {
      if (packet === "packet.PUBREL") this.#client!.send({ type: "PUBREL", packetId: ID });
      else {
        const qos = packet === "packet.PUBLISH2" ? 2 : 1;
        const options = { qos, packetId: ID } as const;
        this.#client!.send({ ...publishPacket("t", String(number), options), dup });
      }
    });
    assertEquals(this.#client!.connection.closed, false, packet);
    this.release();
  }

  commit(): void {
    this.replay.take("receiverCommits");
    this.#sealAlong(() => this.#core.release(this.#store.progress(1)));
    this.release();
    this.compareDisk();
  }

  /** The gate releases by itself. */
  release(): void {
    if (this.replay.can("releaseReceiver")) this.replay.take("releaseReceiver");
    if (this.#client === null) return;
    const expected = this.replay.get("at") === "at.toSender" ? [this.replay.get("packet")] : [];
    const told = this.#client.types.filter((type) => type !== "CONNACK");
    assertEquals(told.map((type) => `packet.${type}`), expected, this.replay.trail.join(" "));
  }

  hear(): void {
    this.replay.take("hear");
    this.#client!.takeAll();
  }

  lose(): void {
    this.replay.take("receiverLoses");
    this.#sealAlong(() => this.#client!.lose());
    this.#client = null;
  }

  crash(): void {
    this.replay.take("receiverCrashes");
    this.#store = this.#store.afterCrash();
    this.#store.slow = true;
    this.#client = null;
    this.compareDisk();
    this.#sealAlong(() => {
      this.#core = new Core({ store: this.#store });
    });
  }

  /** What the disk holds: the identifier, and each QoS 2 message once. */
  compareDisk(): void {
    const { sessions } = this.#store.load();
    const publisher = sessions.find(({ clientIdentifier }) => clientIdentifier === "publisher")!;
    const subscriber = sessions.find(({ clientIdentifier }) => clientIdentifier === "subscriber")!;
    const batch = this.replay.number("receiverDisk");
    const state = this.replay.at("receiverState", batch);
    assertEquals(publisher.receiving.includes(ID), state === "receiver.awaitPubrel");
    const numbers = subscriber.deliveries.filter(({ qos }) => qos === 2).map(({ message }) =>
      Number(new TextDecoder().decode(message.bytes.subarray(message.topicEnd, message.end)))
    );
    assertEquals(new Set(numbers).size, numbers.length, "QoS 2 message handed on twice");
    assertEquals(numbers.at(-1) ?? 0, this.replay.at("routed2", batch));
  }

  /** Every batch that the code seals is one of the system. */
  #sealAlong(act: () => void): void {
    const before = this.#store.journal.batch;
    act();
    const batches = this.#store.journal.batch - before;
    for (let n = 0; n < batches; n++) this.replay.take("receiverSeals");
  }
}

function walk(system: System, seed: number): Set<string> {
  const random = new Random(seed);
  const beside = new ReceiverBeside(system);
  const { replay } = beside;
  for (let step = 0; step < 80; step++) {
    if (random.oneIn(14) && replay.get("receiverUp") === true) beside.lose();
    else if (random.oneIn(18)) beside.crash();
    else if (random.oneIn(12) && replay.can("senderLoses")) replay.take("senderLoses");
    else if (random.oneIn(30)) replay.take("senderCrashes");
    else if (replay.can("reconnect", { refuses: false })) beside.reconnect();
    else if (replay.can("receive") && random.oneIn(2)) beside.receive();
    else if (replay.can("hear")) beside.hear();
    else if (replay.can("releaseSender")) replay.take("releaseSender");
    else if (replay.can("receiverCommits") && random.oneIn(2)) beside.commit();
    else if (replay.can("senderCommits")) replay.take("senderCommits");
    else if (replay.can("send", { two: true }) && random.oneIn(2)) {
      replay.take("send", { two: !random.oneIn(3) });
    } else replay.take("senderSeals");
  }
  return new Set(replay.trail.map((step) => step.split("(")[0]!));
}

Deno.test("the core receives as in the exchange that is proved [MQTT-4.3.3-2]", () => {
  const taken = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) for (const step of walk(EXCHANGE, seed)) taken.add(step);
  assertEquals([...taken].sort(), Object.keys(EXCHANGE.steps).sort());
});

Deno.test("an exchange with another receiver is noticed beside the core", () => {
  const mutants = [
    ...EXCHANGE.mutants.filter(({ step }) => step === "receive"),
    {
      name: "PUBCOMP behind the present batch",
      step: "receive",
      original: "receiverBatch receiverConnack)",
      replacement: "(+ receiverBatch 1) (+ receiverBatch 1))",
    },
  ];
  for (const mutant of mutants) {
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
