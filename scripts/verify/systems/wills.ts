/**
 * The Will of one Client Identifier: connections that come and go, take-over, refusal, and crashes
 * after which the Will that the disk holds is published. For any number of connections.
 *
 * The arrays tell of the present batch and of those that a crash may go back to: whether a Will
 * stands, and how many were set, published and given up. Due is a Will whose connection ended
 * without a DISCONNECT that was processed; what was not committed at a crash did not happen.
 */
import type { System } from "../proofs/system.ts";

const COUNTS = "(Array Int Int)";
const FLAGS = "(Array Int Bool)";
const COUNTED = ["set", "published", "discarded", "due", "excused"] as const;

/** One more, in the present batch, where a condition holds. */
function more(name: string, when: string): string {
  return `(ite ${when} (store ${name} batch (+ (select ${name} batch) 1)) ${name})`;
}

/** A connection ends by an event of the connection table: `SessionRegistry.close`. */
function ends(when: string, event: string): Record<string, string> {
  const due = `(and ${when} stands)`;
  const goes = `(= (connection.emits present ${event}) connection!publishWill)`;
  return {
    published: more("published", `(and ${due} ${goes})`),
    discarded: more("discarded", `(and ${due} (not ${goes}))`),
    due: more("due", `(and ${due} (= ${event} connection/close))`),
    excused: more("excused", `(and ${due} (= ${event} connection/DISCONNECT))`),
  };
}

/** Wills through the connection table. */
export const WILLS: System = {
  name: "wills",
  mirrors: [
    "SessionRegistry.accept",
    "SessionRegistry.close",
    "SessionRegistry.refuse",
    "Wills.publishDue",
    "Wills.restore",
    "Inbound.#connect",
  ],
  tables: ["connection"],
  macros: {
    stands: { parameters: [], body: "(select will batch)" },
    isJ: { parameters: [], body: "(and (<= disk j) (<= j batch))" },
    isLive: { parameters: [], body: "(= present connection.connected)" },
  },
  variables: {
    batch: { sort: "Int", init: "1" },
    disk: { sort: "Int", init: "0" },
    // The connection that has the session, and the one that asks for it.
    present: { sort: "connection.State", init: "connection.closed" },
    newcomer: { sort: "connection.State", init: "connection.closed" },
    will: { sort: FLAGS, init: `((as const ${FLAGS}) false)` },
    ...Object.fromEntries(
      COUNTED.map((name) => [name, { sort: COUNTS, init: `((as const ${COUNTS}) 0)` }]),
    ),
  },
  steps: {
    open: {
      guard: "(= newcomer connection.closed)",
      updates: { newcomer: "connection.awaitConnect" },
    },
    CONNECT: {
      guard: "(and (= newcomer connection.awaitConnect) " +
        "(connection.has newcomer connection/CONNECT))",
      updates: { newcomer: "(connection.next newcomer connection/CONNECT)" },
    },
    newcomer_ends: {
      choices: {
        event: {
          sort: "connection.Event",
          values: ["connection/refuse", "connection/close"],
        },
      },
      guard: "(and (or (= event connection/refuse) (= event connection/close)) " +
        "(connection.has newcomer event))",
      updates: { newcomer: "(connection.next newcomer event)" },
    },
    // The older one is closed first, whose Will is due. [MQTT-3.1.4-2]
    accept: {
      choices: { withWill: { sort: "Bool", values: ["false", "true"] } },
      guard: "(and (= newcomer connection.authenticating) " +
        "(connection.has newcomer connection/accept))",
      updates: {
        ...ends("isLive", "connection/close"),
        present: "(connection.next newcomer connection/accept)",
        newcomer: "connection.closed",
        will: "(store will batch withWill)",
        set: more("set", "withWill"),
      },
    },
    present_ends: {
      choices: {
        event: {
          sort: "connection.Event",
          values: ["connection/DISCONNECT", "connection/close"],
        },
      },
      guard: "(and (or (= event connection/DISCONNECT) (= event connection/close)) " +
        "(connection.has present event))",
      updates: {
        ...ends("true", "event"),
        present: "(connection.next present event)",
        will: "(store will batch false)",
      },
    },
    // The next process publishes what the disk holds, and writes that down with it.
    crash: {
      guard: "true",
      updates: {
        present: "connection.closed",
        newcomer: "connection.closed",
        batch: "(+ disk 1)",
        will: "(store will (+ disk 1) false)",
        set: "(store set (+ disk 1) (select set disk))",
        published: "(store published (+ disk 1) (+ (select published disk) " +
          "(ite (select will disk) 1 0)))",
        discarded: "(store discarded (+ disk 1) (select discarded disk))",
        due: "(store due (+ disk 1) (+ (select due disk) (ite (select will disk) 1 0)))",
        excused: "(store excused (+ disk 1) (select excused disk))",
      },
    },
    seal: {
      guard: "true",
      updates: {
        batch: "(+ batch 1)",
        will: "(store will (+ batch 1) stands)",
        ...Object.fromEntries(
          COUNTED.map((name) => [name, `(store ${name} (+ batch 1) (select ${name} batch))`]),
        ),
      },
    },
    commit: { guard: "(< (+ disk 1) batch)", updates: { disk: "(+ disk 1)" } },
  },
  forAll: { j: ["disk", "batch"] },
  invariant: {
    batches: "(< disk batch)",
    stands_while_connected: "(=> stands isLive)",
    // The connection that is there is one that was accepted.
    present_was_accepted: "(or isLive (= present connection.closed))",
    every_will_once: "(=> isJ (= (select set j) (+ (select published j) (select discarded j) " +
      "(ite (select will j) 1 0))))",
    iff_due: "(=> isJ (and (= (select published j) (select due j)) " +
      "(= (select discarded j) (select excused j))))",
  },
  claims: {
    "wills.published_iff_due": "(=> isJ (= (select published j) (select due j)))",
    "wills.given_up_iff_DISCONNECT": "(=> isJ (= (select discarded j) (select excused j)))",
    "wills.never_twice": "(=> isJ (<= (+ (select published j) (select discarded j)) " +
      "(select set j)))",
    "wills.stand_only_while_connected": "(=> stands isLive)",
  },
  bound: "(and (<= (select set batch) 2) (<= (- batch disk) 2))",
  view: [
    "present",
    "newcomer",
    ...["will", ...COUNTED].flatMap((name) =>
      [0, 1, 2, 3].map((k) => `(ite (<= (+ disk ${k}) batch) (select ${name} (+ disk ${k})) 99)`)
    ),
  ],
  tableMutant: "connection: connected, DISCONNECT emits publishWill",
  mutants: [
    {
      name: "the Will of the older connection is lost at a take-over",
      step: "accept",
      original: "(and isLive stands)",
      replacement: "false",
    },
    {
      name: "a Will is published again at every restart",
      step: "crash",
      original: "(store will (+ disk 1) false)",
      replacement: "(store will (+ disk 1) (select will disk))",
    },
    {
      name: "a Will is lost at a restart",
      step: "crash",
      original: "(+ (select published disk) (ite (select will disk) 1 0))",
      replacement: "(select published disk)",
    },
  ],
};
