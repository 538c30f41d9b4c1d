/** Messages that the broker gives up: counted by reason, kept within bounds, and told to whoever asks. */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { AccessPolicy, DropReason } from "../../src/broker/mod.ts";
import type { Qos } from "../../src/mqtt/mod.ts";
import { name, payload, publishPacket, text } from "../support/wire_client.ts";
import type { Core } from "./_core.ts";
import { coreWith, type Limits, REFUSING } from "./_dead_letters.ts";
import type { FakeClient } from "./_fake_client.ts";

/** A session whose client is away. */
function away(core: Core, topicFilter = "t", clientIdentifier = "away"): void {
  const client = core.connect({ clientIdentifier, cleanSession: false });
  client.subscribe(topicFilter, 1);
  client.lose();
}

/** Publishes at QoS 1; gives the client. */
function publish(core: Core, ...contents: string[]): FakeClient {
  const client = core.connect({ clientIdentifier: "p" });
  for (const content of contents) client.publish("t", content, { qos: 1 });
  return client;
}

/** One way to lose exactly one message, and what its dead letter says. */
interface Loss {
  readonly what: string;
  readonly reason: DropReason;
  readonly limits?: Limits;
  readonly policy?: AccessPolicy;
  lose(core: Core): void;
  /** Topic, payload, QoS, RETAIN, publisher, session. */
  readonly letter: readonly [string, string, Qos, boolean, string, string];
}

const QUEUE_LOSSES: readonly Loss[] = [
  {
    what: "the newest message of a full queue",
    reason: "queue-full-newest",
    limits: { queueMessagesMax: 1 },
    lose: (core) => {
      away(core);
      publish(core, "first", "second");
    },
    letter: ["t", "second", 1, false, "p", "away"],
  },
  {
    what: "the oldest message of a full queue, whose publisher nobody remembers",
    reason: "queue-full-oldest",
    limits: { queueMessagesMax: 1, queueFull: "drop_oldest" },
    lose: (core) => {
      away(core);
      publish(core, "first", "second");
    },
    letter: ["t", "first", 1, false, "", "away"],
  },
  {
    what: "a message at QoS 0 for an outbox that is full",
    reason: "stalled-consumer",
    limits: { outboxBytesMax: 200, outboxHighWaterBytes: 100, outboxLowWaterBytes: 10 },
    lose: (core) => {
      const stalled = core.connect({ clientIdentifier: "stalled" });
      stalled.subscribe("t");
      stalled.frozen = true;
      core.connect().publish("t", "x".repeat(300));
      core.connect({ clientIdentifier: "p" }).publish("t", "lost");
    },
    letter: ["t", "lost", 0, false, "p", "stalled"],
  },
  {
    what: "a message that waited for too long",
    reason: "message-expired",
    limits: { queueMessageExpiryMs: 5_000 },
    lose: (core) => {
      away(core);
      publish(core, "old");
      core.advance(7_000);
    },
    letter: ["t", "old", 1, false, "", "away"],
  },
  {
    what: "a message that is too old when its client acknowledges the one before",
    reason: "message-expired",
    limits: { queueMessageExpiryMs: 5_000, inFlightMessagesMax: 1 },
    lose: (core) => {
      const client = core.connect({ clientIdentifier: "away", cleanSession: false });
      client.subscribe("t", 1);
      publish(core, "sent", "old");
      core.nowMs += 7_000;
      client.send({ type: "PUBACK", packetId: client.take("PUBLISH").packetId });
      assertEquals(client.inbox, []);
    },
    letter: ["t", "old", 1, false, "", "away"],
  },
];

const STATE_LOSSES: readonly Loss[] = [
  {
    what: "what waited for a session that has expired",
    reason: "session-expired",
    limits: { sessionExpiryMs: 10_000 },
    lose: (core) => {
      away(core);
      publish(core, "x");
      core.advance(11_000);
    },
    letter: ["t", "x", 1, false, "", "away"],
  },
  {
    what: "what waited for a session that had to make room",
    reason: "session-limit",
    limits: { sessionsMax: 2, sessionsFull: "drop_oldest" },
    lose: (core) => {
      away(core);
      publish(core, "x");
      core.connect({ clientIdentifier: "third" });
    },
    letter: ["t", "x", 1, false, "", "away"],
  },
  {
    what: "a message that is not retained because there are too many",
    reason: "retained-limit",
    limits: { retainedMessagesMax: 1 },
    lose: (core) => {
      const client = core.connect({ clientIdentifier: "p" });
      client.publish("r/1", "first", { qos: 1, retain: true });
      client.publish("r/2", "second", { qos: 1, retain: true });
    },
    letter: ["r/2", "second", 1, true, "p", ""],
  },
  {
    what: "the retained message that had to make room",
    reason: "retained-limit",
    limits: { retainedMessagesMax: 1, retainedFull: "drop_oldest" },
    lose: (core) => {
      core.connect().publish("r/1", "first", { qos: 2, retain: true });
      core.connect({ clientIdentifier: "p" }).publish("r/2", "second", { qos: 1, retain: true });
    },
    letter: ["r/1", "first", 2, true, "", ""],
  },
];

