/** The shape of one run: how many clients, what they do, what goes wrong and how often. */
import type { BrokerLimits } from "../../src/broker/mod.ts";
import type { TrafficRateOptions } from "../../src/security/mod.ts";
import type { DurabilityOptions } from "../../src/store/durable_store.ts";
import { TEST_LIMITS } from "../broker/_limits.ts";
import type { Dice } from "./dice.ts";

/** Larger than anything a run can reach. */
const PLENTY = 67_108_864;

/** What a client does next; the numbers say how often. */
export type Act =
  | "publish"
  | "subscribe"
  | "unsubscribe"
  | "disconnect"
  | "cut"
  | "takeOver"
  | "freeze"
  | "fallSilent"
  | "ping";

/** Drawn from the seed, before anything happens. */
export interface Scenario {
  readonly clients: readonly string[];
  readonly topics: readonly string[];
  readonly filters: readonly string[];
  /** Acts of all clients together, after which the faults end. */
  readonly acts: number;
  /** Time between two acts of a client, on the average. */
  readonly actMs: number;
  readonly weights: Readonly<Record<Act, number>>;
  readonly cleanRate: number;
  readonly willRate: number;
  readonly retainRate: number;
  readonly deletionRate: number;
  readonly qosWeights: Readonly<Record<"0" | "1" | "2", number>>;
  readonly keepAliveRate: number;
  /** How often a client stays away for a while when its connection has ended. */
  readonly absenceRate: number;
  /** Packet Identifiers that a client uses before it begins again. */
  readonly packetIds: number;
  readonly windowMax: number;
  readonly payloadBytesMax: number;
  readonly answerMs: number;
  readonly latencyMs: number;
  readonly splitRate: number;
  readonly socketBytes: number;
  readonly turnMs: number;
  readonly diskLatencyMs: number;
  readonly crashes: number;
  readonly powerCutRate: number;
  readonly crashAtEnd: boolean;
  /** How often the disk gets full for a while. */
  readonly diskFills: number;
  readonly reloads: number;
  readonly clockJumps: number;
  /** Whether queues and retained messages can reach their limits. */
  readonly isTight: boolean;
  readonly limits: BrokerLimits;
  readonly store: DurabilityOptions;
  readonly walBytesMax: number;
}

const TOPICS = ["a", "a/x", "a/y", "b", "b/x", "b/y", "c/x/1", "c/y/2"];
/** Topics whose messages the broker keeps as certificates. */
export const BIRTH_TOPICS: readonly string[] = ["spBv1.0/G/NBIRTH/E", "spBv1.0/G/DBIRTH/E/D"];
const FILTERS = ["a", "a/x", "a/+", "a/#", "+/x", "b/#", "b/y", "+", "c/#", "c/+/2", "#"];

/** Draws what clients may send; null for no limit. Who floods is held for less than a second. */
export function drawRates(dice: Dice): TrafficRateOptions | null {
  if (dice.chance(0.5)) return null;
  const each = {
    publishesPerSecond: dice.pick([0, 50, 200]),
    publishesBurst: dice.pick([1, 5, 20]),
    bytesPerSecond: dice.pick([0, 20_000]),
    bytesBurst: dice.pick([1, 500]),
  };
  const all = {
    publishesPerSecond: dice.pick([0, 0, 500]),
    publishesBurst: dice.pick([1, 20]),
    bytesPerSecond: dice.pick([0, 0, 100_000]),
    bytesBurst: dice.pick([1, 5_000]),
  };
  return { each, all, overLimit: "hold" };
}

/** Draws a scenario. */
export function drawScenario(dice: Dice): Scenario {
  const isLarge = dice.chance(0.15);
  const clientCount = isLarge ? dice.integer(10, 24) : dice.integer(3, 9);
  const isTight = dice.chance(0.2);
  const clients = Array.from({ length: clientCount }, (_, i) => `c${i}`);
  const world = drawWorld(dice);
  const behaviour = drawBehaviour(dice);
  const isInterval = world.store.durability === "interval";
  return {
    clients,
    topics: [
      ...TOPICS.slice(0, dice.integer(2, TOPICS.length)),
      ...BIRTH_TOPICS.slice(0, dice.pick([0, 1, 2])),
    ],
    filters: FILTERS.filter(() => dice.chance(0.6)).concat("a/x"),
    acts: dice.integer(150, 450),
    ...behaviour,
    ...world,
    // A broker that forgets the end of a QoS 2 exchange takes the next message with its Packet
    // Identifier for a duplicate: that is the price of `interval`.
    packetIds: isInterval ? 65_535 : behaviour.packetIds,
    isTight,
    limits: { ...drawLimits(dice), ...(isTight ? drawTightLimits(dice) : {}) },
  };
}

