/** Whom sessions belong to: the core asks before it touches anything, and remembers the answer. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type AccessPolicy, describeEvent, OPEN_ACCESS } from "../../src/broker/mod.ts";
import { name, payload, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import { RecordingStore } from "./_recording_store.ts";

const AWAY = { clientIdentifier: "c", cleanSession: false };

/** Whoever gives a user name is that user; a session is its user's, and nobody may publish "no". */
const BY_NAME: AccessPolicy = {
  ...OPEN_ACCESS,
  session: ({ userName }, owner) => {
    const name = userName ?? "";
    if (owner === "" || owner === name) return { kind: "grant", owner: name };
    return { kind: "refuse", code: 2, reason: "foreignSession" };
  },
  will: ({ owner }, topic) => topic === "no" || owner === "gone" ? "drop" : "allow",
};

Deno.test("who may not have a session is refused, and its client does not notice", () => {
  const core = new Core({ policy: BY_NAME });
  const alice = core.connect({ ...AWAY, userName: "alice" });
  alice.subscribe("t", 1);
  for (const cleanSession of [true, false]) {
    const bob = core.open();
    bob.sendConnect({ clientIdentifier: "c", cleanSession, userName: "bob" });
    const [connack] = bob.takeAll();
    assertEquals(connack, { type: "CONNACK", sessionPresent: false, returnCode: 2 });
    assert(bob.connection.closed);
  }
  core.connect().publish("t", "live");
  assertEquals(alice.takeMessages().map((m) => text(m.payload)), ["live"]);
  const { takeOvers, identitiesRefused, clientsConnected } = core.statistics;
  assertEquals([takeOvers, identitiesRefused, clientsConnected], [0, 2, 2]);
  const lines = core.events.map((event) => describeEvent(event).text);
  assertStringIncludes(
    lines.join("\n"),
    'session refused: client="c" user="bob" address=',
  );
  assertStringIncludes(
    lines.join("\n"),
    'the session of this Client Identifier belongs to "alice"',
  );
});

Deno.test("a session belongs to its user while he is away and over restarts, and to nobody before", () => {
  const store = new RecordingStore();
  const first = new Core({ policy: BY_NAME, store });
  first.connect(AWAY).subscribe("t", 1);
  const taken = first.connect({ ...AWAY, userName: "alice" });
  taken.disconnect();
  const second = new Core({ policy: BY_NAME, store });
  second.connect().publish("t", "kept", { qos: 1 });
  const bob = second.open();
  bob.sendConnect({ ...AWAY, userName: "bob" });
  assertEquals(bob.takeAll().map((packet) => packet.type), ["CONNACK"]);
  const anonymous = second.open();
  anonymous.sendConnect(AWAY);
  assert(anonymous.connection.closed);
  const alice = second.open();
  alice.sendConnect({ ...AWAY, userName: "alice" });
  const [connack, message] = alice.takeAll();
  assertEquals(connack, { type: "CONNACK", sessionPresent: true, returnCode: 0 });
  assertEquals(message?.type, "PUBLISH");
});

Deno.test("a session that ends leaves its Client Identifier to whoever comes next", () => {
  const core = new Core({ policy: BY_NAME });
  core.connect({ ...AWAY, userName: "alice" }).disconnect();
  core.connect({ clientIdentifier: "c", userName: "alice" }).disconnect();
  const bob = core.connect({ ...AWAY, userName: "bob" });
  assert(!bob.connection.closed);
});

Deno.test("a Will that is published at the start is judged by the rules of that moment", () => {
  const store = new RecordingStore();
  const will = { payload: payload("w"), qos: 1 as const, retain: true };
  const wills = [["yes", "alice"], ["no", "alice"], ["maybe", "gone"], ["too", undefined]] as const;
  {
    const core = new Core({ store });
    for (const [topic, userName] of wills) {
      const who = userName === undefined ? {} : { userName };
      core.broker.setPolicy({ ...BY_NAME, generation: 2 });
      core.connect({ clientIdentifier: topic, ...who, will: { ...will, topic: name(topic) } });
    }
  }
  const again = new Core({ policy: BY_NAME, store });
  assertEquals(again.statistics.willsPublished, 2);
  assertEquals(again.statistics.dropped["publish-refused"], 2);
  const watcher = again.connect();
  watcher.subscribe("#");
  assertEquals(watcher.takeMessages().map((m) => m.topic as string).sort(), ["too", "yes"]);
  const letters = store.letters.map(({ publisher, reason }) => `${publisher} ${reason}`);
  assertEquals(letters, ["no publish-refused", "maybe publish-refused"]);
});

Deno.test("a Will of a time when its owner was not written down is published as it was admitted", () => {
  const store = new RecordingStore();
  const state = store.load();
  const stored = { topic: name("no"), payload: payload("w"), qos: 0 as const, retain: true };
  store.load = () => ({
    ...state,
    wills: [{ clientIdentifier: "old", will: stored, owner: null }],
  });
  const core = new Core({ policy: BY_NAME, store });
  assertEquals([core.statistics.willsPublished, core.statistics.retainedMessages], [1, 1]);
});
