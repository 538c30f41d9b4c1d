/** What records amount to, as far as the explored clients can tell: cheap to make and to compare. */
import type { JournalRecord } from "../../../src/store/mod.ts";

/** A message on its way to a client. */
export interface Fact {
  readonly number: number;
  readonly qos: number;
  packetId: number;
  sent: number;
  released: boolean;
}

/** What is known of one session. */
export class SessionFacts {
  readonly deliveries = new Map<number, Fact>();
  readonly receiving = new Set<number>();
  /** The Packet Identifier that was given last. */
  lastPacketId = 0;
}

/** Sessions by Client Identifier. */
export class Facts {
  readonly #sessions = new Map<string, SessionFacts>();

  of(clientIdentifier: string): SessionFacts {
    let session = this.#sessions.get(clientIdentifier);
    if (session === undefined) {
      session = new SessionFacts();
      this.#sessions.set(clientIdentifier, session);
    }
    return session;
  }

  /** The same facts, to be changed. */
  clone(): Facts {
    const facts = new Facts();
    for (const [name, session] of this.#sessions) {
      const copy = facts.of(name);
      for (const [sequence, fact] of session.deliveries) copy.deliveries.set(sequence, { ...fact });
      for (const id of session.receiving) copy.receiving.add(id);
      copy.lastPacketId = session.lastPacketId;
    }
    return facts;
  }

  /** Another process begins: its identifiers begin elsewhere. */
  restarted(): void {
    for (const session of this.#sessions.values()) session.lastPacketId = 0;
  }

  apply(record: JournalRecord): void {
    switch (record.kind) {
      case "deliveryAdded": {
        const { clientIdentifier, sequence, message, qos, packetId, sent } = record.delivery;
        const number = message.bytes[message.end - 1]!;
        const session = this.of(clientIdentifier);
        session.deliveries.set(sequence, { number, qos, packetId, sent, released: false });
        if (packetId > 0) session.lastPacketId = packetId;
        return;
      }
      case "deliverySent": {
        const session = this.of(record.clientIdentifier);
        const fact = session.deliveries.get(record.sequence)!;
        fact.packetId = record.packetId;
        fact.sent = record.sent;
        session.lastPacketId = record.packetId;
        return;
      }
      case "deliveryReleased":
        this.of(record.clientIdentifier).deliveries.get(record.sequence)!.released = true;
        return;
      case "deliveryFinished":
        this.of(record.clientIdentifier).deliveries.delete(record.sequence);
        return;
      case "receiveStarted":
        this.of(record.clientIdentifier).receiving.add(record.packetId);
        return;
      case "receiveFinished":
        this.of(record.clientIdentifier).receiving.delete(record.packetId);
        return;
      case "sessionDiscarded":
        this.#sessions.delete(record.clientIdentifier);
    }
  }

  /** The same text for the same facts: numbers of the store count by their order only. */
  get key(): string {
    return [...this.#sessions].map(([name, session]) => {
      const deliveries = [...session.deliveries].sort(([a], [b]) => a - b);
      const sends = deliveries.map(([, { sent }]) => sent).sort((a, b) => a - b);
      const texts = deliveries.map(([, fact]) =>
        `${fact.number}/${fact.qos}/${fact.packetId}/${sends.indexOf(fact.sent)}/${fact.released}`
      );
      const receiving = [...session.receiving].sort().join(",");
      return `${name}:${texts.join(",")};${receiving};${session.lastPacketId}`;
    }).sort().join("|");
  }
}
