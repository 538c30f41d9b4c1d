/** A publisher that fills queues: many messages at a time, each numbered, each acknowledged. */
import { encodePacket } from "../../src/mqtt/mod.ts";
import { concatenate, connectPacket, publishPacket } from "../support/wire_client.ts";

/** Messages of one burst. */
const BURST = 250;
const PUBACK_BYTES = 4;

/** Who publishes, and what. */
export interface FillerOptions {
  readonly clientIdentifier: string;
  readonly payloadBytes: number;
  /** The number of the first message. */
  readonly first: number;
}

/** Publishes at QoS 1 until the broker ends the connection or the caller has enough. */
export class QueueFiller implements Disposable {
  /** Numbers of the messages that were acknowledged. */
  readonly acknowledged: Set<number> = new Set();
  readonly #socket: Deno.TcpConn;
  readonly #payloadBytes: number;
  #next: number;

  private constructor(
    socket: Deno.TcpConn,
    { payloadBytes, first }: { payloadBytes: number; first: number },
  ) {
    this.#socket = socket;
    this.#next = first;
    this.#payloadBytes = payloadBytes;
  }

  /** Connects; the messages begin with their number. */
  static async connect(
    port: number,
    { clientIdentifier, payloadBytes, first }: FillerOptions,
  ): Promise<QueueFiller> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    const filler = new QueueFiller(socket, { payloadBytes, first });
    await filler.#write(encodePacket(connectPacket({ clientIdentifier })));
    const connack = await filler.#read(4);
    if (connack?.[3] !== 0) throw new Error(`Cannot connect: CONNACK ${connack?.[3]}`);
    return filler;
  }

  /** Publishes a burst to topics in turn; false if the connection has ended. */
  burst(topics: readonly string[]): Promise<boolean> {
    return this.#burst((i) => topics[i % topics.length]!, false);
  }

  /** Publishes a burst that is retained, each on a topic of its own; false as above. */
  retain(topic: string): Promise<boolean> {
    const first = this.#next;
    return this.#burst((i) => `${topic}/${first + i}`, true);
  }

  async #burst(topicOf: (i: number) => string, retain: boolean): Promise<boolean> {
    const first = this.#next;
    this.#next += BURST;
    const packets = Array.from({ length: BURST }, (_, i) => {
      const content = `${first + i} `.padEnd(this.#payloadBytes, "x");
      return publishPacket(topicOf(i), content, { qos: 1, packetId: i + 1, retain });
    });
    try {
      const written = this.#write(concatenate(packets.map(encodePacket)));
      written.catch(() => {}); // reading fails as well
      for (let count = 0; count < BURST; count++) {
        const puback = await this.#read(PUBACK_BYTES);
        if (puback === null) return false;
        this.acknowledged.add(first - 1 + ((puback[2]! << 8) | puback[3]!));
      }
      await written;
      return true;
    } catch {
      return false;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
  }

  /** So many bytes; null if the connection has ended. */
  async #read(count: number): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count;) {
      const read = await this.#socket.read(bytes.subarray(at));
      if (read === null) return null;
      at += read;
    }
    return bytes;
  }
}
