/** Restarts: the order of sending, retained answers that were not finished, messages put into the store. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import type { PublishPacket, Qos } from "../../src/mqtt/mod.ts";
import { filter, name, payload, text } from "../support/wire_client.ts";
import { Core, type CoreOptions } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";
import { RecordingStore } from "./_recording_store.ts";

/** Retained topics; more of them than a client may have in flight. */
const RETAINED = Array.from({ length: 12 }, (_, i) => `r/${String(i).padStart(2, "0")}`);

function newCore(limits: CoreOptions["limits"] = {}): Core {
  return new Core({ store: new RecordingStore(), limits: { inFlightMessagesMax: 4, ...limits } });
}

/** Another process over what is committed. */
function restart(core: Core): Core {
  core.commit();
  const store = (core.store as RecordingStore).afterCrash();
  return new Core({ store, limits: core.limits, wallMs: core.wallMs });
}

function comeBack(core: Core): FakeClient {
  return core.connect({ clientIdentifier: "c", cleanSession: false });
}

function retain(core: Core): void {
  const publisher = core.connect();
  for (const topic of RETAINED) publisher.publish(topic, topic, { qos: 1, retain: true });
}

function subscribe(client: FakeClient, topicFilter: string, qos: Qos = 1): void {
  const subscriptions = [{ filter: filter(topicFilter), qos }];
  client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
}

/** Acknowledges the first `count` messages and all that follow from that; gives them. */
function receive(client: FakeClient, count = Infinity): PublishPacket[] {
  const got: PublishPacket[] = [];
  while (got.length < count) {
    const packet = client.inbox.shift();
    if (packet === undefined) break;
    if (packet.type !== "PUBLISH") continue;
    got.push(packet);
    if (packet.qos > 0) client.send({ type: "PUBACK", packetId: packet.packetId });
  }
  return got;
}

function topicsOf(messages: readonly PublishPacket[]): string[] {
  return messages.map(({ topic }) => topic);
}

/** The filters whose retained answer the store takes for unfinished. */
function pending(core: Core): string[] {
  core.commit();
  return core.store.load().sessions.flatMap(({ subscriptions }) =>
    subscriptions.flatMap((one) => one.replayPending ? [one.filter as string] : [])
  );
}

Deno.test("what is in flight comes again in the order of sending, retained answers between live messages", () => {
  const core = newCore({ inFlightMessagesMax: 3 });
  core.connect().publish("r", "retained", { qos: 1, retain: true });
  const client = comeBack(core);
  client.subscribe("t", 1);
  const publisher = core.connect();
  for (const content of ["1", "2", "3", "4"]) publisher.publish("t", content, { qos: 1 });
  subscribe(client, "r");
  const before = receive(client, 2); // so that "4", which waited, and the retained one are sent
  assertEquals(before.map((m) => text(m.payload)), ["1", "2"]);
  const sent = client.takeMessages().map((m) => [text(m.payload), m.packetId]);
  assertEquals(sent.map(([content]) => content), ["3", "4", "retained"]);
  publisher.publish("t", "5", { qos: 1 });
  const again = comeBack(restart(core));
  const redelivered = again.takeMessages();
  assertEquals(redelivered.map((m) => [text(m.payload), m.packetId]), sent);
  assert(redelivered.every((m) => m.dup));
  for (const { packetId } of redelivered) again.send({ type: "PUBACK", packetId });
  assertEquals(again.takeMessages().map((m) => [text(m.payload), m.dup]), [["5", false]]);
});

Deno.test("a message that waited behind a retained answer comes again behind it", () => {
  const core = newCore();
  retain(core);
  const client = comeBack(core);
  client.subscribe("t", 1);
  subscribe(client, "r/#");
  core.connect().publish("t", "waits", { qos: 1 });
  receive(client, 10);
  const expected = ["r/10", "r/11", "t"];
  assertEquals(topicsOf(client.takeMessages()), expected);
  assertEquals(topicsOf(receive(comeBack(restart(core)))), expected);
});

Deno.test("the order of sending survives two restarts, with messages sent between them", () => {
  const core = newCore();
  const client = comeBack(core);
  client.subscribe("t", 1);
  for (const content of ["1", "2"]) core.connect().publish("t", content, { qos: 1 });
  client.lose();
  for (const content of ["3", "4", "5"]) core.connect().publish("t", content, { qos: 1 });
  const second = restart(core);
  const resumed = comeBack(second);
  const first = resumed.take("PUBLISH");
  resumed.send({ type: "PUBACK", packetId: first.packetId });
  const sent = resumed.takeMessages().map((m) => text(m.payload));
  assertEquals(sent, ["2", "3", "4", "5"]);
  assertEquals(comeBack(restart(second)).takeMessages().map((m) => text(m.payload)), sent);
});

Deno.test("an unfinished retained answer begins anew behind a restart, and is finished once", () => {
  const core = newCore();
  retain(core);
  const client = comeBack(core);
  subscribe(client, "r/#");
  receive(client, 2);
  assertEquals(pending(core), ["r/#"]);
  const second = restart(core);
  const resumed = comeBack(second);
  const got = receive(resumed);
  assert(got.every((m) => m.retain));
  assertEquals([...new Set(topicsOf(got))].sort(), RETAINED);
  const anew = got.filter((m) => !m.dup);
  assertEquals(topicsOf(anew), RETAINED, "behind what was in flight");
  assertEquals(pending(second), []);
  assertEquals(receive(comeBack(restart(second))), []);
});

