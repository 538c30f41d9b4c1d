/** Clients that keep to MQTT 3.1.1, with sessions that they never lose. */
import {
  type ControlPacket,
  type PublishPacket,
  type Qos,
  type TopicName,
} from "../../../src/mqtt/mod.ts";
import { PromiseBroken } from "./promise_broken.ts";

/** A message to be published. */
export interface ExploredMessage {
  /** From 1; it is the payload. */
  readonly number: number;
  readonly qos: Qos;
}

/** A state of a client, to go back to. */
interface Taken {
  readonly state: string;
  /** Answers that came of it and have not left. */
  readonly answers: number;
}

/**
 * A client, as far as the network and the broker have to do with it. It takes every packet at once:
 * a crash takes those away again whose answers the broker has not got, which comes to the same as
 * packets that are on their way for longer.
 */
export abstract class ExploredClient {
  readonly name: string;
  isConnected = false;
  /** Packets on their way to the broker. */
  readonly #up: ControlPacket[] = [];
  /** How many of them are sent again since the CONNACK. */
  #again = 0;
  /** The last packets that came, as far as a crash could have taken them away. */
  #taken: Taken[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Whether something is on its way that is sent again: nothing new overtakes it. */
  get sendsAgain(): boolean {
    return this.#again > 0;
  }

  /** Whether an answer is on its way to the broker. */
  get sends(): boolean {
    return this.#up.length > 0;
  }

  /** How many packets a crash may take away. */
  get losable(): number {
    return this.#taken.length;
  }

  /** The oldest packet on its way comes to the broker: what it answers has been there. */
  next(): ControlPacket {
    const first = this.#taken.findIndex(({ answers }) => answers > 0);
    if (first >= 0) this.#taken = this.#taken.slice(first + 1);
    if (this.#again > 0) this.#again--;
    return this.#up.shift()!;
  }

  /**
   * The broker is gone, and what was on its way, the last `lost` packets to here among it: asks for
   * a connection to the next one.
   */
  reconnect(lost: number): void {
    if (lost > 0) this.state = this.#taken.at(-lost)!.state;
    this.isConnected = false;
    this.#taken = [];
    this.#up.length = 0;
    this.#again = 0;
    this.#up.push({
      type: "CONNECT",
      protocolLevel: 4,
      cleanSession: false,
      keepAliveSeconds: 0,
      clientIdentifier: this.name,
      will: null,
      userName: null,
      password: null,
    });
  }

  /** A packet comes. */
  take(packet: ControlPacket): void {
    const { state } = this;
    if (packet.type === "CONNACK") {
      if (!packet.sessionPresent) throw new PromiseBroken("a session that is kept is not there");
      this.isConnected = true;
    }
    const answers = this.handle(packet);
    this.#up.push(...answers);
    if (packet.type === "CONNACK") this.#again = answers.length;
    else this.#taken.push({ state, answers: answers.length });
  }

  /** The same text for states from which the same can follow; `canCrash`: a crash among it. */
  key(canCrash: boolean): string {
    const packets = this.#up.map(textOf).join(",");
    const losable = canCrash
      ? this.#taken.map(({ state, answers }) => `${state}+${answers}`).join("-")
      : "";
    return `${this.name}:${this.isConnected};${packets};${this.#again};${this.state};${losable}`;
  }

  /** Does what a packet asks for; gives the answers. */
  protected abstract handle(packet: ControlPacket): ControlPacket[];
  /** Everything that a client remembers, as a text. */
  protected abstract state: string;
}

type Progress = "waits" | "sent" | "received" | "done";

/** Publishes its messages in order, without waiting for acknowledgements. */
export class ExploredPublisher extends ExploredClient {
  readonly messages: readonly ExploredMessage[];
  readonly progress: Progress[];

  constructor(name: string, messages: readonly ExploredMessage[]) {
    super(name);
    this.messages = messages;
    this.progress = messages.map(() => "waits");
  }

  get canPublish(): boolean {
    return this.isConnected && !this.sendsAgain && this.progress.includes("waits");
  }

  publish(): ControlPacket {
    const index = this.progress.indexOf("waits");
    this.progress[index] = "sent";
    return this.#packet(index, false);
  }

  /** Numbers of the messages that the broker has taken over. */
  acknowledged(): number[] {
    return this.messages.filter((_, i) => this.progress[i] === "received" || this.isDone(i))
      .map(({ number }) => number);
  }

  isDone(index: number): boolean {
    return this.progress[index] === "done";
  }

  protected get state(): string {
    return this.progress.join(",");
  }

  protected set state(state: string) {
    state.split(",").forEach((progress, i) => {
      // What was published since is not taken away with what came.
      if (this.progress[i] !== "sent") this.progress[i] = progress as Progress;
    });
  }

  protected handle(packet: ControlPacket): ControlPacket[] {
    switch (packet.type) {
      case "CONNACK":
        return this.progress.flatMap((progress, index) => {
          if (progress === "sent") return [this.#packet(index, true)];
          return progress === "received" ? [release(index)] : [];
        });
      case "PUBACK":
      case "PUBCOMP":
        this.progress[packet.packetId - 1] = "done";
        return [];
      case "PUBREC":
        this.progress[packet.packetId - 1] = "received";
        return [release(packet.packetId - 1)];
      default:
        return [];
    }
  }

  #packet(index: number, dup: boolean): PublishPacket {
    const { number, qos } = this.messages[index]!;
    const topic = `t/${this.name}` as TopicName;
    const payload = Uint8Array.of(number);
    return { type: "PUBLISH", dup, qos, retain: false, topic, packetId: index + 1, payload };
  }
}

/** Hands on what it gets, QoS 2 once for each exchange. */
export class ExploredSubscriber extends ExploredClient {
  readonly qos: Qos;
  /** Numbers of the messages that were handed on. */
  got: number[] = [];
  #receiving = new Set<number>();

  constructor(name: string, qos: Qos) {
    super(name);
    this.qos = qos;
  }

  get isIdle(): boolean {
    return this.#receiving.size === 0;
  }

  protected get state(): string {
    return `${this.got.join(",")};${[...this.#receiving].sort().join(",")}`;
  }

  protected set state(state: string) {
    const [got, receiving] = state.split(";").map((list) =>
      list === "" ? [] : list.split(",").map(Number)
    );
    this.got = got!;
    this.#receiving = new Set(receiving);
  }

  protected handle(packet: ControlPacket): ControlPacket[] {
    if (packet.type === "PUBREL") {
      this.#receiving.delete(packet.packetId);
      return [{ type: "PUBCOMP", packetId: packet.packetId }];
    }
    if (packet.type !== "PUBLISH") return [];
    const { packetId, qos, payload } = packet;
    if (qos === 1 || !this.#receiving.has(packetId)) this.got.push(payload[0]!);
    if (qos === 2) this.#receiving.add(packetId);
    return [{ type: qos === 1 ? "PUBACK" : "PUBREC", packetId }];
  }
}

/** Tells packets of one client apart. */
function textOf(packet: ControlPacket): string {
  if (packet.type !== "PUBLISH") return packet.type + ("packetId" in packet ? packet.packetId : "");
  const { dup, qos, packetId, payload } = packet;
  return `PUBLISH${dup ? "!" : ""}${qos}.${packetId}.${payload.join(".")}`;
}

function release(index: number): ControlPacket {
  return { type: "PUBREL", packetId: index + 1 };
}
