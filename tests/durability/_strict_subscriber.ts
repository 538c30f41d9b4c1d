/**
 * A QoS 2 receiver of the other kind: it takes a message at PUBLISH and remembers the Packet
 * Identifier until PUBREL (method B of section 4.3.3). Unlike MQTT.js, which waits for PUBREL, it
 * sees at once if the broker forgets over a crash which identifier stood for which message.
 */
import { text, WireClient } from "../support/wire_client.ts";
import type { ClientContext } from "./_load_client.ts";
import type { Mailbox } from "./_ledger.ts";

const RECONNECT_MS = 15;
const SILENCE_MS = 60_000;

/** A persistent subscriber on a connection of our own. */
export class StrictSubscriber {
  readonly mailbox: Mailbox;
  readonly #context: ClientContext;
  readonly #filters: readonly string[];
  /** Identifiers of messages that were taken and are not released; they outlive the connection. */
  readonly #taken = new Set<number>();
  readonly #subscribed = Promise.withResolvers<void>();
  #client: WireClient | null = null;
  #known = false;
  #ended = false;
  readonly #running: Promise<void>;

  constructor(context: ClientContext, mailbox: Mailbox, filters: readonly string[]) {
    this.#context = context;
    this.mailbox = mailbox;
    this.#filters = filters;
    this.#running = this.#run();
  }

  /** Resolves when the session has its subscriptions. */
  subscribed(): Promise<void> {
    return this.#subscribed.promise;
  }

  /** Ends the client, without DISCONNECT. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#client?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      try {
        const client = await WireClient.open(this.#context.port);
        this.#client = client;
        await this.#converse(client);
      } catch {
        // The broker is dead: the next one will have the session.
      }
      this.#client?.close();
      this.#client = null;
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
    }
  }

  async #converse(client: WireClient): Promise<void> {
    const clientIdentifier = `subscriber-${this.mailbox.name}`;
    const connack = await client.sendConnect({ clientIdentifier, cleanSession: false });
    if (connack.returnCode !== 0) return;
    if (this.#known && !connack.sessionPresent) {
      this.#context.complain(`${clientIdentifier}: SESSION LOST`);
      this.#taken.clear();
    }
    if (!this.#known) {
      for (const filter of this.#filters) await client.subscribe(filter, this.mailbox.qos);
      this.#known = true;
      this.#subscribed.resolve();
    }
    while (!this.#ended) await this.#take(client);
  }

  async #take(client: WireClient): Promise<void> {
    const packet = await client.receive(SILENCE_MS);
    if (packet.type === "PUBREL") {
      const { packetId } = packet;
      this.#taken.delete(packetId);
      await client.send({ type: "PUBCOMP", packetId });
      return;
    }
    if (packet.type !== "PUBLISH") {
      this.#context.complain(`${this.mailbox.name}: unexpected ${packet.type}`);
      return;
    }
    const { packetId, qos } = packet;
    if (qos !== 2 || !this.#taken.has(packetId)) {
      this.mailbox.accept(packet.topic, text(packet.payload));
    }
    if (qos === 2) this.#taken.add(packetId);
    if (qos > 0) await client.send({ type: qos === 1 ? "PUBACK" : "PUBREC", packetId });
  }
}
