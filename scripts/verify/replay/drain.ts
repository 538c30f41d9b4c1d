/** The steps of `models/drain.pml` on the reception of the server, its turns, drivers and core. */
import type { AuditTrail } from "../../../src/_server_audit.ts";
import { letGo } from "../../../src/_server_let_go.ts";
import { openGatekeeper } from "../../../src/_server_parts.ts";
import { OPEN_ACCESS } from "../../../src/broker/mod.ts";
import { DEFAULT_CONFIG } from "../../../src/config/mod.ts";
import { type ControlPacket, encodePacket } from "../../../src/mqtt/mod.ts";
import type { Gatekeeper } from "../../../src/security/mod.ts";
import type { JournalRecord } from "../../../src/store/batch_journal.ts";
import { connectOf, publishOf, willOf } from "./packets.ts";
import { type Observation, type Rig, settle } from "./rig.ts";
import { type BenchClient, MICROTASKS, noTrail, ServerBench } from "./server_bench.ts";
import { packetsIn } from "./turn_bench.ts";
import { VirtualTimers } from "./virtual_timers.ts";

const DRAIN_MS = 5_000;
/** `DRAIN_LOOK_MS` and `SHUTDOWN_MS` of the reception, `LINGER_MS` of the driver. */
const LOOK_MS = 10;
const SHUTDOWN_MS = 2_000;
const LINGER_MS = 1_000;

const PHASES = { serving: 0, draining: 1, drained: 2, shutting: 3, shut: 4, gone: 5 } as const;
const PLACES = {
  none: 0,
  gated: 1,
  outbox: 2,
  writing: 3,
  taken: 4,
  passedOver: 5,
  lost: 6,
} as const;
const WILLS = { set: 1, published: 2, discarded: 3 } as const;
/** The promise that is the CONNACK of the second connection; those before are PUBACKs. */
const CONNACK = 2;

/** One server with two clients. */
export class DrainRig implements Rig {
  #timers = new VirtualTimers();
  #gatekeeper: Gatekeeper | null = null;
  #trail!: AuditTrail;
  #server!: ServerBench;
  #clients: BenchClient[] = [];
  /** The timers that end the sockets of the clients. */
  #lingers: (number | undefined)[] = [];
  #phase: number = PHASES.serving;
  #isLate = false;
  #sent = new Set<number>();
  /** Where promises were last. */
  #places: number[] = [];
  #stored = new Set<number>();
  #newcomer = "";

  async reset(): Promise<void> {
    this.#timers = new VirtualTimers();
    if (this.#gatekeeper === null) {
      const gatekeeper = await openGatekeeper(DEFAULT_CONFIG);
      if ("problem" in gatekeeper) throw new Error(gatekeeper.problem);
      this.#gatekeeper = gatekeeper;
      this.#trail = await noTrail();
    }
    await this.#timers.during(() => this.#begin());
  }

