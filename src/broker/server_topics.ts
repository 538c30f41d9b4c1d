/** The topics that belong to the server: clients may read them, and not publish there. */
import type { TopicName } from "../mqtt/mod.ts";
import { DEAD_LETTER_TOPIC } from "./dead_letters.ts";
import type { AccessPolicy, ClientFacts } from "./policy.ts";

const SPARKPLUG_TREE = "$sparkplug/";

/** Under which births are kept, followed by the topic they were published on. */
export const CERTIFICATE_TOPIC = `${SPARKPLUG_TREE}certificates/`;

/** Under which messages of Sparkplug are published as JSON, followed by their topic. */
export const JSON_TOPIC = `${SPARKPLUG_TREE}json/`;

/** Trees of what stands on another topic, too. */
const COPIES = [CERTIFICATE_TOPIC, JSON_TOPIC];

/** Whether a topic belongs to the server; what clients publish there is dropped. */
export function isServerTopic(name: TopicName): boolean {
  return isPassingTopic(name) || isSparkplugTree(name);
}

/** Whether what is retained on a topic is made anew all the time: neither durable nor counted. */
export function isPassingTopic(name: TopicName): boolean {
  return name.startsWith("$") && (name.startsWith("$SYS/") || name.startsWith(DEAD_LETTER_TOPIC));
}

/** Whether a topic is one of the tree that holds the certificates. */
export function isSparkplugTree(name: TopicName): boolean {
  return name.startsWith(SPARKPLUG_TREE);
}

/**
 * Whether the policy lets a client read a topic. A certificate tells what its birth told, and so does
 * the JSON of a message: who may not read the one may not read the other.
 */
export function mayRead(policy: AccessPolicy, client: ClientFacts, topic: TopicName): boolean {
  if (policy.read === null) return true;
  if (!policy.read(client, topic)) return false;
  for (const tree of COPIES) {
    if (topic.startsWith(tree)) return policy.read(client, topic.slice(tree.length) as TopicName);
  }
  return true;
}
