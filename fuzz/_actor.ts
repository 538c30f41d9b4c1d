/** A client that does anything: what it should, what it may, and what it must not. */
import type { ControlPacket, Qos } from "../src/mqtt/mod.ts";
import type { Core } from "../tests/broker/_core.ts";
import type { FakeClient } from "../tests/broker/_fake_client.ts";
import { connectPacket, filter, name } from "../tests/support/wire_client.ts";
import { acknowledgement, clientBytes, paddedPayload } from "./_client_packets.ts";
import type { Witness } from "./_witness.ts";
import { makeInput } from "./decoder.ts";
import type { Random } from "./random.ts";

const FORGED = ["$SYS/forged", "$sparkplug/certificates/spBv1.0/G/NBIRTH/E"];
const TOPICS = ["a", "a/b", "a/b/c", "/", "b//c", "ab", "spBv1.0/G/NBIRTH/E"];
const FILTERS = ["#", "+", "a/#", "a/+", "+/b", "a", "a/b", "ab", "/", "+/+", "b//c", "$SYS/#"];
const PAYLOAD_BYTES = [0, 0, 0, 20, 200, 5_000];
const QOS = [0, 1, 2] as const;

/** What an actor is given once. */
export interface ActorParts {
  readonly id: string;
  readonly random: Random;
  readonly witness: Witness;
  readonly trace: string[];
}

/** One Client Identifier and whatever connection it has at the moment. */
export class Actor {
  readonly #core: Core;
  readonly #parts: ActorParts;
  #client: FakeClient | null = null;
  /** Packets of the inbox that were looked through. */
  #collected = 0;
  /** Messages on their way to the broker, by Packet Identifier. */
  #sent = new Map<number, string>();
  #connections = 0;
  #messages = 0;
  /** Whether it ever sent something that it does not know. */
  #garbled = false;
  #packetId = 0;

  constructor(core: Core, parts: ActorParts) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Does one thing. */
  act(): void {
    const { random } = this.#parts;
    const client = this.#client;
    if (client === null || client.connection.closed || random.oneIn(24)) {
      this.#connect();
      return;
    }
    switch (random.below(12)) {
      case 0:
        this.#trace("lose");
        client.lose();
        return;
      case 1:
        this.#trace("disconnect");
        client.disconnect();
        return;
      case 2:
        this.#trace(client.frozen ? "thaw" : "freeze");
        if (client.frozen) client.thaw();
        else client.frozen = true;
        return;
      case 3:
        if (random.oneIn(4)) this.#sendGarbage(client);
        return;
      case 4:
      case 5:
        this.#answer(client, random.below(10));
        return;
      default:
        this.#sendSome(client);
    }
  }

  /** What is wrong with this client, or null. */
  problem(): string | null {
    const client = this.#client;
    if (client === null || client.connection.closed) return null;
    const most = this.#core.limits.outboxBytesMax + this.#core.limits.packetBytesMax;
    return client.connection.pendingBytes > most ? `${this.#parts.id} holds too many bytes` : null;
  }

  /** Takes everything that is there, and leaves for good. */
  leave(): void {
    const client = this.#client;
    if (client === null) return;
    this.#trace("leave");
    if (client.frozen) client.thaw();
    this.#answer(client, Infinity);
    client.lose();
  }

  #connect(): void {
    const { id, random } = this.#parts;
    this.#collect();
    const will = random.oneIn(3)
      ? { topic: name(random.pick(TOPICS)), qos: random.pick(QOS), retain: random.oneIn(2) }
      : null;
    const options = { clientIdentifier: id, cleanSession: random.oneIn(2) };
    const connect = connectPacket(will === null ? options : { ...options, will });
    this.#client = this.#core.open();
    this.#collected = 0;
    this.#sent = new Map();
    this.#connections++;
    const behind = Array.from({ length: random.below(4) }, () => this.#packet());
    this.#send(this.#client, [connect, ...behind]);
    const answer = this.#client.inbox[0];
    if (answer !== undefined && answer.type !== "CONNACK") {
      throw new Error(`Cannot see CONNACK first: got ${answer.type}`);
    }
  }

