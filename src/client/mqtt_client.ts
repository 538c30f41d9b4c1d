/** A client of MQTT 3.1.1 for tools: it says what the server has acknowledged, and nothing earlier. */
import {
  type ControlPacket,
  encodePacket,
  type PublishPacket,
  type Qos,
  type TopicFilter,
  type TopicName,
} from "../mqtt/mod.ts";
import { ClientError, clientErrorOf, inTime } from "./client_error.ts";
import { type ClientStream, closeQuietly, writeAll } from "./client_stream.ts";
import { introduce, type Introduction } from "./introduction.ts";
import { PacketIds } from "./packet_ids.ts";
import { PacketReader } from "./packet_reader.ts";

/** What the client says of itself, and whom it tells. */
export interface ClientSettings extends Introduction {
  /**
   * Called with each Application Message, QoS 2 ones once. What it returns is waited for before the
   * message is acknowledged and the next one is read; false: it is not acknowledged at all.
   */
  received?(message: PublishPacket): void | boolean | Promise<void | boolean>;
}

/** An Application Message to send. */
export interface OutgoingMessage {
  readonly topic: TopicName;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** How long the server may take to close behind a DISCONNECT. */
const CLOSE_MS = 2_000;
/**
 * Messages whose handshake is not complete, at most. Mosquitto acknowledges QoS 2 messages above its
 * own bound, which is 20 unless configured, and loses them.
 */
const IN_FLIGHT_MAX = 20;

/** One connection. It does not connect again by itself: who wants that runs it again. */
export class MqttClient {
  /** Whether the server has kept a session for this client. */
  sessionPresent = false;
  readonly #stream: ClientStream;
  readonly #settings: ClientSettings;
  readonly #reader: PacketReader;
  readonly #ids = new PacketIds<readonly number[]>();
  /** Packet Identifiers of QoS 2 messages that have come and are not released. */
  readonly #receiving = new Set<number>();
  readonly #ended = Promise.withResolvers<ClientError | null>();
  #writing: Promise<void> = Promise.resolve();
  #isOver = false;
  #leaving = false;
  #pings: ReturnType<typeof setInterval> | undefined;
  #pingMs: number | null = null;

  private constructor(stream: ClientStream, settings: ClientSettings) {
    this.#stream = stream;
    this.#settings = settings;
    this.#reader = new PacketReader(stream);
  }

