/** The well-behaved subscriber: it takes everything, acknowledges at once, and keeps the books. */
import type { PublishPacket } from "../src/mqtt/mod.ts";
import { acknowledgement, endOfPadded } from "./_client_packets.ts";
import { text } from "../tests/support/wire_client.ts";
import type { Core } from "../tests/broker/_core.ts";
import type { FakeClient } from "../tests/broker/_fake_client.ts";

/** Client Identifier and number of its connection, and the number of the message. */
const MESSAGE = /^([a-z]\d+):([1-9]\d*)$/;

/** Subscribes to everything at QoS 2 and compares what comes with what was published. */
export class Witness {
  readonly client: FakeClient;
  /** Messages whose publisher has seen their acknowledgement. */
  readonly #acknowledged = new Set<string>();
  readonly #received = new Set<string>();
  /** Number of the last message of each publisher. */
  readonly #last = new Map<string, number>();
  #problem: string | null = null;

  constructor(core: Core) {
    this.client = core.connect({ clientIdentifier: "witness" });
    this.client.subscribe("#", 2);
  }

  /** The publisher of this message got PUBACK or PUBREC. */
  acknowledged(message: string): void {
    this.#acknowledged.add(message);
  }

  /** Takes and acknowledges until nothing comes any more. */
  answer(): void {
    const { client } = this;
    while (client.inbox.length > 0) {
      for (const packet of client.takeAll()) {
        if (packet.type === "PUBLISH") this.#take(packet);
        else if (packet.type === "PUBREL") {
          client.sendBytes(acknowledgement("PUBCOMP", packet.packetId));
        }
      }
    }
  }

  /** What is wrong with the books, or null. */
  problem(): string | null {
    if (this.#problem !== null) return this.#problem;
    if (this.client.connection.closed) return "the witness was closed";
    const lost = [...this.#acknowledged].filter((message) => !this.#received.has(message));
    return lost.length === 0 ? null : `acknowledged and lost: ${lost}`;
  }

  #take(packet: PublishPacket): void {
    const { qos, packetId } = packet;
    if (qos === 1) this.client.sendBytes(acknowledgement("PUBACK", packetId));
    if (qos === 2) this.client.sendBytes(acknowledgement("PUBREC", packetId));
    if (qos === 0) return; // counted by nobody
    const message = text(packet.payload.subarray(0, endOfPadded(packet.payload))).trimEnd();
    const parts = MESSAGE.exec(message);
    if (parts === null) return; // a Will, the end of a retained message, or garbage in its own words
    const [, publisher = "", digits] = parts;
    const number = Number(digits);
    if (this.#received.has(message)) this.#problem = `came twice: ${message}`;
    if (number <= (this.#last.get(publisher) ?? 0)) {
      this.#problem = `came out of order: ${message}`;
    }
    this.#last.set(publisher, number);
    this.#received.add(message);
  }
}
