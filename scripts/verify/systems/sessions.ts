/**
 * The life of one Session, as the specification tells it beside the session table: `kept` is whether
 * the server has to have state for the client, `content` stands for what is in it. For any number of
 * connections.
 */
import type { System } from "../proofs/system.ts";

const OPEN = "(ite clean session/connectClean session/connectPersistent)";
const LEAVE = "(ite taken session/takeOver session/disconnect)";

/** The session table against sections 3.1.2.4 and 4.1. */
export const SESSIONS: System = {
  name: "sessions",
  mirrors: [
    "SessionRegistry.#open",
    "SessionRegistry.#detach",
    "SessionRegistry.#expire",
    "SessionRegistry.#sessionStep",
  ],
  tables: ["session"],
  macros: {
    opened: { parameters: [], body: `(session.emits state ${OPEN})` },
    left: { parameters: [], body: `(session.emits state ${LEAVE})` },
    isDue: {
      parameters: [],
      body: "(ite (or (= event session/disconnect) (= event session/takeOver)) connected " +
        "(and (not connected) (=> (= event session/expire) kept)))",
    },
  },
  variables: {
    state: { sort: "session.State", init: "session.absent" },
    connected: { sort: "Bool", init: "false" },
    isClean: { sort: "Bool", init: "false" },
    kept: { sort: "Bool", init: "false" },
    // What the client and its publishers have put in, and what the server has.
    content: { sort: "Int", init: "0" },
    held: { sort: "Int", init: "0" },
    isPresentTold: { sort: "Bool", init: "false" },
    isPresentTrue: { sort: "Bool", init: "false" },
    refused: { sort: "Bool", init: "false" },
    leftBehind: { sort: "Bool", init: "false" },
    outOfTurn: { sort: "Bool", init: "false" },
  },
  steps: {
    connect: {
      choices: { clean: { sort: "Bool", values: ["false", "true"] } },
      guard: "(not connected)",
      updates: {
        state: `(session.next state ${OPEN})`,
        connected: "true",
        isClean: "clean",
        kept: "(not clean)",
        content: "(ite (and kept (not clean)) content 0)",
        held: "(ite (= opened session!resume) held 0)",
        isPresentTold: "(= opened session!resume)",
        isPresentTrue: "(and kept (not clean))",
        refused: `(or refused (not (session.has state ${OPEN})))`,
        // What is there and not resumed has to be discarded, not only forgotten.
        leftBehind: "(or leftBehind (not (= opened (ite kept " +
          "(ite clean session!replace session!resume) session!create))))",
      },
    },
    fill: {
      choices: { amount: { sort: "Int", values: ["1"] } },
      guard: "(or connected kept)",
      updates: { content: "(+ content amount)", held: "(+ held amount)" },
    },
    leave: {
      choices: { taken: { sort: "Bool", values: ["false", "true"] } },
      guard: "connected",
      updates: {
        state: `(session.next state ${LEAVE})`,
        connected: "false",
        content: "(ite isClean 0 content)",
        held: "(ite (= left session!discard) 0 held)",
        refused: `(or refused (not (session.has state ${LEAVE})))`,
        leftBehind: "(or leftBehind (not (= left " +
          "(ite isClean session!discard session!keep))))",
      },
    },
    expire: {
      guard: "(and kept (not connected))",
      updates: {
        state: "(session.next state session/expire)",
        kept: "false",
        content: "0",
        held: "(ite (= (session.emits state session/expire) session!discard) 0 held)",
        refused: "(or refused (not (session.has state session/expire)))",
      },
    },
    // Where the registry would end the process, the table has no entry.
    nothing_else: {
      choices: {
        event: {
          sort: "session.Event",
          values: [
            "session/connectClean",
            "session/connectPersistent",
            "session/disconnect",
            "session/takeOver",
            "session/expire",
          ],
        },
      },
      guard: "(not isDue)",
      updates: { outOfTurn: "(or outOfTurn (session.has state event))" },
    },
  },
  invariant: {
    state_is_what_is_due: "(= state (ite connected " +
      "(ite isClean session.transient session.persistent) " +
      "(ite kept session.stored session.absent)))",
    kept_is_not_clean: "(=> connected (= kept (not isClean)))",
    content_is_held: "(= content held)",
    nothing_without_session: "(=> (and (not connected) (not kept)) (= content 0))",
    told: "(= isPresentTold isPresentTrue)",
    never: "(and (not refused) (not leftBehind) (not outOfTurn))",
  },
  claims: {
    "sessions.Session_Present_is_true": "(= isPresentTold isPresentTrue)",
    "sessions.hold_what_was_put_in": "(= content held)",
    "sessions.are_kept_or_discarded_as_asked": "(not leftBehind)",
    "sessions.do_nothing_out_of_turn": "(not outOfTurn)",
    "sessions.let_every_client_in": "(not refused)",
  },
  bound: "(<= content 2)",
  tableMutant: "session: stored, connectClean emits resume",
  mutants: [
    {
      name: "a session that expired is kept",
      step: "expire",
      original: "(session.next state session/expire)",
      replacement: "state",
    },
  ],
};