  /** Sends CONNECT and waits for CONNACK; rejects with a `ClientError`. */
  static async connect(stream: ClientStream, settings: ClientSettings): Promise<MqttClient> {
    const client = new MqttClient(stream, settings);
    try {
      client.sessionPresent = await introduce(stream, { reader: client.#reader, ...settings });
    } catch (error) {
      closeQuietly(stream);
      throw clientErrorOf(error);
    }
    client.#listen();
    client.#keepAlive();
    return client;
  }

  /** Resolves when the connection is over: to null if it was this side that ended it. */
  get ended(): Promise<ClientError | null> {
    return this.#ended.promise;
  }

  /** Messages that still come, or whose handshake is not complete. */
  get unsettled(): number {
    return this.#receiving.size + this.#ids.size;
  }

  /** Resolves when there is room for one more message in flight. Rejects when the connection ends. */
  room(): Promise<void> {
    return this.#ids.below(IN_FLIGHT_MAX);
  }

  /** Resolves when QoS 0 is written, PUBACK or PUBCOMP has come; rejects when it cannot any more. */
  async publish(message: OutgoingMessage): Promise<void> {
    const { qos } = message;
    if (qos === 0) {
      return await this.#send({ ...message, type: "PUBLISH", dup: false, packetId: 0 });
    }
    const { packetId, done } = this.#ids.take();
    await this.#send({ ...message, type: "PUBLISH", dup: false, packetId });
    await done;
  }

  /** Subscribes, waits for SUBACK and gives its return codes. */
  async subscribe(filters: readonly TopicFilter[], qos: Qos): Promise<readonly number[]> {
    const { packetId, done } = this.#ids.take();
    const subscriptions = filters.map((filter) => ({ filter, qos }));
    await this.#send({ type: "SUBSCRIBE", packetId, subscriptions });
    const codes = await inTime(done, { timeoutMs: this.#settings.timeoutMs, of: "SUBSCRIBE" });
    if (codes.length === filters.length) return codes;
    throw new ClientError("protocol", `SUBACK has ${codes.length} return codes`); // [MQTT-3.9.3-1]
  }

  /** Sends DISCONNECT and waits until the server has closed: it has read everything then. */
  async disconnect(): Promise<void> {
    this.#leaving = true;
    await this.#send({ type: "DISCONNECT" }).catch(() => {});
    await inTime(this.ended, { timeoutMs: CLOSE_MS, of: "DISCONNECT" }).catch(() => {});
    this.close();
  }

  /** Closes without DISCONNECT, as a network that fails. */
  close(): void {
    this.#leaving = true;
    this.#end(null);
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const packet = await this.#reader.next();
        if (packet === null) break;
        this.#pingMs = null;
        await this.#accept(packet);
      }
      this.#end(this.#leaving ? null : new ClientError("network", "closed by the server"));
    } catch (error) {
      this.#end(this.#leaving ? null : clientErrorOf(error));
    }
  }

  async #accept(packet: ControlPacket): Promise<void> {
    switch (packet.type) {
      case "PUBLISH":
        return await this.#acceptPublish(packet);
      case "PUBREL":
        this.#receiving.delete(packet.packetId);
        return await this.#send({ type: "PUBCOMP", packetId: packet.packetId });
      case "PUBREC":
        return await this.#send({ type: "PUBREL", packetId: packet.packetId });
      case "PUBACK":
      case "PUBCOMP":
      case "UNSUBACK":
        return this.#ids.settle(packet.packetId, []);
      case "SUBACK":
        return this.#ids.settle(packet.packetId, packet.returnCodes);
      case "PINGRESP":
        return;
      default:
        throw new ClientError("protocol", `the server sent ${packet.type}`);
    }
  }

  async #acceptPublish(message: PublishPacket): Promise<void> {
    const { qos, packetId } = message;
    const isNew = qos < 2 || !this.#receiving.has(packetId);
    if (isNew && await this.#settings.received?.(message) === false) return;
    if (qos === 1) return await this.#send({ type: "PUBACK", packetId });
    if (qos === 0) return;
    this.#receiving.add(packetId); // [MQTT-4.3.3-2]
    await this.#send({ type: "PUBREC", packetId });
  }

  #send(packet: ControlPacket): Promise<void> {
    if (this.#isOver) return Promise.reject(new ClientError("network", "the connection is over"));
    const bytes = encodePacket(packet);
    const sent = this.#writing.then(() => writeAll(this.#stream, bytes));
    this.#writing = sent.catch((error) => this.#end(clientErrorOf(error)));
    return sent;
  }

  /** A server that does not answer a ping in time is gone: TCP alone would not tell for minutes. */
  #keepAlive(): void {
    const { keepAliveSeconds, timeoutMs } = this.#settings;
    if (keepAliveSeconds === 0) return;
    this.#pings = setInterval(() => {
      const nowMs = performance.now();
      if (this.#pingMs === null) {
        this.#pingMs = nowMs;
        this.#send({ type: "PINGREQ" }).catch(() => {});
      } else if (nowMs - this.#pingMs > timeoutMs) {
        this.#end(new ClientError("silence", "the server does not answer PINGREQ any more"));
      }
    }, keepAliveSeconds * 500);
  }

  #end(error: ClientError | null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#pings);
    closeQuietly(this.#stream);
    this.#ids.fail(error ?? new ClientError("network", "the connection is over"));
    this.#ended.resolve(error);
  }
}
