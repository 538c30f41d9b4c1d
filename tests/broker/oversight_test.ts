/** What an operator sees of the core and changes in it. */
import { assert, assertEquals } from "@std/assert";
import type { Replayed } from "../../src/broker/oversight.ts";
import { name, payload, publishPacket, text } from "../support/wire_client.ts";
import { Core, NOTHING_LEFT } from "./_core.ts";
import { coreWith, REFUSING } from "./_dead_letters.ts";

const WILL = { topic: name("will"), payload: payload("gone"), qos: 1 as const, retain: false };

Deno.test("a client that an operator disconnects leaves its Will, or does not where he says so", () => {
  for (const will of [true, false]) {
    const { core, store } = coreWith();
    const witness = core.connect({ clientIdentifier: "witness" });
    witness.subscribe("will", 1);
    const client = core.connect({ clientIdentifier: "c", will: WILL });
    const { oversight } = core.broker;
    const { connection } = oversight.session("c")!;
    const instant = core.instant();
    oversight.disconnect(connection!, { cause: "operator", will, instant });
    core.turn();
    assert(client.connection.closed);
    assertEquals(witness.takeMessages().map(({ topic }) => topic), will ? ["will"] : []);
    assertEquals(store.load().wills, [], "it is due no more, not even at the next start");
    const closed = core.events.flatMap((event) => event.kind === "closed" ? [event.cause] : []);
    assertEquals(closed, ["operator"]);
    // Once more is no fault of anybody.
    oversight.disconnect(connection!, { cause: "operator", will, instant });
  }
});

Deno.test("a session that an operator removes is gone with its connection and all that waits", () => {
  for (const isThere of [true, false]) {
    const { core, store } = coreWith({ inFlightMessagesMax: 1 });
    const client = core.connect({ clientIdentifier: "c", cleanSession: false });
    client.subscribe("t", 1);
    if (!isThere) client.disconnect();
    const publisher = core.connect({ clientIdentifier: "p" });
    for (const content of ["1", "2", "3"]) publisher.publish("t", content, { qos: 1 });
    core.broker.oversight.removeSession(core.broker.oversight.session("c")!, core.instant());
    core.turn();
    assertEquals(client.connection.closed, true);
    assertEquals(core.broker.oversight.session("c"), undefined);
    assertEquals(store.load().sessions, []);
    // Also what was on its way to the client: nobody knows whether it came there.
    assertEquals(store.reasons, Array(3).fill("session-removed"));
    publisher.disconnect();
    core.forget(client);
    core.forget(publisher);
    assertEquals(core.gauges(), NOTHING_LEFT);
    assertEquals(
      core.connect({ clientIdentifier: "c", cleanSession: false }).sessionPresent,
      false,
    );
  }
});

Deno.test("a Clean Session that an operator removes ends with its connection", () => {
  const core = new Core();
  const client = core.connect({ clientIdentifier: "c" });
  core.broker.oversight.removeSession(core.broker.oversight.session("c")!, core.instant());
  core.turn();
  assert(client.connection.closed);
  assertEquals([...core.broker.oversight.sessions()], []);
});

Deno.test("a retained message that an operator removes is removed from the store", () => {
  const { core, store } = coreWith();
  const client = core.connect();
  client.publish("a/b", "x", { qos: 1, retain: true });
  client.publish("a", "y", { qos: 1, retain: true });
  const { oversight } = core.broker;
  assertEquals(oversight.removeRetained(name("a/b"), core.instant()), true);
  assertEquals(oversight.removeRetained(name("a/b"), core.instant()), false);
  assertEquals(oversight.removeRetained(name("a/b/c"), core.instant()), false);
  core.turn();
  assertEquals(store.load().retained.map(({ topic }) => topic), [name("a")]);
  assertEquals(core.statistics.retainedMessages, 1);
});

Deno.test("what is retained is seen level by level", () => {
  const core = new Core();
  const client = core.connect();
  for (const topic of ["p/1/x", "p/1", "p//x", "__proto__/p", "/p"]) {
    client.publish(topic, topic, { qos: 1, retain: true });
  }
  const { oversight } = core.broker;
  const levels = (...path: string[]) =>
    [...oversight.retainedBelow(path) ?? []].map(([level, { children, message }]) =>
      `${level}${children === null ? "" : "/"}${message === null ? "" : "="}`
    );
  assertEquals(levels(), ["p/", "__proto__/", "/"]);
  assertEquals(levels("p"), ["1/=", "/"]);
  assertEquals(levels("p", ""), ["x="]);
  assertEquals(levels("p", "1", "x"), []);
  assertEquals(levels("no", "such"), []);
  assertEquals(oversight.retained(name("p/1"))?.topic, "p/1");
  assertEquals(oversight.retained(name("p")), null);
});