const REFUSALS: readonly Loss[] = [
  ...([0, 1, 2] as const).map((qos): Loss => ({
    what: `a message at QoS ${qos} that the policy refuses`,
    reason: "publish-refused",
    policy: REFUSING,
    lose: (core) => core.connect({ clientIdentifier: "p" }).publish("no", "x", { qos }),
    letter: ["no", "x", qos, false, "p", ""],
  })),
  {
    what: "a message whose client is disconnected for it",
    reason: "publish-refused",
    policy: { ...REFUSING, publish: () => "close" },
    lose: (core) => {
      const client = core.connect({ clientIdentifier: "p" });
      client.send(publishPacket("no", "x", { qos: 1, packetId: 1 }));
    },
    letter: ["no", "x", 1, false, "p", ""],
  },
  {
    what: "a Will that the policy refuses at CONNECT",
    reason: "publish-refused",
    policy: REFUSING,
    lose: (core) => {
      const will = { topic: name("no"), payload: payload("w"), qos: 1 as const, retain: true };
      core.connect({ clientIdentifier: "p", will }).lose();
    },
    letter: ["no", "w", 1, true, "p", ""],
  },
  {
    what: "a Will that the policy refuses when it is due",
    reason: "publish-refused",
    lose: (core) => {
      const will = { topic: name("no"), payload: payload("w"), qos: 1 as const };
      const client = core.connect({ clientIdentifier: "p", will });
      core.broker.setPolicy({ ...REFUSING, generation: 2 });
      client.lose();
    },
    letter: ["no", "w", 1, false, "p", ""],
  },
  {
    what: "a message on a topic of the server",
    reason: "server-topic",
    lose: (core) => core.connect({ clientIdentifier: "p" }).publish("$SYS/x", "x", { qos: 1 }),
    letter: ["$SYS/x", "x", 1, false, "p", ""],
  },
  {
    what: "a packet that is too long, without the payload that is never read",
    reason: "oversize",
    limits: { packetBytesMax: 1_000 },
    lose: (core) => {
      const client = core.connect({ clientIdentifier: "p" });
      client.send(publishPacket("t/ä", "x".repeat(2_000), { qos: 2, packetId: 1 }));
      assert(client.connection.closed);
    },
    letter: ["t/ä", "", 2, false, "p", ""],
  },
  {
    what: "a packet that is too long, of which only the length has come",
    reason: "oversize",
    limits: { packetBytesMax: 1_000 },
    lose: (core) => {
      const client = core.connect({ clientIdentifier: "p" });
      client.sendBytes(Uint8Array.of(0x30, 0xff, 0x7f, 0, 3, 0x74));
      assert(client.connection.closed);
    },
    letter: ["", "", 0, false, "p", ""],
  },
];

for (const loss of [...QUEUE_LOSSES, ...STATE_LOSSES, ...REFUSALS]) {
  Deno.test(`${loss.what} is a dead letter (${loss.reason})`, () => {
    const { core, store } = coreWith(loss.limits, loss.policy);
    loss.lose(core);
    const letters = store.letters.map(({ reason, message, qos, retain, publisher, session }) => [
      reason,
      [message.topic, text(message.payload), qos, retain, publisher, session],
    ]);
    assertEquals(letters, [[loss.reason, [...loss.letter]]]);
    const counted = Object.entries(core.statistics.dropped).filter(([, count]) => count > 0);
    assertEquals(counted, [[loss.reason, 1]]);
    assertEquals(core.statistics.deadLettersNotKept, 0);
    assertEquals(core.statistics.deadLetters, 1);
    const { bytes, ageS, wallMs, message } = store.letters[0]!;
    assertEquals(store.load().deadLetters, [{ id: 1, ageS, bytes }]);
    assertEquals(message.bytes.length, message.size, "it keeps no other message in memory");
    assertLessOrEqual(Math.abs(wallMs - core.wallMs), 8_000);
  });
}

Deno.test("what its client does not want, or has got, is no dead letter", () => {
  const { core, store } = coreWith({ sessionExpiryMs: 10_000 });
  const client = core.connect({ clientIdentifier: "c", cleanSession: false });
  client.subscribe("t", 2);
  const publisher = core.connect();
  for (const content of ["1", "2"]) publisher.publish("t", content, { qos: 2 });
  const [first] = client.takeMessages();
  client.send({ type: "PUBREC", packetId: first!.packetId });
  client.lose();
  core.advance(11_000);
  assertEquals(store.letters.map(({ message }) => text(message.payload)), ["2"]);
  away(core, "t", "d");
  publisher.publish("t", "3", { qos: 1 });
  core.connect({ clientIdentifier: "d", cleanSession: true });
  assertEquals(store.letters.length, 1);
});

