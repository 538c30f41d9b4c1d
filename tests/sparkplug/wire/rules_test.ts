/**
 * Every rule, over sockets: a running broker counts its breach under each of its statements and does
 * not count the correct form; in strict mode it does what the table of rules says.
 */
import { assert, assertEquals } from "@std/assert";
import {
  FIXES,
  RULE_NAMES,
  type RuleName,
  RULES,
  UNJUDGED_IDS,
} from "../../../src/sparkplug/judging.ts";
import { WireClient } from "../../support/wire_client.ts";
import { ALLOWED, CASES } from "../_all_cases.ts";
import type { Outcome, Plant } from "../_plant.ts";
import { scriptOf, type Step } from "./_script.ts";
import { clockFor, Stage } from "./_stage.ts";

type Play = (plant: Plant) => void;

/** The counters by statement of a broker in monitor mode that this was done to. */
async function countersOf(play: Play, name: RuleName | null): Promise<Map<string, number>> {
  const options = name === null ? {} : CASES[name]!.options ?? {};
  const { steps } = scriptOf(play, options);
  using clock = clockFor(steps);
  await using stage = await Stage.open({ ...options, mode: "monitor" }, clock);
  await stage.play(steps);
  const faulty = name === "topicStructure" || name === "topicNamespaceA";
  const marker = faulty && name === "topicStructure"
    ? "spAv1.0/marker/x/x"
    : "spBv1.0/marker/FOO/x";
  return await stage.counters(marker);
}

for (const name of RULE_NAMES) {
  const { ids, says, action, on } = RULES[name];
  const one = CASES[name]!;
  const tags = ids.map((id) => `[${id}]`).join(" ");

  Deno.test(`over a socket, ${says} ${tags}`, async () => {
    // Side by side, unless the one sets the clock that the other reads, too.
    const both = [one.breach, one.correct].flatMap((play) => scriptOf(play, one.options).steps);
    const inTime = both.some(({ kind }) => kind === "wait");
    const early = inTime ? null : countersOf(one.correct, name);
    const broken = await countersOf(one.breach, name);
    assertEquals(ids.filter((id) => (broken.get(id) ?? 0) === 0), [], "the breach is counted");
    // A statement may stand in several rules: those of the others that the correct form breaks.
    const { flagged } = scriptOf(one.correct, one.options);
    assert(!flagged.has(name));
    const others = new Set([...flagged].flatMap((other) => RULES[other as RuleName].ids));
    others.add(
      name === "topicStructure" ? "tck-id-topic-structure-namespace-a" : "tck-id-topic-structure",
    ); // the marker's
    const kept = await (early ?? countersOf(one.correct, name));
    const wrong = ids.filter((id) => !others.has(id) && (kept.get(id) ?? 0) > 0);
    assertEquals(wrong, [], "the correct form is not counted");
  });

  if (on.includes("CLOSE") || on.includes("TIME")) continue;
  Deno.test(`over a socket, strict mode answers a breach of ${name} with ${action}`, async () => {
    const { steps, outcomes } = scriptOf(one.breach, { ...one.options, mode: "strict" });
    using clock = clockFor(steps);
    await using stage = await Stage.open({ ...one.options, mode: "strict" }, clock);
    await stage.play(steps);
    assertEquals(stage.outcomes, outcomes.map(seen));
    if (action === "fix" && outcomes.at(-1) === "fix") await assertFixed(stage, name, steps);
    if (action !== "drop" && action !== "close") return;
    const { dropped, publishReceived } = stage.broker.server.broker.statistics;
    const published = stage.outcomes.slice(-publishReceived);
    const lost = published.filter((outcome) => outcome !== "count").length;
    // What is dropped is a dead letter with a reason of its own; a refused CONNECT has sent none.
    const isPublish = steps.at(-1)!.kind === "publish" && publishReceived > 0;
    if (isPublish && lost > 0) assert(dropped["sparkplug-refused"] > 0);
  });
}

/** How an outcome looks from outside: what is put right passes. */
function seen(outcome: Outcome): Exclude<Outcome, "fix"> {
  return outcome === "fix" ? "count" : outcome;
}

/** The last message, or the Will of the last client, goes out with RETAIN and QoS put right. */
async function assertFixed(stage: Stage, name: RuleName, steps: readonly Step[]): Promise<void> {
  const last = steps.at(-1)!;
  assert(last.kind === "publish" || last.kind === "connect");
  if (last.kind === "connect") await stage.leave(last.client, false);
  const topic = last.kind === "publish" ? last.topic : last.will!.topic;
  const fix = FIXES[name]!;
  const message = stage.delivered.findLast((one) => one.topic === topic);
  if (fix.qos !== undefined) assertEquals(message?.qos, fix.qos);
  if (fix.retain === undefined) return;
  using late = await WireClient.connect(stage.broker.port);
  await late.subscribe(topic, 1);
  assertEquals((await late.drain()).length, fix.retain ? 1 : 0);
}

for (const [id, reason] of UNJUDGED_IDS) {
  if (reason !== "allows") continue;
  Deno.test(`over a socket, what is allowed is not flagged [${id}]`, async () => {
    const counters = await countersOf(ALLOWED[id]!, null);
    counters.delete("tck-id-topic-structure"); // the marker's
    assertEquals([...counters], []);
  });
}

Deno.test("over a socket, no birth comes before its CONNECT [tck-id-message-flow-edge-node-birth-publish-connect]", async () => {
  await using stage = await Stage.open({ mode: "monitor" });
  using node = await WireClient.open(stage.broker.port);
  await node.send({
    type: "PUBLISH",
    dup: false,
    qos: 0,
    retain: false,
    topic: "spBv1.0/G/NBIRTH/E" as never,
    packetId: 0,
    payload: new Uint8Array(0),
  });
  await node.expectClosed();
  assertEquals((await stage.watcher.drain()).length, 0);
});
