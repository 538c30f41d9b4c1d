/**
 * A client that keeps to the specification, and acts at random: it publishes, subscribes, loses its
 * connection, comes back, re-sends what was not acknowledged. It tells the oracle what it does.
 */
import type {
  ConnackPacket,
  ControlPacket,
  PublishPacket,
  Qos,
  TopicFilter,
  TopicName,
  Will,
} from "../../src/mqtt/mod.ts";
import { connectPacket, payload as bytesOf } from "../support/wire_client.ts";
import { AnswerQueue } from "./answer_queue.ts";
import { ClientConnection, type Network } from "./client_connection.ts";
import type { Dice } from "./dice.ts";
import { MessageSource } from "./message_source.ts";
import type { ObservedConnection } from "./observed_connection.ts";
import type { Oracle } from "./oracle.ts";
import type { Act, Scenario } from "./scenario.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SentMessage } from "./sent_message.ts";

/** How often a client looks after itself when it has nothing else to do. */
const CALM_ACT_MS = 150;
/** How long it takes to answer then. */
const CALM_ANSWER_MS = 0.1;
/** How long a client stays away that does not come back at once, on the average. */
const ABSENCE_MS = 1_500;

/** What clients find in the world. */
export interface ClientWorld extends Network {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly oracle: Oracle;
  readonly scenario: Scenario;
  /** Whether clients only finish what they have begun. */
  readonly isCalm: boolean;
  acted(): void;
}

/** A QoS 1 or 2 message on its way to the broker. */
interface Outgoing {
  readonly message: SentMessage;
  /** What is sent again after a reconnect. */
  stage: "PUBLISH" | "PUBREL";
}

/** One client with one Client Identifier. */
export class ModelClient {
  readonly id: string;
  readonly #world: ClientWorld;
  readonly #source: MessageSource;
  readonly #answers: AnswerQueue;
  readonly #observations = new WeakMap<ClientConnection, ObservedConnection>();
  #connection: ClientConnection | null = null;
  #observed: ObservedConnection | null = null;
  #connected = false;
  #clean = false;
  #keepAliveMs = 0;
  #silent = false;
  #frozen = false;
  #awayUntilMs = 0;
  #leaving = false;
  /** Once it has asked for a clean session it must go on: the broker may still have the old one. */
  #wantsClean = false;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #abandoned: SentMessage[] = [];
  /** Packet Identifiers of SUBSCRIBE and UNSUBSCRIBE, with the filters they are about. */
  readonly #requests = new Map<number, readonly string[]>();
  #nextPacketId = 1;

