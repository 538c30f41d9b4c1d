/** A client that no oracle watches: it asks for everything that is retained, and can delete it. */
import type { ControlPacket, Qos, TopicFilter, TopicName } from "../../src/mqtt/mod.ts";
import { connectPacket } from "../support/wire_client.ts";
import { ClientConnection, type Network } from "./client_connection.ts";

const TEXT = new TextDecoder();

/** Looks at the retained messages from outside. */
export class Auditor {
  /** Payloads by topic. */
  readonly retained = new Map<string, string>();
  readonly #connection: ClientConnection;
  readonly #nowMs: () => number;
  /** When something came last. */
  heardMs: number;

  constructor(network: Network, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.heardMs = nowMs();
    const connection = ClientConnection.connect(network, {
      packetArrived: (_from, packet) => this.#receive(packet),
      endArrived: () => {},
    }, () => {});
    if (connection === null) throw new Error("Cannot audit: no broker runs");
    this.#connection = connection;
    connection.send(connectPacket({ clientIdentifier: "auditor" }));
    const filters = ["#", "$sparkplug/#"] as TopicFilter[];
    const subscriptions = filters.map((filter) => ({ filter, qos: 0 as Qos }));
    connection.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
  }

  /** Deletes what is retained, and leaves. */
  cleanUp(): void {
    for (const topic of this.retained.keys()) {
      if (topic.startsWith("$")) continue; // nobody can
      this.#connection.send({
        type: "PUBLISH",
        dup: false,
        qos: 0,
        retain: true,
        topic: topic as TopicName,
        packetId: 0,
        payload: new Uint8Array(0),
      });
    }
    this.#connection.send({ type: "DISCONNECT" });
  }

  #receive(packet: ControlPacket): void {
    this.heardMs = this.#nowMs();
    if (packet.type !== "PUBLISH" || !packet.retain) return;
    this.retained.set(packet.topic, TEXT.decode(packet.payload));
  }
}
