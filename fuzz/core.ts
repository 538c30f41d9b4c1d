/** Any behaviour of several clients: the core never throws, loses, doubles, reorders or leaks. */
import { SparkplugAwareness } from "../src/sparkplug/mod.ts";
import { Core, NOTHING_LEFT } from "../tests/broker/_core.ts";
import { Actor } from "./_actor.ts";
import { Witness } from "./_witness.ts";
import type { Random } from "./random.ts";
import type { Failure, Target } from "./target.ts";

const IDENTIFIERS = ["a", "b", "c", "d"];
const STEPS_MAX = 60;

/** Random operation sequences against the broker without sockets. */
export const CORE: Target = {
  name: "core",
  inputs: 1_000_000,
  try(random: Random): Failure | null {
    const trace: string[] = [];
    try {
      const problem = play(random, trace);
      return problem === null ? null : report(problem, trace);
    } catch (error) {
      return report(`${error instanceof Error ? error.stack : error}`, trace);
    }
  },
};

function report(problem: string, trace: readonly string[]): Failure {
  return {
    problem: `${problem}\n${trace.join("\n")}`,
    input: new TextEncoder().encode(trace.join("\n")),
  };
}

function play(random: Random, trace: string[]): string | null {
  const core = new Core({
    sparkplug: new SparkplugAwareness({ retainLive: true, ndeathTimestamp: true }),
    limits: { queueFull: random.oneIn(2) ? "drop_newest" : "drop_oldest" },
  });
  const witness = new Witness(core);
  const actors = IDENTIFIERS.map((id) => new Actor(core, { id, random, witness, trace }));
  for (let step = random.below(STEPS_MAX); step > 0; step--) {
    random.pick(actors).act();
    witness.answer();
    if (random.oneIn(8)) {
      const ms = random.pick([1, 250, 1_500, 40_000]);
      trace.push(`advance ${ms}`);
      core.advance(ms, 250);
      witness.answer();
    }
    const problem = inconsistency(core, actors);
    if (problem !== null) return problem;
  }
  for (const actor of actors) actor.leave();
  core.advance(2_000); // sockets of clients that were frozen and taken over
  witness.answer();
  return witness.problem() ?? leftovers(core, witness);
}

/** What the gauges say against what can be counted. */
function inconsistency(core: Core, actors: readonly Actor[]): string | null {
  const gauges = core.gauges();
  const negative = Object.entries(gauges).find(([, value]) => value < 0);
  if (negative !== undefined) return `${negative[0]} is ${negative[1]}`;
  const connections = [...core.broker.connections()];
  if (gauges["connectionsOpen"] !== connections.length) return "connectionsOpen is wrong";
  const connected = connections.filter((c) => !c.closed && c.session !== null);
  if (gauges["clientsConnected"] !== connected.length) {
    return `clientsConnected is ${gauges["clientsConnected"]}, not ${connected.length}`;
  }
  const sessions = new Set(connected.map((c) => c.session));
  const identifiers = new Set(connected.map((c) => c.clientIdentifier));
  const stored = core.store.load().sessions.filter((s) => !identifiers.has(s.clientIdentifier));
  if (gauges["sessions"] !== sessions.size + stored.length) {
    return `sessions is ${gauges["sessions"]}, not ${sessions.size} + ${stored.length}`;
  }
  const inFlightMax = core.limits.inFlightMessagesMax * gauges["sessions"];
  if (gauges["inFlightMessages"]! > inFlightMax) return "too many messages are in flight";
  return actors.map((actor) => actor.problem()).find((problem) => problem !== null) ?? null;
}

/** Ends every session and clears every topic: nothing may be left. */
function leftovers(core: Core, witness: Witness): string | null {
  for (const id of IDENTIFIERS) core.connect({ clientIdentifier: id }).disconnect();
  const cleaner = core.connect();
  // Garbage may have retained something anywhere.
  for (const { topic } of core.store.load().retained) cleaner.publish(topic, "", { retain: true });
  cleaner.disconnect();
  witness.answer();
  witness.client.disconnect();
  core.turn();
  const gauges = core.gauges();
  const left = Object.keys(NOTHING_LEFT).filter((key) => gauges[key] !== 0);
  if (left.length > 0) return `left: ${left.map((key) => `${key} ${gauges[key]}`).join(", ")}`;
  const { retainedMessages, retainedBytes, certificates } = core.statistics;
  if (retainedMessages + retainedBytes !== 0) return `${retainedBytes} retained bytes are left`;
  const state = core.store.load();
  // Certificates stay.
  const retained = state.retained.length - certificates;
  const stored = state.sessions.length + retained + state.wills.length;
  return stored === 0 ? null : `${stored} records are left in the store`;
}
