/**
 * Packet Identifiers of one session: `Session.allocatePacketId` as the loop that it is, and the
 * QoS sender table for every identifier. For any number of identifiers, allocations and crashes.
 *
 * The window is smaller than the number of identifiers, so one is always free: `free` names one.
 */
import type { System } from "../proofs/system.ts";

const STATES = "(Array Int sender.State)";
const USED = "(Array Int Bool)";
const NEXT_OF_ID = "(ite (= id idMax) 1 (+ id 1))";

/** Allocation and release of Packet Identifiers. */
export const IDENTIFIERS: System = {
  name: "identifiers",
  mirrors: ["Session.allocatePacketId", "Session.continuePacketIdsAt", "Sender.acknowledged"],
  tables: ["sender"],
  macros: {
    now: { parameters: [], body: "(select state one)" },
    ends: { parameters: [], body: "(= (sender.emits now event) sender!finish)" },
  },
  variables: {
    idMax: { sort: "Int", init: "3" },
    started: { sort: "Bool", init: "false" },
    last: { sort: "Int", init: "0" },
    id: { sort: "Int", init: "1" },
    searching: { sort: "Bool", init: "false" },
    free: { sort: "Int", init: "1" },
    // Whether the session has a delivery in flight with the identifier, and the delivery's state.
    used: { sort: USED, init: `((as const ${USED}) false)` },
    state: { sort: STATES, init: `((as const ${STATES}) sender.idle)` },
    usedOnDisk: { sort: USED, init: `((as const ${USED}) false)` },
    stateOnDisk: { sort: STATES, init: `((as const ${STATES}) sender.idle)` },
    reused: { sort: "Bool", init: "false" },
    outside: { sort: "Bool", init: "false" },
  },
  steps: {
    // There are 65,535 identifiers; the proof is for any number.
    choose_number: {
      choices: { count: { sort: "Int", values: ["2", "3"] } },
      guard: "(and (not started) (<= 1 count))",
      updates: { idMax: "count", started: "true" },
    },
    begin: {
      choices: { one: { sort: "Int", values: ["1", "2", "3"] } },
      guard: "(and started (not searching) (<= 1 one) (<= one idMax) (not (select used one)))",
      updates: { searching: "true", free: "one", id: "(ite (>= last idMax) 1 (+ last 1))" },
    },
    pass_over: {
      guard: "(and searching (select used id))",
      updates: { id: NEXT_OF_ID },
    },
    take: {
      choices: { two: { sort: "Bool", values: ["false", "true"] } },
      guard: "(and searching (not (select used id)))",
      updates: {
        searching: "false",
        last: "id",
        used: "(store used id true)",
        state: "(store state id (sender.next sender.idle " +
          "(ite two sender/sendQos2 sender/sendQos1)))",
        reused: "(or reused (not (= (select state id) sender.idle)))",
        outside: "(or outside (< id 1) (< idMax id))",
      },
    },
    // Whatever comes for whatever identifier.
    hear: {
      choices: {
        one: { sort: "Int", values: ["1", "2", "3"] },
        event: {
          sort: "sender.Event",
          values: ["sender/PUBACK", "sender/PUBREC", "sender/PUBCOMP", "sender/withdraw"],
        },
      },
      guard: "(and (not searching) (select used one) (sender.has now event))",
      updates: {
        state: "(store state one (sender.next now event))",
        used: "(ite ends (store used one false) used)",
      },
    },
    commit: {
      guard: "(not searching)",
      updates: { usedOnDisk: "used", stateOnDisk: "state" },
    },
    // The numbering goes on anywhere.
    crash: {
      choices: { anywhere: { sort: "Int", values: ["0", "3"] } },
      guard: "(and started (not searching) (<= 0 anywhere) (<= anywhere idMax))",
      updates: { used: "usedOnDisk", state: "stateOnDisk", last: "anywhere" },
    },
  },
  forAll: { x: ["id"] },
  invariant: {
    numbers:
      "(and (<= 1 idMax) (<= 0 last) (=> (not started) (= last 0)) (=> started (<= last idMax)) " +
      "(=> searching (and started (<= 1 id) (<= id idMax) (<= 1 free) (<= free idMax) " +
      "(not (select used free)))))",
    used_is_under_way: "(and (= (select used x) (not (= (select state x) sender.idle))) " +
      "(= (select usedOnDisk x) (not (= (select stateOnDisk x) sender.idle))))",
    never: "(and (not reused) (not outside))",
  },
  claims: {
    "identifiers.in_use_is_never_given_again": "(not reused)",
    "identifiers.are_from_1_to_the_last": "(not outside)",
  },
  ranking: {
    done: "(not searching)",
    assuming: "true",
    excluded: [],
    helpful: {
      pass_over: "(and searching (select used id))",
      take: "(and searching (not (select used id)))",
    },
    rank: ["(ite searching 1 0)", "(ite (<= id free) (- free id) (+ (- idMax id) free))"],
  },
  bound: "true",
  tableMutant: "sender: awaitPubcomp, PUBCOMP emits nothing",
  mutants: [
    {
      name: "identifiers in use are not passed over",
      step: "take",
      original: "(and searching (not (select used id)))",
      replacement: "searching",
    },
    {
      name: "after the last identifier comes 0",
      step: "pass_over",
      original: "(ite (= id idMax) 1 (+ id 1))",
      replacement: "(ite (= id idMax) 0 (+ id 1))",
    },
    {
      name: "a crash forgets what is in flight",
      step: "crash",
      original: "usedOnDisk",
      replacement: "((as const (Array Int Bool)) false)",
    },
  ],
};
