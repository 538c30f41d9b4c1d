/** Rules of topics, identity, CONNECT, subscriptions and leaving (topics 4.1, 4.2, 4.3 and 4.7). */
import { rule } from "./rule.ts";

const ALL = "NBIRTH NDATA NDEATH DBIRTH DDATA DDEATH";

/** Topics and identity. */
export const TOPIC_RULES = {
  topicStructure: rule("error", {
    ids: "topic-structure",
    on: "PUBLISH CONNECT",
    says: "a topic below spBv1.0/ has a legal shape and a known message type",
    strict: "drop",
  }),
  topicNbirth: rule("error", {
    ids: "topics-nbirth-topic message-flow-edge-node-birth-publish-nbirth-topic",
    on: "PUBLISH",
    says: "NBIRTH goes to spBv1.0/G/NBIRTH/E",
    strict: "drop",
  }),
  topicNdata: rule("error", {
    ids: "topics-ndata-topic",
    on: "PUBLISH",
    says: "NDATA goes to spBv1.0/G/NDATA/E",
    strict: "drop",
  }),
  topicNdeath: rule("error", {
    ids: "topics-ndeath-topic",
    on: "PUBLISH CONNECT",
    says: "NDEATH goes to spBv1.0/G/NDEATH/E",
    strict: "drop",
  }),
  topicNcmd: rule("error", {
    ids: "topics-ncmd-topic operational-behavior-data-commands-ncmd-verb",
    on: "PUBLISH",
    says: "NCMD goes to spBv1.0/G/NCMD/E",
    strict: "drop",
  }),
  topicDbirth: rule("error", {
    ids: "topics-dbirth-topic message-flow-device-birth-publish-dbirth-topic",
    on: "PUBLISH",
    says: "DBIRTH goes to spBv1.0/G/DBIRTH/E/D",
    strict: "drop",
  }),
  topicDdata: rule("error", {
    ids: "topics-ddata-topic",
    on: "PUBLISH",
    says: "DDATA goes to spBv1.0/G/DDATA/E/D",
    strict: "drop",
  }),
  topicDdeath: rule("error", {
    ids: "topics-ddeath-topic",
    on: "PUBLISH",
    says: "DDEATH goes to spBv1.0/G/DDEATH/E/D",
    strict: "drop",
  }),
  topicDcmd: rule("error", {
    ids: "topics-dcmd-topic operational-behavior-data-commands-dcmd-verb",
    on: "PUBLISH",
    says: "DCMD goes to spBv1.0/G/DCMD/E/D",
    strict: "drop",
  }),
  topicNamespaceA: rule("warn", {
    ids: "topic-structure-namespace-a",
    on: "PUBLISH",
    says: "the namespace is spBv1.0, not the retired spAv1.0",
    strict: "drop",
  }),
  topicGroupId: rule("error", {
    ids: "topic-structure-namespace-valid-group-id intro-group-id-string intro-group-id-chars",
    on: "PUBLISH CONNECT",
    says: "the Group ID is a string without +, / and #, and not empty",
    strict: "drop",
  }),
  topicNodeId: rule("error", {
    ids: `topic-structure-namespace-valid-edge-node-id intro-edge-node-id-string
      intro-edge-node-id-chars`,
    on: "PUBLISH CONNECT",
    says: "the Edge Node ID is a string without +, / and #, and not empty",
    strict: "drop",
  }),
  topicDeviceId: rule("error", {
    ids: "topic-structure-namespace-valid-device-id intro-device-id-string intro-device-id-chars",
    on: "PUBLISH CONNECT",
    says: "the Device ID is a string without +, / and #, and not empty",
    strict: "drop",
  }),
  topicDeviceMissing: rule("error", {
    ids: "topic-structure-namespace-device-id-associated-message-types",
    on: "PUBLISH",
    says: "the topic of a Device's message has a Device ID",
    strict: "drop",
  }),
  topicDeviceSuperfluous: rule("error", {
    ids: "topic-structure-namespace-device-id-non-associated-message-types",
    on: "PUBLISH CONNECT",
    says: "the topic of an Edge Node's message has no Device ID",
    strict: "drop",
  }),
  nodeUnique: rule("fatal", {
    ids: `intro-edge-node-id-uniqueness topic-structure-namespace-unique-edge-node-descriptor
      payloads-nbirth-edge-node-descriptor`,
    on: `CONNECT ${ALL}`,
    says: "an Edge Node has one owner at a time",
    strict: "drop",
  }),
  deviceUnique: rule("info", {
    ids: "topic-structure-namespace-unique-device-id",
    on: "DBIRTH",
    says: "a Device ID stands for one Device of its Edge Node",
  }),
  idsCase: rule("info", {
    ids: "case-sensitivity-sparkplug-ids",
    on: "NBIRTH DBIRTH",
    says: "identifiers do not differ by case alone",
  }),
} as const;

