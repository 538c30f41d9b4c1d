/** Sessions, connections and answers as they are proved, and the real core, step by step. */
import { assertEquals, assertThrows } from "@std/assert";
import { CONNECTION, OPEN_ACCESS } from "../../src/broker/mod.ts";
import type { ControlPacket, TopicName } from "../../src/mqtt/mod.ts";
import { Random } from "../../fuzz/random.ts";
import { mutateSystem, type System } from "../../scripts/verify/proofs/system.ts";
import { ANSWERS } from "../../scripts/verify/systems/answers.ts";
import { CONNECTIONS } from "../../scripts/verify/systems/connections.ts";
import { SESSIONS } from "../../scripts/verify/systems/sessions.ts";
import { Core } from "../broker/_core.ts";
import type { FakeClient } from "../broker/_fake_client.ts";
import { connectPacket, filter, publishPacket } from "../support/wire_client.ts";
import { Replay } from "./_replay.ts";

const CLIENT = "c";

/** Runs a walk for many seeds; gives the steps that were taken. */
function walkAll(system: System, walk: (replay: Replay, random: Random) => void): string[] {
  const taken = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const replay = new Replay(system);
    walk(replay, new Random(seed));
    for (const step of replay.trail) taken.add(step.split("(")[0]!);
  }
  return [...taken].sort();
}

function mustBeNoticed(system: System, walk: (replay: Replay, random: Random) => void): void {
  for (const mutant of system.mutants) {
    const broken = { ...mutateSystem(system, mutant), claims: {}, invariant: {} };
    assertThrows(() => walkAll(broken, walk), Error, "");
  }
}

function walkSessions(replay: Replay, random: Random): void {
  const core = new Core({ limits: { sessionExpiryMs: 1_000 } });
  let client: FakeClient | null = null;
  for (let step = 0; step < 40; step++) {
    const pick = random.below(5);
    if (client === null && pick < 2) {
      const clean = random.oneIn(3);
      replay.take("connect", { clean });
      client = core.connect({ clientIdentifier: CLIENT, cleanSession: clean });
      assertEquals(client.sessionPresent, replay.get("isPresentTold"));
    } else if (client === null && replay.can("expire") && pick === 2) {
      replay.take("expire");
      core.advance(2_500);
    } else if (client !== null && pick < 3) {
      // A subscription more is what the session holds.
      replay.take("fill", { amount: 1 });
      client.subscribe(`filter/${replay.number("content")}`);
    } else if (client !== null && pick === 3) {
      replay.take("leave", { taken: false });
      client.lose();
      client = null;
    } else if (client !== null) {
      replay.take("leave", { taken: true });
      const clean = random.oneIn(2);
      replay.take("connect", { clean });
      client = core.connect({ clientIdentifier: CLIENT, cleanSession: clean });
      assertEquals(client.sessionPresent, replay.get("isPresentTold"));
    }
    assertEquals(core.statistics.subscriptions, replay.get("held"));
    assertEquals(core.statistics.sessions, replay.get("state") === "session.absent" ? 0 : 1);
  }
}

Deno.test("sessions live as in the system that is proved [MQTT-3.2.2-2] [MQTT-3.1.2-6]", () => {
  const taken = walkAll(SESSIONS, walkSessions);
  assertEquals(taken, ["connect", "expire", "fill", "leave"]);
});

Deno.test("a system whose sessions live otherwise is noticed", () => {
  mustBeNoticed(SESSIONS, walkSessions);
});

/** A Control Packet of each type; those of a server last. */
const PACKETS: readonly ControlPacket[] = [
  connectPacket({ clientIdentifier: CLIENT }),
  publishPacket("t", "x", { qos: 1, packetId: 1 }),
  { type: "PUBACK", packetId: 1 },
  { type: "PUBREC", packetId: 1 },
  { type: "PUBREL", packetId: 1 },
  { type: "PUBCOMP", packetId: 1 },
  { type: "SUBSCRIBE", packetId: 1, subscriptions: [{ filter: filter("f"), qos: 0 }] },
  { type: "UNSUBSCRIBE", packetId: 1, filters: [filter("f")] },
  { type: "PINGREQ" },
  { type: "DISCONNECT" },
  { type: "CONNACK", sessionPresent: false, returnCode: 0 },
  { type: "SUBACK", packetId: 1, returnCodes: [0] },
  { type: "UNSUBACK", packetId: 1 },
  { type: "PINGRESP" },
];
/** What is answered at once, and with what. */
const ANSWERS_TO: Readonly<Record<string, string>> = {
  SUBSCRIBE: "SUBACK",
  UNSUBSCRIBE: "UNSUBACK",
  PINGREQ: "PINGRESP",
};

