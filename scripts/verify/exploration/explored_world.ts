/** The real core, its store as records that are committed or not, and clients with wires to it. */
import {
  Broker,
  type BrokerLimits,
  type Connection,
  OPEN_ACCESS,
} from "../../../src/broker/mod.ts";
import {
  BlockPool,
  type ControlPacket,
  decodePacket,
  encodePacket,
  PROTOCOL_LIMITS,
  type TopicFilter,
} from "../../../src/mqtt/mod.ts";
import type { JournalRecord } from "../../../src/store/mod.ts";
import { StateImage } from "../../../src/store/state_image.ts";
import { TEST_LIMITS } from "../../../tests/broker/_limits.ts";
import { type Batch, DoubledJournal } from "./doubled_journal.ts";
import {
  type ExploredClient,
  type ExploredMessage,
  ExploredPublisher,
  ExploredSubscriber,
} from "./explored_client.ts";
import { Facts } from "./facts.ts";
import { PromiseBroken } from "./promise_broken.ts";
import { checkPacket, checkWorld } from "./promises.ts";

const INSTANT = { nowMs: 1_000, wallMs: 1_800_000_000_000 };
const POOL = new BlockPool(1_048_576);

/** What is explored. */
export interface Scenario {
  readonly name: string;
  /** What each publisher publishes. */
  readonly publishers: readonly (readonly ExploredMessage[])[];
  /** What each subscriber is granted. */
  readonly subscribers: readonly (1 | 2)[];
  readonly crashes: number;
  /** Every packet has a turn of its own; else any number of them may share one, and its commit. */
  readonly turnsOfOne?: boolean;
  /** After a crash all clients come back in one turn, which is committed before anything else. */
  readonly comeBackAtOnce?: boolean;
  /** A crash takes all packets away that it can, or none; else any of each client. */
  readonly losesAllOrNone?: boolean;
  /** How many messages each subscriber may have in flight; 2 if nothing is said. */
  readonly inFlightMessagesMax?: number;
}

/** One thing that happens. */
export interface Action {
  readonly kind: "receive" | "publish" | "endTurn" | "commit" | "crash";
  /** Index of the client, where there is one. */
  readonly client: number;
  /** In a crash: how many of the last packets did not come to each client. */
  readonly lost?: readonly number[];
}

