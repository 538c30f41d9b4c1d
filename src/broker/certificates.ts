/**
 * Certificates: the last birth of every Edge Node and Device, byte for byte, retained in a tree of
 * the server's own. [tck-id-conformance-mqtt-aware-store]
 */
import type { TopicFilter, TopicName } from "../mqtt/mod.ts";
import { makeMessage, type Message } from "./message.ts";
import type { Router } from "./router.ts";
import { CERTIFICATE_TOPIC } from "./server_topics.ts";
import { TopicEntry } from "./topic_cache.ts";
import type { Instant, Turn } from "./turn.ts";

const TOPIC_BYTES_MAX = 65_535;
/** Most bytes of a packet behind its fixed header. */
const REMAINING_BYTES_MAX = 268_435_455;
const TREE = new TextEncoder().encode(CERTIFICATE_TOPIC);

/** Keeps births. */
export class Certificates {
  readonly #turn: Turn;
  readonly #router: Router;

  constructor(turn: Turn, router: Router) {
    this.#turn = turn;
    this.#router = router;
  }

  /**
   * A birth was handed to its subscribers: it is kept in the place of the one before, whoever
   * published that, and handed to those who subscribe to certificates.
   */
  keep(birth: TopicEntry, message: Message): void {
    const { limits, statistics, sparkplug } = this.#turn;
    if (limits.certificatesMax === 0) return;
    const { payload } = message;
    const topicBytes = TREE.length + birth.bytes.length;
    // An empty payload is no birth, and would erase the one that is kept.
    const fits = payload.length > 0 && topicBytes <= TOPIC_BYTES_MAX &&
      4 + topicBytes + payload.length <= REMAINING_BYTES_MAX;
    if (!fits) {
      statistics.certificatesRefused++;
      return;
    }
    const name = (CERTIFICATE_TOPIC + birth.name) as TopicName;
    // QoS 1, so that a client with a narrow outbox gets all that match a wildcard.
    const certificate = makeMessage(name, payload, 1);
    const kept = this.#retain(name, certificate);
    // [tck-id-conformance-mqtt-aware-nbirth-mqtt-retain] [...-dbirth-mqtt-retain]
    const retain = kept && sparkplug?.retainLive === true;
    this.#hand(name, certificate, retain);
  }

  /** Topics of the births that are kept, with the bytes of their payloads. */
  get kept(): { readonly birth: string; readonly bytes: number }[] {
    const kept: { birth: string; bytes: number }[] = [];
    for (const message of this.#router.retained.matching(`${CERTIFICATE_TOPIC}#` as TopicFilter)) {
      if (message === null) continue;
      const birth = message.topic.slice(CERTIFICATE_TOPIC.length);
      kept.push({ birth, bytes: message.payload.length });
    }
    return kept;
  }

  /** The payload of the birth that is kept of a topic; null if there is none. */
  payloadOf(birth: string): Uint8Array | null {
    const name = `${CERTIFICATE_TOPIC}${birth}` as TopicName;
    return this.#router.retained.get(name)?.payload ?? null;
  }

  /**
   * Removes certificates of births on topics that match, at most `max` of them, and gives how many
   * there were. `announce`: whoever is subscribed to them gets an empty message, as where a client
   * removes a retained one.
   */
  purge(
    births: TopicFilter,
    { max, announce, instant }: { max: number; announce: boolean; instant: Instant },
  ): number {
    this.#turn.setClock(instant);
    const names: TopicName[] = [];
    for (
      const message of this.#router.retained.matching(
        `${CERTIFICATE_TOPIC}${births}` as TopicFilter,
      )
    ) {
      if (names.length === max) break;
      if (message !== null) names.push(message.topic as TopicName);
    }
    for (const name of names) {
      this.#router.forgetRetained(name);
      if (announce) this.#hand(name, makeMessage(name, new Uint8Array(0), 1), false);
    }
    this.#turn.statistics.certificatesPurged += names.length;
    this.#router.countRetained();
    return names.length;
  }

  /** Hands a message to those who are subscribed to it. */
  #hand(name: TopicName, message: Message, retain: boolean): void {
    const entry = new TopicEntry(message.bytes.slice(2, message.topicEnd), name);
    entry.refresh(this.#router.trie, this.#turn.policy); // here, for it is not one of the cache
    this.#router.route(entry, message, retain);
  }

  /** Stores a certificate if there is room for it; no other one goes for it. */
  #retain(name: TopicName, certificate: Message): boolean {
    const { limits, statistics, journal, ageS } = this.#turn;
    const { retained } = this.#router;
    const known = retained.get(name);
    const { count, bytes } = retained.certificates;
    const grown = certificate.size - (known?.size ?? 0) + retained.growth(name);
    const fits = (known !== null || count < limits.certificatesMax) &&
      bytes + grown <= limits.certificatesBytesMax;
    if (fits) {
      retained.set(name, certificate, ageS);
      journal.retainedSet(name, certificate, ageS);
      statistics.certificatesStored++;
    } else {
      statistics.certificatesRefused++;
      this.#turn.deadLetters.give("retained-limit", certificate, { qos: 1, retain: true });
      // The older one is not the last birth any more.
      this.#router.forgetRetained(name);
    }
    this.#router.countRetained();
    return fits;
  }
}
