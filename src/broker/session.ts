/** Session state of one Client Identifier (section 3.1.2.4). */
import type { Qos, TopicFilter } from "../mqtt/mod.ts";
import type { Connection } from "./connection.ts";
import { type Delivery, DeliveryQueue } from "./delivery_queue.ts";
import { SESSION } from "./session_states.ts";

/** What the server keeps for a client; with Clean Session 0 it outlives the Network Connection. */
export class Session {
  readonly clientIdentifier: string;
  /** A state of the session table. */
  state: number = SESSION.states.absent;
  /** Clean Session 0. */
  readonly persistent: boolean;
  connection: Connection | null = null;
  /** The Topic Filters and the QoS granted for each. */
  readonly subscriptions: Map<TopicFilter, Qos> = new Map();
  /** Deliveries that wait for an acknowledgement, by Packet Identifier, in order of sending. */
  readonly inFlight: Map<number, Delivery> = new Map();
  /** Deliveries that wait for the window or the client. */
  readonly queue: DeliveryQueue = new DeliveryQueue();
  /** QoS 2 Packet Identifiers of the client in state `awaitPubrel`. */
  receiving: Set<number> | null = null;
  /** When the client left, on the age clock in ms (`Turn.ageMs`); 0 while it is connected. */
  storedSinceMs = 0;
  /** Whom it belongs to, as the policy writes it; empty for nobody in particular. */
  owner = "";
  #lastPacketId = 0;

  constructor(clientIdentifier: string, persistent: boolean) {
    this.clientIdentifier = clientIdentifier;
    this.persistent = persistent;
  }

  /** The next Packet Identifier will be one behind this number, from 0 to 65,535. */
  continuePacketIdsAt(number: number): void {
    this.#lastPacketId = number;
  }

  /** The next Packet Identifier that is not in use. [MQTT-2.3.1-4] The window is below 65,535. */
  allocatePacketId(): number {
    let id = this.#lastPacketId;
    do id = id === 65_535 ? 1 : id + 1; while (this.inFlight.has(id));
    this.#lastPacketId = id;
    return id;
  }
}
