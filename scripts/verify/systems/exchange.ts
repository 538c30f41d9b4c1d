/**
 * One Packet Identifier between two RelayQ machines: a sender and a receiver, each with a disk that
 * is written in batches, over connections that break at any time. For any number of messages,
 * batches, connections and crashes.
 *
 * `senderState[b]` is what the sender's disk holds once batch `b` is committed: batches up to
 * `senderDisk` are, `senderBatch` is the one that is being filled, and so the present. A crash goes
 * back to `senderDisk`. What is on its way stands in one place, `at`; that one is enough is proved
 * (`overrun`). A packet behind a gate waits for the batch `awaited`: the present one where a record
 * was written, else that of the CONNACK, behind which the gate keeps everything.
 */
import type { System } from "../proofs/system.ts";
import { EXCHANGE_INVARIANT } from "./exchange_invariant.ts";
import { EXCHANGE_MACROS } from "./exchange_macros.ts";

const SENDER_LOSES = "(ite (or (= at at.senderGate) (= at at.toSender)) at.none at)";
const RECEIVER_LOSES = "(ite (or (= at at.receiverGate) (= at at.toReceiver)) at.none at)";

/** Sender and receiver tables over a channel. */
export const EXCHANGE: System = {
  name: "exchange",
  mirrors: [
    "Sender.acknowledged",
    "Sender.resume",
    "Sender.#transmit",
    "Sender.#withdraw",
    "Inbound.#publish",
    "Inbound.#pubrel",
    "AckGate.acknowledge",
    "SessionRegistry.accept",
  ],
  tables: ["sender", "receiver"],
  sorts: {
    Place: ["at.none", "at.senderGate", "at.toReceiver", "at.receiverGate", "at.toSender"],
    Packet: [
      "packet.PUBLISH1",
      "packet.PUBLISH2",
      "packet.PUBACK",
      "packet.PUBREC",
      "packet.PUBREL",
      "packet.PUBCOMP",
    ],
  },
  macros: EXCHANGE_MACROS,
  variables: {
    senderBatch: { sort: "Int", init: "1" },
    senderDisk: { sort: "Int", init: "0" },
    senderState: {
      sort: "(Array Int sender.State)",
      init: "((as const (Array Int sender.State)) sender.idle)",
    },
    number: { sort: "(Array Int Int)", init: "((as const (Array Int Int)) 0)" },
    isQos2: { sort: "(Array Int Bool)", init: "((as const (Array Int Bool)) false)" },
    withdrawn: { sort: "(Array Int Bool)", init: "((as const (Array Int Bool)) false)" },
    receiverBatch: { sort: "Int", init: "1" },
    receiverDisk: { sort: "Int", init: "0" },
    receiverState: {
      sort: "(Array Int receiver.State)",
      init: "((as const (Array Int receiver.State)) receiver.idle)",
    },
    routed1: { sort: "(Array Int Int)", init: "((as const (Array Int Int)) 0)" },
    routed2: { sort: "(Array Int Int)", init: "((as const (Array Int Int)) 0)" },
    fresh: { sort: "Int", init: "1" },
    senderUp: { sort: "Bool", init: "false" },
    receiverUp: { sort: "Bool", init: "false" },
    senderConnack: { sort: "Int", init: "0" },
    receiverConnack: { sort: "Int", init: "0" },
    at: { sort: "Place", init: "at.none" },
    packet: { sort: "Packet", init: "packet.PUBACK" },
    carried: { sort: "Int", init: "0" },
    awaited: { sort: "Int", init: "0" },
    again: { sort: "Bool", init: "false" },
    twice: { sort: "Bool", init: "false" },
    lost1: { sort: "Bool", init: "false" },
    lost2: { sort: "Bool", init: "false" },
    refused: { sort: "Bool", init: "false" },
    overrun: { sort: "Bool", init: "false" },
  },
  steps: {
    // Sender.#transmit
    send: {
      choices: { two: { sort: "Bool", values: ["false", "true"] } },
      guard: "(and senderUp (= S sender.idle) (sender.has S beginning))",
      updates: {
        senderState: "(store senderState senderBatch (sender.next S beginning))",
        number: "(store number senderBatch fresh)",
        isQos2: "(store isQos2 senderBatch two)",
        withdrawn: "(store withdrawn senderBatch false)",
        fresh: "(+ fresh 1)",
        at: "(ite (leaves (sender.emits S beginning)) at.senderGate at)",
        packet: "(packetFor (sender.emits S beginning) two)",
        carried: "fresh",
        // A QoS 2 PUBLISH waits until its Packet Identifier is durable; QoS 1 does not.
        awaited: "(ite two senderBatch senderConnack)",
        again: "false",
        overrun: "(or overrun (not (= at at.none)))",
      },
    },
    releaseSender: {
      guard: "(and senderUp (= at at.senderGate) (<= awaited senderDisk))",
      updates: { at: "at.toReceiver" },
    },
    // Inbound.#publish and Inbound.#pubrel
    receive: {
      guard: "(and receiverUp (= at at.toReceiver))",
      updates: {
        receiverState: "(store receiverState receiverBatch (receiver.next R arriving))",
        routed1: "(ite (and routes (= packet packet.PUBLISH1)) " +
          "(store routed1 receiverBatch carried) routed1)",
        routed2: "(ite (and routes (= packet packet.PUBLISH2)) " +
          "(store routed2 receiverBatch carried) routed2)",
        twice: "(or twice (and routes (= packet packet.PUBLISH2) (<= carried L)))",
        refused: "(or refused (not (receiver.has R arriving)))",
        at: "(ite (= (receiver.emits R arriving) receiver!nothing) at.none at.receiverGate)",
        packet: "answer",
        awaited: "(ite (or routes (not (= (receiver.next R arriving) R))) " +
          "receiverBatch receiverConnack)",
        again: "false",
      },
    },
    releaseReceiver: {
      guard: "(and receiverUp (= at at.receiverGate) (<= awaited receiverDisk))",
      updates: { at: "at.toSender" },
    },
    // Sender.acknowledged
    hear: {
      guard: "(and senderUp (= at at.toSender))",
      updates: {
        senderState: "(store senderState senderBatch (sender.next S answered))",
        lost1: "(or lost1 (and ends (not Q) (not W) (not (= (select routed1 receiverDisk) N))))",
        lost2: "(or lost2 (and ends Q (not W) (not (= (select routed2 receiverDisk) N))))",
        refused: "(or refused (not (sender.has S answered)))",
        at: "(ite (leaves (sender.emits S answered)) at.senderGate at.none)",
        packet: "(packetFor (sender.emits S answered) Q)",
        carried: "N",
        awaited: "(ite (= S sender.idle) senderConnack senderBatch)",
        again: "false",
      },
    },
    // SessionRegistry.accept and Sender.resume: the CONNACK depends on the present batch.
    reconnect: {
      choices: { refuses: { sort: "Bool", values: ["false", "true"] } },
      guard: "(not (and senderUp receiverUp))",
      updates: {
        senderUp: "true",
        receiverUp: "true",
        senderConnack: "senderBatch",
        receiverConnack: "receiverBatch",
        senderState: "(ite (= S sender.idle) senderState " +
          "(store senderState senderBatch (sender.next S returning)))",
        withdrawn: "(ite (and refuses (not (= S sender.awaitPubcomp))) " +
          "(store withdrawn senderBatch true) withdrawn)",
        at: "(ite (and (not (= S sender.idle)) (leaves (sender.emits S returning))) " +
          "at.senderGate at.none)",
        packet: "(packetFor (sender.emits S returning) Q)",
        carried: "N",
        awaited: "senderBatch",
        again: "true",
      },
    },
    senderLoses: { guard: "senderUp", updates: { senderUp: "false", at: SENDER_LOSES } },
    receiverLoses: { guard: "receiverUp", updates: { receiverUp: "false", at: RECEIVER_LOSES } },
    senderCrashes: {
      guard: "true",
      updates: {
        senderUp: "false",
        at: SENDER_LOSES,
        senderBatch: "(+ senderDisk 1)",
        senderState: "(store senderState (+ senderDisk 1) (select senderState senderDisk))",
        number: "(store number (+ senderDisk 1) (select number senderDisk))",
        isQos2: "(store isQos2 (+ senderDisk 1) (select isQos2 senderDisk))",
        withdrawn: "(store withdrawn (+ senderDisk 1) (select withdrawn senderDisk))",
      },
    },
    receiverCrashes: {
      guard: "true",
      updates: {
        receiverUp: "false",
        at: RECEIVER_LOSES,
        receiverBatch: "(+ receiverDisk 1)",
        receiverState: "(store receiverState (+ receiverDisk 1) " +
          "(select receiverState receiverDisk))",
        routed1: "(store routed1 (+ receiverDisk 1) (select routed1 receiverDisk))",
        routed2: "(store routed2 (+ receiverDisk 1) (select routed2 receiverDisk))",
      },
    },
    // The end of a turn, and the return of the disk, on both sides.
    senderSeals: {
      guard: "true",
      updates: {
        senderBatch: "(+ senderBatch 1)",
        senderState: "(store senderState (+ senderBatch 1) S)",
        number: "(store number (+ senderBatch 1) N)",
        isQos2: "(store isQos2 (+ senderBatch 1) Q)",
        withdrawn: "(store withdrawn (+ senderBatch 1) W)",
      },
    },
    receiverSeals: {
      guard: "true",
      updates: {
        receiverBatch: "(+ receiverBatch 1)",
        receiverState: "(store receiverState (+ receiverBatch 1) R)",
        routed1: "(store routed1 (+ receiverBatch 1) (select routed1 receiverBatch))",
        routed2: "(store routed2 (+ receiverBatch 1) L)",
      },
    },
    senderCommits: {
      guard: "(< (+ senderDisk 1) senderBatch)",
      updates: { senderDisk: "(+ senderDisk 1)" },
    },
    receiverCommits: {
      guard: "(< (+ receiverDisk 1) receiverBatch)",
      updates: { receiverDisk: "(+ receiverDisk 1)" },
    },
  },
  forAll: { i: ["senderDisk", "senderBatch"], j: ["receiverDisk", "receiverBatch"] },
  invariant: EXCHANGE_INVARIANT,
  claims: {
    "qos2.handed_on_at_most_once": "(not twice)",
    "qos2.handed_on_before_it_ends": "(not lost2)",
    "qos1.handed_on_before_it_ends": "(not lost1)",
    "gate.PUBREC_tells_what_is_on_disk": "(=> (and (= at at.toSender) (= packet packet.PUBREC)) " +
      "(and (= (select routed2 receiverDisk) carried) " +
      "(= (select receiverState receiverDisk) receiver.awaitPubrel)))",
    "gate.PUBACK_tells_what_is_on_disk": "(=> (and (= at at.toSender) (= packet packet.PUBACK)) " +
      "(= (select routed1 receiverDisk) carried))",
    "gate.PUBCOMP_tells_what_is_on_disk": "(=> (and (= at at.toSender) " +
      "(= packet packet.PUBCOMP)) (= (select receiverState receiverDisk) receiver.idle))",
    "tables.understand_each_other": "(not refused)",
    "model.one_place_is_enough": "(not overrun)",
  },
  ranking: {
    done: "(= S sender.idle)",
    assuming: "(and senderUp receiverUp)",
    excluded: [
      "send",
      "reconnect",
      "senderLoses",
      "receiverLoses",
      "senderCrashes",
      "receiverCrashes",
    ],
    helpful: {
      releaseSender: "(and (= at at.senderGate) (<= awaited senderDisk))",
      releaseReceiver: "(and (= at at.receiverGate) (<= awaited receiverDisk))",
      receive: "(= at at.toReceiver)",
      hear: "(= at at.toSender)",
      senderSeals: "(and (= at at.senderGate) (= awaited senderBatch))",
      receiverSeals: "(and (= at at.receiverGate) (= awaited receiverBatch))",
      senderCommits: "(and (= at at.senderGate) (< senderDisk awaited) (< awaited senderBatch))",
      receiverCommits: "(and (= at at.receiverGate) (< receiverDisk awaited) " +
        "(< awaited receiverBatch))",
    },
    rank: [
      "(ite (= S sender.idle) 0 (+ (ite (= S sender.awaitPubrec) 8 4) (ite (= at at.senderGate) 4 " +
      "(ite (= at at.toReceiver) 3 (ite (= at at.receiverGate) 2 1)))))",
      "(ite (= at at.senderGate) (batchesTo senderBatch senderDisk) " +
      "(ite (= at at.receiverGate) (batchesTo receiverBatch receiverDisk) 0))",
    ],
  },
  bound: "(and (<= fresh 3) (<= (- senderBatch senderDisk) 2) " +
    "(<= (- receiverBatch receiverDisk) 2))",
  view: [
    ...["senderState", "number", "isQos2", "withdrawn"].flatMap((name) =>
      [0, 1, 2, 3].map((k) =>
        `(ite (<= (+ senderDisk ${k}) senderBatch) ` +
        `(select ${name} (+ senderDisk ${k})) 99)`
      )
    ),
    ...["receiverState", "routed1", "routed2"].flatMap((name) =>
      [0, 1, 2, 3].map((k) =>
        `(ite (<= (+ receiverDisk ${k}) receiverBatch) ` +
        `(select ${name} (+ receiverDisk ${k})) 99)`
      )
    ),
    "(ite senderUp (- senderConnack senderDisk) 99)",
    "(ite receiverUp (- receiverConnack receiverDisk) 99)",
    "(ite (= at at.senderGate) (- awaited senderDisk) " +
    "(ite (= at at.receiverGate) (- awaited receiverDisk) 99))",
    ...["at", "packet", "carried", "again", "fresh", "senderUp", "receiverUp"],
    ...["twice", "lost1", "lost2", "refused", "overrun"],
  ],
  tableMutant: "sender: awaitPubcomp, resume emits PUBLISH_DUP",
  mutants: [
    {
      name: "QoS 2 PUBLISH before its commit",
      step: "send",
      original: "(ite two senderBatch senderConnack)",
      replacement: "senderConnack",
    },
    {
      name: "PUBREC and PUBACK before their commit",
      step: "receive",
      original: "receiverBatch receiverConnack)",
      replacement: "receiverConnack receiverConnack)",
    },
    {
      name: "PUBREL before its commit",
      step: "hear",
      original: "(ite (= S sender.idle) senderConnack senderBatch)",
      replacement: "senderConnack",
    },
    {
      name: "CONNACK before its commit",
      step: "reconnect",
      original: "senderBatch",
      replacement: "senderDisk",
    },
  ],
};
