/** What the core tells of denials, take-overs and refused CONNECTs. */
import { assertEquals } from "@std/assert";
import { type AccessPolicy, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { publishPacket } from "../support/wire_client.ts";
import { Core } from "./_core.ts";

/** Nothing is allowed below "no". */
function policy(overrides: Partial<AccessPolicy> = {}): AccessPolicy {
  return {
    ...OPEN_ACCESS,
    publish: (_client, topic) => topic.startsWith("no") ? "drop" : "allow",
    subscribe: (_client, { filter, qos }) => filter.startsWith("no") ? null : qos,
    ...overrides,
  };
}

/** Denials since the last call, in short. */
function denials(core: Core): string[] {
  const taken = core.broker.takeDenials();
  if (taken === null) return [];
  const kept = taken.kept.map(({ connection, action, topic, count, serverOwned }) =>
    `${connection.clientIdentifier} ${action} ${topic} ${count}${serverOwned ? " server" : ""}`
  );
  return taken.others > 0 ? [...kept, `others ${taken.others}`] : kept;
}

Deno.test("denials of one wish in a row are one, with their count", () => {
  const core = new Core({ policy: policy() });
  const a = core.connect({ clientIdentifier: "a" });
  const b = core.connect({ clientIdentifier: "b" });
  for (const topic of ["no", "no", "yes", "no", "no/2", "$SYS/x"]) {
    a.send(publishPacket(topic, "x"));
  }
  a.send(publishPacket("no", "x", { qos: 1, packetId: 1 }));
  a.send(publishPacket("no", "x", { qos: 2, packetId: 2 }));
  b.send(publishPacket("no", "x", { retain: true }));
  assertEquals(denials(core), [
    "a publish no 3",
    "a publish no/2 1",
    "a publish $SYS/x 1 server",
    "a publish no 2",
    "b publish no 1",
  ]);
  assertEquals(core.broker.takeDenials(), null);
});

Deno.test("a turn keeps 64 denials and counts the others", () => {
  const core = new Core({ policy: policy() });
  const client = core.connect({ clientIdentifier: "c" });
  for (let i = 0; i < 100; i++) client.send(publishPacket(`no/${i}`, "x"));
  const found = denials(core);
  assertEquals([found.length, found[0], found[64]], [65, "c publish no/0 1", "others 36"]);
  client.send(publishPacket("no", "x"));
  assertEquals(denials(core), ["c publish no 1"]);
});

Deno.test("a denial that closes the connection is told, too", () => {
  const core = new Core({ policy: policy({ publish: () => "close" }) });
  core.connect({ clientIdentifier: "c" }).send(publishPacket("t", "x", { qos: 1, packetId: 1 }));
  assertEquals(denials(core), ["c publish t 1"]);
});

Deno.test("a CONNECT that is refused is told with its return code and the reason behind it", () => {
  const refusing = policy({ connect: () => ({ kind: "refuse", code: 5 }) });
  const core = new Core({ policy: refusing });
  core.open().sendConnect({ clientIdentifier: "c" });
  const full = new Core({ limits: { sessionsMax: 1 } });
  full.connect({ clientIdentifier: "first" });
  full.open().sendConnect({ clientIdentifier: "second" });
  const refusals = [...core.events, ...full.events].map((event) =>
    event.kind === "closed" ? event.refusal : event.kind
  );
  assertEquals(refusals, [
    { returnCode: 5, reason: null },
    "connected",
    { returnCode: 3, reason: "sessions-max" },
  ]);
});

Deno.test("a take-over is told with both connections, and one that is not allowed ends the newcomer", () => {
  const asked: unknown[] = [];
  let allowed = true;
  const core = new Core({
    takeOvers: {
      allows({ newcomer, holder }, nowMs) {
        asked.push([newcomer.clientIdentifier, holder.clientIdentifier, nowMs]);
        return allowed;
      },
    },
  });
  const first = core.connect({ clientIdentifier: "c" });
  const second = core.connect({ clientIdentifier: "c" });
  allowed = false;
  const third = core.open();
  third.sendConnect({ clientIdentifier: "c" });
  assertEquals(third.take("CONNACK").returnCode, 3);
  assertEquals([first, second, third].map(({ connection }) => connection.closed), [
    true,
    false,
    true,
  ]);
  const found = core.events.filter(({ kind }) => kind !== "connected").map((event) => {
    if (event.kind === "takenOver") return [event.connection, event.from];
    return event.kind === "closed" ? [event.connection, event.cause, event.refusal] : [];
  });
  assertEquals(found, [
    [second.connection, first.connection],
    [first.connection, "takenOver", null],
    [third.connection, "refused", { returnCode: 3, reason: "take-over-storm" }],
  ]);
  assertEquals(asked, [["c", "c", 1000], ["c", "c", 1000]]);
  const { takeOvers, takeOversRefused } = core.statistics;
  assertEquals([takeOvers, takeOversRefused], [1, 1]);
});