  constructor(id: string, world: ClientWorld) {
    this.id = id;
    this.#world = world;
    this.#source = new MessageSource(id, world);
    this.#answers = new AnswerQueue({
      scheduler: world.scheduler,
      dice: world.dice,
      delayMs: () => world.isCalm ? CALM_ANSWER_MS : world.scenario.answerMs,
      maySend: () => this.#connected && !this.#silent,
      send: (packet) => {
        const isLast = packet.type === "PUBACK" || packet.type === "PUBCOMP";
        if (isLast) world.oracle.finished(this.#observed!, packet.packetId);
        this.#send(packet);
      },
    });
    this.#actLater();
  }

  /** Whether the client is connected and has nothing left to do. */
  get isSettled(): boolean {
    return this.#connected && this.#outgoing.size === 0 && this.#answers.isEmpty &&
      this.#requests.size === 0 && !this.#wantsClean;
  }

  /** Leaves nothing behind at the broker: a clean session, and its end. */
  leave(): void {
    this.#dropConnection();
    this.#connect({ cleanSession: true, will: false, leaving: true });
  }

  /** Whether the client has left. */
  get hasLeft(): boolean {
    return this.#leaving && this.#connection === null;
  }

  #actLater(): void {
    const { dice, scheduler, scenario, isCalm } = this.#world;
    const meanMs = isCalm ? CALM_ACT_MS : scenario.actMs;
    scheduler.after(dice.duration(meanMs), () => {
      if (this.#leaving) return;
      this.#act();
      this.#actLater();
    });
  }

  #act(): void {
    const { dice, scenario, isCalm } = this.#world;
    this.#world.acted();
    if (this.#connection === null) {
      if (!isCalm && this.#world.scheduler.nowMs < this.#awayUntilMs) return;
      const cleanSession = this.#wantsClean || (!isCalm && dice.chance(scenario.cleanRate));
      this.#connect({ cleanSession, will: !isCalm && dice.chance(scenario.willRate) });
      return;
    }
    if (isCalm) {
      if (this.#frozen) this.#freeze(false);
      if (this.#silent) this.#cut();
      else if (this.#connected && this.#keepAliveMs > 0) this.#send({ type: "PINGREQ" });
      return;
    }
    if (!this.#connected || this.#silent || this.#frozen) {
      if (dice.chance(0.01)) this.#cut();
      return;
    }
    this.#perform(dice.weighted(scenario.weights));
  }

  #perform(act: Act): void {
    const { dice, scheduler, oracle } = this.#world;
    switch (act) {
      case "publish":
        return this.#publish();
      case "subscribe":
        return this.#subscribe();
      case "unsubscribe":
        return this.#unsubscribe();
      case "disconnect":
        return this.#disconnect();
      case "cut":
        return this.#cut();
      case "takeOver":
        this.#dropConnection();
        return;
      case "freeze": {
        const connection = this.#connection;
        this.#freeze(true);
        oracle.silent(this.#observed!, "frozen");
        scheduler.after(dice.duration(800), () => {
          if (this.#connection === connection) this.#freeze(false);
        });
        return;
      }
      case "fallSilent":
        this.#silent = true;
        oracle.silent(this.#observed!, "silent");
        return;
      case "ping":
        return this.#send({ type: "PINGREQ" });
    }
  }

  #connect(options: { cleanSession: boolean; will: boolean; leaving?: boolean }): void {
    const { dice, oracle, scenario } = this.#world;
    const connection = ClientConnection.connect(this.#world, {
      packetArrived: (from, packet) => {
        if (this.#connection === from) this.#receive(packet);
      },
      endArrived: (from) => {
        oracle.endReceived(this.#observedBy(from));
        if (this.#connection === from) this.#lost();
      },
    }, (from) => oracle.brokerSawEnd(this.#observedBy(from)));
    if (connection === null) return;
    const { cleanSession } = options;
    if (this.#clean || cleanSession) this.#forgetSession();
    const will = options.will ? this.#source.drawWill() : null;
    const observed = oracle.connectSent(this.id, { cleanSession, will });
    this.#observations.set(connection, observed);
    this.#connection = connection;
    this.#observed = observed;
    this.#clean = cleanSession;
    this.#wantsClean = cleanSession;
    this.#leaving = options.leaving ?? false;
    const keepAliveSeconds = dice.chance(scenario.keepAliveRate) ? dice.integer(1, 3) : 0;
    this.#keepAliveMs = keepAliveSeconds * 1_000;
    const asked = connectPacket({ clientIdentifier: this.id, cleanSession, keepAliveSeconds });
    connection.send({ ...asked, will: will === null ? null : willOf(will) });
    this.#pingLater(connection);
  }

  #observedBy(connection: ClientConnection): ObservedConnection {
    return this.#observations.get(connection)!;
  }

  #receive(packet: ControlPacket): void {
    const { oracle } = this.#world;
    const observed = this.#observed!;
    switch (packet.type) {
      case "CONNACK":
        oracle.connackReceived(observed, packet);
        return this.#begin(packet);
      case "PUBLISH":
        oracle.publishReceived(observed, packet);
        return this.#answerPublish(packet);
      case "PUBACK":
      case "PUBREC":
        return this.#acknowledged(packet.type, packet.packetId);
      case "PUBREL":
        return this.#answers.add({ type: "PUBCOMP", packetId: packet.packetId });
      case "PUBCOMP":
        this.#outgoing.delete(packet.packetId);
        return;
      case "SUBACK":
        oracle.subackReceived(observed, packet);
        this.#requests.delete(packet.packetId);
        return;
      case "UNSUBACK":
        oracle.unsubackReceived(observed, packet.packetId);
        this.#requests.delete(packet.packetId);
        return;
      default:
        return;
    }
  }

  /** The session has begun: what was not acknowledged is sent again, in the old order. */
  #begin(packet: ConnackPacket): void {
    const { oracle } = this.#world;
    this.#connected = true;
    this.#wantsClean = false;
    if (!packet.sessionPresent) this.#forgetSession();
    for (const message of this.#abandoned.splice(0)) oracle.publishAbandoned(message);
    if (this.#leaving) return this.#disconnect();
    for (const [packetId, { message, stage }] of this.#outgoing) {
      if (stage === "PUBREL") this.#send({ type: "PUBREL", packetId });
      else this.#sendPublish(message, packetId, true);
    }
  }

  #acknowledged(type: "PUBACK" | "PUBREC", packetId: number): void {
    const { oracle } = this.#world;
    const outgoing = this.#outgoing.get(packetId);
    const message = outgoing?.stage === "PUBLISH" ? outgoing.message : null;
    oracle.acknowledgementReceived(this.#observed!, type, { packetId, message });
    if (type === "PUBACK") this.#outgoing.delete(packetId);
    else {
      if (outgoing !== undefined) outgoing.stage = "PUBREL";
      this.#answers.add({ type: "PUBREL", packetId });
    }
  }

  #answerPublish({ qos, packetId }: PublishPacket): void {
    if (qos === 1) this.#answers.add({ type: "PUBACK", packetId });
    if (qos === 2) this.#answers.add({ type: "PUBREC", packetId });
  }

  #publish(): void {
    const { scenario } = this.#world;
    const message = this.#source.draw();
    if (message.qos === 0) return this.#sendPublish(message, 0, false);
    const packetId = this.#outgoing.size < scenario.windowMax ? this.#freePacketId() : null;
    if (packetId === null) return;
    this.#outgoing.set(packetId, { message, stage: "PUBLISH" });
    this.#sendPublish(message, packetId, false);
  }

  #sendPublish(message: SentMessage, packetId: number, dup: boolean): void {
    const { topic, qos, retain, payload } = message;
    this.#world.oracle.publishSent(this.#observed!, message, packetId);
    this.#send({
      type: "PUBLISH",
      dup,
      qos,
      retain,
      topic: topic as TopicName,
      packetId,
      payload: bytesOf(payload),
    });
  }

  #subscribe(): void {
    const { dice, scenario, oracle } = this.#world;
    const filters = new Set(
      Array.from({ length: dice.integer(1, 3) }, () => dice.pick(scenario.filters)),
    );
    for (const filters2 of this.#requests.values()) {
      for (const filter of filters2) filters.delete(filter); // one request at a time
    }
    const packetId = this.#freePacketId();
    if (filters.size === 0 || packetId === null) return;
    const requests = [...filters].map((filter) => ({
      filter: filter as TopicFilter,
      qos: dice.pick<Qos>([0, 1, 1, 2, 2]),
    }));
    this.#requests.set(packetId, [...filters]);
    oracle.subscribeSent(this.#observed!, packetId, requests);
    this.#send({ type: "SUBSCRIBE", packetId, subscriptions: requests });
  }

  #unsubscribe(): void {
    const { dice, scenario, oracle } = this.#world;
    const filter = dice.pick(scenario.filters);
    const packetId = this.#freePacketId();
    const isAsked = [...this.#requests.values()].some((filters) => filters.includes(filter));
    if (isAsked || packetId === null) return;
    this.#requests.set(packetId, [filter]);
    oracle.unsubscribeSent(this.#observed!, packetId, filter);
    this.#send({ type: "UNSUBSCRIBE", packetId, filters: [filter as TopicFilter] });
  }

  #disconnect(): void {
    const { dice, oracle } = this.#world;
    const connection = this.#connection!;
    oracle.disconnectSent(this.#observed!);
    this.#send({ type: "DISCONNECT" });
    if (dice.chance(0.5)) {
      connection.close();
      oracle.closed(this.#observed!);
      this.#lost();
    } else {
      // Waits for the broker to end the connection.
      this.#connected = false;
      this.#answers.clear();
    }
  }

  #cut(): void {
    const { dice } = this.#world;
    this.#world.oracle.cut(this.#observed!);
    const noticeMs = dice.chance(0.7) ? dice.duration(5) : dice.duration(2_000);
    this.#connection!.cut(noticeMs, { keepsBytes: this.#connected });
    this.#lost();
  }

  /** The client forgets its connection, and comes back before the broker knows. */
  #dropConnection(): void {
    if (this.#connection === null) return;
    this.#world.oracle.cut(this.#observed!);
    // A CONNECT under way could take over the connection that the client makes next.
    this.#connection.cut(1e9, { keepsBytes: this.#connected });
    this.#lost();
  }

  #freeze(frozen: boolean): void {
    this.#frozen = frozen;
    this.#connection?.freeze(frozen);
  }

  #lost(): void {
    const { dice, scheduler, scenario } = this.#world;
    if (dice.chance(scenario.absenceRate)) {
      this.#awayUntilMs = scheduler.nowMs + dice.duration(ABSENCE_MS);
    }
    this.#connection = null;
    this.#connected = false;
    this.#silent = false;
    this.#frozen = false;
    this.#answers.clear();
    this.#requests.clear();
  }

  #forgetSession(): void {
    for (const { message } of this.#outgoing.values()) this.#abandoned.push(message);
    this.#outgoing.clear();
  }

  #pingLater(connection: ClientConnection): void {
    if (this.#keepAliveMs === 0) return;
    this.#world.scheduler.after(this.#keepAliveMs * 0.7, () => {
      if (this.#connection !== connection) return;
      if (this.#connected && !this.#silent) this.#send({ type: "PINGREQ" });
      this.#pingLater(connection);
    });
  }

  #freePacketId(): number | null {
    const { packetIds } = this.#world.scenario;
    for (let tries = 0; tries < packetIds; tries++) {
      const id = this.#nextPacketId;
      this.#nextPacketId = id >= packetIds ? 1 : id + 1;
      if (!this.#outgoing.has(id) && !this.#requests.has(id)) return id;
    }
    return null;
  }

  #send(packet: ControlPacket): void {
    this.#connection!.send(packet);
  }
}

/** A Will as it stands in CONNECT. */
function willOf({ topic, payload, qos, retain }: SentMessage): Will {
  return { topic: topic as TopicName, payload: bytesOf(payload), qos, retain };
}
