/** Where the core asks about Sparkplug: births at the gate, and the questions to a referee. */
import { assertEquals } from "@std/assert";
import type { SparkplugPolicy } from "../../src/broker/mod.ts";
import { SparkplugAwareness } from "../../src/sparkplug/mod.ts";
import { connectPacket, filter, name, payload, publishPacket } from "../support/wire_client.ts";
import { MemoryStore } from "../../src/store/mod.ts";
import { Core } from "./_core.ts";
import { DelayedStore } from "./_delayed_store.ts";

const NBIRTH = "spBv1.0/G/NBIRTH/E";
const NDATA = "spBv1.0/G/NDATA/E";
const WILL = { topic: name("spBv1.0/G/NDEATH/E"), payload: payload("\x08\x05"), retain: true };

type Referee = NonNullable<SparkplugPolicy["referee"]>;

const AWARE = new SparkplugAwareness({ retainLive: true, ndeathTimestamp: true });

const OTHER = { role: "other" } as const;
const ROUTE = { action: "route", retain: null, qos: null } as const;

/** A referee that notes what it is asked, and answers what the test says. */
function refereed(answers: Partial<Referee> = {}): { core: Core; asked: string[] } {
  const asked: string[] = [];
  const referee: Referee = {
    connect: (client, packet, at) => {
      asked.push(`connect ${client.clientIdentifier} ${packet.will?.topic ?? "-"} ${at.wallMs}`);
      return answers.connect?.(client, packet, at) ??
        { kind: "accept", will: packet.will, rival: null };
    },
    subscribed: (_client, { filter: granted, qos }) => asked.push(`subscribed ${granted} ${qos}`),
    unsubscribed: (_client, topicFilter) => asked.push(`unsubscribed ${topicFilter}`),
    publish: (publication) => {
      const { name: topic, bytes, payloadStart, payloadEnd, qos, retain, dup } = publication;
      const content = new TextDecoder().decode(bytes.subarray(payloadStart, payloadEnd));
      asked.push(`publish ${topic} ${content} ${qos} ${retain} ${dup}`);
      return answers.publish?.(publication) ?? ROUTE;
    },
    closed: (client, cause, at) => {
      asked.push(`closed ${client.clientIdentifier} ${cause}`);
      return answers.closed?.(client, cause, at) ?? false;
    },
    willPublished: (_client, will) => asked.push(`will ${will.topic}`),
  };
  const sparkplug: SparkplugPolicy = {
    classify: (topic) => AWARE.classify(topic) ?? (topic.startsWith("spBv1.0/") ? OTHER : null),
    stampNodeDeath: AWARE.stampNodeDeath,
    retainLive: true,
    referee,
  };
  return { core: new Core({ sparkplug }), asked };
}

Deno.test("the PUBACK of a birth waits until its certificate is durable, data does not wait", () => {
  const store = new DelayedStore();
  const core = new Core({ store, sparkplug: AWARE });
  const node = core.connect();
  node.send(publishPacket(NDATA, "x", { qos: 1, packetId: 1 }));
  assertEquals(node.types, ["PUBACK"]);
  node.send(publishPacket(NBIRTH, "x", { qos: 1, packetId: 2 }));
  assertEquals(node.types, ["PUBACK"]);
  core.release(store.sealed);
  assertEquals(node.types, ["PUBACK", "PUBACK"]);
  // At QoS 0 nobody waits for it.
  node.send(publishPacket(NBIRTH, "y"), { type: "PINGREQ" });
  assertEquals(node.types.at(-1), "PINGRESP");
  assertEquals(core.statistics.certificatesStored, 2);
});

Deno.test("a certificate that is on its way keeps RETAIN 1 for a client that is away", () => {
  const core = new Core({ sparkplug: AWARE });
  const options = { clientIdentifier: "host", cleanSession: false };
  const host = core.connect(options);
  host.subscribe("$sparkplug/#", 1);
  host.disconnect();
  core.connect().send(publishPacket(NBIRTH, "x"));
  const [message] = core.connect(options).takeMessages();
  assertEquals([message?.retain, message?.qos], [true, 1]);
});

const BIRTHS = ["G/NBIRTH/E", "G/DBIRTH/E/D", "G/NBIRTH/F", "H/NBIRTH/E"];

/** A broker that keeps these certificates, over whatever store. */
function keeping(options: ConstructorParameters<typeof Core>[0] = {}): Core {
  const core = new Core({ sparkplug: AWARE, ...options });
  const node = core.connect();
  for (const topic of BIRTHS) node.send(publishPacket(`spBv1.0/${topic}`, "x"));
  return core;
}

/** What a fresh client finds, without what all have in common. */
function kept(core: Core): string[] {
  const client = core.connect();
  client.subscribe("$sparkplug/#", 0);
  const topics = client.takeMessages().map(({ topic }) => topic.split("/").slice(3).join("/"));
  client.disconnect();
  return topics.toSorted();
}

