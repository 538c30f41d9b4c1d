/**
 * What an operator sees of the core, and changes in it. What is kept is walked where it stands: no
 * table is copied, and whoever looks may stop between two steps while the core goes on.
 */
import {
  decodeTopicName,
  encodeUtf8,
  type ProtocolError,
  protocolError,
  type Qos,
  type TopicName,
} from "../mqtt/mod.ts";
import type { Connection } from "./connection.ts";
import type { CloseCause } from "./events.ts";
import type { Message } from "./message.ts";
import type { RetainedLevels } from "./retained.ts";
import type { Router } from "./router.ts";
import { isServerTopic } from "./server_topics.ts";
import type { Session } from "./session.ts";
import type { SessionRegistry } from "./session_registry.ts";
import type { Instant, Turn } from "./turn.ts";

/** A message that an operator wants published. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
  readonly retain: boolean;
}

/** A dead letter that is to be published after all. */
export interface Replayed extends Publication {
  /** Of the dead letter. */
  readonly id: number;
}

const SERVER_TOPIC = protocolError("relayq:server-topic", "only the server publishes there");
const TOO_LARGE = protocolError("relayq:too-large", "the message is larger than a packet may be");
/** Fixed header, Packet Identifier and the length of the topic. */
const PACKET_OVERHEAD_BYTES = 9;

/** The core, for its operator. Changes belong to the turn in which they are made. */
export class Oversight {
  readonly #turn: Turn;
  readonly #sessions: SessionRegistry;
  readonly #router: Router;

  constructor(turn: Turn, parts: { sessions: SessionRegistry; router: Router }) {
    this.#turn = turn;
    this.#sessions = parts.sessions;
    this.#router = parts.router;
  }

  /** The session of a Client Identifier, whether its client is there or not. */
  session(clientIdentifier: string): Session | undefined {
    return this.#sessions.get(clientIdentifier);
  }

  /** All sessions, live. */
  sessions(): IterableIterator<Session> {
    return this.#sessions.values();
  }

  /** When the client of a session left, on the wall clock in ms; null if it is there. */
  awaySinceMs({ connection, storedSinceMs }: Session, instant: Instant): number | null {
    if (connection !== null) return null;
    this.#turn.setClock(instant);
    return instant.wallMs - (this.#turn.ageMs - storedSinceMs);
  }

  /** The sessions with a subscription that matches. */
  subscribers(topic: TopicName): Set<Session> {
    const found = new Set<Session>();
    this.#router.trie.match(topic, (session) => void found.add(session));
    return found;
  }

  /** The retained message of a topic, or null. */
  retained(topic: TopicName): Message | null {
    return this.#router.retained.get(topic);
  }

  /** The levels of retained topics right below these, live; null if there are none. */
  retainedBelow(levels: readonly string[]): RetainedLevels | null {
    return this.#router.retained.below(levels);
  }

  /** Ends a connection; `will`: whether its Will goes out as it does for one that breaks. */
  disconnect(
    connection: Connection,
    { cause, will, instant }: { cause: CloseCause; will: boolean; instant: Instant },
  ): void {
    this.#turn.setClock(instant);
    if (!will && connection.will !== null && !connection.closed) {
      connection.will = null;
      this.#turn.journal.willDeleted(connection.clientIdentifier);
    }
    this.#sessions.close(connection, cause);
  }

  /** Discards a session with all that waits in it, after the end of its client's connection. */
  removeSession(session: Session, instant: Instant): void {
    this.#turn.setClock(instant);
    this.#sessions.remove(session);
  }

  /** Removes a retained message; gives whether there was one. */
  removeRetained(topic: TopicName, instant: Instant): boolean {
    this.#turn.setClock(instant);
    const known = this.#router.retained.get(topic) !== null;
    this.#router.forgetRetained(topic);
    this.#router.countRetained();
    return known;
  }

  /** Publishes a message; gives how many sessions get it, or why it is not published. */
  publish(publication: Publication, instant: Instant): number | ProtocolError {
    this.#turn.setClock(instant);
    const topic = this.#publishable(publication);
    return typeof topic === "object" ? topic : this.#router.publish(topic, publication);
  }

  /** The youngest dead letter that is kept; 0 if none is. */
  get lastDeadLetter(): number {
    return this.#turn.deadLetters.last;
  }

  /** Forgets dead letters; gives how many of them were there. */
  purge(ids: Iterable<number>, instant: Instant): number {
    this.#turn.setClock(instant);
    return this.#turn.deadLetters.remove(ids).size;
  }

  /**
   * Publishes dead letters and forgets them, in one batch: none is published twice, and none is lost
   * in between. Those that are not there any more are left out, and so are those that cannot be
   * published. Gives how many were published.
   */
  replay(letters: readonly Replayed[], instant: Instant): number {
    this.#turn.setClock(instant);
    const fit = letters.filter((letter) => typeof this.#publishable(letter) === "string");
    // Out of the ring first: one that has to be given up again needs a place there.
    const taken = this.#turn.deadLetters.remove(fit.map(({ id }) => id));
    for (const letter of fit) {
      if (taken.has(letter.id)) this.#router.publish(letter.topic as TopicName, letter);
    }
    return taken.size;
  }

  /** The topic of a message that may be published, or why it may not. */
  #publishable({ topic, payload }: Publication): TopicName | ProtocolError {
    const { limits } = this.#turn;
    const bytes = encodeUtf8(topic);
    const name = decodeTopicName(bytes, { start: 0, end: bytes.length }, limits);
    if (typeof name === "object") return name;
    if (isServerTopic(name)) return SERVER_TOPIC;
    const size = PACKET_OVERHEAD_BYTES + bytes.length + payload.length;
    return size > limits.packetBytesMax ? TOO_LARGE : name;
  }
}