  /** Sends several packets, cut anywhere. */
  #sendSome(client: FakeClient): void {
    const { random } = this.#parts;
    const packets = Array.from({ length: 1 + random.below(12) }, () => this.#packet())
      .flatMap((packet) => {
        const again = packet.type === "PUBLISH" && packet.qos === 2 && random.oneIn(4);
        return again ? [packet, { ...packet, dup: true }] : [packet];
      });
    this.#send(client, packets);
    this.#collect();
  }

  #packet(): ControlPacket {
    const { random } = this.#parts;
    const packetId = 1 + (this.#packetId++ % 60_000);
    switch (random.below(8)) {
      case 0: {
        const subscriptions = Array.from({ length: 1 + random.below(3) }, () => ({
          filter: filter(random.pick(FILTERS)),
          qos: random.pick(QOS),
        }));
        return { type: "SUBSCRIBE", packetId, subscriptions };
      }
      case 1:
        return { type: "UNSUBSCRIBE", packetId, filters: [filter(random.pick(FILTERS))] };
      case 2:
        return { type: "PINGREQ" };
      default:
        return this.#publish(packetId, random.pick(QOS));
    }
  }

  #publish(packetId: number, qos: Qos): ControlPacket {
    const { id, random } = this.#parts;
    const topic = random.oneIn(12) ? random.pick(FORGED) : random.pick(TOPICS);
    const message = `${id}${this.#connections}:${++this.#messages}`;
    const ours = qos > 0 && !topic.startsWith("$") && !this.#garbled;
    if (ours) this.#sent.set(packetId, message);
    const payload = paddedPayload(message, random.pick(PAYLOAD_BYTES));
    const retain = random.oneIn(6);
    return {
      type: "PUBLISH",
      dup: false,
      qos,
      retain,
      topic: name(topic),
      packetId: qos === 0 ? 0 : packetId,
      payload,
    };
  }

  #send(client: FakeClient, packets: readonly ControlPacket[]): void {
    const { random } = this.#parts;
    const bytes = clientBytes(packets);
    this.#trace(`send ${packets.map((packet) => packet.type)}`);
    let at = 0;
    while (at < bytes.length) {
      const size = random.oneIn(2) ? bytes.length - at : 1 + random.below(bytes.length - at);
      if (random.oneIn(2)) client.present(bytes.subarray(at, at + size));
      else client.sendBytes(bytes.subarray(at, at + size));
      at += size;
    }
    this.#core.turn();
  }

  #sendGarbage(client: FakeClient): void {
    const bytes = new Uint8Array(1024);
    const length = makeInput(this.#parts.random, bytes);
    this.#trace(`garbage ${length}`);
    client.foreign = false;
    client.sendBytes(bytes.slice(0, length));
    // Whatever that was: its messages are nobody's, and so are its identifiers: one of them may be
    // open in the session now, so that a message of ours with that identifier is a duplicate.
    this.#sent = new Map();
    this.#garbled = true;
  }

  /** Looks through what came for acknowledgements of what was sent. */
  #collect(): void {
    const inbox = this.#client?.inbox ?? [];
    while (this.#collected < inbox.length) {
      const packet = inbox[this.#collected++]!;
      if (packet.type !== "PUBACK" && packet.type !== "PUBREC") continue;
      const message = this.#sent.get(packet.packetId);
      if (message !== undefined) this.#parts.witness.acknowledged(message);
    }
  }

  /** Acknowledges the oldest packets of the inbox. */
  #answer(client: FakeClient, count: number): void {
    this.#trace(`answer ${count}`);
    this.#collect();
    for (let left = count; left > 0 && client.inbox.length > 0; left--) {
      const packet = client.inbox.shift()!;
      this.#collected--;
      if (packet.type === "PUBLISH" && packet.qos > 0) {
        const type = packet.qos === 1 ? "PUBACK" : "PUBREC";
        client.sendBytes(acknowledgement(type, packet.packetId));
      } else if (packet.type === "PUBREC") {
        client.sendBytes(acknowledgement("PUBREL", packet.packetId));
      } else if (packet.type === "PUBREL") {
        client.sendBytes(acknowledgement("PUBCOMP", packet.packetId));
      }
      this.#collect();
    }
  }

  #trace(step: string): void {
    this.#parts.trace.push(`${this.#core.nowMs} ${this.#parts.id} ${step}`);
  }
}