Deno.test("certificates that no birth replaces grow old, and what clients retain does not", () => {
  const limits = { certificatesExpiryMs: 10_000 };
  const store = new MemoryStore();
  const core = keeping({ limits, store });
  const node = core.connect();
  node.send(publishPacket("r", "x", { retain: true }));
  core.advance(8_000);
  node.send(publishPacket("spBv1.0/G/NBIRTH/E", "y"));
  // Their age counts over a restart.
  const next = new Core({ limits, store, sparkplug: AWARE, wallMs: core.wallMs });
  assertEquals(kept(next).length, 4);
  next.advance(4_000);
  assertEquals(kept(next), ["G/NBIRTH/E"]);
  const { certificates, certificatesExpired, retainedMessages } = next.statistics;
  assertEquals([certificates, certificatesExpired, retainedMessages], [1, 3, 1]);
  assertEquals(new Core({ limits, store, sparkplug: AWARE }).statistics.certificates, 1);
});

Deno.test("certificates go when somebody wants them gone, and are told so if that is wanted", () => {
  const store = new MemoryStore();
  const core = keeping({ store });
  const host = core.connect();
  host.subscribe("$sparkplug/#", 1);
  host.takeMessages();
  const purge = (births: string, { max = 100, announce = false } = {}) => {
    const instant = core.instant();
    const purged = core.broker.certificates.purge(filter(births), { max, announce, instant });
    core.turn();
    return purged;
  };
  assertEquals(purge("spBv1.0/G/NBIRTH/nobody"), 0);
  assertEquals(purge("spBv1.0/G/+/E/#"), 2);
  assertEquals(kept(core), ["G/NBIRTH/F", "H/NBIRTH/E"]);
  assertEquals(host.takeMessages(), []);
  assertEquals(purge("spBv1.0/#", { max: 1, announce: true }), 1);
  const [told] = host.takeMessages();
  assertEquals([told?.payload.length, told?.retain, told?.qos], [0, false, 1]);
  assertEquals(purge("spBv1.0/#"), 1);
  assertEquals([kept(core), core.statistics.certificatesPurged], [[], 4]);
  assertEquals(new Core({ store, sparkplug: AWARE }).statistics.certificates, 0);
  // The next birth has a certificate again.
  core.connect().send(publishPacket("spBv1.0/G/NBIRTH/E", "x"));
  assertEquals(kept(core), ["G/NBIRTH/E"]);
});

Deno.test("live certificates have RETAIN 0 where that is wanted", () => {
  const sparkplug = new SparkplugAwareness({ retainLive: false, ndeathTimestamp: true });
  const core = new Core({ sparkplug });
  const host = core.connect();
  host.subscribe("$sparkplug/#", 1);
  core.connect().send(publishPacket(NBIRTH, "x"));
  assertEquals(host.takeMessages().map(({ retain }) => retain), [false]);
});

Deno.test("the referee is asked about connections, subscriptions, messages and Wills, in order", () => {
  const { core, asked } = refereed();
  const node = core.connect({ clientIdentifier: "E", will: WILL });
  node.subscribe("spBv1.0/G/NCMD/E", 1);
  node.send({
    type: "UNSUBSCRIBE",
    packetId: 2,
    filters: [filter("x"), filter("spBv1.0/G/NCMD/E")],
  });
  node.send(publishPacket(NBIRTH, "b"), publishPacket(NDATA, "1"), publishPacket(NDATA, "2"));
  node.send(publishPacket(NDATA, "3", { qos: 1, packetId: 5, dup: true, retain: true }));
  node.send(publishPacket("other", "x"));
  const repeated = publishPacket(NDATA, "4", { qos: 2, packetId: 6 });
  node.send(repeated, { ...repeated, dup: true }); // one message
  const newer = core.connect({ clientIdentifier: "E" });
  newer.disconnect();
  assertEquals(asked, [
    `connect E ${WILL.topic} 1800000000000`,
    "subscribed spBv1.0/G/NCMD/E 1",
    "unsubscribed spBv1.0/G/NCMD/E",
    `publish ${NBIRTH} b 0 false false`,
    `publish ${NDATA} 1 0 false false`,
    `publish ${NDATA} 2 0 false false`,
    `publish ${NDATA} 3 1 true true`,
    `publish ${NDATA} 4 2 false false`,
    "connect E - 1800000000000", // before the take-over
    "closed E takenOver",
    `will ${WILL.topic}`,
    "closed E disconnect",
  ]);
});

Deno.test("a refused CONNECT is answered with return code 5, and nothing of it is left", () => {
  const { core, asked } = refereed({ connect: () => ({ kind: "refuse" }) });
  const node = core.open();
  node.sendConnect({ clientIdentifier: "E", will: WILL, cleanSession: false });
  assertEquals(node.take("CONNACK").returnCode, 5);
  assertEquals(node.connection.closed, true);
  assertEquals([core.statistics.sessions, core.statistics.willsPublished], [0, 0]);
  assertEquals(asked.length, 1); // who was not let in does not leave
});

Deno.test("a CONNECT that is refused takes nobody over", () => {
  let isRefused = false;
  const { core } = refereed({
    connect: (_client, { will }) =>
      isRefused ? { kind: "refuse" } : { kind: "accept", will, rival: null },
  });
  const older = core.connect({ clientIdentifier: "E" });
  isRefused = true;
  core.open().sendConnect({ clientIdentifier: "E" });
  assertEquals([older.connection.closed, core.statistics.takeOvers], [false, 0]);
});

