/** All work items, in the order they run. */

import { DURABLE_LATENCY, DURABLE_QOS1, QOS0_BESIDE_DURABLE } from "./durable.ts";
import { CONNECT_STORM, RSS_10K_IDLE, RSS_IDLE, START_TO_CONNACK } from "./footprint.ts";
import { beside1000Rules, handshakes } from "./guarded.ts";
import { PACED_LATENCY, QOS0_BESIDE_SLOW } from "./latency.ts";
import { SPARKPLUG_DATA } from "./sparkplug.ts";
import { PASSWORD_FLOOD } from "./password_flood.ts";
import { throughput, TRIE_100K } from "./throughput.ts";
import type { Workload } from "./workload.ts";

/** Every item. Batches are sized so that about 50,000 deliveries are on the way at most. */
export const WORKLOADS: readonly Workload[] = [
  throughput(
    { name: "qos0_1to1", about: "1 publisher, 1 subscriber, QoS 0", ratioAtLeast: 12 },
    { qos: 0, publishers: 1, subscribers: 1, topics: 1, batchMessages: 800, batchesMax: 64 },
  ),
  throughput(
    { name: "qos0_4to4", about: "4 pairs on 4 topics, QoS 0", ratioAtLeast: 15 },
    { qos: 0, publishers: 4, subscribers: 4, topics: 4, batchMessages: 800, batchesMax: 16 },
  ),
  throughput(
    { name: "qos0_4to4_topics", about: "4 pairs, each message on another of 250 topics, QoS 0" },
    {
      qos: 0,
      publishers: 4,
      subscribers: 4,
      topics: 4,
      topicsEach: 250,
      batchMessages: 750,
      batchesMax: 16,
    },
  ),
  throughput(
    { name: "qos0_fanout_1to50", about: "1 publisher, 50 subscribers, QoS 0", ratioAtLeast: 25 },
    { qos: 0, publishers: 1, subscribers: 50, topics: 1, batchMessages: 100, batchesMax: 12 },
  ),
  throughput(
    { name: "qos0_fanout_1to1000", about: "1 publisher, 1,000 subscribers, QoS 0" },
    { qos: 0, publishers: 1, subscribers: 1000, topics: 1, batchMessages: 50, batchesMax: 3 },
  ),
  throughput(
    { name: "qos0_fanin_50to1", about: "50 publishers, 1 subscriber, QoS 0" },
    { qos: 0, publishers: 50, subscribers: 1, topics: 1, batchMessages: 200, batchesMax: 5 },
  ),
  throughput(
    { name: "qos1_4to4", about: "4 pairs, QoS 1, window 64", ratioAtLeast: 10 },
    { qos: 1, publishers: 4, subscribers: 4, topics: 4, batchMessages: 0, batchesMax: 0 },
  ),
  throughput(
    { name: "qos2_4to4", about: "4 pairs, QoS 2, window 64", ratioAtLeast: 10 },
    { qos: 2, publishers: 4, subscribers: 4, topics: 4, batchMessages: 0, batchesMax: 0 },
  ),
  TRIE_100K,
  SPARKPLUG_DATA,
  PACED_LATENCY,
  QOS0_BESIDE_SLOW,
  DURABLE_QOS1,
  QOS0_BESIDE_DURABLE,
  DURABLE_LATENCY,
  throughput(
    {
      name: "tls_qos0_4to4",
      about: "4 pairs on 4 topics, QoS 0, over TLS 1.3",
      ratioAtLeast: 5,
      guards: { tls: "server" },
    },
    { qos: 0, publishers: 4, subscribers: 4, topics: 4, batchMessages: 800, batchesMax: 16 },
  ),
  handshakes("server"),
  handshakes("mutual"),
  beside1000Rules(
    { name: "rules_qos0", about: "4 pairs on 4 topics, QoS 0, by 1,000 access rules and by none" },
    { qos: 0, publishers: 4, subscribers: 4, topics: 4, batchMessages: 800, batchesMax: 16 },
  ),
  beside1000Rules(
    {
      name: "rules_qos0_topics",
      about: "4 pairs, each message on another of 250 topics, QoS 0, by 1,000 rules and by none",
    },
    {
      qos: 0,
      publishers: 4,
      subscribers: 4,
      topics: 4,
      topicsEach: 250,
      batchMessages: 750,
      batchesMax: 16,
    },
  ),
  beside1000Rules(
    { name: "rules_qos1", about: "4 pairs, QoS 1, window 64, by 1,000 access rules and by none" },
    { qos: 1, publishers: 4, subscribers: 4, topics: 4, batchMessages: 0, batchesMax: 0 },
  ),
  PASSWORD_FLOOD,
  CONNECT_STORM,
  RSS_IDLE,
  RSS_10K_IDLE,
  START_TO_CONNACK,
];