/** A broker with its clients at one moment. */
export class ExploredWorld {
  readonly clients: readonly ExploredClient[];
  readonly publishers: readonly ExploredPublisher[];
  readonly subscribers: readonly ExploredSubscriber[];
  /** Whether promises are looked at: they were already where a way is gone again. */
  isChecked = true;
  /** What the disk holds. */
  disk = new Facts();
  readonly #scenario: Scenario;
  readonly #committed: JournalRecord[];
  #journal = new DoubledJournal();
  #broker: Broker;
  #connections: Connection[] = [];
  #waiting: Batch[] = [];
  #isTurnOpen = false;
  #crashes = 0;
  /** Whether all clients have come back. */
  #isGathered = false;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.publishers = scenario.publishers.map((messages, i) =>
      new ExploredPublisher(`p${i}`, messages)
    );
    this.subscribers = scenario.subscribers.map((qos, i) => new ExploredSubscriber(`s${i}`, qos));
    this.clients = [...this.publishers, ...this.subscribers];
    this.#committed = this.#firstRecords();
    this.#broker = this.#start();
    for (const client of this.clients) client.reconnect(0);
    this.#settle();
  }

  /** What can happen now. */
  actions(): Action[] {
    const actions: Action[] = [];
    this.clients.forEach((client, index) => {
      if (client.sends) actions.push({ kind: "receive", client: index });
    });
    this.publishers.forEach((publisher, index) => {
      if (publisher.canPublish) actions.push({ kind: "publish", client: index });
    });
    if (this.#isTurnOpen) actions.push({ kind: "endTurn", client: -1 });
    if (this.#waiting.length > 0) actions.push({ kind: "commit", client: -1 });
    // With nothing left to do, a crash would find what every clean end finds.
    if (this.#crashes === this.#scenario.crashes || actions.length === 0) return actions;
    for (const one of this.#losses()) actions.push({ kind: "crash", client: -1, lost: one });
    return actions;
  }

  /** Lets something happen. Throws where a promise is broken. */
  act({ kind, client, lost = [] }: Action): void {
    switch (kind) {
      case "receive":
        this.#receive(client, this.clients[client]!.next());
        break;
      case "publish":
        // It may have been sent before what the client answers with was asked for.
        this.#receive(client, this.publishers[client]!.publish());
        break;
      case "endTurn":
        this.#endTurn();
        break;
      case "commit":
        this.#commit();
        break;
      case "crash":
        this.#crash(lost);
    }
    if (this.isChecked) checkWorld(this);
  }

  /** Nothing is on its way to the disk. */
  get isSettled(): boolean {
    return this.#waiting.length === 0 && !this.#isTurnOpen;
  }

  /** The same text for states from which the same can follow. */
  get key(): string {
    const present = this.#presentFacts();
    const connections = this.#connections.map(({ outbox, gated, state }) => {
      const open = outbox.bytes.subarray(0, outbox.length).join(".");
      if (gated === null) return `${state};${open}`;
      const marks = gated.marks.map(({ batch, start }) => `${this.#ageOf(batch)}@${start}`);
      const bytes = gated.buffer.bytes.subarray(0, gated.buffer.length).join(".");
      return `${state};${open};${bytes};${marks};${gated.acknowledgements};${gated.deliveries}`;
    });
    const batches = this.#waiting.map(({ batch }) => this.#ageOf(batch)).join(",");
    return [
      this.#crashes,
      this.#isTurnOpen,
      ...this.clients.map((client) => client.key(this.#crashes < this.#scenario.crashes)),
      ...connections,
      batches,
      ...present,
    ].join("\n");
  }

  /** How many packets a crash can take from each client. */
  #losses(): number[][] {
    const most = this.clients.map(({ losable }) => losable);
    if (this.#scenario.losesAllOrNone === true) {
      const none = most.map(() => 0);
      return most.some((count) => count > 0) ? [none, most] : [none];
    }
    let losses: number[][] = [[]];
    for (const count of most) {
      losses = losses.flatMap((all) => Array.from({ length: count + 1 }, (_, n) => [...all, n]));
    }
    return losses;
  }

  /** How many batches before the one that is being filled. */
  #ageOf(batch: number): number {
    return this.#journal.batch - batch;
  }

  /** The facts on the disk, and behind each batch that is not there. */
  #presentFacts(): string[] {
    const facts = this.disk.clone();
    const keys = [facts.key];
    for (const { records } of this.#waiting) {
      for (const record of records) facts.apply(record);
      keys.push(facts.key);
    }
    for (const record of this.#journal.open) facts.apply(record);
    keys.push(facts.key);
    return keys;
  }

  #firstRecords(): JournalRecord[] {
    const records: JournalRecord[] = [];
    for (const { name: clientIdentifier } of this.clients) {
      records.push({ kind: "sessionCreated", clientIdentifier });
      records.push({ kind: "sessionStored", clientIdentifier, sinceMs: 0 });
    }
    for (const { name: clientIdentifier, qos } of this.subscribers) {
      records.push({ kind: "subscribed", clientIdentifier, filter: "t/#" as TopicFilter, qos });
    }
    return records;
  }

  /** A broker on what the disk holds, with connections on which nothing was sent. */
  #start(): Broker {
    const image = new StateImage();
    for (const record of this.#committed) image.apply(record);
    this.#journal = new DoubledJournal();
    const { inFlightMessagesMax = 2 } = this.#scenario;
    const limits: BrokerLimits = { ...TEST_LIMITS, inFlightMessagesMax };
    const broker = new Broker({
      limits,
      policy: OPEN_ACCESS,
      sparkplug: null,
      journal: this.#journal.journal,
      randomId: () => "random",
      pool: POOL,
    });
    broker.restore(image.snapshot(), INSTANT);
    const origin = { remoteAddress: "192.0.2.1:1", listener: "explored" };
    this.#connections = this.clients.map((_, handle) => broker.opened(handle, origin, INSTANT)!);
    return broker;
  }

  /** Connects all clients, so that nothing is on its way. */
  #settle(): void {
    this.clients.forEach((client, index) => this.#receive(index, client.next()));
    this.#endTurn();
    while (this.#waiting.length > 0) this.#commit();
    this.#isGathered = true;
  }

  #receive(index: number, packet: ControlPacket): void {
    const bytes = encodePacket(packet);
    const connection = this.#connections[index]!;
    const range = { start: 0, end: bytes.length, instant: INSTANT };
    const end = this.#broker.receive(connection, bytes, range);
    if (end !== bytes.length || connection.closed) {
      throw new PromiseBroken(`refused: ${packet.type} of ${this.clients[index]!.name}`);
    }
    this.#isTurnOpen = true;
    if (this.#scenario.turnsOfOne === true && this.#isGathered) this.#endTurn();
  }

  #endTurn(): void {
    this.#broker.settle();
    if (this.#journal.dirty) {
      this.#waiting.push(this.#journal.seal());
    }
    this.#isTurnOpen = false;
    this.#flush();
  }

  #commit(): void {
    const { batch, records } = this.#waiting.shift()!;
    for (const record of records) {
      this.#committed.push(record);
      this.disk.apply(record);
    }
    this.#broker.committed(batch);
    this.#flush();
  }

  #flush(): void {
    const { dirty } = this.#broker.endTurn();
    for (const connection of dirty) {
      const { outbox, handle } = connection;
      const bytes = outbox.bytes.slice(0, outbox.length);
      outbox.clear();
      for (let at = 0; at < bytes.length;) {
        const result = decodePacket(bytes, at, PROTOCOL_LIMITS);
        if (result.status !== "packet") {
          throw new PromiseBroken("what the broker sent is no packet");
        }
        const client = this.clients[handle]!;
        if (this.isChecked) checkPacket(this, client, result.packet);
        client.take(result.packet);
        at = result.end;
      }
    }
  }

  #crash(lost: readonly number[]): void {
    this.#crashes++;
    this.#isGathered = this.#scenario.comeBackAtOnce !== true;
    this.#waiting = [];
    this.#isTurnOpen = false;
    this.#broker = this.#start();
    this.disk.restarted();
    this.clients.forEach((client, index) => client.reconnect(lost[index]!));
    this.#endTurn();
    if (this.#scenario.comeBackAtOnce === true) this.#settle();
  }
}
