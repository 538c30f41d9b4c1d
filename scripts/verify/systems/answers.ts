/**
 * One Packet Identifier of a client that does what it likes, against sections 4.3.2, 4.3.3 and 4.4:
 * both QoS tables. `sent` and `received` are told by the history alone, not by the tables.
 */
import type { System } from "../proofs/system.ts";

const ACKS = ["sender/PUBACK", "sender/PUBREC", "sender/PUBCOMP"];
const SENDS = ["sender/sendQos1", "sender/sendQos2"];
const RETURNS = ["sender/resume", "sender/withdraw"];
const ARRIVALS = ["receiver/publishQos1", "receiver/publishQos2", "receiver/PUBREL"];

function isOneOf(values: readonly string[]): string {
  return `(or ${values.map((value) => `(= event ${value})`).join(" ")})`;
}

/** Both QoS tables against a client that does what it likes. */
export const ANSWERS: System = {
  name: "answers",
  mirrors: ["Sender.acknowledged", "Sender.resume", "Inbound.#publish", "Inbound.#pubrel"],
  tables: ["sender", "receiver"],
  sorts: { Sent: ["sent.nothing", "sent.qos1", "sent.qos2", "sent.released"] },
  macros: {
    emitted: { parameters: [], body: "(sender.emits state event)" },
    processed: { parameters: [], body: "(sender.has state event)" },
    // An acknowledgement of what was acknowledged before is no fault.
    isPermitted: {
      parameters: [],
      body: "(or (= sent sent.nothing) " +
        "(and (= event sender/PUBACK) (= sent sent.qos1)) " +
        "(and (= event sender/PUBREC) (or (= sent sent.qos2) (= sent sent.released))) " +
        "(and (= event sender/PUBCOMP) (= sent sent.released)))",
    },
    ended: {
      parameters: [],
      body: "(or (and (= event sender/PUBACK) (= sent sent.qos1)) " +
        "(and (= event sender/PUBCOMP) (= sent sent.released)) " +
        "(and (= event sender/withdraw) (= sent sent.qos1)))",
    },
    sentAfter: {
      parameters: [],
      body: "(ite ended sent.nothing (ite (and (not (= sent sent.nothing)) " +
        "(or (= event sender/PUBREC) (= event sender/withdraw))) sent.released sent))",
    },
    // [MQTT-4.3.3-1]: every PUBREC is answered with PUBREL.
    answer: {
      parameters: [],
      body: "(ite ended sender!finish " +
        "(ite (or (= event sender/PUBREC) (= event sender/withdraw)) sender!PUBREL " +
        "(ite (= event sender/resume) (ite (= sent sent.released) sender!PUBREL " +
        "sender!PUBLISH_DUP) sender!nothing)))",
    },
    arrived: { parameters: [], body: "(receiver.emits receiving event)" },
    answerTo: {
      parameters: [],
      body: "(ite (= event receiver/PUBREL) receiver!PUBCOMP " +
        "(ite (= event receiver/publishQos1) receiver!routeAndPuback " +
        "(ite received receiver!PUBREC receiver!routeAndPubrec)))",
    },
  },
  variables: {
    state: { sort: "sender.State", init: "sender.idle" },
    sent: { sort: "Sent", init: "sent.nothing" },
    receiving: { sort: "receiver.State", init: "receiver.idle" },
    received: { sort: "Bool", init: "false" },
    // How often the QoS 2 message was handed on that is being received.
    routed: { sort: "Int", init: "0" },
    publishedBehindPubrel: { sort: "Bool", init: "false" },
    forbiddenAccepted: { sort: "Bool", init: "false" },
    permittedRefused: { sort: "Bool", init: "false" },
    wronglyAnswered: { sort: "Bool", init: "false" },
  },
  steps: {
    send: {
      choices: { event: { sort: "sender.Event", values: SENDS } },
      guard: `(and ${isOneOf(SENDS)} (= sent sent.nothing))`,
      updates: {
        state: "(sender.next state event)",
        sent: "(ite (= event sender/sendQos1) sent.qos1 sent.qos2)",
        permittedRefused: "(or permittedRefused (not processed))",
        wronglyAnswered: "(or wronglyAnswered (not (= emitted sender!PUBLISH)))",
      },
    },
    // One that is already under way is never given to another message.
    cannot_send: {
      choices: { event: { sort: "sender.Event", values: SENDS } },
      guard: `(and ${isOneOf(SENDS)} (not (= sent sent.nothing)))`,
      updates: { forbiddenAccepted: "(or forbiddenAccepted processed)" },
    },
    hear: {
      choices: { event: { sort: "sender.Event", values: ACKS } },
      guard: isOneOf(ACKS),
      updates: {
        // Without an entry the connection ends, and the state stays.
        state: "(sender.next state event)",
        sent: "(ite isPermitted sentAfter sent)",
        forbiddenAccepted: "(or forbiddenAccepted (and processed (not isPermitted)))",
        permittedRefused: "(or permittedRefused (and (not processed) isPermitted))",
        wronglyAnswered: "(or wronglyAnswered (and processed (not (= emitted answer))))",
      },
    },
    come_back: {
      choices: { event: { sort: "sender.Event", values: RETURNS } },
      guard: `(and ${isOneOf(RETURNS)} (not (= sent sent.nothing)))`,
      updates: {
        state: "(sender.next state event)",
        sent: "sentAfter",
        publishedBehindPubrel: "(or publishedBehindPubrel (and (= sent sent.released) " +
          "(or (= emitted sender!PUBLISH) (= emitted sender!PUBLISH_DUP))))",
        permittedRefused: "(or permittedRefused (not processed))",
        wronglyAnswered: "(or wronglyAnswered (not (= emitted answer)))",
      },
    },
    cannot_come_back: {
      choices: { event: { sort: "sender.Event", values: RETURNS } },
      guard: `(and ${isOneOf(RETURNS)} (= sent sent.nothing))`,
      updates: { forbiddenAccepted: "(or forbiddenAccepted processed)" },
    },
    receive: {
      choices: { event: { sort: "receiver.Event", values: ARRIVALS } },
      guard: isOneOf(ARRIVALS),
      updates: {
        receiving: "(receiver.next receiving event)",
        received: "(= event receiver/publishQos2)",
        routed: "(ite (= event receiver/publishQos2) " +
          "(+ routed (ite (= arrived receiver!routeAndPubrec) 1 0)) 0)",
        permittedRefused: "(or permittedRefused (not (receiver.has receiving event)))",
        wronglyAnswered: "(or wronglyAnswered (not (= arrived answerTo)))",
      },
    },
  },
  invariant: {
    state_is_what_was_sent: "(= state (ite (= sent sent.nothing) sender.idle " +
      "(ite (= sent sent.qos1) sender.awaitPuback " +
      "(ite (= sent sent.qos2) sender.awaitPubrec sender.awaitPubcomp))))",
    state_is_what_was_received: "(= receiving " +
      "(ite received receiver.awaitPubrel receiver.idle))",
    handed_on: "(= routed (ite received 1 0))",
    never: "(and (not forbiddenAccepted) (not permittedRefused) (not wronglyAnswered) " +
      "(not publishedBehindPubrel))",
  },
  claims: {
    "answers.accept_no_forbidden_packet": "(not forbiddenAccepted)",
    "answers.refuse_no_permitted_packet": "(not permittedRefused)",
    "answers.are_as_specified": "(not wronglyAnswered)",
    "answers.no_PUBLISH_behind_PUBREL": "(not publishedBehindPubrel)",
    "answers.hand_on_once_between_PUBLISH_and_PUBREL": "(<= routed 1)",
  },
  bound: "(<= routed 2)",
  tableMutant: "receiver: awaitPubrel, publishQos2 emits routeAndPubrec",
  mutants: [
    {
      name: "what was received is forgotten",
      step: "receive",
      original: "(receiver.next receiving event)",
      replacement: "receiver.idle",
    },
  ],
};
