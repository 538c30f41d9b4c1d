/**
 * The ack gate of one connection: `AckGate` with its gated outbox, its marks and its two flags. What
 * is appended gets a place; `need` is the batch on which the promise depends, `wait` the batch of the
 * mark that holds it back. An acknowledgement that needs no record of its own repeats what was
 * promised before on its connection: `ackPromise`. For any number of packets and batches.
 */
import type { System } from "../proofs/system.ts";

const BATCHES = "(Array Int Int)";

/** Where what was appended stands behind the gate, with the mark it waits for. */
function appended(gated: string, durable: string, need: string): Record<string, string> {
  return {
    need: `(ite ${gated} (store need tail ${need}) need)`,
    wait: `(ite ${gated} (store wait tail (ite ${durable} batch lastMark)) wait)`,
    lastMark: `(ite (and ${gated} ${durable}) batch lastMark)`,
    tail: `(ite ${gated} (+ tail 1) tail)`,
    early: `(or early (and (not ${gated}) (< disk ${need})))`,
  };
}

/** The gate, the batches, and what passes. */
export const GATE: System = {
  name: "gate",
  mirrors: [
    "AckGate.acknowledge",
    "AckGate.acknowledgementBuffer",
    "AckGate.deliveryBuffer",
    "AckGate.holdDeliveries",
    "AckGate.release",
  ],
  tables: [],
  macros: {
    isOpen: { parameters: [], body: "(= head tail)" },
    ackNeed: { parameters: [], body: "(ite durable batch ackPromise)" },
    deliveryNeed: { parameters: [], body: "(ite durable batch deliveryPromise)" },
    ackGated: { parameters: [], body: "(or durable (and (not isOpen) holdsAcks))" },
    deliveryGated: { parameters: [], body: "(or durable (and (not isOpen) holdsDeliveries))" },
  },
  variables: {
    batch: { sort: "Int", init: "1" },
    disk: { sort: "Int", init: "0" },
    connected: { sort: "Bool", init: "false" },
    head: { sort: "Int", init: "0" },
    tail: { sort: "Int", init: "0" },
    need: { sort: BATCHES, init: `((as const ${BATCHES}) 0)` },
    wait: { sort: BATCHES, init: `((as const ${BATCHES}) 0)` },
    lastMark: { sort: "Int", init: "0" },
    holdsAcks: { sort: "Bool", init: "false" },
    holdsDeliveries: { sort: "Bool", init: "false" },
    ackPromise: { sort: "Int", init: "0" },
    deliveryPromise: { sort: "Int", init: "0" },
    // Places behind the last acknowledgement and the last delivery, and the CONNACK counts as both.
    lastAck: { sort: "Int", init: "0" },
    lastDelivery: { sort: "Int", init: "0" },
    early: { sort: "Bool", init: "false" },
    overtaken: { sort: "Bool", init: "false" },
  },
  steps: {
    // A session that is resumed writes a record: its CONNACK waits, and deliveries wait behind it.
    resume: {
      guard: "(not connected)",
      updates: {
        connected: "true",
        need: "(store need tail batch)",
        wait: "(store wait tail batch)",
        lastMark: "batch",
        tail: "(+ tail 1)",
        holdsAcks: "true",
        holdsDeliveries: "true",
        ackPromise: "batch",
        deliveryPromise: "batch",
        lastAck: "(+ tail 1)",
        lastDelivery: "(+ tail 1)",
      },
    },
    // One that is new and clean promises nothing.
    begin_clean: {
      guard: "(not connected)",
      updates: { connected: "true", ackPromise: "0", deliveryPromise: "0" },
    },
    acknowledge: {
      choices: { durable: { sort: "Bool", values: ["false", "true"] } },
      guard: "connected",
      updates: {
        ...appended("ackGated", "durable", "ackNeed"),
        holdsAcks: "(or holdsAcks ackGated)",
        ackPromise: "ackNeed",
        lastAck: "(ite ackGated (+ tail 1) lastAck)",
        overtaken: "(or overtaken (and (not ackGated) (< head lastAck)))",
      },
    },
    deliver: {
      choices: { durable: { sort: "Bool", values: ["false", "true"] } },
      guard: "connected",
      updates: {
        ...appended("deliveryGated", "durable", "deliveryNeed"),
        holdsDeliveries: "(or holdsDeliveries deliveryGated)",
        deliveryPromise: "deliveryNeed",
        lastDelivery: "(ite deliveryGated (+ tail 1) lastDelivery)",
        overtaken: "(or overtaken (and (not deliveryGated) (< head lastDelivery)))",
      },
    },
    // `AckGate.release` for one packet; the flags go with the last one.
    release: {
      guard: "(and connected (not isOpen) (<= (select wait head) disk))",
      updates: {
        head: "(+ head 1)",
        early: "(or early (< disk (select need head)))",
        holdsAcks: "(and holdsAcks (not (= (+ head 1) tail)))",
        holdsDeliveries: "(and holdsDeliveries (not (= (+ head 1) tail)))",
      },
    },
    seal: { guard: "true", updates: { batch: "(+ batch 1)" } },
    commit: { guard: "(< (+ disk 1) batch)", updates: { disk: "(+ disk 1)" } },
    close: {
      guard: "connected",
      updates: {
        connected: "false",
        head: "tail",
        holdsAcks: "false",
        holdsDeliveries: "false",
      },
    },
    crash: {
      guard: "true",
      updates: {
        connected: "false",
        head: "tail",
        holdsAcks: "false",
        holdsDeliveries: "false",
        batch: "(+ disk 1)",
        lastMark: "0",
        ackPromise: "0",
        deliveryPromise: "0",
      },
    },
  },
  forAll: { p: ["head", "(- tail 1)"] },
  invariant: {
    batches: "(and (< disk batch) (<= 0 disk) (<= lastMark batch) (<= head tail))",
    places: "(and (<= lastAck tail) (<= lastDelivery tail))",
    nothing_waits_without_connection: "(=> (not connected) isOpen)",
    flags_go_with_the_last: "(=> isOpen (and (not holdsAcks) (not holdsDeliveries)))",
    marks_cover_needs: "(=> (and (<= head p) (< p tail)) (and (<= (select need p) " +
      "(select wait p)) (<= (select wait p) lastMark)))",
    last_mark_is_of_the_last: "(=> (not isOpen) (= (select wait (- tail 1)) lastMark))",
    acks: "(and (=> (< head lastAck) holdsAcks) " +
      "(=> connected (<= ackPromise (ite holdsAcks lastMark disk))))",
    deliveries: "(and (=> (< head lastDelivery) holdsDeliveries) " +
      "(=> connected (<= deliveryPromise (ite holdsDeliveries lastMark disk))))",
    never: "(and (not early) (not overtaken))",
  },
  claims: {
    "gate.nothing_leaves_before_its_commit": "(not early)",
    "gate.nothing_overtakes_its_own_kind": "(not overtaken)",
  },
  ranking: {
    done: "isOpen",
    assuming: "connected",
    excluded: ["resume", "begin_clean", "acknowledge", "deliver", "close", "crash"],
    helpful: {
      release: "(and (not isOpen) (<= (select wait head) disk))",
      seal: "(and (not isOpen) (= (select wait head) batch))",
      commit: "(and (not isOpen) (< disk (select wait head)) (< (select wait head) batch))",
    },
    rank: [
      "(- tail head)",
      "(ite (<= (select wait head) disk) 0 (+ (* 2 (- (select wait head) disk)) " +
      "(ite (< (select wait head) batch) 0 1)))",
    ],
  },
  bound: "(and (<= tail 4) (<= batch 4))",
  mutants: [
    {
      name: "repeated acknowledgements pass by what waits",
      step: "acknowledge",
      original: "ackGated",
      replacement: "durable",
    },
    {
      name: "deliveries pass by the CONNACK",
      step: "resume",
      original: "true",
      replacement: "connected",
    },
    {
      name: "released one batch too early",
      step: "release",
      original: "(<= (select wait head) disk)",
      replacement: "(<= (select wait head) (+ disk 1))",
    },
    {
      name: "a mark is left out",
      step: "acknowledge",
      original: "(ite durable batch lastMark)",
      replacement: "lastMark",
    },
  ],
};
