/** Why the exchange is right: what holds for each batch `i` of the sender and `j` of the receiver. */

/** The packet has not come to the receiver. */
const BEFORE = "(or (= at at.senderGate) (= at at.toReceiver))";
/** Its answer is on the way. */
const BEHIND = "(or (= at at.receiverGate) (= at at.toSender))";
/** What has left the gate holds in all batches, what waits there from the batch it waits for on. */
const TOLD_I = "(and isI (or (not (= at at.senderGate)) (<= awaited i)))";
const TOLD_J = "(and isJ (or (not (= at at.receiverGate)) (<= awaited j)))";

/** The parts of the inductive invariant. */
export const EXCHANGE_INVARIANT: Readonly<Record<string, string>> = {
  batches: "(and (< senderDisk senderBatch) (< receiverDisk receiverBatch) " +
    "(=> senderUp (<= senderConnack senderBatch)) " +
    "(=> receiverUp (<= receiverConnack receiverBatch)))",
  numbers: "(and (<= 1 fresh) (< carried fresh) (=> isI (< Ni fresh)) (=> isJ (< Lj fresh)))",
  nothing_went_wrong: "(and (not twice) (not lost1) (not lost2) (not refused) (not overrun))",
  gates_are_of_connections:
    "(and (=> (= at at.senderGate) (and senderUp (<= awaited senderBatch)))" +
    "(=> (= at at.receiverGate) (and receiverUp (<= awaited receiverBatch))))",
  directions: `(and (=> ${BEFORE} (or (= packet packet.PUBLISH1) (= packet packet.PUBLISH2) ` +
    `(= packet packet.PUBREL))) (=> ${BEHIND} (or (= packet packet.PUBACK) ` +
    `(= packet packet.PUBREC) (= packet packet.PUBCOMP))))`,
  both_idle: "(=> (and isI isJ (or (= Si sender.idle) (= Si sender.awaitPuback))) " +
    "(and (= Rj receiver.idle) (<= Lj Ni)))",
  handed_on_or_not: "(=> (and isI isJ (= Si sender.awaitPubrec)) (and (not (select withdrawn i)) " +
    "(or (and (= Rj receiver.idle) (< Lj Ni)) (and (= Rj receiver.awaitPubrel) (= Lj Ni)))))",
  handed_on: "(=> (and isI isJ (= Si sender.awaitPubcomp)) (and " +
    "(or (= Lj Ni) (and (select withdrawn i) (< Lj Ni))) " +
    "(=> (= Rj receiver.awaitPubrel) (= Lj Ni))))",
  qos_of_states: "(=> isI (and (=> (= Si sender.awaitPuback) (not (select isQos2 i))) " +
    "(=> (or (= Si sender.awaitPubrec) (= Si sender.awaitPubcomp)) (select isQos2 i))))",
  publish1_on_its_way: `(=> (and ${BEFORE} (= packet packet.PUBLISH1)) (and ` +
    "(=> senderUp (and (= S sender.awaitPuback) (= N carried))) (=> isJ (= Rj receiver.idle))))",
  puback_on_its_way: `(=> (and ${BEHIND} (= packet packet.PUBACK)) (and ` +
    "(=> senderUp (and (= S sender.awaitPuback) (= N carried))) " +
    `(=> ${TOLD_J} (= (select routed1 j) carried))))`,
  publish2_on_its_way: `(=> (and ${BEFORE} (= packet packet.PUBLISH2) ${TOLD_I}) ` +
    "(and (= Si sender.awaitPubrec) (= Ni carried)))",
  publish2_first: `(=> (and ${BEFORE} (= packet packet.PUBLISH2) (not again) isJ) ` +
    "(and (= Rj receiver.idle) (< Lj carried)))",
  pubrec_on_its_way: `(=> (and ${BEHIND} (= packet packet.PUBREC)) (and ` +
    "(=> isI (and (= Si sender.awaitPubrec) (= Ni carried))) " +
    `(=> ${TOLD_J} (and (= Rj receiver.awaitPubrel) (= Lj carried)))))`,
  pubrel_on_its_way: `(=> (and ${BEFORE} (= packet packet.PUBREL) ${TOLD_I}) ` +
    "(and (= Si sender.awaitPubcomp) (= Ni carried)))",
  pubrel_first: `(=> (and ${BEFORE} (= packet packet.PUBREL) (not again) isJ) ` +
    "(and (= Rj receiver.awaitPubrel) (= Lj carried)))",
  pubcomp_on_its_way: `(=> (and ${BEHIND} (= packet packet.PUBCOMP)) (and ` +
    "(=> isI (and (= Si sender.awaitPubcomp) (= Ni carried))) " +
    `(=> ${TOLD_J} (= Rj receiver.idle))))`,
  // The receiver changes nothing before what was sent again has come.
  quiet: `(=> (and ${BEFORE} again (not (= packet packet.PUBLISH1)) isJ (<= receiverConnack j)) ` +
    "(and (= Rj R) (= Lj L)))",
  something_is_on_its_way: "(and (=> (and senderUp receiverUp (not (= S sender.idle))) " +
    "(not (= at at.none))) (=> (and senderUp (= S sender.idle)) (= at at.none)))",
};