/** CONNECT and subscriptions of an Edge Node. */
export const CONNECT_RULES = {
  willMissing: rule("error", {
    ids: "message-flow-edge-node-birth-publish-will-message payloads-ndeath-will-message",
    on: ALL,
    says: "an Edge Node connects with its NDEATH as the Will",
    strict: "close",
  }),
  willTopic: rule("error", {
    ids: "message-flow-edge-node-birth-publish-will-message-topic",
    on: "CONNECT NBIRTH",
    says: "the Will's topic is the NDEATH of the Edge Node that is born",
    strict: "drop",
  }),
  willPayload: rule("error", {
    ids: "message-flow-edge-node-birth-publish-will-message-payload",
    on: "CONNECT",
    says: "the Will's payload is a Sparkplug payload",
    strict: "drop",
  }),
  willBdSeq: rule("error", {
    ids: "message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
    on: "CONNECT",
    says: "the Will has a metric bdSeq from 0 to 255",
    strict: "drop",
  }),
  willBdSeqType: rule("warn", {
    ids: "message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
    on: "CONNECT",
    says: "bdSeq of the Will is an Int64",
  }),
  willQos: rule("warn", {
    ids: "message-flow-edge-node-birth-publish-will-message-qos payloads-ndeath-will-message-qos",
    on: "CONNECT",
    says: "the Will of an Edge Node has QoS 1",
    strict: "fix",
  }),
  willRetain: rule("error", {
    ids: `message-flow-edge-node-birth-publish-will-message-will-retained
      payloads-ndeath-will-message-retain`,
    on: "CONNECT NDEATH",
    says: "NDEATH is not retained",
    strict: "fix",
  }),
  nodeCleanSession: rule("error", {
    ids: "principles-persistence-clean-session-311",
    on: "CONNECT",
    says: "an Edge Node connects with Clean Session 1",
    strict: "drop",
  }),
  bdSeqAgain: rule("warn", {
    ids: `topics-nbirth-bdseq-increment
      message-flow-edge-node-birth-publish-will-message-payload-bdSeq`,
    on: "CONNECT",
    says: "each CONNECT has another bdSeq than the one before",
  }),
  bdSeqJump: rule("info", {
    ids: "topics-nbirth-bdseq-increment",
    on: "CONNECT",
    says: "bdSeq counts up by one, and from 255 to 0",
  }),
  ncmdSubscription: rule("error", {
    ids: "message-flow-edge-node-ncmd-subscribe",
    on: "NBIRTH",
    says: "an Edge Node has subscribed to its NCMD before it is born",
  }),
  ncmdSubscriptionQos: rule("warn", {
    ids: "message-flow-edge-node-ncmd-subscribe",
    on: "NBIRTH",
    says: "an Edge Node subscribes to its NCMD at QoS 1",
  }),
  dcmdSubscription: rule("info", {
    ids: "message-flow-device-dcmd-subscribe",
    on: "DBIRTH",
    says: "the Edge Node of a Device with outputs subscribes to its DCMD at QoS 1",
  }),
  stateSubscription: rule("info", {
    ids: "operational-behavior-primary-application-state-with-multiple-servers-state-subs",
    on: "NBIRTH",
    says: "an Edge Node with a primary host watches spBv1.0/STATE/H, not only the old STATE/H",
  }),
} as const;

/** Deaths and leaving. */
export const DEATH_RULES = {
  ndeathPayload: rule("warn", {
    ids: "topics-ndeath-payload",
    on: "CONNECT NDEATH",
    says: "bdSeq is the only metric of NDEATH",
  }),
  ndeathSeq: rule("warn", {
    ids: "topics-ndeath-seq payloads-ndeath-seq",
    on: "CONNECT NDEATH",
    says: "NDEATH has no seq",
  }),
  ndeathBdSeq: rule("error", {
    ids: "payloads-ndeath-bdseq",
    on: "NDEATH",
    says: "NDEATH has the bdSeq of its session",
  }),
  ddeathQos: rule("warn", {
    ids: "topics-ddeath-mqtt",
    on: "DDEATH",
    says: "DDEATH is published at QoS 0",
  }),
  ddeathRetain: rule("error", {
    ids: "topics-ddeath-mqtt",
    on: "DDEATH",
    says: "DDEATH is not retained",
    strict: "fix",
  }),
  ddeathSeq: rule("error", {
    ids: `topics-ddeath-seq-num payloads-ddeath-seq payloads-ddeath-seq-inc
      payloads-ddeath-seq-number`,
    on: "DDEATH",
    says: "DDEATH has the next seq in line",
    strict: "count, rebirth",
  }),
  ddeathTimestamp: rule("warn", {
    ids: "payloads-ddeath-timestamp",
    on: "DDEATH",
    says: "DDEATH has a timestamp",
  }),
  disconnectWithoutNdeath: rule("error", {
    ids: `operational-behavior-edge-node-intentional-disconnect-ndeath
      payloads-ndeath-will-message-publisher
      payloads-ndeath-will-message-publisher-disconnect-mqtt311`,
    on: "CLOSE",
    says: "an Edge Node publishes NDEATH before DISCONNECT",
  }),
} as const;
