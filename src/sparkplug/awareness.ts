/** Sparkplug awareness: what a server does by itself, without judging anybody. */
import type { TopicName } from "../mqtt/mod.ts";
import { withTimestamp } from "./ndeath_timestamp.ts";
import { parseTopic } from "./topic.ts";

/** What of it is switched on. */
export interface AwarenessOptions {
  /** Certificates reach established subscriptions with RETAIN 1, too. */
  readonly retainLive: boolean;
  /** An NDEATH goes out with the time at which it does. */
  readonly ndeathTimestamp: boolean;
}

const BIRTH = { role: "birth" } as const;
const NODE_DEATH = { role: "nodeDeath" } as const;

/** Answers the core's questions about Sparkplug. */
export class SparkplugAwareness {
  readonly retainLive: boolean;
  readonly stampNodeDeath: typeof withTimestamp | null;
  readonly referee = null;

  constructor({ retainLive, ndeathTimestamp }: AwarenessOptions) {
    this.retainLive = retainLive;
    this.stampNodeDeath = ndeathTimestamp ? withTimestamp : null;
  }

  /** Why the core asks more about a topic; null where it does not. */
  classify(topic: TopicName): typeof BIRTH | typeof NODE_DEATH | null {
    const parsed = parseTopic(topic);
    if (parsed?.kind !== "topic") return null;
    if (parsed.type === "NBIRTH" || parsed.type === "DBIRTH") return BIRTH;
    return parsed.type === "NDEATH" && this.stampNodeDeath !== null ? NODE_DEATH : null;
  }
}
