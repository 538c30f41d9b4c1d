/** The referee as the core asks it. */
import { assertEquals } from "@std/assert";
import type { ConnectPacket, Qos, TopicFilter, TopicName, Will } from "../../src/mqtt/mod.ts";
import {
  REFEREE_DEFAULTS,
  type RefereeOptions,
  SparkplugJudging,
} from "../../src/sparkplug/judging.ts";
import { payload } from "./_encode.ts";
import { CODEC, json, Plant, START_MS } from "./_plant.ts";

interface Client {
  readonly clientIdentifier: string;
}

const AT = { nowMs: 5, wallMs: START_MS };
const PLANT = new Plant();
const WILL: Will = {
  topic: "spBv1.0/G/NDEATH/E" as TopicName,
  payload: payload({ timestamp: START_MS, metrics: [PLANT.bdSeq(0)] }),
  qos: 1,
  retain: false,
};

function judging(options: Partial<RefereeOptions> = {}): SparkplugJudging<Client> {
  const awareness = { retainLive: true, ndeathTimestamp: true };
  return new SparkplugJudging(CODEC, { ...REFEREE_DEFAULTS, ...awareness, ...options });
}

function connectPacket(clientIdentifier: string, will: Will | null): ConnectPacket {
  return {
    type: "CONNECT",
    protocolLevel: 4,
    cleanSession: true,
    keepAliveSeconds: 0,
    clientIdentifier,
    will,
    userName: null,
    password: null,
  };
}

function connect(policy: SparkplugJudging<Client>, id: string, will: Will | null = WILL) {
  const client: Client = { clientIdentifier: id };
  return { client, verdict: policy.referee.connect(client, connectPacket(id, will), AT) };
}

function publish(
  policy: SparkplugJudging<Client>,
  client: Client,
  message: { name: string; bytes?: Uint8Array; qos?: Qos; retain?: boolean },
) {
  const { name, bytes = new Uint8Array(0), qos = 0, retain = false } = message;
  const topic = policy.classify(name as TopicName);
  if (topic === null) throw new Error(`${name} is nobody's`);
  return policy.referee.publish({
    client,
    name: name as TopicName,
    topic,
    bytes,
    payloadStart: 0,
    payloadEnd: bytes.length,
    qos,
    retain,
    wallMs: START_MS,
  });
}

function rulesOf(policy: SparkplugJudging<Client>): string[] {
  const { violations } = policy.referee.referee;
  return [...new Set(violations.latest().map(({ rule }) => rule))];
}

Deno.test("topics are classified by what the core does with them", () => {
  const policy = judging();
  const roles: readonly (readonly [string, string | null])[] = [
    ["spBv1.0/G/NBIRTH/E", "birth"],
    ["spBv1.0/G/DBIRTH/E/D", "birth"],
    ["spBv1.0/G/NDEATH/E", "nodeDeath"],
    ["spBv1.0/G/DDEATH/E/D", "other"],
    ["spBv1.0/STATE/H", "other"],
    ["spBv1.0/G/NBIRTH/E/D", "other"],
    ["spAv1.0/G/NBIRTH/E", "other"],
    ["STATE/H", "other"],
    ["STATE/H/x", null],
    ["plant/1", null],
  ];
  for (const [topic, role] of roles) {
    assertEquals(policy.classify(topic as TopicName)?.role ?? null, role, topic);
  }
});

Deno.test("messages of every kind of topic reach the referee", () => {
  const policy = judging();
  const { client } = connect(policy, "node");
  policy.referee.subscribed(client, { filter: "spBv1.0/G/NCMD/E" as TopicFilter, qos: 1 });
  const metrics = [...PLANT.usual(), PLANT.bdSeq(0)];
  const bytes = payload({ timestamp: START_MS, seq: 0, metrics });
  publish(policy, client, { name: "spBv1.0/G/NBIRTH/E", bytes });
  assertEquals(rulesOf(policy), ["rebirthMetric"]);
  publish(policy, client, { name: "spBv1.0/G/FOO/E" });
  publish(policy, client, { name: "STATE/H" });
  assertEquals(rulesOf(policy), ["rebirthMetric", "topicStructure"]);
  assertEquals(policy.referee.referee.topology().legacyStates, 1);
  assertEquals(policy.referee.closed(client, "disconnect", AT), false);
  assertEquals(rulesOf(policy).at(-1), "disconnectWithoutNdeath");
  // Who is gone, or never came, is not judged.
  const verdict = publish(policy, client, { name: "spBv1.0/G/NDATA/E" });
  assertEquals(verdict.action, "route");
  assertEquals(policy.referee.closed(client, "peerClosed", AT), false);
});

Deno.test("strict mode refuses, puts Wills right, and names the client that has to go", () => {
  const policy = judging({ mode: "strict", onDuplicate: "takeOver", synthesizeDeaths: true });
  const broken = connect(policy, "a", { ...WILL, payload: new Uint8Array(0) });
  assertEquals(broken.verdict, { kind: "refuse" });
  const loose = connect(policy, "b", { ...WILL, qos: 0, retain: true });
  assertEquals(loose.verdict, { kind: "accept", will: WILL, rival: null });
  const second = connect(policy, "c");
  assertEquals(second.verdict, { kind: "accept", will: WILL, rival: loose.client });
  assertEquals(policy.referee.closed(loose.client, "takenOver", AT), false);
  policy.referee.willPublished(loose.client, WILL, AT);
  assertEquals(policy.referee.referee.topology().nodes[0]!.clientIdentifier, "c");
  const plain = connect(policy, "d", null);
  assertEquals(plain.verdict, { kind: "accept", will: null, rival: null });
});

Deno.test("a retained STATE of before a restart is known", () => {
  const policy = judging();
  policy.referee.announce("spBv1.0/STATE/H", json({ online: true, timestamp: 5 }), START_MS);
  policy.referee.announce("plant/1", new Uint8Array(0), START_MS);
  const [host] = policy.referee.referee.topology().hosts;
  assertEquals([host!.name, host!.online, host!.connected], ["H", true, false]);
  assertEquals(policy.referee.tick(START_MS), []);
});