function walkConnections(replay: Replay, random: Random): void {
  const core = new Core({
    policy: { ...OPEN_ACCESS, connect: () => ({ kind: "pending" }) },
  });
  const client = core.open();
  for (let step = 0; step < 8 && !client.connection.closed; step++) {
    if (replay.get("phase") === "phase.judged") {
      const event = ["accept", "refuse", "close"][random.below(3)]!;
      replay.take("verdict", { event: `connection/${event}` });
      const [pending] = core.broker.takeAuthentications();
      if (event === "close") client.lose();
      else {
        const refusal = event === "accept" ? null : { returnCode: 5, reason: null } as const;
        core.broker.authenticated(pending!, refusal, core.instant());
        core.turn();
        assertEquals(client.takeAll().map(({ type }) => type), ["CONNACK"]);
      }
    } else {
      const isFirst = replay.get("phase") === "phase.new" && !random.oneIn(4);
      const packet = PACKETS[isFirst ? 0 : random.below(PACKETS.length)]!;
      const isOfClient = PACKETS.indexOf(packet) < 10;
      if (isOfClient) replay.take("packet", { event: `connection/${packet.type}` });
      else replay.take("packet_of_a_server");
      client.send(packet);
      const told = client.takeAll().map(({ type }) => type).filter((type) =>
        Object.values(ANSWERS_TO).includes(type)
      );
      const isDue = replay.get("phase") === "phase.open" && packet.type in ANSWERS_TO;
      assertEquals(told, isDue ? [ANSWERS_TO[packet.type]!] : []);
    }
    const name = Object.entries(CONNECTION.states).find(([, n]) => n === client.connection.state)!;
    assertEquals(`connection.${name[0]}`, replay.get("state"));
  }
}

Deno.test("connections take packets as in the system that is proved [MQTT-3.1.0-2]", () => {
  const taken = walkAll(CONNECTIONS, walkConnections);
  assertEquals(taken, ["packet", "packet_of_a_server", "verdict"]);
});

Deno.test("a system that takes other packets is noticed", () => {
  mustBeNoticed(CONNECTIONS, walkConnections);
});

function walkAnswers(replay: Replay, random: Random): void {
  const core = new Core({ limits: { inFlightMessagesMax: 1 } });
  const options = { clientIdentifier: CLIENT, cleanSession: false };
  let client = core.connect(options);
  client.subscribe("in", 2);
  const keeper = core.connect({ clientIdentifier: "keeper", cleanSession: false });
  keeper.subscribe("out", 2);
  keeper.lose();
  let packetId = 1;
  function comeBack(): void {
    if (replay.get("sent") !== "sent.nothing") {
      replay.take("come_back", { event: "sender/resume" });
    }
    client = core.connect(options);
    const type = replay.get("sent") === "sent.released" ? "PUBREL" : "PUBLISH";
    const expected = replay.get("sent") === "sent.nothing" ? [] : [type];
    assertEquals(client.takeAll().map((packet) => packet.type), expected);
  }
  for (let step = 0; step < 40; step++) {
    const pick = random.below(10);
    if (pick === 0) {
      client.lose();
      comeBack();
    } else if (pick < 3 && replay.get("sent") === "sent.nothing") {
      const two = random.oneIn(2);
      replay.take("send", { event: two ? "sender/sendQos2" : "sender/sendQos1" });
      const content = { payload: new Uint8Array(1), qos: two ? 2 : 1, retain: false } as const;
      core.broker.publish("in" as TopicName, content, core.instant());
      core.turn();
      packetId = client.take("PUBLISH").packetId;
    } else if (pick < 6) {
      const type = (["PUBACK", "PUBREC", "PUBCOMP"] as const)[random.below(3)]!;
      const sent = replay.get("sent");
      replay.take("hear", { event: `sender/${type}` });
      client.send({ type, packetId });
      const isForbidden = replay.get("sent") === sent && sent !== "sent.nothing" &&
        !(type === "PUBREC" && sent === "sent.released");
      assertEquals(client.connection.closed, isForbidden, `${type} ${String(sent)}`);
      const told = client.takeAll().map((packet) => packet.type);
      assertEquals(told, type === "PUBREC" && !isForbidden ? ["PUBREL"] : []);
      if (isForbidden) comeBack();
    } else {
      const event = ["publishQos1", "publishQos2", "PUBREL"][random.below(3)]!;
      const routed = replay.number("routed");
      replay.take("receive", { event: `receiver/${event}` });
      const before = core.statistics.queuedMessages;
      const qos = event === "publishQos1" ? 1 : 2;
      if (event === "PUBREL") client.send({ type: "PUBREL", packetId: 9 });
      else client.send(publishPacket("out", "x", { qos, packetId: 9 }));
      const answer = event === "PUBREL" ? "PUBCOMP" : qos === 1 ? "PUBACK" : "PUBREC";
      assertEquals(client.takeAll().map((packet) => packet.type), [answer]);
      const isHandedOn = event === "publishQos1" || replay.number("routed") > routed;
      assertEquals(core.statistics.queuedMessages - before, isHandedOn ? 1 : 0);
    }
  }
}

Deno.test("packets are answered as in the system that is proved [MQTT-4.3.3-1]", () => {
  const taken = walkAll(ANSWERS, walkAnswers);
  assertEquals(taken, ["come_back", "hear", "receive", "send"]);
});

Deno.test("a system that answers otherwise is noticed", () => {
  mustBeNoticed(ANSWERS, walkAnswers);
});
