/** Wills: whether a client may have the one it asks for, and what becomes of it. [MQTT-3.1.2-8] */
import type { Will } from "../mqtt/mod.ts";
import type { Connection } from "./connection.ts";
import type { StoredWill } from "./journal.ts";
import { makeMessage } from "./message.ts";
import type { Router } from "./router.ts";
import { isServerTopic } from "./server_topics.ts";
import type { DropReason } from "./statistics.ts";
import type { Turn } from "./turn.ts";

/** Judges and publishes Wills. */
export class Wills {
  readonly #turn: Turn;
  readonly #router: Router;

  constructor(turn: Turn, router: Router) {
    this.#turn = turn;
    this.#router = router;
  }

  /** A Will is a publish of its client: asked at CONNECT, and again when it is due. */
  permits(connection: Connection, { topic }: Will): boolean {
    return !isServerTopic(topic) && this.#turn.policy.publish(connection, topic) === "allow";
  }

  /** The client may not have this Will. */
  deny(connection: Connection, will: Will): void {
    const { topic } = will;
    const serverOwned = isServerTopic(topic);
    this.#turn.denials.note(connection, { action: "will", topic, serverOwned, count: 1 });
    const reason = serverOwned ? "server-topic" : "publish-refused";
    this.#lose(will, { reason, publisher: connection.clientIdentifier });
  }

  /** The client is gone, and its Will is to go out. */
  publishDue(connection: Connection, will: Will): void {
    if (!this.permits(connection, will)) return this.deny(connection, will);
    this.#publish(will);
    this.#turn.sparkplug?.referee?.willPublished(connection, will, this.#turn);
  }

  /** Publishes the Will of a client that was connected when the process before this one ended. */
  restore({ clientIdentifier, will, owner }: StoredWill): void {
    const { policy, journal } = this.#turn;
    journal.willDeleted(clientIdentifier);
    // The rules may have changed meanwhile. Without an owner, what they said at CONNECT counts.
    const verdict = owner === null ? "allow" : policy.will({ clientIdentifier, owner }, will.topic);
    if (verdict === "allow") this.#publish(will);
    else this.#lose(will, { reason: "publish-refused", publisher: clientIdentifier });
  }

  #publish(will: Will): void {
    this.#turn.statistics.willsPublished++;
    this.#router.publish(will.topic, will); // [MQTT-3.1.2-16] [MQTT-3.1.2-17]
  }

  #lose(will: Will, { reason, publisher }: { reason: DropReason; publisher: string }): void {
    const { topic, payload, qos, retain } = will;
    const message = makeMessage(topic, payload, qos);
    this.#turn.deadLetters.give(reason, message, { qos, retain, publisher });
  }
}