Deno.test("a retained answer that has not begun comes behind a restart, behind what waits", () => {
  const core = newCore();
  retain(core);
  const client = comeBack(core);
  client.subscribe("t", 1);
  for (let i = 0; i < 6; i++) core.connect().publish("t", `${i}`, { qos: 1 });
  subscribe(client, "r/#");
  const got = receive(comeBack(restart(core)));
  assertEquals(topicsOf(got), [...Array(6).fill("t"), ...RETAINED]);
});

Deno.test("a retained answer that was given up with its subscription does not begin anew", () => {
  const core = newCore();
  retain(core);
  const client = comeBack(core);
  subscribe(client, "r/#");
  client.send({ type: "UNSUBSCRIBE", packetId: 1, filters: [filter("r/#")] });
  assertEquals(pending(core), []);
  const got = receive(comeBack(restart(core)));
  assertEquals(topicsOf(got), RETAINED.slice(0, 4), "only what was in flight");
});

Deno.test("subscribing anew behind an UNSUBSCRIBE answers anew, and it is finished once", () => {
  const core = newCore();
  retain(core);
  const client = comeBack(core);
  subscribe(client, "r/#");
  client.send({ type: "UNSUBSCRIBE", packetId: 1, filters: [filter("r/#")] });
  subscribe(client, "r/#");
  assertEquals(pending(core), ["r/#"]);
  const second = restart(core);
  receive(comeBack(second));
  assertEquals(pending(second), []);
});

Deno.test("a clean session or a discarded one leaves no retained answer", () => {
  const core = newCore();
  retain(core);
  subscribe(comeBack(core), "r/#");
  core.connect({ clientIdentifier: "c", cleanSession: true }).disconnect();
  assertEquals(core.store.load().sessions, []);
  const clean = core.connect({ clientIdentifier: "d" });
  subscribe(clean, "r/#");
  assertEquals(restart(core).store.load().sessions, []);
});

Deno.test("a client that is away in the middle of a retained answer gets the rest, and it is finished", () => {
  const core = newCore();
  retain(core);
  const client = comeBack(core);
  subscribe(client, "r/#");
  client.lose();
  const got = receive(comeBack(core));
  assertEquals(topicsOf(got), RETAINED);
  assertEquals(pending(core), []);
});

Deno.test("a second answer to the same filter is unfinished when the first one is finished", () => {
  const core = newCore();
  retain(core);
  const client = comeBack(core);
  subscribe(client, "r/#");
  subscribe(client, "r/#");
  receive(client, RETAINED.length);
  assertEquals(pending(core), ["r/#"]);
  receive(client);
  assertEquals(pending(core), []);
});

/** So many that a turn can walk them all three times, and not more often. */
const WIDE = 3_000;

Deno.test("a retained answer that takes the place of one that waits is finished for both", () => {
  const core = newCore({ retainedMessagesMax: WIDE, retainedBytesMax: 1 << 28 });
  for (let i = 0; i < WIDE; i++) {
    core.publish(`w${i}/${i % 100 === 0 ? "x" : "y"}`, payload("v"), true);
  }
  let waited = 0;
  for (let before = 4; before < 10; before++) {
    const client = comeBack(core);
    const filters = [...Array.from({ length: before }, (_, i) => `+/none${i}`), "+/x"];
    const subscriptions = filters.map((f) => ({ filter: filter(f), qos: 0 as const }));
    client.send({ type: "SUBSCRIBE", packetId: 1, subscriptions });
    if (pending(core).includes("+/x")) waited++;
    subscribe(client, "+/x", 0); // the walks go on, and may come to their end at once
    for (let turns = 0; core.broker.replaysWait; turns++) {
      assert(turns < 20, "walks for ever");
      core.broker.continueReplays(core.instant());
      core.turn();
    }
    assertEquals(pending(core), [], `${before} answers before it`);
    core.connect({ clientIdentifier: "c", cleanSession: true }).disconnect();
  }
  assertGreater(waited, 0);
});

Deno.test("messages put into the store are published at the start, once, in their order", () => {
  const store = new RecordingStore();
  const first = new Core({ store });
  comeBack(first).subscribe("t/#", 2);
  first.commit();
  const next = store.afterCrash();
  next.publish([
    { id: 3, topic: name("t/1"), qos: 1, retain: false, payload: payload("one") },
    { id: 4, topic: name("t/2"), qos: 2, retain: true, payload: payload("two") },
  ]);
  const second = new Core({ store: next });
  assertEquals(next.load().publications, []);
  assertEquals(second.statistics.retainedMessages, 1);
  const third = restart(second);
  const got = comeBack(third).takeMessages();
  assertEquals(got.map((m) => [m.topic as string, text(m.payload), m.qos]), [
    ["t/1", "one", 1],
    ["t/2", "two", 2],
  ]);
});
