/** What the subscriptions of a client say about it. */
import { type TopicFilter, topicMatches, type TopicName } from "../mqtt/mod.ts";
import type { Judgement } from "./judgement.ts";
import type { RefereeClient } from "./node_state.ts";
import { NAMESPACE, type SparkplugTopic } from "./topic.ts";

const FILTERS_MAX = 256;
const STATE_PREFIX = `${NAMESPACE}/STATE/`;
const OLD_STATE_PREFIX = "STATE/";
const RELEVANT = [`${NAMESPACE}/`, OLD_STATE_PREFIX, "+", "#", "$sparkplug/"];

/** Takes a subscription down if it may concern Sparkplug. */
export function noteSubscription(client: RefereeClient, filter: string, qos: number): void {
  if (!RELEVANT.some((prefix) => filter.startsWith(prefix))) return;
  if (client.filters.size >= FILTERS_MAX && !client.filters.has(filter)) return;
  client.filters.set(filter, qos);
}

/** The highest QoS at which the client is subscribed to a topic; -1 if it is not. */
export function subscribedQos(client: RefereeClient, topic: string): number {
  let best = -1;
  for (const [filter, qos] of client.filters) {
    if (qos > best && topicMatches(filter as TopicFilter, topic as TopicName)) best = qos;
  }
  return best;
}

/** The one host whose STATE the client watches; null if it watches none, several or all. */
export function watchedHost(client: RefereeClient): string | null {
  let host: string | null = null;
  for (const filter of client.filters.keys()) {
    if (!filter.startsWith(STATE_PREFIX)) continue;
    const name = filter.slice(STATE_PREFIX.length);
    if (host !== null || name === "+" || name === "#") return null;
    host = name;
  }
  return host;
}

/** Whether a host hears of any Edge Node. */
export function hearsNodes(client: RefereeClient): boolean {
  for (const filter of client.filters.keys()) {
    if (filter === "#" || filter.startsWith("+/")) return true;
    if (filter.startsWith(`${NAMESPACE}/`) && !filter.startsWith(STATE_PREFIX)) return true;
  }
  return false;
}

/** What an Edge Node has to be subscribed to when it is born. */
export function judgeSubscriptionsAtBirth(
  client: RefereeClient,
  { group, node }: SparkplugTopic,
  judgement: Judgement,
): void {
  const qos = subscribedQos(client, `${NAMESPACE}/${group}/NCMD/${node}`);
  if (qos < 0) judgement.breach("ncmdSubscription", "no subscription matches its NCMD");
  else if (qos < 1) judgement.breach("ncmdSubscriptionQos", "the subscription to NCMD has QoS 0");
  const old = [...client.filters.keys()].some((filter) => filter.startsWith(OLD_STATE_PREFIX));
  const current = [...client.filters.keys()].some((filter) =>
    filter.startsWith(STATE_PREFIX) || filter === "#" || filter.startsWith(`${NAMESPACE}/#`) ||
    filter.startsWith(`${NAMESPACE}/+`) || filter.startsWith("+/")
  );
  if (old && !current) judgement.breach("stateSubscription", "it watches STATE/H only");
}

/** What an Edge Node should be subscribed to when a Device is born. */
export function judgeSubscriptionsAtDeviceBirth(
  client: RefereeClient,
  { group, node, device }: SparkplugTopic,
  judgement: Judgement,
): void {
  const qos = subscribedQos(client, `${NAMESPACE}/${group}/DCMD/${node}/${device}`);
  if (qos < 1) {
    const what = qos < 0 ? "no subscription matches its DCMD" : "the subscription has QoS 0";
    judgement.breach("dcmdSubscription", what);
  }
}
