/**
 * What a Network Connection accepts, and how it answers, against sections 3.1 to 3.14: a client that
 * sends any Control Packet at any time. `phase` is told by the history alone, not by the table.
 */
import type { System } from "../proofs/system.ts";

const CLIENT_PACKETS = [
  "CONNECT",
  "PUBLISH",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBSCRIBE",
  "UNSUBSCRIBE",
  "PINGREQ",
  "DISCONNECT",
];
const VERDICTS = ["accept", "refuse", "close"];

function isOneOf(name: string, values: readonly string[]): string {
  return `(or ${values.map((value) => `(= ${name} ${value})`).join(" ")})`;
}

function events(names: readonly string[]): string[] {
  return names.map((name) => `connection/${name}`);
}

/** The connection table against a client that does what it likes. */
export const CONNECTIONS: System = {
  name: "connections",
  mirrors: ["Inbound.receive", "Inbound.#allowed", "Inbound.#connect", "SessionRegistry.#step"],
  tables: ["connection"],
  sorts: { Phase: ["phase.new", "phase.judged", "phase.open", "phase.over"] },
  macros: {
    emitted: { parameters: [], body: "(connection.emits state event)" },
    processed: { parameters: [], body: "(connection.has state event)" },
    isPermitted: {
      parameters: [],
      body: "(ite (= event connection/CONNECT) (= phase phase.new) (= phase phase.open))",
    },
    isConnect: { parameters: [], body: "(= event connection/CONNECT)" },
    answer: {
      parameters: [],
      body: "(ite (= event connection/CONNECT) connection!authenticate " +
        "(ite (= event connection/SUBSCRIBE) connection!SUBACK " +
        "(ite (= event connection/UNSUBSCRIBE) connection!UNSUBACK " +
        "(ite (= event connection/PINGREQ) connection!PINGRESP " +
        "(ite (= event connection/DISCONNECT) connection!discardWill connection!nothing)))))",
    },
    verdictAnswer: {
      parameters: [],
      body: "(ite (= event connection/close) " +
        "(ite (= phase phase.open) connection!publishWill connection!nothing) " +
        "connection!CONNACK)",
    },
    isDueVerdict: {
      parameters: [],
      body: "(ite (= event connection/close) (not (= phase phase.over)) (= phase phase.judged))",
    },
  },
  variables: {
    state: { sort: "connection.State", init: "connection.awaitConnect" },
    phase: { sort: "Phase", init: "phase.new" },
    connects: { sort: "Int", init: "0" },
    forbiddenAccepted: { sort: "Bool", init: "false" },
    permittedRefused: { sort: "Bool", init: "false" },
    wronglyAnswered: { sort: "Bool", init: "false" },
  },
  steps: {
    packet: {
      choices: { event: { sort: "connection.Event", values: events(CLIENT_PACKETS) } },
      guard: isOneOf("event", events(CLIENT_PACKETS)),
      updates: {
        // A packet without an entry is a protocol error: the connection is closed.
        state: "(ite processed (connection.next state event) " +
          "(connection.next state connection/close))",
        phase: "(ite (or (not isPermitted) (= event connection/DISCONNECT)) phase.over " +
          "(ite isConnect phase.judged phase))",
        connects: "(ite (and processed isConnect) (+ connects 1) connects)",
        forbiddenAccepted: "(or forbiddenAccepted (and processed (not isPermitted)))",
        permittedRefused: "(or permittedRefused (and (not processed) isPermitted))",
        wronglyAnswered: "(or wronglyAnswered (and processed (not (= emitted answer))))",
      },
    },
    // CONNACK, SUBACK, UNSUBACK and PINGRESP are no events: only a server sends them.
    packet_of_a_server: {
      guard: "true",
      updates: {
        state: "(connection.next state connection/close)",
        phase: "phase.over",
      },
    },
    verdict: {
      choices: { event: { sort: "connection.Event", values: events(VERDICTS) } },
      guard: `(and ${isOneOf("event", events(VERDICTS))} processed)`,
      updates: {
        state: "(connection.next state event)",
        phase: "(ite (= event connection/accept) phase.open phase.over)",
        forbiddenAccepted: "(or forbiddenAccepted (not isDueVerdict))",
        wronglyAnswered: "(or wronglyAnswered (not (= emitted verdictAnswer)))",
      },
    },
    // Whoever ends it can: there is no state that cannot be closed, or judged when that is due.
    verdict_without_entry: {
      choices: { event: { sort: "connection.Event", values: events(VERDICTS) } },
      guard: `(and ${isOneOf("event", events(VERDICTS))} (not processed))`,
      updates: { permittedRefused: "(or permittedRefused isDueVerdict)" },
    },
  },
  invariant: {
    state_is_the_phase: "(= state (ite (= phase phase.new) connection.awaitConnect " +
      "(ite (= phase phase.judged) connection.authenticating " +
      "(ite (= phase phase.open) connection.connected connection.closed))))",
    one_CONNECT: "(and (<= 0 connects) (<= connects 1) (=> (= phase phase.new) (= connects 0)))",
    never: "(and (not forbiddenAccepted) (not permittedRefused) (not wronglyAnswered))",
  },
  claims: {
    "connections.accept_no_forbidden_packet": "(not forbiddenAccepted)",
    "connections.refuse_no_permitted_packet": "(not permittedRefused)",
    "connections.answer_as_specified": "(not wronglyAnswered)",
    "connections.take_one_CONNECT": "(<= connects 1)",
    "connections.are_in_the_state_that_history_tells": "(= (= state connection.connected) " +
      "(= phase phase.open))",
  },
  bound: "true",
  tableMutant: "connection: connected, CONNECT → connected",
  mutants: [
    {
      name: "a connection stays open behind a forbidden packet",
      step: "packet",
      original: "(connection.next state connection/close)",
      replacement: "state",
    },
  ],
};
