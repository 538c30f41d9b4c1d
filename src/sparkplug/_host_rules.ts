/** Rules of Host Applications and STATE (4.10). */
import { rule } from "./rule.ts";

/** Host Applications. */
export const HOST_RULES = {
  hostUnannounced: rule("info", {
    ids: "intro-sparkplug-host-state components-ph-state conformance-primary-host",
    on: "NCMD DCMD",
    says: "a Host Application announces itself by STATE",
  }),
  hostWill: rule("error", {
    ids: `host-topic-phid-death-required operational-behavior-host-application-connect-will
      payloads-state-will-message host-topic-phid-death-topic
      operational-behavior-host-application-connect-will-topic`,
    on: "STATE",
    says: "a Host Application connects with STATE as its Will",
    strict: "drop",
  }),
  hostWillPayload: rule("error", {
    ids: `host-topic-phid-death-payload operational-behavior-host-application-connect-will-payload
      payloads-state-will-message-payload operational-behavior-host-application-death-payload`,
    on: "CONNECT",
    says: "the Will of a Host Application is JSON with online false and an integer timestamp",
    strict: "drop",
  }),
  hostWillTimestamp: rule("warn", {
    ids: "host-topic-phid-death-payload-timestamp-connect",
    on: "CONNECT",
    says: "the timestamp of a Host Application's Will is the time of its CONNECT",
  }),
  hostWillQos: rule("error", {
    ids: `host-topic-phid-death-qos operational-behavior-host-application-connect-will-qos
      payloads-state-will-message-qos`,
    on: "CONNECT",
    says: "the Will of a Host Application has QoS 1",
    strict: "fix",
  }),
  hostWillRetain: rule("error", {
    ids: `host-topic-phid-death-retain operational-behavior-host-application-connect-will-retained
      payloads-state-will-message-retain`,
    on: "CONNECT",
    says: "the Will of a Host Application is retained",
    strict: "fix",
  }),
  hostCleanSession: rule("warn", {
    ids: "message-flow-phid-sparkplug-clean-session-311",
    on: "CONNECT",
    says: "a Host Application connects with Clean Session 1",
  }),
  hostSubscription: rule("warn", {
    ids: `host-topic-phid-birth-sub-required payloads-state-subscribe
      message-flow-phid-sparkplug-subscription`,
    on: "STATE",
    says: "a Host Application subscribes to its STATE and to Edge Nodes before it is born",
  }),
  hostBirthFirst: rule("warn", {
    ids: `host-topic-phid-birth-message host-topic-phid-birth-required
      operational-behavior-host-application-connect-birth
      message-flow-phid-sparkplug-state-publish payloads-state-birth
      operational-behavior-primary-application-state-with-multiple-servers-state
      principles-birth-certificates-order`,
    on: "PUBLISH",
    says: "the first message of a Host Application is STATE with online true",
  }),
  hostBirthTopic: rule("error", {
    ids: "host-topic-phid-birth-topic operational-behavior-host-application-connect-birth-topic",
    on: "STATE",
    says: "a Host Application publishes STATE to the topic of its Will",
    strict: "drop",
  }),
  hostBirthQos: rule("warn", {
    ids: "host-topic-phid-birth-qos operational-behavior-host-application-connect-birth-qos",
    on: "STATE",
    says: "STATE with online true is published at QoS 1",
  }),
  hostBirthRetain: rule("error", {
    ids:
      "host-topic-phid-birth-retain operational-behavior-host-application-connect-birth-retained",
    on: "STATE",
    says: "STATE with online true is retained",
    strict: "fix",
  }),
  hostBirthPayload: rule("error", {
    ids: `host-topic-phid-birth-payload payloads-state-birth-payload
      operational-behavior-host-application-connect-birth-payload
      message-flow-phid-sparkplug-state-publish-payload`,
    on: "STATE",
    says: "STATE is JSON with online true or false and an integer timestamp",
    strict: "drop",
  }),
  hostBirthTimestamp: rule("error", {
    ids: `host-topic-phid-birth-payload-timestamp
      message-flow-phid-sparkplug-state-publish-payload-timestamp`,
    on: "STATE",
    says: "STATE with online true has the timestamp of the Will",
  }),
  hostAnswers: rule("info", {
    ids: "message-flow-hid-sparkplug-state-message-delivered",
    on: "TIME",
    says: "a Host Application that is told to be offline says that it is online",
  }),
  hostTermination: rule("error", {
    ids: "operational-behavior-host-application-termination",
    on: "CLOSE",
    says: "a Host Application publishes STATE with online false before DISCONNECT",
  }),
  hostDeathTopic: rule("error", {
    ids: "operational-behavior-host-application-death-topic",
    on: "STATE",
    says: "a Host Application publishes its STATE with online false to its own topic",
    strict: "drop",
  }),
  hostDeathQos: rule("error", {
    ids: "operational-behavior-host-application-death-qos",
    on: "STATE",
    says: "STATE with online false is published at QoS 1",
  }),
  hostDeathRetain: rule("error", {
    ids: "operational-behavior-host-application-death-retained",
    on: "STATE",
    says: "STATE with online false is retained",
    strict: "fix",
  }),
  hostDeathTimestamp: rule("error", {
    ids: `host-topic-phid-death-payload-timestamp-disconnect-clean
      host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet`,
    on: "STATE",
    says: "STATE with online false, published on leaving, has the current time",
  }),
  hostUnique: rule("fatal", {
    ids: "operational-behavior-host-application-host-id",
    on: "CONNECT STATE",
    says: "a Host Application ID has one owner at a time",
    strict: "drop",
  }),
} as const;
