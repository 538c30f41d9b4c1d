/** A client that sends exactly what a test says, and waits for what the broker answers. */
import {
  type ConnackPacket,
  type ConnectPacket,
  type ControlPacket,
  decodePacket,
  encodePacket,
  PROTOCOL_LIMITS,
  type PublishPacket,
  type Qos,
  type SubackPacket,
  type TopicFilter,
  type TopicName,
  type Will,
} from "../../src/mqtt/mod.ts";
import { type ClientSocket, LocalSocket } from "./local_socket.ts";

/** How long a test waits for something that should happen at once. */
const PATIENCE_MS = 5_000;
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** What a test may say of a CONNECT; the rest is a clean session without keep alive. */
export interface ConnectOptions {
  readonly clientIdentifier?: string;
  readonly cleanSession?: boolean;
  readonly keepAliveSeconds?: number;
  readonly will?: Partial<Will> & { readonly topic: TopicName };
  readonly userName?: string;
  readonly password?: Uint8Array;
}

/** A Topic Name a test writes down; it must be valid. */
export function name(topic: string): TopicName {
  return topic as TopicName;
}

/** A Topic Filter a test writes down; it must be valid. */
export function filter(topicFilter: string): TopicFilter {
  return topicFilter as TopicFilter;
}

/** Text as payload. */
export function payload(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** Payload as text. */
export function text(bytes: Uint8Array): string {
  return DECODER.decode(bytes);
}

/** One raw connection to the broker; `using` closes it without DISCONNECT. */
export class WireClient implements Disposable {
  readonly #socket: ClientSocket;
  #bytes = new Uint8Array(0);
  #pendingRead: Promise<number | null> | null = null;
  #readBuffer = new Uint8Array(65_536);
  #ended = false;

  private constructor(socket: ClientSocket) {
    this.#socket = socket;
  }

  /** Opens a TCP connection and sends nothing. */
  static async open(port: number): Promise<WireClient> {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port });
    socket.setNoDelay(true);
    return new WireClient(socket);
  }

  /** Opens a TCP connection over IPv6. */
  static async openV6(port: number): Promise<WireClient> {
    return new WireClient(await Deno.connect({ hostname: "::1", port }));
  }

  /** Opens a TCP connection from another address of this machine, such as 127.0.0.2. */
  static async openFrom(localAddress: string, port: number): Promise<WireClient> {
    return new WireClient(await LocalSocket.connect(port, localAddress));
  }

  /** Speaks MQTT through a connection that is there already. */
  static over(socket: ClientSocket): WireClient {
    return new WireClient(socket);
  }

  /** Opens, sends CONNECT and expects it to be accepted. */
  static async connect(port: number, options: ConnectOptions = {}): Promise<WireClient> {
    const client = await WireClient.open(port);
    const connack = await client.sendConnect(options);
    if (connack.returnCode !== 0) throw new Error(`Cannot connect: CONNACK ${connack.returnCode}`);
    return client;
  }

  /** Sends CONNECT and gives the CONNACK. */
  async sendConnect(options: ConnectOptions = {}): Promise<ConnackPacket> {
    await this.send(connectPacket(options));
    return await this.expect("CONNACK");
  }

  /** Sends packets in one write. */
  async send(...packets: ControlPacket[]): Promise<void> {
    const parts = packets.map(encodePacket);
    await this.sendBytes(concatenate(parts));
  }

  /** Sends bytes as they are. */
  async sendBytes(bytes: Uint8Array): Promise<void> {
    let written = 0;
    while (written < bytes.length) written += await this.#socket.write(bytes.subarray(written));
  }

  /** The next packet; fails if the connection ends or nothing comes. */
  async receive(patienceMs = PATIENCE_MS): Promise<ControlPacket> {
    const packet = await this.next(patienceMs);
    if (packet === "closed") throw new Error("Cannot receive packet: connection closed");
    if (packet === "silence") {
      throw new Error(`Cannot receive packet: silence for ${patienceMs} ms`);
    }
    return packet;
  }

  /** The next packet, which must be of this type. */
  async expect<T extends ControlPacket["type"]>(
    type: T,
    patienceMs = PATIENCE_MS,
  ): Promise<ControlPacket & { readonly type: T }> {
    const packet = await this.receive(patienceMs);
    if (packet.type !== type) {
      throw new Error(`Cannot receive ${type}: got ${JSON.stringify(packet)}`);
    }
    return packet as ControlPacket & { readonly type: T };
  }

  /** The next packet, "closed" at the end of the connection, "silence" if nothing comes in time. */
  async next(patienceMs: number): Promise<ControlPacket | "closed" | "silence"> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const result = decodePacket(this.#bytes, 0, PROTOCOL_LIMITS);
      if (result.status === "error") {
        throw new Error(`Cannot decode what the broker sent: ${result.error.reason}`);
      }
      if (result.status === "packet") {
        this.#bytes = this.#bytes.slice(result.end);
        return result.packet;
      }
      const more = await this.#read(deadline - performance.now());
      if (more !== "bytes") return more;
    }
  }

  /** Fails unless the broker closes the connection; gives the packets that came before. */
  async expectClosed(patienceMs = PATIENCE_MS): Promise<ControlPacket[]> {
    const packets: ControlPacket[] = [];
    for (;;) {
      const packet = await this.next(patienceMs);
      if (packet === "closed") return packets;
      if (packet === "silence") throw new Error(`Cannot see close: open after ${patienceMs} ms`);
      packets.push(packet);
    }
  }

  /** Fails if the broker sends anything or closes within this time. */
  async expectSilence(ms = 100): Promise<void> {
    const packet = await this.next(ms);
    if (packet !== "silence") throw new Error(`Cannot keep silence: got ${JSON.stringify(packet)}`);
  }

  /** Everything the broker has sent already: up to the PINGRESP of a PINGREQ sent now. */
  async drain(): Promise<ControlPacket[]> {
    await this.send({ type: "PINGREQ" });
    const packets: ControlPacket[] = [];
    for (;;) {
      const packet = await this.receive();
      if (packet.type === "PINGRESP") return packets;
      packets.push(packet);
    }
  }

  /** Subscribes to one filter and expects the SUBACK as the next packet. */
  async subscribe(topicFilter: string, qos: Qos = 0, packetId = 1): Promise<SubackPacket> {
    const subscriptions = [{ filter: filter(topicFilter), qos }];
    await this.send({ type: "SUBSCRIBE", packetId, subscriptions });
    return await this.expect("SUBACK");
  }

  /** Publishes and completes the handshake of its QoS. */
  async publish(
    topic: string,
    content: string,
    options: { qos?: Qos; retain?: boolean; packetId?: number } = {},
  ): Promise<void> {
    const { qos = 0, retain = false, packetId = qos === 0 ? 0 : 100 } = options;
    await this.send(publishPacket(topic, content, { qos, retain, packetId }));
    if (qos === 1) await this.expect("PUBACK");
    if (qos !== 2) return;
    await this.expect("PUBREC");
    await this.send({ type: "PUBREL", packetId });
    await this.expect("PUBCOMP");
  }

  /** Receives a PUBLISH and completes the handshake of its QoS. */
  async receiveMessage(patienceMs = PATIENCE_MS): Promise<PublishPacket> {
    const packet = await this.expect("PUBLISH", patienceMs);
    const { packetId } = packet;
    if (packet.qos === 1) await this.send({ type: "PUBACK", packetId });
    if (packet.qos === 2) {
      await this.send({ type: "PUBREC", packetId });
      await this.expect("PUBREL");
      await this.send({ type: "PUBCOMP", packetId });
    }
    return packet;
  }

  /** Sends DISCONNECT and closes the socket. */
  async disconnect(): Promise<void> {
    await this.send({ type: "DISCONNECT" });
    await this.expectClosed();
    this.close();
  }

  /** Closes the socket, as if the network had failed. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    try {
      this.#socket.close();
    } catch {
      // The runtime closed it already.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #read(patienceMs: number): Promise<"bytes" | "closed" | "silence"> {
    if (patienceMs <= 0) return "silence";
    this.#pendingRead ??= this.#socket.read(this.#readBuffer).catch(() => null);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<"silence">((resolve) => {
      timer = setTimeout(() => resolve("silence"), patienceMs);
    });
    const count = await Promise.race([this.#pendingRead, timeout]);
    clearTimeout(timer);
    if (count === "silence") return count;
    this.#pendingRead = null;
    if (count === null) return "closed";
    this.#bytes = concatenate([this.#bytes, this.#readBuffer.subarray(0, count)]);
    return "bytes";
  }
}

/** A CONNECT with these options. */
export function connectPacket(options: ConnectOptions = {}): ConnectPacket {
  const will = options.will === undefined
    ? null
    : { payload: payload("gone"), qos: 0 as Qos, retain: false, ...options.will };
  return {
    type: "CONNECT",
    protocolLevel: 4,
    cleanSession: options.cleanSession ?? true,
    keepAliveSeconds: options.keepAliveSeconds ?? 0,
    clientIdentifier: options.clientIdentifier ?? "",
    will,
    userName: options.userName ?? null,
    password: options.password ?? null,
  };
}

/** A PUBLISH with text as payload. */
export function publishPacket(
  topic: string,
  content: string,
  options: { qos?: Qos; retain?: boolean; dup?: boolean; packetId?: number } = {},
): PublishPacket {
  return {
    type: "PUBLISH",
    dup: options.dup ?? false,
    qos: options.qos ?? 0,
    retain: options.retain ?? false,
    topic: name(topic),
    packetId: options.packetId ?? 0,
    payload: payload(content),
  };
}

/** Several byte arrays as one. */
export function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
