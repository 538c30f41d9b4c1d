/** Abbreviations of the exchange. */
import type { Macro } from "../proofs/term.ts";

function word(body: string): Macro {
  return { parameters: [], body };
}

/** What the terms of the exchange abbreviate. */
export const EXCHANGE_MACROS: Readonly<Record<string, Macro>> = {
  // The present of the sender: its state, number, QoS, and whether the message was withdrawn.
  S: word("(select senderState senderBatch)"),
  N: word("(select number senderBatch)"),
  Q: word("(select isQos2 senderBatch)"),
  W: word("(select withdrawn senderBatch)"),
  // The present of the receiver: its state, and the last QoS 2 message that it has handed on.
  R: word("(select receiverState receiverBatch)"),
  L: word("(select routed2 receiverBatch)"),
  // The same in batches that a crash may go back to.
  Si: word("(select senderState i)"),
  Ni: word("(select number i)"),
  Rj: word("(select receiverState j)"),
  Lj: word("(select routed2 j)"),
  isI: word("(and (<= senderDisk i) (<= i senderBatch))"),
  isJ: word("(and (<= receiverDisk j) (<= j receiverBatch))"),
  // Events of the tables.
  beginning: word("(ite two sender/sendQos2 sender/sendQos1)"),
  returning: word("(ite refuses sender/withdraw sender/resume)"),
  arriving: word(
    "(ite (= packet packet.PUBLISH1) receiver/publishQos1 " +
      "(ite (= packet packet.PUBLISH2) receiver/publishQos2 receiver/PUBREL))",
  ),
  answered: word(
    "(ite (= packet packet.PUBACK) sender/PUBACK " +
      "(ite (= packet packet.PUBREC) sender/PUBREC sender/PUBCOMP))",
  ),
  // What the tables emit.
  leaves: {
    parameters: ["x"],
    body: "(or (= x sender!PUBLISH) (= x sender!PUBLISH_DUP) (= x sender!PUBREL))",
  },
  packetFor: {
    parameters: ["x", "isTwo"],
    body: "(ite (= x sender!PUBREL) packet.PUBREL (ite isTwo packet.PUBLISH2 packet.PUBLISH1))",
  },
  routes: word(
    "(or (= (receiver.emits R arriving) receiver!routeAndPuback) " +
      "(= (receiver.emits R arriving) receiver!routeAndPubrec))",
  ),
  answer: word(
    "(ite (= (receiver.emits R arriving) receiver!routeAndPuback) packet.PUBACK " +
      "(ite (= (receiver.emits R arriving) receiver!PUBCOMP) packet.PUBCOMP packet.PUBREC))",
  ),
  ends: word(
    "(and (not (= S sender.idle)) (= (sender.next S answered) sender.idle))",
  ),
  // Batches that have to be sealed or committed before what is awaited is on the disk.
  batchesTo: {
    parameters: ["batch", "disk"],
    body: "(ite (<= awaited disk) 0 (+ (* 2 (- awaited disk)) (ite (< awaited batch) 0 1)))",
  },
};