Deno.test("the Will can be changed at CONNECT", () => {
  const will = { ...WILL, qos: 1 as const, retain: false };
  const { core } = refereed({ connect: () => ({ kind: "accept", will, rival: null }) });
  const host = core.connect();
  host.subscribe("#", 1);
  core.connect({ will: WILL }).lose();
  assertEquals(host.takeMessages().map(({ qos }) => qos), [1]);
  assertEquals(core.statistics.retainedMessages, 0);
});

Deno.test("a Will that is missed is published even after DISCONNECT", () => {
  for (const isMissed of [true, false]) {
    const { core } = refereed({ closed: () => isMissed });
    const host = core.connect();
    host.subscribe("spBv1.0/#", 1);
    core.connect({ will: WILL }).disconnect();
    core.connect().disconnect(); // has none
    assertEquals(host.takeMessages().length, isMissed ? 1 : 0);
    assertEquals(core.store.load().wills, []);
  }
});

Deno.test("a rival goes before the newcomer is let in, and its Will out", () => {
  let rival: ReturnType<Core["connect"]>["connection"] | null = null;
  const { core, asked } = refereed({
    connect: (_client, packet) => ({ kind: "accept", will: packet.will, rival }),
  });
  const host = core.connect();
  host.subscribe("spBv1.0/#", 1);
  const older = core.connect({ clientIdentifier: "older", will: WILL });
  rival = older.connection;
  asked.length = 0;
  const newer = core.open();
  newer.send(connectPacket({ clientIdentifier: "newer" }), publishPacket(NBIRTH, "x"));
  assertEquals([older.connection.closed, newer.types], [true, ["CONNACK"]]);
  const topics = host.takeMessages().map(({ topic }) => topic);
  assertEquals(topics, [WILL.topic, name(NBIRTH)]);
  assertEquals(asked.slice(0, 2), ["connect newer - 1800000000000", "closed older takenOver"]);
});

Deno.test("a client for whom there is no room never comes to the referee", () => {
  const { core, asked } = refereed();
  for (let i = 0; i < core.limits.sessionsMax; i++) core.connect();
  const node = core.open();
  node.sendConnect({ clientIdentifier: "E", will: WILL });
  assertEquals(node.take("CONNACK").returnCode, 3);
  assertEquals(asked.filter((question) => question.includes(" E ")), []);
});

Deno.test("a message that is dropped is acknowledged, a dead letter, and nowhere else", () => {
  const { core } = refereed({ publish: () => ({ ...ROUTE, action: "drop" }) });
  const host = core.connect();
  host.subscribe("#", 1);
  const node = core.connect({ will: WILL });
  node.send(publishPacket(NBIRTH, "x", { qos: 1, packetId: 1, retain: true }));
  node.send(publishPacket(NBIRTH, "x", { qos: 2, packetId: 2 }));
  node.send(publishPacket(NDATA, "x"), publishPacket(WILL.topic, "x"));
  assertEquals(node.types, ["PUBACK", "PUBREC"]);
  assertEquals(host.takeMessages(), []);
  const { certificates, retainedMessages, dropped } = core.statistics;
  assertEquals([certificates, retainedMessages, dropped["sparkplug-refused"]], [0, 0, 4]);
});

for (const qos of [0, 1, 2] as const) {
  Deno.test(`a message at QoS ${qos} can close its connection: no acknowledgement, and the Will`, () => {
    const { core } = refereed({ publish: () => ({ ...ROUTE, action: "close" }) });
    const host = core.connect();
    host.subscribe("#", 1);
    const node = core.connect({ will: { ...WILL, retain: false } });
    const packetId = qos === 0 ? 0 : 1;
    node.send(publishPacket(NDATA, "x", { qos, packetId }), publishPacket(NDATA, "y"));
    assertEquals([node.connection.closed, node.types], [true, []]);
    assertEquals(host.takeMessages().map(({ topic }) => topic), [WILL.topic]);
  });
}

Deno.test("a message can pass with another QoS and RETAIN than it came with", () => {
  const { core } = refereed({
    publish: ({ topic: { role } }) => ({
      action: "route",
      qos: role === "birth" ? 0 : 1,
      retain: role !== "birth",
    }),
  });
  const host = core.connect();
  host.subscribe("spBv1.0/#", 2);
  const node = core.connect();
  node.send(publishPacket(NBIRTH, "x", { qos: 2, packetId: 1, retain: true }));
  node.send(publishPacket("spBv1.0/STATE/H", "x"));
  assertEquals(node.types, ["PUBREC"]); // as it came
  assertEquals(host.takeMessages().map(({ qos }) => qos), [0, 1]);
  assertEquals([core.statistics.retainedMessages, core.statistics.certificates], [1, 1]);
});

Deno.test("a CONNECT without Client Identifier is judged with the one that it gets", () => {
  const { core, asked } = refereed();
  core.open().send(connectPacket());
  assertEquals(asked, ["connect random-1 - 1800000000000"]);
});
