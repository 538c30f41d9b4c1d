/**
 * MQTT.js clients that live through the death of the broker: they reconnect by themselves and keep
 * their half of the session.
 *
 * What MQTT.js 5.16.0 does, from its source, because a fault of it must not be taken for one of the
 * broker. It receives QoS 2 rightly: `message` is emitted at PUBREL, the PUBLISH waits in the
 * `incomingStore` until then, a repeated PUBLISH overwrites it, and a PUBREL without it is only
 * answered. At a reconnect it publishes again what is in the `outgoingStore`, in the old order, one
 * handshake at a time, without DUP (against [MQTT-3.3.1-1]); `connect` is emitted behind that. What
 * is published between CONNACK and `connect` can overtake it, and is given up with an error if the
 * connection breaks. So nothing is published here before `connect`.
 */
import mqtt, { type IClientOptions, type MqttClient, Store, UniqueMessageIdProvider } from "mqtt";
import type { Mailbox, Stream } from "./_ledger.ts";

const RECONNECT_MS = 15;
/** What a client meets while the broker is dead. */
const EXPECTED_ERRORS = new Set(["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE"]);

/** How a client reaches the broker, and where it complains. */
export interface ClientContext {
  readonly port: number;
  /** Something happened that the broker must never cause. */
  complain(violation: string): void;
}

/** The stores of a client, which outlive its connections. */
interface Stores {
  readonly incomingStore: Store;
  readonly outgoingStore: Store;
}

function openClient(
  context: ClientContext,
  clientId: string,
  options: Stores & Pick<IClientOptions, "messageIdProvider">,
): MqttClient {
  const client = mqtt.connect({
    ...options,
    host: "127.0.0.1",
    port: context.port,
    clientId,
    clean: false,
    resubscribe: false,
    keepalive: 0,
    protocolVersion: 4,
    reconnectPeriod: RECONNECT_MS,
    reconnectOnConnackError: true,
  });
  let known = false;
  client.on("packetreceive", (packet) => {
    if (packet.cmd !== "connack" || packet.returnCode !== 0) return;
    if (known && !packet.sessionPresent) context.complain(`${clientId}: SESSION LOST`);
    known = true;
  });
  client.on("error", (error) => {
    const { code } = error as { code?: unknown };
    if (!EXPECTED_ERRORS.has(String(code))) context.complain(`${clientId}: ${error.message}`);
  });
  // An acknowledgement must not reach the next connection: its identifier may mean another message.
  client.on("close", () => {
    for (const { packet } of client.queue) context.complain(`${clientId}: kept ${packet.cmd}`);
  });
  return client;
}

function newStores(): Stores {
  return {
    incomingStore: new Store({ clean: false }),
    outgoingStore: new Store({ clean: false }),
  };
}

/** Publishes a stream with a window, whenever it is connected. */
export class LoadPublisher {
  readonly #client: MqttClient;
  readonly #options: PublisherOptions;
  readonly #context: ClientContext;
  #online = false;
  #running = false;
  #filling = false;
  #outstanding = 0;

  constructor(context: ClientContext, options: PublisherOptions) {
    this.#context = context;
    this.#options = options;
    this.#client = openClient(context, `publisher-${options.stream.name}`, {
      ...newStores(),
      // It takes the lowest identifier that is free; by default all others come first.
      ...(options.reusesIdentifiers && { messageIdProvider: new UniqueMessageIdProvider() }),
    });
    this.#client.on("connect", () => {
      this.#online = true;
      this.#fill();
    });
    this.#client.on("close", () => this.#online = false);
  }

  /** Whether everything that was sent is acknowledged. */
  get settled(): boolean {
    return this.#outstanding === 0;
  }

  /** Publishes until `pause`, over any number of connections. */
  run(): void {
    this.#running = true;
    this.#fill();
  }

  /** Publishes nothing new. */
  pause(): void {
    this.#running = false;
  }

  /** Ends the client, without DISCONNECT. */
  async end(): Promise<void> {
    this.pause();
    await this.#client.endAsync(true);
  }

  #fill(): void {
    if (this.#filling) return; // called from within `publish`
    this.#filling = true;
    while (this.#online && this.#running && this.#outstanding < this.#options.window) {
      this.#publish();
    }
    this.#filling = false;
  }

  #publish(): void {
    const { stream, topics, retain } = this.#options;
    const number = stream.sent++;
    const topic = `load/${stream.name}/${number % topics}`;
    // Some are longer than a page of the database.
    const payload = `${number} `.padEnd(number % 97 === 0 ? 9_000 : 20 + number % 200, ".");
    this.#outstanding++;
    this.#client.publish(topic, payload, { qos: stream.qos, retain }, (error) => {
      this.#outstanding--;
      if (error) this.#context.complain(`${stream.name}: publish gave up: ${error.message}`);
      else {
        stream.acknowledge(number);
        this.#options.acknowledged?.(topic, number);
      }
      this.#fill();
    });
  }
}

/** How a publisher publishes. */
export interface PublisherOptions {
  readonly stream: Stream;
  readonly window: number;
  /** Topics it uses in turn. */
  readonly topics: number;
  readonly retain: boolean;
  /** A new message has the Packet Identifier of one that was finished just now. */
  readonly reusesIdentifiers: boolean;
  readonly acknowledged?: (topic: string, number: number) => void;
}

/** A persistent subscriber; what arrives goes into its mailbox. */
export class LoadSubscriber {
  readonly mailbox: Mailbox;
  readonly #client: MqttClient;
  readonly #stores = newStores();
  #away = false;

  constructor(context: ClientContext, mailbox: Mailbox) {
    this.mailbox = mailbox;
    this.#client = openClient(context, `subscriber-${mailbox.name}`, this.#stores);
    this.#client.on("message", (topic, payload) => mailbox.accept(topic, payload.toString()));
  }

  /** Subscribes, once for the life of the session. */
  async subscribe(filters: readonly string[]): Promise<void> {
    await this.#client.subscribeAsync([...filters], { qos: this.mailbox.qos });
  }

  /** Leaves for a while. */
  async leave(): Promise<void> {
    if (this.#away) return;
    this.#away = true;
    await this.#client.endAsync(true);
  }

  /** Comes back with what it remembers. */
  comeBack(): void {
    if (!this.#away) return;
    this.#away = false;
    this.#client.reconnect(this.#stores);
  }

  /** Ends the client, without DISCONNECT. */
  async end(): Promise<void> {
    await this.leave();
  }
}
