/** A client of the core under test, with the part of a transport that moves its bytes. */
import type { Connection } from "../../src/broker/mod.ts";
import {
  type ControlPacket,
  decodePacket,
  encodePacket,
  PROTOCOL_LIMITS,
  type PublishPacket,
  type Qos,
  type SubackPacket,
} from "../../src/mqtt/mod.ts";
import {
  concatenate,
  type ConnectOptions,
  connectPacket,
  filter,
  publishPacket,
} from "../support/wire_client.ts";
import type { Core } from "./_core.ts";

const NOTHING = new Uint8Array(0);
/** What the core is given to read: overwritten each time, and only as long as what it shows. */
let lent = new Uint8Array(65_536);
/** How long the transport waits for a closed connection to take its last bytes. */
const LINGER_MS = 1_000;

/** Sends packets to the core and collects what the core answers. */
export class FakeClient {
  readonly connection: Connection;
  sessionPresent = false;
  /** Packets that came and were not taken yet. */
  inbox: ControlPacket[] = [];
  /** Bytes that came. */
  receivedBytes = 0;
  /** Whether what comes is not MQTT 3.1.1: it is only counted. */
  foreign = false;
  /** While true the socket takes nothing. */
  frozen = false;
  /** Whether the broker ended the socket. */
  ended = false;
  readonly #core: Core;
  #input: Uint8Array = NOTHING;
  #undecoded: Uint8Array = NOTHING;
  #writing: Uint8Array | null = null;
  #closedSinceMs = 0;

  constructor(core: Core, connection: Connection) {
    this.#core = core;
    this.connection = connection;
  }

  /** Bytes that were sent and that the core has not processed. */
  get unread(): number {
    return this.#input.length;
  }

  sendConnect(options: ConnectOptions = {}): void {
    this.send(connectPacket(options));
  }

  /** Sends packets in one chunk, and runs the turn. */
  send(...packets: ControlPacket[]): void {
    this.sendBytes(concatenate(packets.map(encodePacket)));
  }

  /** Sends bytes in one chunk, and runs the turn. */
  sendBytes(bytes: Uint8Array): void {
    this.present(bytes);
    this.#core.turn();
  }

  /** Sends bytes and leaves the turn open. */
  present(bytes: Uint8Array): void {
    this.#input = this.#input.length === 0 ? bytes : concatenate([this.#input, bytes]);
    this.process();
  }

  /** Presents what is there until the core wants to wait for more. */
  process(): void {
    const { broker } = this.#core;
    while (this.#input.length > 0 && this.connection.readable && !broker.turnFull) {
      // A copy that is destroyed afterwards: the core must not keep views of what it was given.
      const chunk = lend(this.#input);
      const range = { start: 0, end: chunk.length, instant: this.#core.instant() };
      const position = broker.receive(this.connection, chunk, range);
      chunk.fill(0xee);
      this.#input = this.#input.subarray(position);
      if (position === 0) break;
      if (broker.turnFull) this.#core.turn();
    }
    if (this.connection.closed) this.#input = NOTHING;
  }

  /** The core has bytes for the socket, or ended the connection. */
  flush(): void {
    const { connection } = this;
    const { outbox } = connection;
    while (this.#writing === null && outbox.length > 0 && !connection.aborted) {
      const length = outbox.length;
      this.#writing = outbox.detach().subarray(0, length);
      connection.writingBytes = length;
      connection.lastWriteMs = this.#core.nowMs;
      if (!this.frozen) this.drain(length);
    }
    if (!connection.closed) return;
    if (this.#closedSinceMs === 0) this.#closedSinceMs = this.#core.nowMs;
    const lingered = this.#core.nowMs - this.#closedSinceMs >= LINGER_MS;
    const nothingUnsent = connection.pendingBytes === 0;
    if (nothingUnsent || connection.aborted || lingered) this.#end();
  }

  /** The socket takes `count` of the bytes that wait for it. */
  drain(count: number): void {
    const block = this.#writing;
    if (block === null) return;
    const taken = block.slice(0, count);
    this.#writing = count < block.length ? block.subarray(count) : null;
    if (this.#writing === null) this.#core.pool.give(new Uint8Array(block.buffer));
    this.#decode(taken);
    this.#core.broker.drained(this.connection, taken.length, this.#core.instant());
  }

  /** The socket takes everything again. */
  thaw(): void {
    this.frozen = false;
    this.drain(Infinity);
    this.flush();
    this.#core.turn();
  }

  /** The network fails. */
  lose(): void {
    this.#core.broker.close(this.connection, "peerClosed", this.#core.instant());
    this.#core.turn();
    this.#end();
  }

  disconnect(): void {
    this.send({ type: "DISCONNECT" });
  }

  /** The oldest packet of the inbox, which must be of this type. */
  take<T extends ControlPacket["type"]>(type: T): ControlPacket & { readonly type: T } {
    const packet = this.inbox.shift();
    if (packet?.type !== type) {
      throw new Error(`Cannot take ${type}: got ${JSON.stringify(packet)}`);
    }
    return packet as ControlPacket & { readonly type: T };
  }

  /** The whole inbox. */
  takeAll(): ControlPacket[] {
    const packets = this.inbox;
    this.inbox = [];
    return packets;
  }

  /** The PUBLISH packets of the inbox; everything else is thrown away. */
  takeMessages(): PublishPacket[] {
    return this.takeAll().filter((packet) => packet.type === "PUBLISH");
  }

  /** Types of the packets in the inbox. */
  get types(): string[] {
    return this.inbox.map((packet) => packet.type);
  }

  subscribe(topicFilter: string, qos: Qos = 0, packetId = 1): SubackPacket {
    const subscriptions = [{ filter: filter(topicFilter), qos }];
    this.send({ type: "SUBSCRIBE", packetId, subscriptions });
    return this.take("SUBACK");
  }

  /** Publishes and takes the first acknowledgement. */
  publish(
    topic: string,
    content: string,
    options: { qos?: Qos; retain?: boolean; packetId?: number } = {},
  ): void {
    const { qos = 0, retain = false, packetId = qos === 0 ? 0 : 100 } = options;
    this.send(publishPacket(topic, content, { qos, retain, packetId }));
    if (qos === 1) this.take("PUBACK");
    if (qos !== 2) return;
    this.take("PUBREC");
    this.send({ type: "PUBREL", packetId });
    this.take("PUBCOMP");
  }

  #decode(bytes: Uint8Array): void {
    this.receivedBytes += bytes.length;
    if (this.foreign) return;
    const all = this.#undecoded.length === 0 ? bytes : concatenate([this.#undecoded, bytes]);
    let position = 0;
    for (;;) {
      const result = decodePacket(all, position, PROTOCOL_LIMITS);
      if (result.status === "error") {
        throw new Error(`Cannot decode what the broker sent: ${result.error.reason}`);
      }
      if (result.status === "incomplete") break;
      this.inbox.push(result.packet);
      position = result.end;
    }
    this.#undecoded = position === all.length ? NOTHING : all.slice(position);
  }

  #end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#core.forget(this);
  }
}

/** A copy in memory that is used again and again. */
function lend(bytes: Uint8Array): Uint8Array {
  if (bytes.length > lent.length) lent = new Uint8Array(2 * bytes.length);
  lent.set(bytes);
  return lent.subarray(0, bytes.length);
}
