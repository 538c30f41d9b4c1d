/**
 * The order in which one subscriber gets the messages that come to its session, through lost
 * connections and crashes: the queue, the window, `Sender.resume` and the QoS sender table. Messages
 * are numbered as they come. `sent[b]` is the number of the next one to be sent, in the present batch
 * and in those that a crash may go back to. For any number of messages, connections and crashes.
 *
 * The publisher is the same machine on its side: what it sends again comes in its old order.
 */
import type { System } from "../proofs/system.ts";

const NUMBERS = "(Array Int Int)";
const STATES = "(Array Int (Array Int sender.State))";
const IDLE = `((as const (Array Int sender.State)) sender.idle)`;

/** What is put on the wire, behind what is there. */
function puts(when: string, number: string): Record<string, string> {
  return {
    wire: `(ite ${when} (store wire tail ${number}) wire)`,
    highBefore: `(ite ${when} (store highBefore tail high) highBefore)`,
    tail: `(ite ${when} (+ tail 1) tail)`,
    high: `(ite (and ${when} (< high ${number})) ${number} high)`,
  };
}

/** One session and its subscriber. */
export const ORDER: System = {
  name: "order",
  mirrors: [
    "Sender.deliver",
    "Sender.pump",
    "Sender.resume",
    "SessionRegistry.restore",
    "DeliveryQueue.push",
  ],
  tables: ["sender"],
  macros: {
    H: { parameters: [], body: "(select sent batch)" },
    T: { parameters: [], body: "(select come batch)" },
    stateOf: { parameters: ["n"], body: "(select (select states batch) n)" },
    isJ: { parameters: [], body: "(and (<= disk j) (<= j batch))" },
    isAgain: {
      parameters: ["s"],
      body: "(= (sender.emits s sender/resume) sender!PUBLISH_DUP)",
    },
    beginning: { parameters: [], body: "(ite two sender/sendQos2 sender/sendQos1)" },
    highAfter: {
      parameters: ["q"],
      body: "(ite (< (select highBefore q) (select wire q)) (select wire q) " +
        "(select highBefore q))",
    },
  },
  variables: {
    batch: { sort: "Int", init: "1" },
    disk: { sort: "Int", init: "0" },
    sent: { sort: NUMBERS, init: `((as const ${NUMBERS}) 1)` },
    come: { sort: NUMBERS, init: `((as const ${NUMBERS}) 1)` },
    states: { sort: STATES, init: `((as const ${STATES}) ${IDLE})` },
    up: { sort: "Bool", init: "false" },
    resuming: { sort: "Bool", init: "false" },
    cursor: { sort: "Int", init: "1" },
    wire: { sort: NUMBERS, init: `((as const ${NUMBERS}) 0)` },
    head: { sort: "Int", init: "0" },
    tail: { sort: "Int", init: "0" },
    // The highest number that the subscriber will have seen, before a place and behind all.
    highBefore: { sort: NUMBERS, init: `((as const ${NUMBERS}) 0)` },
    high: { sort: "Int", init: "0" },
    seen: { sort: "Int", init: "0" },
    gap: { sort: "Bool", init: "false" },
  },
  steps: {
    comes: { guard: "true", updates: { come: "(store come batch (+ T 1))" } },
    connect: {
      guard: "(not up)",
      updates: { up: "true", resuming: "true", cursor: "1", high: "seen" },
    },
    // `Sender.resume`, message by message in the order of sending.
    send_again: {
      guard: "(and up resuming (< cursor H))",
      updates: {
        ...puts("(isAgain (stateOf cursor))", "cursor"),
        cursor: "(+ cursor 1)",
      },
    },
    all_is_sent_again: {
      guard: "(and up resuming (= cursor H))",
      updates: { resuming: "false" },
    },
    // `Sender.pump`
    send: {
      choices: { two: { sort: "Bool", values: ["false", "true"] } },
      guard: "(and up (not resuming) (< H T))",
      updates: {
        ...puts("(= (sender.emits sender.idle beginning) sender!PUBLISH)", "H"),
        sent: "(store sent batch (+ H 1))",
        states: "(store states batch (store (select states batch) H " +
          "(sender.next sender.idle beginning)))",
      },
    },
    subscriber_gets: {
      guard: "(and up (< head tail))",
      updates: {
        gap: "(or gap (< (+ seen 1) (select wire head)))",
        seen: "(ite (< seen (select wire head)) (select wire head) seen)",
        head: "(+ head 1)",
      },
    },
    // It acknowledges what it has seen, in any order.
    acknowledges: {
      choices: {
        n: { sort: "Int", values: ["1", "2", "3"] },
        event: {
          sort: "sender.Event",
          values: ["sender/PUBACK", "sender/PUBREC", "sender/PUBCOMP"],
        },
      },
      guard: "(and up (not resuming) (<= 1 n) (<= n seen) (< n H) (sender.has (stateOf n) event))",
      updates: {
        states: "(store states batch (store (select states batch) n " +
          "(sender.next (stateOf n) event)))",
      },
    },
    lose: { guard: "up", updates: { up: "false", head: "tail", resuming: "false" } },
    crash: {
      guard: "true",
      updates: {
        up: "false",
        head: "tail",
        resuming: "false",
        batch: "(+ disk 1)",
        sent: "(store sent (+ disk 1) (select sent disk))",
        come: "(store come (+ disk 1) (select come disk))",
        states: "(store states (+ disk 1) (select states disk))",
      },
    },
    seal: {
      guard: "true",
      updates: {
        batch: "(+ batch 1)",
        sent: "(store sent (+ batch 1) H)",
        come: "(store come (+ batch 1) T)",
        states: "(store states (+ batch 1) (select states batch))",
      },
    },
    commit: { guard: "(< (+ disk 1) batch)", updates: { disk: "(+ disk 1)" } },
  },
  forAll: { j: ["disk", "batch"], x: ["cursor"], p: ["head", "(- tail 1)"] },
  invariant: {
    batches: "(and (< disk batch) (<= head tail) (=> isJ (<= 1 (select sent j))))",
    unseen_is_sent_again: "(=> (and isJ (< seen x) (< x (select sent j))) " +
      "(isAgain (select (select states j) x)))",
    resuming_is_connected: "(=> resuming up)",
    nothing_on_the_wire_without_connection: "(=> (not up) (= head tail))",
    places: "(=> (and (<= head p) (< p tail)) (and " +
      "(<= (select wire p) (+ (select highBefore p) 1)) " +
      "(<= (highAfter p) high) (=> (= p head) (= (select highBefore p) seen)) " +
      "(=> (< (+ p 1) tail) (= (select highBefore (+ p 1)) (highAfter p))) " +
      "(=> (= p (- tail 1)) (= high (highAfter p)))))",
    // The highest number on the wire is not below what was seen.
    high: "(and (<= 0 seen) (=> up (and (=> (= head tail) (= high seen)) (<= seen high))))",
    nothing_is_left_out: "(=> up (and (<= 1 cursor) (=> resuming (and (<= cursor H) " +
      "(<= cursor (+ high 1)))) (=> (not resuming) (<= H (+ high 1)))))",
    never: "(not gap)",
  },
  claims: {
    "order.first_receipts_are_in_order_without_a_gap": "(not gap)",
    "order.what_was_not_seen_is_sent_again": "(=> (and (< seen x) (< x H)) (isAgain (stateOf x)))",
  },
  bound: "(and (<= T 3) (<= (- tail head) 3) (<= (- batch disk) 2) (<= tail 6))",
  view: [
    ...["sent", "come"].flatMap((name) =>
      [0, 1, 2, 3].map((k) => `(ite (<= (+ disk ${k}) batch) (select ${name} (+ disk ${k})) 99)`)
    ),
    ...[0, 1, 2, 3].map((k) => `(ite (<= (+ disk ${k}) batch) (select states (+ disk ${k})) 99)`),
    ...[0, 1, 2].map((k) => `(ite (< (+ head ${k}) tail) (select wire (+ head ${k})) 99)`),
    ...["up", "resuming", "(ite resuming cursor 99)", "high", "seen", "gap"],
  ],
  tableMutant: "sender: awaitPubrec, resume emits PUBREL",
  mutants: [
    {
      name: "new messages before old ones are sent again",
      step: "send",
      original: "(and up (not resuming) (< H T))",
      replacement: "(and up (< H T))",
    },
    {
      name: "the queue is not first in, first out",
      step: "send",
      original: "(store wire tail H)",
      replacement: "(store wire tail (- T 1))",
    },
    {
      name: "messages in flight are forgotten in a crash",
      step: "crash",
      original: "(select states disk)",
      replacement: "((as const (Array Int sender.State)) sender.idle)",
    },
  ],
};
