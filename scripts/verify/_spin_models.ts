/** The models of concurrency that are explored. */
import type { SpinModel } from "./_spin_model.ts";
import { AckGateRig } from "./replay/ack_gate.ts";
import { DrainRig } from "./replay/drain.ts";
import { OutboxRig } from "./replay/outbox.ts";
import { ReloadRig } from "./replay/reload.ts";
import { StoreQueueRig } from "./replay/store_queue.ts";
import { TakeOverRig } from "./replay/take_over.ts";

const OUTBOX = { HIGH: 2, LOW: 1, MOST: 4 };
const DRAIN = { MESSAGES: 1, CHANGES: 1 };

const STORE_QUEUE = {
  name: "store_queue",
  full: { N: 3, FAILURES: 3 },
  replayed: { quick: { N: 2, FAILURES: 1 }, full: { N: 2 } },
  formulas: ["answered", "durable_in_the_end", "ends"],
} as const;

/** All of them, in the order of the table. */
export const SPIN_MODELS: readonly SpinModel[] = [
  {
    name: "ack_gate",
    variant: "",
    defines: {},
    full: { N: 4 },
    replayed: { quick: { N: 2 }, full: { N: 3 } },
    formulas: ["answered", "keeps"],
    mutants: ["MUTANT_ACK_FIRST", "MUTANT_OVERTAKE", "MUTANT_RELEASE_ALL"],
    unreached: [],
    rig: ({ N }) => new AckGateRig({ messages: N! }),
  },
  {
    name: "take_over",
    variant: "",
    defines: {},
    full: { K: 4 },
    replayed: { quick: { K: 2 }, full: { K: 3 } },
    formulas: ["judged", "fate", "over"],
    mutants: ["MUTANT_EARLY", "MUTANT_LATE_VERDICT", "MUTANT_NO_TAKE_OVER"],
    unreached: [],
    rig: ({ K }) => new TakeOverRig({ connections: K! }),
  },
  {
    name: "outbox",
    variant: "",
    defines: {},
    full: { HIGH: 8, LOW: 4, MOST: 16 },
    replayed: { quick: OUTBOX, full: OUTBOX },
    formulas: ["freed", "relaxed", "ends"],
    mutants: ["MUTANT_LOST_WAKE_UP", "MUTANT_FORGETS", "MUTANT_CLOSES_EARLY"],
    unreached: [],
    rig: ({ HIGH, LOW, MOST }) => new OutboxRig({ high: HIGH!, low: LOW!, most: MOST! }),
  },
  {
    name: "drain",
    variant: "",
    defines: {},
    full: { MESSAGES: 2, CHANGES: 2 },
    replayed: { quick: DRAIN, full: DRAIN },
    formulas: ["ends", "goodbye", "nothing_begins"],
    mutants: ["MUTANT_ACCEPTS_LATE", "MUTANT_DEAF", "MUTANT_REFUSES_ALL"],
    unreached: [],
    rig: () => new DrainRig(),
  },
  {
    name: "reload",
    variant: "",
    defines: {},
    full: {},
    replayed: { quick: {}, full: {} },
    formulas: ["applied", "revoked", "answered", "judged"],
    mutants: [
      "MUTANT_NO_SECOND_LOOK",
      "MUTANT_JOINS_RUNNING",
      "MUTANT_REVOKES_NOBODY",
      "MUTANT_STALE_VERDICT",
    ],
    unreached: [],
    rig: () => new ReloadRig(),
  },
  {
    ...STORE_QUEUE,
    variant: "commit",
    defines: { INTERVAL: 0 },
    mutants: ["MUTANT_TIMER_LOST"],
    unreached: [],
    rig: ({ N }) => new StoreQueueRig({ batches: N!, durability: "commit" }),
  },
  {
    ...STORE_QUEUE,
    variant: "interval",
    defines: { INTERVAL: 1 },
    mutants: ["MUTANT_NO_WINDOW", "MUTANT_SYNC_COVERS_ALL", "MUTANT_TIMER_LOST"],
    unreached: [],
    rig: ({ N }) => new StoreQueueRig({ batches: N!, durability: "interval" }),
  },
];