function drawBehaviour(dice: Dice) {
  const faults = dice.pick([0.3, 1, 1, 3]);
  return {
    actMs: dice.between(3, 30),
    weights: {
      publish: 60,
      subscribe: dice.between(3, 15),
      unsubscribe: dice.between(1, 6),
      disconnect: 3 * faults,
      cut: 4 * faults,
      takeOver: 3 * faults,
      freeze: 1.5 * faults,
      fallSilent: 0.5 * faults,
      ping: 2,
    },
    cleanRate: dice.pick([0.05, 0.2, 0.5]),
    willRate: dice.pick([0, 0.3, 0.8]),
    retainRate: dice.pick([0.05, 0.2, 0.6]),
    deletionRate: dice.pick([0, 0.15, 0.4]),
    qosWeights: { "0": 1, "1": dice.pick([1, 3]), "2": dice.pick([1, 3]) },
    keepAliveRate: dice.pick([0, 0.3]),
    absenceRate: dice.pick([0, 0, 0.2, 0.5]),
    packetIds: dice.pick([24, 200, 65_535]),
    windowMax: dice.integer(1, 12),
    payloadBytesMax: dice.pick([20, 20, 200, 3_000]),
    answerMs: dice.pick([0.2, 2, 15]),
  };
}

function drawWorld(dice: Dice) {
  const crashes = dice.pick([0, 1, 2, 3, 5]);
  const isInterval = dice.chance(0.25);
  const store: DurabilityOptions = {
    durability: isInterval ? "interval" : "commit",
    syncIntervalMs: dice.pick([100, 1_000]),
    // A window of `interval` takes two syncs at least.
    syncsPerSecondMax: dice.pick(isInterval ? [1_000, 1_000_000] : [50, 1_000, 1_000_000]),
  };
  return {
    latencyMs: dice.pick([0.1, 1, 5]),
    splitRate: dice.pick([0, 0.1, 0.5]),
    socketBytes: dice.pick([64, 1_000, 65_536, 65_536]),
    turnMs: dice.pick([0.01, 0.2, 1]),
    diskLatencyMs: dice.pick([0.1, 0.5, 3]),
    crashes,
    powerCutRate: dice.pick([0, 0.5, 1]),
    crashAtEnd: crashes > 0 && dice.chance(0.6),
    diskFills: dice.pick([0, 0, 0, 1, 3]),
    reloads: dice.pick([0, 0, 2, 6]),
    clockJumps: dice.pick([0, 0, 3]),
    store,
    walBytesMax: dice.pick([0, 20_000, 100_000]),
  };
}

function drawLimits(dice: Dice): BrokerLimits {
  const highWater = dice.pick([200, 2_000, 16_384, PLENTY]);
  return {
    ...TEST_LIMITS,
    connectTimeoutMs: 10_000,
    connectionsMax: 10_000,
    sessionsMax: 10_000,
    subscriptionsMax: 10_000,
    subscriptionsPerSessionMax: 10_000,
    retainedMessagesMax: 10_000,
    retainedBytesMax: PLENTY,
    inFlightMessagesMax: dice.pick([1, 2, 8, 100]),
    receiveInFlightMax: 60_000,
    queueMessagesMax: PLENTY,
    queueBytesMax: PLENTY,
    queueTotalBytesMax: PLENTY,
    queueTotalMessagesMax: PLENTY,
    storeBacklogBytesMax: dice.pick([500, 5_000, PLENTY]),
    deadLettersMessagesMax: dice.pick([0, 5, 100]),
    deadLettersBytesMax: dice.pick([1_000, 262_144]),
    deadLettersPerSecondMax: dice.pick([10, 1_000]),
    deadLettersRepublish: dice.chance(0.3),
    outboxBytesMax: Math.max(highWater, dice.pick([400, 20_000, PLENTY])),
    outboxHighWaterBytes: highWater,
    outboxLowWaterBytes: Math.floor(highWater / 4),
    slowConsumerGraceMs: dice.pick([100, 1_000]),
    stalledWriteTimeoutMs: dice.pick([1_000, 30_000]),
    sessionExpiryMs: dice.pick([0, 3_000, 3_600_000]),
  };
}

/** Limits that are reached, at which something is given up. */
function drawTightLimits(dice: Dice): Partial<BrokerLimits> {
  return {
    queueMessagesMax: dice.pick([2, 5, 20]),
    queueBytesMax: dice.pick([600, 5_000, PLENTY]),
    queueFull: dice.pick(["drop_newest", "drop_oldest"]),
    retainedMessagesMax: dice.pick([1, 3, 10_000]),
    retainedFull: dice.pick(["drop_newest", "drop_oldest"]),
  };
}