Deno.test("a message of the operator goes where that of a client would, and says to how many", () => {
  const { core, store } = coreWith({ packetBytesMax: 200, topicLevelsMax: 3 });
  const there = core.connect({ clientIdentifier: "there" });
  there.subscribe("a/#", 1);
  const away = core.connect({ clientIdentifier: "away", cleanSession: false });
  away.subscribe("a/b", 1);
  away.disconnect();
  const { oversight } = core.broker;
  const publish = (topic: string, content = "x") => {
    const message = { topic, payload: payload(content), qos: 1 as const, retain: true };
    return oversight.publish(message, core.instant());
  };
  assertEquals([publish("a/b"), publish("c")], [2, 0]);
  core.turn();
  assertEquals(there.takeMessages().map(({ topic, retain }) => [topic, retain]), [["a/b", false]]);
  const { sessions, retained } = store.load();
  assertEquals(sessions[0]!.deliveries.length, 1);
  assertEquals(retained.map(({ topic }) => topic), [name("a/b"), name("c")]);
  const wrong = ["", "a/+", "a\0", "a/b/c/d", "$SYS/x", "$sparkplug/certificates/x"];
  for (const topic of wrong) assertEquals(typeof publish(topic), "object", topic);
  assertEquals(typeof publish("a", "x".repeat(200)), "object");
  core.turn();
  assertEquals(store.load().retained.length, 2);
});

Deno.test("dead letters that are replayed leave the ring in the batch that publishes them", () => {
  const { core, store } = coreWith({}, REFUSING);
  const away = core.connect({ clientIdentifier: "away", cleanSession: false });
  away.subscribe("again", 1);
  away.disconnect();
  const publisher = core.connect();
  for (const content of ["1", "2", "3"]) publisher.publish("no", content, { qos: 1 });
  const letters: Replayed[] = store.letters.map(({ id, message }) => ({
    id,
    topic: id === 3 ? "$SYS/x" : "again",
    payload: message.payload,
    qos: 1,
    retain: false,
  }));
  store.slow = true;
  const { oversight } = core.broker;
  assertEquals(oversight.lastDeadLetter, 3);
  assertEquals(oversight.replay(letters.slice(1), core.instant()), 1);
  assertEquals(oversight.replay(letters.slice(1), core.instant()), 0, "it is not there any more");
  core.turn();
  const waiting = () => store.load().sessions[0]!.deliveries.map((d) => text(d.message.payload));
  const kept = () => store.load().deadLetters.map(({ id }) => id);
  assertEquals([waiting(), kept()], [[], [1, 2, 3]]);
  core.release(store.progress());
  assertEquals([waiting(), kept()], [["2"], [1, 3]]);
  assertEquals(core.statistics.deadLetters, 2);
  const bytes = store.load().deadLetters.reduce((sum, letter) => sum + letter.bytes, 0);
  assertEquals(core.statistics.deadLetterBytes, bytes);
  assertEquals(oversight.purge([3, 2, 7], core.instant()), 1);
  assertEquals(oversight.lastDeadLetter, 1);
  store.slow = false;
  publisher.publish("no", "4", { qos: 1 });
  assertEquals(kept(), [1, 4], "numbers go on");
});

Deno.test("a replayed dead letter that is given up again is a new one, not the one replayed", () => {
  const limits = { deadLettersMessagesMax: 2, deadLettersPerSecondMax: 1_000, queueMessagesMax: 1 };
  const { core, store } = coreWith({ ...limits, queueFull: "drop_newest" });
  const away = core.connect({ clientIdentifier: "away", cleanSession: false });
  away.subscribe("t", 1);
  away.disconnect();
  const publisher = core.connect();
  for (const content of ["0", "1", "2"]) publisher.publish("t", content, { qos: 1 });
  const all = store.letters.map(({ id, message, qos, retain }) => ({
    ...{ id, qos, retain },
    topic: message.topic,
    payload: message.payload,
  }));
  core.advance(1_000); // that the rate lets them be kept
  assertEquals(core.broker.oversight.replay(all, core.instant()), 2);
  core.turn();
  assertEquals(store.load().deadLetters.map(({ id }) => id), [3, 4]);
});

Deno.test("a connection knows since when its client is there and what it has sent and got", () => {
  const core = new Core();
  const client = core.connect({ clientIdentifier: "c" });
  const connectedAtMs = core.wallMs;
  client.subscribe("t");
  core.advance(500);
  const before = client.connection.bytesReceived;
  client.send(publishPacket("t", "x"), publishPacket("u", "y"), publishPacket("t", "z"));
  client.takeAll();
  client.publish("u", "q", { qos: 1 });
  const { connection } = core.broker.oversight.session("c")!;
  assertEquals(connection!.connectedAtMs, connectedAtMs);
  assertEquals(connection!.publishReceived, 4);
  assertEquals(connection!.bytesReceived - before, 3 * 6 + 8);
  assertEquals(connection!.bytesReceived, core.statistics.bytesReceived);
  assertEquals(connection!.bytesSent, core.statistics.bytesSent);
});

Deno.test("an operator sees since when clients are away, whatever is done to the wall clock", () => {
  const core = new Core();
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  const { oversight } = core.broker;
  const session = oversight.session("c")!;
  assertEquals(oversight.awaySinceMs(session, core.instant()), null);
  client.disconnect();
  core.advance(60_000);
  assertEquals(oversight.awaySinceMs(session, core.instant()), core.wallMs - 60_000);
  core.wallMs += 3_600_000;
  assertEquals(oversight.awaySinceMs(session, core.instant()), core.wallMs - 60_000);
});

Deno.test("an operator sees whose subscriptions match a topic", () => {
  const core = new Core();
  const topics = [["a", "p/#"], ["b", "p/+"], ["b", "#"], ["c", "q"]] as const;
  for (const [clientIdentifier, wanted] of topics) {
    core.connect({ clientIdentifier, cleanSession: false }).subscribe(wanted);
  }
  const found = core.broker.oversight.subscribers(name("p/1"));
  assertEquals([...found].map((session) => session.clientIdentifier).sort(), ["a", "b"]);
});