Deno.test("a retained message that is replaced by one for which others have to go is no dead letter", () => {
  const { core, store } = coreWith({ retainedBytesMax: 2_600, retainedFull: "drop_oldest" });
  const publisher = core.connect();
  for (const [topic, size] of [["a", 1_000], ["b", 1_000], ["a", 2_000]] as const) {
    publisher.publish(topic, "x".repeat(size), { qos: 1, retain: true });
  }
  assertEquals(store.letters.map(({ message }) => message.topic), ["b"]);
  assertEquals(store.load().retained.map(({ topic }) => topic as string), ["a"]);
});

Deno.test("a message that a whole queue loses is one dead letter for each session", () => {
  const { core, store } = coreWith({ queueMessagesMax: 1 });
  for (const id of ["a", "b", "c"]) away(core, "t", id);
  publish(core, "kept", "lost");
  assertEquals(store.letters.map(({ session }) => session), ["a", "b", "c"]);
  assertEquals(core.statistics.dropped["queue-full-newest"], 3);
});

Deno.test("the acknowledgement of a message that became a dead letter waits for its commit", () => {
  for (const [qos, type] of [[1, "PUBACK"], [2, "PUBREC"]] as const) {
    const { core, store } = coreWith({}, REFUSING);
    const publisher = core.connect();
    store.slow = true;
    publisher.send(publishPacket("no", "x", { qos, packetId: 1 }));
    assertEquals(publisher.types, []);
    core.release(store.progress());
    assertEquals(publisher.types, [type]);
  }
});

Deno.test("the acknowledgement of a message that is only counted waits for nothing", () => {
  const { core, store } = coreWith({ deadLettersMessagesMax: 0 }, REFUSING);
  const publisher = core.connect();
  store.slow = true;
  publisher.send(publishPacket("no", "x", { qos: 1, packetId: 1 }));
  assertEquals(publisher.types, ["PUBACK"]);
  assertEquals(core.statistics.dropped["publish-refused"], 1);
  assertEquals(core.statistics.deadLettersNotKept, 1);
});

Deno.test("dead letters are published under $dead-letter/ if that is wanted, without RETAIN", () => {
  for (const deadLettersRepublish of [true, false]) {
    const { core } = coreWith({ deadLettersRepublish }, REFUSING);
    const watcher = core.connect();
    watcher.subscribe("$dead-letter/#", 2);
    core.connect().publish("no", "x", { qos: 2, retain: true });
    const seen = watcher.takeMessages().map((m) => [m.topic, text(m.payload), m.qos, m.retain]);
    assertEquals(seen, deadLettersRepublish ? [["$dead-letter/no", "x", 2, false]] : []);
    assertEquals(core.statistics.retainedMessages, 0);
  }
});

Deno.test("a published dead letter for a session that is away is committed with it", () => {
  const { core, store } = coreWith({ deadLettersRepublish: true }, REFUSING);
  away(core, "$dead-letter/#");
  store.slow = true;
  const publisher = core.connect();
  publisher.send(publishPacket("no", "x", { qos: 1, packetId: 1 }));
  core.release(store.progress(1));
  assertEquals(publisher.types, ["PUBACK"]);
  assertEquals(store.load().sessions[0]!.deliveries.length, 1);
});

Deno.test("what is given up of published dead letters is counted, and makes no dead letters", () => {
  for (const queueFull of ["drop_newest", "drop_oldest"] as const) {
    const limits = { deadLettersRepublish: true, queueMessagesMax: 2, queueFull };
    const { core, store } = coreWith(limits, REFUSING);
    away(core, "$dead-letter/#");
    const publisher = core.connect();
    for (let i = 0; i < 10; i++) publisher.publish("no", `${i}`, { qos: 1 });
    assertEquals(store.letters.length, 10);
    assertEquals(core.statistics.dropped["publish-refused"], 10);
    assertEquals(core.statistics.deadLettersNotKept, 8);
    assertEquals(core.statistics.queuedMessages, 2);
  }
});

Deno.test("published dead letters displace no messages: one loss does not become many", () => {
  const limits = { deadLettersRepublish: true, queueMessagesMax: 5 };
  const { core, store } = coreWith({ ...limits, queueFull: "drop_oldest" });
  const client = core.connect({ clientIdentifier: "away", cleanSession: false });
  client.subscribe("t", 1);
  client.subscribe("$dead-letter/#", 1);
  client.lose();
  publish(core, "0", "1", "2", "3", "4", "5");
  core.advance(1_000);
  const waiting = store.load().sessions[0]!.deliveries.map(({ message }) => text(message.payload));
  assertEquals(waiting, ["1", "2", "3", "4", "5"]);
  assertEquals(store.letters.length, 1);
});

Deno.test("clients and Wills cannot publish under $dead-letter/", () => {
  const { core, store } = coreWith();
  const watcher = core.connect();
  watcher.subscribe("$dead-letter/#");
  const will = { topic: name("$dead-letter/x"), payload: payload("w") };
  const client = core.connect({ will });
  client.publish("$dead-letter/x", "x", { qos: 1 });
  client.publish("$dead-letter/x", "y");
  client.lose();
  assertEquals(watcher.takeMessages(), []);
  assertEquals(core.statistics.dropped["server-topic"], 3);
  assertEquals(store.letters, [], "they are not kept: nobody lost them");
});