  async step(words: readonly string[]): Promise<void> {
    await this.#timers.during(async () => {
      this.#carryOut(words);
      await settle(MICROTASKS);
    });
    this.#follow();
  }

  observe(): Observation {
    const { broker } = this.#server.turns;
    const isGone = this.#phase === PHASES.gone;
    const observation: Record<string, number> = { phase: this.#phase, late: Number(this.#isLate) };
    if (isGone) return observation;
    observation["pressure"] = Number(broker.refusesConnections);
    observation["sessions"] = broker.statistics.sessions;
    observation["will"] = this.#will();
    for (const index of [0, 1]) {
      const client = this.#clients[index];
      observation[`at${index}`] = client === undefined ? 0 : stateOf(client);
      observation[`finished${index}`] = Number(client?.stream.finished ?? false);
      observation[`linger${index}`] = Number(this.#lingers[index] !== undefined);
    }
    for (const promise of [0, 1, CONNACK]) {
      observation[`promise${promise}`] = this.#places[promise]!;
      observation[`stored${promise}`] = Number(this.#stored.has(promise));
    }
    return observation;
  }

  close(): void {}

  async #begin(): Promise<void> {
    const parts = { gatekeeper: this.#gatekeeper!, trail: this.#trail, policy: OPEN_ACCESS };
    this.#server = new ServerBench(parts);
    this.#clients = [];
    this.#phase = PHASES.serving;
    this.#isLate = false;
    this.#sent = new Set();
    this.#stored = new Set();
    this.#places = [0, 0, 0];
    this.#lingers = [undefined, undefined];
    await this.#leaveSession("known");
    const first = await this.#server.connect(connectOf("first", { will: willOf("will") }));
    first.stream.taken.length = 0;
    this.#clients = [first];
  }

  /** A client that came, got its Session, and is away now. */
  async #leaveSession(clientIdentifier: string): Promise<void> {
    const options = { cleanSession: false } as const;
    const { stream } = await this.#server.connect(connectOf(clientIdentifier, options));
    stream.hangUp();
    await settle(MICROTASKS);
    await this.#server.answer();
  }

  #carryOut([act, argument]: readonly string[]): void {
    const { broker } = this.#server.turns;
    const number = Number(argument);
    switch (act) {
      case "open":
        this.#clients.push(this.#server.open());
        return;
      case "connect":
        this.#sent.add(CONNACK);
        this.#newcomer = number === 1 ? "known" : "new";
        return this.#send(1, connectOf(this.#newcomer, { cleanSession: false }));
      case "publish": {
        this.#sent.add(number);
        const options = { qos: 1, packetId: number + 1, retain: true } as const;
        return this.#send(0, publishOf(`t/${number}`, options));
      }
      case "goodbye":
        return this.#send(0, { type: "DISCONNECT" });
      case "hang_up":
        return this.#clients[number]!.stream.hangUp();
      case "take": {
        const { stream } = this.#clients[number]!;
        return stream.take(stream.offered.length);
      }
      case "answer":
        return this.#server.store.answer();
      case "pressure": {
        const isShort = number === 1;
        const pressure = { refuseConnections: isShort, shedQos0: false, shedQueues: false };
        return broker.setPressure(pressure);
      }
      case "linger":
        return this.#timers.ring(this.#lingers[number]);
      default:
        return this.#stop(act);
    }
  }

  /** The steps of `Server.stop`, and the timers that they wait for. */
  #stop(act: string | undefined): void {
    switch (act) {
      case "drain":
        this.#phase = PHASES.draining;
        void this.#server.reception.drain(DRAIN_MS).then(() => this.#phase = PHASES.drained);
        return;
      case "look":
        return this.#timers.ring(this.#timers.timers(LOOK_MS).at(0));
      case "late":
        this.#timers.nowMs += DRAIN_MS;
        this.#isLate = true;
        return;
      case "shut_down":
        this.#phase = PHASES.shutting;
        void this.#server.reception.shutDown().then(() => this.#phase = PHASES.shut);
        return;
      case "enough":
        return this.#timers.ring(this.#timers.timers(SHUTDOWN_MS).at(0));
      case "end":
        return this.#end();
      default:
        throw new Error(`Cannot carry out step: ${act}`);
    }
  }

  #end(): void {
    const { broker, log } = this.#server.turns;
    broker.stopping(this.#server.turns.instant());
    this.#server.turns.end();
    const parts = { desk: null, store: this.#server.store, trail: this.#trail, log };
    void letGo("end", parts).then(() => this.#phase = PHASES.gone);
  }

  #send(index: number, packet: ControlPacket): void {
    this.#clients[index]!.stream.send(encodePacket(packet));
  }

  /** What has become of promises, records and timers. */
  #follow(): void {
    const places = new Map<number, number>();
    for (const { stream, connection } of this.#clients) {
      const { outbox, gated } = connection;
      note(Uint8Array.from(stream.taken), PLACES.taken, places);
      note(stream.offered, PLACES.writing, places);
      note(outbox.bytes.subarray(0, outbox.length), PLACES.outbox, places);
      if (gated === null) continue;
      note(gated.buffer.bytes.subarray(0, gated.buffer.length), PLACES.gated, places);
    }
    this.#places = this.#places.map((last, promise) => {
      const place = places.get(promise);
      if (place !== undefined) return place;
      const isLost = last === PLACES.gated || last === PLACES.outbox || last === PLACES.writing;
      if (isLost || last === PLACES.lost) return PLACES.lost;
      return this.#sent.has(promise) ? PLACES.passedOver : PLACES.none;
    });
    for (const record of this.#server.store.records) {
      const promise = this.#promiseOf(record);
      if (promise !== null) this.#stored.add(promise);
    }
    const timers = [...this.#timers.timers(LINGER_MS)];
    const known = this.#lingers.map((id) => timers.includes(id ?? -1) ? id : undefined);
    const added = timers.filter((id) => !known.includes(id));
    this.#lingers = known.map((id, index) => {
      const client = this.#clients[index];
      if (id !== undefined || client === undefined || stateOf(client) !== CLOSED) return id;
      return added.shift();
    });
  }

  /** The promise that a record keeps. */
  #promiseOf(record: JournalRecord): number | null {
    if (record.kind === "retainedSet" && record.topic.startsWith("t/")) {
      return Number(record.topic.slice(2));
    }
    if (!this.#sent.has(CONNACK)) return null;
    const isBack = record.kind === "sessionStored" && record.sinceMs === 0;
    const isNew = record.kind === "sessionCreated" && this.#newcomer === "new";
    return (isBack || isNew) && record.clientIdentifier === this.#newcomer ? CONNACK : null;
  }

  #will(): number {
    if (this.#clients[0]!.connection.will !== null) return WILLS.set;
    const { willsPublished } = this.#server.turns.broker.statistics;
    return willsPublished > 0 ? WILLS.published : WILLS.discarded;
  }
}

const CLOSED = 3;
const ENDED = 4;

function stateOf({ stream, connection }: BenchClient): number {
  if (stream.ended) return ENDED;
  if (connection.closed) return CLOSED;
  return connection.session === null ? 1 : 2;
}

function note(bytes: Uint8Array, place: number, places: Map<number, number>): void {
  for (const packet of packetsIn(bytes)) {
    if (packet.type === "CONNACK") places.set(CONNACK, place);
    else if (packet.type === "PUBACK") places.set(packet.packetId - 1, place);
    else throw new Error(`Cannot place ${packet.type}: not expected`);
  }
}
