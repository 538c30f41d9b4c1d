/** The steps of `models/ack_gate.pml` on the turns of the server, its core and its durable store. */
import type { ControlPacket } from "../../../src/mqtt/mod.ts";
import { readState } from "../../../src/store/sqlite_state_reader.ts";
import { connectOf, publishOf } from "./packets.ts";
import { type Observation, type Rig, settle } from "./rig.ts";
import { StoreBench } from "./store_bench.ts";
import { type BenchSocket, packetsIn, TurnBench } from "./turn_bench.ts";

const LOST = 4;
const DELIVERED = 3;
const OUTBOX = 2;
const GATED = 1;

/** One broker and what its disk holds. */
export class AckGateRig implements Rig {
  readonly #messages: number;
  #disk: Uint8Array[] = [];
  /** Topics of the messages on it. */
  #kept = new Set<string>();
  #bench!: StoreBench;
  #core!: TurnBench;
  #sockets: BenchSocket[] = [];
  /** Batches before those of the model. */
  #batches = 0;
  /** Packet Identifiers of messages that were published, and of those whose PUBACK a crash took. */
  #sent = 0;
  #delivered = new Set<number>();
  #forgotten = new Set<number>();
  #answered = false;
  #crashes = 0;
  #failures = 0;
  #written = 0;

  constructor({ messages }: { messages: number }) {
    this.#messages = messages;
  }

  async reset(): Promise<void> {
    this.#disk = [];
    this.#kept = new Set();
    this.#sent = 0;
    this.#delivered = new Set();
    this.#forgotten = new Set();
    this.#crashes = 0;
    this.#failures = 0;
    await this.#boot();
  }

  step([act, client, durable]: readonly string[]): void | Promise<void> {
    const { store, device, clock } = this.#bench;
    switch (act) {
      case "publish":
        return this.#publish(Number(client), durable === "1");
      case "turn":
        return this.#core.turns.end();
      case "release":
        this.#answered = false;
        return settle();
      case "write": {
        const [request] = device.requests;
        if (request?.kind !== "commit") throw new Error("Cannot write: nothing is asked for");
        this.#disk.push(request.changes.slice());
        this.#kept = topicsOn(this.#disk);
        this.#written = 1;
        return;
      }
      case "answer":
        this.#written = 0;
        this.#answered = true;
        return this.#bench.committed();
      case "fail": {
        const { changes } = device.take("commit");
        this.#failures++;
        return store.receive({ kind: "failed", reason: "disk is full", passing: true, changes });
      }
      case "retry":
        return clock.ring();
      case "crash":
        return this.#crash();
      default:
        throw new Error(`Cannot carry out step: ${act}`);
    }
  }

  observe(): Observation {
    const { store, device, clock } = this.#bench;
    const observation: Record<string, number> = {
      open: store.journal.batch - this.#batches,
      dirty: Number(store.dirty),
      device: Number(device.requests.length > 0),
      stuck: Number(clock.nextMs !== null),
      sent: this.#sent,
      written: this.#written,
      crashes: this.#crashes,
      failures: this.#failures,
    };
    const places = this.#places();
    for (let message = 0; message < this.#messages; message++) {
      observation[`ack${message}`] = places.get(message + 1) ?? 0;
      observation[`kept${message}`] = Number(this.#kept.has(`t/${message}`));
    }
    if (!this.#answered) observation["told"] = 0;
    return observation;
  }

  close(): void {}

  #publish(client: number, durable: boolean): void {
    const packetId = ++this.#sent;
    const options = { qos: 1, packetId, retain: durable } as const;
    this.#sockets[client]!.send(publishOf(`t/${packetId - 1}`, options));
  }

  async #crash(): Promise<void> {
    this.#crashes++;
    for (const [message, place] of this.#places()) {
      if (place === GATED || place === OUTBOX) this.#forgotten.add(message);
    }
    await this.#boot();
    const { retainedMessages } = this.#core.broker.statistics;
    if (retainedMessages !== this.#kept.size) {
      throw new Error("Cannot restore: not all that was stored");
    }
  }

  /** A new process on what the disk holds; what it writes at its start is of no account. */
  async #boot(): Promise<void> {
    this.#bench = new StoreBench(this.#disk);
    this.#core = new TurnBench(this.#bench.store);
    this.#answered = false;
    this.#written = 0;
    this.#sockets = [0, 1].map(() => this.#core.open());
    for (const [index, socket] of this.#sockets.entries()) socket.send(connectOf(`c${index}`));
    this.#core.turns.end();
    const { clock } = this.#bench;
    while (this.#bench.store.statistics.recordsWaiting > 0) {
      if (this.#bench.device.requests.length > 0) this.#bench.committed();
      else clock.ring();
      await settle();
    }
    await settle();
    for (const socket of this.#sockets) socket.received.length = 0;
    this.#batches = this.#bench.store.journal.batch - 1;
  }

  /** Where the PUBACK of each message is, by Packet Identifier. */
  #places(): Map<number, number> {
    const places = new Map<number, number>();
    for (const message of this.#forgotten) places.set(message, LOST);
    for (const { received, connection } of this.#sockets) {
      for (const packet of received) this.#delivered.add(idOf(packet));
      const { outbox, gated } = connection;
      for (const packet of packetsIn(outbox.bytes.subarray(0, outbox.length))) {
        places.set(idOf(packet), OUTBOX);
      }
      if (gated === null) continue;
      for (const packet of packetsIn(gated.buffer.bytes.subarray(0, gated.buffer.length))) {
        places.set(idOf(packet), GATED);
      }
    }
    for (const message of this.#delivered) places.set(message, DELIVERED);
    return places;
  }
}

function topicsOn(disk: readonly Uint8Array[]): Set<string> {
  return new Set(readState(disk).state.retained.map(({ topic }) => topic));
}

function idOf(packet: ControlPacket): number {
  if (packet.type !== "PUBACK") throw new Error(`Cannot place ${packet.type}: not expected`);
  return packet.packetId;
}
