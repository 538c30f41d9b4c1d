/** Faults that the simulation must find: each is one piece of source text, replaced by another. */

/** A broken broker. */
export interface Mutant {
  readonly name: string;
  /** The file, from the root of the project. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly original: string;
  readonly replacement: string;
}

const GATE = "src/broker/ack_gate.ts";
const INBOUND = "src/broker/inbound.ts";
const RATES = "src/broker/rate_control.ts";
const REGISTRY = "src/broker/session_registry.ts";
const ROUTER = "src/broker/router.ts";
const SENDER = "src/broker/sender.ts";
const SUBSCRIPTIONS = "src/broker/subscriptions.ts";
const STORE = "src/store/durable_store.ts";

/** All of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "every acknowledgement before its commit",
    file: GATE,
    original:
      "if (!durable && connection.gated?.acknowledgements !== true) return this.#open(connection);",
    replacement: "if (durable || !durable) return this.#open(connection);",
  },
  {
    name: "a client that has sent too much is not read again",
    file: RATES,
    original: "this.#flow.resume(connection);",
    replacement: "if (connection.closed) this.#flow.resume(connection);",
  },
  {
    name: "PUBACK and PUBREC before the commit",
    file: INBOUND,
    original: "this.#parts.gate.acknowledge(connection, first, packetId, durable);",
    replacement: "this.#parts.gate.acknowledge(connection, first, packetId, durable && false);",
  },
  {
    name: "SUBACK before the commit",
    file: SUBSCRIPTIONS,
    original: `acknowledgementBuffer(connection, durable);
    buffer.append(bytes`,
    replacement: `acknowledgementBuffer(connection, durable && false);
    buffer.append(bytes`,
  },
  {
    name: "UNSUBACK before the commit",
    file: SUBSCRIPTIONS,
    original: `acknowledgementBuffer(connection, durable);
    appendAcknowledgement`,
    replacement: `acknowledgementBuffer(connection, durable && false);
    appendAcknowledgement`,
  },
  {
    name: "CONNACK before the commit",
    file: REGISTRY,
    original: "acknowledgementBuffer(connection, durable);",
    replacement: "acknowledgementBuffer(connection, durable && false);",
  },
  {
    name: "QoS 2 PUBLISH before its Packet Identifier is durable",
    file: SENDER,
    original: "const durable = session.persistent && delivery.qos === 2;",
    replacement: "const durable = session.persistent && delivery.qos > 2;",
  },
  {
    name: "acknowledged before the disk has it",
    file: STORE,
    original: `if (durability !== "interval") return false;`,
    replacement: `if (durability === null) return false;`,
  },
  {
    name: "commit reported before fsync",
    file: "tests/simulation/virtual_device.ts",
    original: `if (durability === "commit") disk.logSynced();`,
    replacement: "void disk;",
  },
  {
    name: "a commit that failed is not repeated",
    file: STORE,
    original: "else this.#device.commit(changes);",
    replacement: "else this.#device.commit(changes.subarray(0, 0));",
  },
  {
    name: "message deleted while another session needs it",
    file: "src/store/sqlite_writer.ts",
    original: "if (count === 0) this.#removeMessage.add(id);",
    replacement: "if (count <= 1) this.#removeMessage.add(id);",
  },
  {
    name: "DUP lost",
    file: SENDER,
    original: "{ durable: false, dup: true }",
    replacement: "{ durable: false, dup: false }",
  },
  {
    name: "DUP on first sends",
    file: SENDER,
    original: "{ durable, dup: false }",
    replacement: "{ durable, dup: true }",
  },
  {
    name: "Packet Identifier reused",
    file: "src/broker/session.ts",
    original: "do id = id === 65_535 ? 1 : id + 1; while (this.inFlight.has(id));",
    replacement: "id = id >= 4 ? 1 : id + 1;",
  },
  {
    name: "order of a queue swapped",
    file: "src/broker/delivery_queue.ts",
    original: "this.#items.push(delivery);",
    replacement: "this.#items.splice(this.#head, 0, delivery);",
  },
  {
    name: "order of sending forgotten",
    file: SENDER,
    original: "{ packetId, sent: ++this.#sequence }",
    replacement: "{ packetId, sent: delivery.sequence }",
  },
  {
    name: "retained messages for a subscription forgotten in a crash",
    file: SENDER,
    original: "this.#turn.journal.replayPending(session.clientIdentifier, filter, true);",
    replacement: "",
  },
  {
    name: "retained messages for a subscription not sent while the window is full",
    file: SENDER,
    original: "if (qos > 0 && session.inFlight.size >= limits.inFlightMessagesMax) return false;",
    replacement: "if (qos > 0 && session.inFlight.size >= limits.inFlightMessagesMax) return true;",
  },
  {
    name: "delivery finished before PUBACK or PUBCOMP",
    file: SENDER,
    original: "this.#write(connection, delivery, { durable, dup: false });",
    replacement: `this.#write(connection, delivery, { durable, dup: false });
    if (delivery.sequence > 0) {
      journal.deliveryFinished(session.clientIdentifier, delivery.sequence);
      delivery.sequence = 0;
    }`,
  },
  {
    name: "acknowledged delivery not finished in the store",
    file: SENDER,
    original: "this.#turn.journal.deliveryFinished(session.clientIdentifier, delivery.sequence);",
    replacement: "",
  },
  {
    name: "QoS 2 routed again on a duplicate PUBLISH",
    file: INBOUND,
    original: "if (emitted !== emissions.PUBREC) {",
    replacement: "if (emitted !== emissions.PUBCOMP) {",
  },
  {
    name: "QoS 2 receiver forgotten in a crash",
    file: INBOUND,
    original: "if (session.persistent) journal.receiveStarted(session.clientIdentifier, packetId);",
    replacement: "",
  },
  {
    name: "QoS 2 receiver never finished in the store",
    file: INBOUND,
    original:
      "if (durable) this.#turn.journal.receiveFinished(session.clientIdentifier, packetId);",
    replacement: "",
  },
  {
    name: "Will published after DISCONNECT",
    file: "src/broker/connection_states.ts",
    original: `DISCONNECT: { to: "closed", emit: "discardWill" }`,
    replacement: `DISCONNECT: { to: "closed", emit: "publishWill" }`,
  },
  {
    name: "Will lost at a take-over",
    file: REGISTRY,
    original: "if (isDue || isMissed) this.#parts.wills.publishDue",
    replacement: `if (isDue && cause !== "takenOver") this.#parts.wills.publishDue`,
  },
  {
    name: "Will lost at a restart",
    file: "src/broker/wills.ts",
    original: 'if (verdict === "allow") this.#publish(will);',
    replacement: 'if (verdict === "allow") return;',
  },
  {
    name: "Will published again at every restart",
    file: "src/broker/wills.ts",
    original: "    journal.willDeleted(clientIdentifier);",
    replacement: "",
  },
  {
    name: "owner of a session not journalled",
    file: REGISTRY,
    original:
      "if (session.persistent) this.#turn.journal.sessionOwned(session.clientIdentifier, owner);",
    replacement: "",
  },
  {
    name: "retained message not journalled",
    file: ROUTER,
    original: "journal.retainedSet(topic, message, ageS);",
    replacement: "",
  },
  {
    name: "deletion of a retained message not journalled",
    file: ROUTER,
    original: "this.#turn.journal.retainedDeleted(topic);",
    replacement: "",
  },
  {
    name: "retained message not replaced",
    file: ROUTER,
    original: "retained.set(topic, message, ageS); // [MQTT-3.3.1-5]",
    replacement: "if (retained.get(topic) === null) retained.set(topic, message, ageS);",
  },
  {
    name: "subscription not journalled",
    file: SUBSCRIPTIONS,
    original: "if (session.persistent) journal.subscribed(",
    replacement: "if (session.persistent && !isNew) journal.subscribed(",
  },
  {
    name: "unsubscription not journalled",
    file: SUBSCRIPTIONS,
    original: "if (session.persistent) journal.unsubscribed(session.clientIdentifier, filter);",
    replacement: "",
  },
  {
    name: "session not journalled as discarded",
    file: REGISTRY,
    original: `this.#turn.journal.sessionDiscarded(session.clientIdentifier);
    this.#discards.note(session.clientIdentifier);`,
    replacement: "",
  },
  {
    name: "sessions grow old by the wall clock",
    file: "src/broker/turn.ts",
    original: "return this.nowMs + this.#ageAheadMs;",
    replacement: "return this.wallMs;",
  },
  {
    name: "clean session resumed",
    file: "src/broker/session_states.ts",
    original: `connectClean: { to: "transient", emit: "replace" }`,
    replacement: `connectClean: { to: "transient", emit: "resume" }`,
  },
  {
    name: "verdict on a publish kept past a reload",
    file: INBOUND,
    original: "if (same && connection.topicTicket === ticket) return last;",
    replacement: "if (same && connection.topicTicket > 0) return last;",
  },
  {
    name: "verdict on a publish used for another client",
    file: "src/broker/topic_cache.ts",
    original: `if (this.publisher === ticket) return "allow";`,
    replacement: `if (this.publisher > 0) return "allow";`,
  },
  {
    name: "Will not judged when it is due",
    file: "src/broker/wills.ts",
    original: "if (!this.permits(connection, will)) return this.deny(connection, will);",
    replacement: "",
  },
  {
    name: "certificate forgotten in a crash",
    file: "src/broker/certificates.ts",
    original: "journal.retainedSet(name, certificate, ageS);",
    replacement: "if (known !== null) journal.retainedSet(name, certificate, ageS);",
  },
  {
    name: "certificate not replaced by a later birth",
    file: "src/broker/certificates.ts",
    original: "const fits = (known !== null ||",
    replacement:
      "if (known !== null && ageS % 2 === 0) return true; const fits = (known !== null ||",
  },
  {
    name: "RETAIN left on for established subscriptions",
    file: SENDER,
    original: "else this.#transmit(connection, session, new Delivery(message, qos, retain));",
    replacement: "else this.#transmit(connection, session, new Delivery(message, qos, true));",
  },
  {
    name: "queue kept in the gauges when a session ends",
    file: "src/broker/backlog.ts",
    original: `if (delivery instanceof Replay) continue;
      this.#taken(delivery);`,
    replacement: "if (delivery instanceof Replay) continue;",
  },
];
