/** A stored state in a form that can be compared: whatever has no order is sorted. */
import type { StoredState } from "../../src/broker/mod.ts";
import { text } from "../support/wire_client.ts";

/** Two states are equal if these texts are. */
export function canonicalState(state: StoredState): string {
  const sessions = state.sessions.map((session) => ({
    client: session.clientIdentifier,
    storedSinceMs: session.storedSinceMs,
    owner: session.owner,
    subscriptions: session.subscriptions.map((s) => `${s.filter} ${s.qos} ${s.replayPending}`)
      .sort(),
    receiving: [...session.receiving].sort((a, b) => a - b),
    deliveries: session.deliveries.map((delivery) => ({
      sequence: delivery.sequence,
      topic: delivery.message.topic,
      payload: text(delivery.message.payload),
      messageQos: delivery.message.qos,
      qos: delivery.qos,
      retain: delivery.retain,
      packetId: delivery.packetId,
      sent: delivery.sent,
      queuedS: delivery.queuedS,
      released: delivery.released,
    })),
  }));
  const retained = state.retained.map(({ topic, message, atS }) => ({
    topic,
    atS,
    inMessage: message.topic,
    payload: text(message.payload),
    qos: message.qos,
  }));
  const wills = state.wills.map(({ clientIdentifier: client, will, owner }) => ({
    client,
    owner,
    topic: will.topic,
    qos: will.qos,
    retain: will.retain,
    payload: text(will.payload),
  }));
  return JSON.stringify({
    sessions: sorted(sessions),
    retained: sorted(retained),
    wills: sorted(wills),
    deadLetters: state.deadLetters.map(({ id, ageS, bytes }) => ({ id, ageS, bytes })),
    publications: state.publications.length,
    clock: state.clock,
    edgeNodes: sorted(state.edgeNodes),
  });
}

function sorted<T>(items: readonly T[]): T[] {
  const keyed = items.map((item) => [JSON.stringify(item), item] as const);
  return keyed.sort(([a], [b]) => a < b ? -1 : 1).map(([, item]) => item);
}
