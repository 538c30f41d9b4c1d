/** `$SYS`: the figures that go with the limits. */
import { assertEquals } from "@std/assert";
import { SysTopics } from "../../src/broker/mod.ts";
import { Statistics } from "../../src/broker/statistics.ts";

Deno.test("what counts against a limit of the broker can be read in $SYS", () => {
  const statistics = new Statistics();
  Object.assign(statistics, {
    connectionsOpen: 1,
    sessions: 2,
    subscriptions: 3,
    retainedMessages: 4,
    retainedBytes: 5,
    queuedMessages: 6,
    queuedBytes: 7,
    inFlightMessages: 8,
    inFlightBytes: 9,
    deadLetters: 10,
    deadLetterBytes: 11,
    rateHolds: 13,
    rateCloses: 14,
  });
  const store = { "backlog/bytes": 12 };
  const door = { "refused/connections-max": 15 };
  const memory = { stage: "normal", shed: 16 };
  const audit = { lost: 17 };
  const facts = { version: "0", uptimeMs: 0, heapBytes: 0, store, door, memory, audit };
  const topics = new Map(new SysTopics().round(statistics, facts));
  const names = [
    "connections/count",
    "clients/total",
    "subscriptions/count",
    "retained messages/count",
    "retained messages/bytes",
    "messages/queued",
    "messages/queued/bytes",
    "messages/inflight",
    "messages/inflight/bytes",
    "dead-letters/count",
    "dead-letters/bytes",
    "store/backlog/bytes",
    "refused/connections-max",
    "rate/holds",
    "rate/closed",
    "memory/shed",
    "audit/lost",
  ];
  const values = names.map((name) => Number(topics.get(`$SYS/broker/${name}`)));
  assertEquals(values, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 13, 14, 16, 17]);
  assertEquals(topics.get("$SYS/broker/memory/stage"), "normal");
});
