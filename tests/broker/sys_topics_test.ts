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

const FACTS = { version: "0", heapBytes: 0, store: {}, door: {}, memory: {}, audit: {} };

Deno.test("sums in $SYS are made of all their parts", () => {
  const statistics = new Statistics();
  Object.assign(statistics, {
    sessions: 500,
    clientsConnected: 70,
    queuedMessages: 6,
    inFlightMessages: 80,
    retainedMessages: 900,
    queuedBytes: 11,
    inFlightBytes: 1_300,
    retainedBytes: 220,
  });
  statistics.dropped["queue-full-newest"] = 3;
  statistics.dropped["message-expired"] = 40;
  const topics = new Map(new SysTopics().round(statistics, { ...FACTS, uptimeMs: 61_999 }));
  const values = [
    "clients/disconnected",
    "clients/inactive",
    "clients/active",
    "messages/stored",
    "store/messages/count",
    "store/messages/bytes",
    "publish/messages/dropped",
    "dead-letters/message-expired",
    "uptime",
  ].map((name) => topics.get(`$SYS/broker/${name}`));
  assertEquals(values, ["430", "430", "70", "986", "906", "231", "43", "40", "61 seconds"]);
});

Deno.test("a load in $SYS is a moving average of the rate per minute", () => {
  const statistics = new Statistics();
  const topics = new SysTopics();
  const round = (uptimeMs: number) => {
    const found = new Map(topics.round(statistics, { ...FACTS, uptimeMs }));
    return [1, 5, 15].map((m) => found.get(`$SYS/broker/load/publish/received/${m}min`));
  };
  assertEquals(round(0), [undefined, undefined, undefined]); // no time has passed
  statistics.publishReceived = 60;
  // 60 * (1 - exp(-1 / window)), and then as much of the rest.
  assertEquals(round(60_000), ["37.93", "10.88", "3.87"]);
  statistics.publishReceived = 180;
  // Twice as much in twice the time is the same rate.
  assertEquals(round(180_000), ["57.01", "27.07", "10.88"]);
  assertEquals(round(180_000), [undefined, undefined, undefined]);
  assertEquals(round(240_000), ["20.97", "22.16", "10.17"]);
});

Deno.test("$SYS is told again only where it has changed, and keeps the highest use of the heap", () => {
  const topics = new SysTopics();
  const statistics = new Statistics();
  const round = (heapBytes: number) =>
    topics.round(statistics, { ...FACTS, uptimeMs: 0, heapBytes });
  round(100);
  statistics.sessions = 1;
  assertEquals(round(50), [
    ["$SYS/broker/clients/total", "1"],
    ["$SYS/broker/clients/disconnected", "1"],
    ["$SYS/broker/clients/inactive", "1"],
    ["$SYS/broker/heap/current", "50"],
  ]);
  assertEquals(round(100), [["$SYS/broker/heap/current", "100"]]);
  assertEquals(round(101).map(([topic]) => topic), [
    "$SYS/broker/heap/current",
    "$SYS/broker/heap/maximum",
  ]);
});
