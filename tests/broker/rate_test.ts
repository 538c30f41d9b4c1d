/** Rates: who sends more than it may is slowed to its rate, loses nothing, and harms nobody. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { describeEvent } from "../../src/broker/mod.ts";
import { encodePacket, type Qos } from "../../src/mqtt/mod.ts";
import { type TrafficLimits, TrafficRates } from "../../src/security/mod.ts";
import { concatenate, name, publishPacket, text } from "../support/wire_client.ts";
import { Core, NOTHING_LEFT } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";
import { RecordingStore } from "./_recording_store.ts";

interface RateChanges {
  readonly each?: Partial<TrafficLimits>;
  readonly all?: Partial<TrafficLimits>;
  readonly overLimit?: "hold" | "close";
}

const UNLIMITED = { publishesPerSecond: 0, publishesBurst: 0, bytesPerSecond: 0, bytesBurst: 0 };
const HUNDRED = { publishesPerSecond: 100, publishesBurst: 50 };
/** Who has used up a limit of its own rests so long at least. */
const PAUSE_MS = 10;

function ratesOf({ each, all, overLimit = "hold" }: RateChanges): TrafficRates {
  return new TrafficRates({
    each: { ...UNLIMITED, ...each },
    all: { ...UNLIMITED, ...all },
    overLimit,
  });
}

function limitedCore(changes: RateChanges, options: ConstructorParameters<typeof Core>[0] = {}) {
  return new Core({ ...options, rates: ratesOf(changes) });
}

/** The bytes of one message with its whole exchange, as far as a client can send it ahead. */
function exchange(number: number, qos: Qos): Uint8Array {
  const packetId = qos === 0 ? 0 : 1 + number % 10_000;
  const publish = encodePacket(publishPacket("t", `${number}`, { qos, packetId }));
  if (qos < 2) return publish;
  return concatenate([publish, encodePacket({ type: "PUBREL", packetId })]);
}

function exchanges(count: number, qos: Qos = 0, from = 0): Uint8Array {
  return concatenate(Array.from({ length: count }, (_, i) => exchange(from + i, qos)));
}

function numbersOf(client: FakeClient): number[] {
  return client.takeMessages().map((message) => parseInt(text(message.payload)));
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

for (const qos of [0, 1, 2] as const) {
  Deno.test(`a QoS ${qos} client at ten times its limit keeps to it, and all arrives in order`, () => {
    const core = limitedCore({ each: HUNDRED });
    const reader = core.connect();
    reader.subscribe("t", 0);
    const publisher = core.connect();
    const startedMs = core.nowMs;
    let sent = 0;
    const seen: number[] = [];
    while (sent < 5_000) {
      publisher.sendBytes(exchanges(10, qos, sent));
      sent += 10;
      core.advance(10);
      seen.push(...numbersOf(reader));
      const passed = 50 + (core.nowMs - startedMs) / 10;
      assertLessOrEqual(seen.length, passed + 1);
      if (sent > 100) assertGreater(seen.length, passed - 1 - PAUSE_MS / 10);
    }
    assertGreater(publisher.unread, 0);
    core.advance(46_000, 1_000);
    seen.push(...numbersOf(reader));
    assertEquals(seen, upTo(5_000));
    assertEquals(publisher.connection.closed, false);
    const acknowledged = publisher.takeAll().filter(({ type }) =>
      type === (qos === 1 ? "PUBACK" : "PUBCOMP")
    );
    assertEquals(acknowledged.length, qos === 0 ? 0 : 5_000);
  });
}

Deno.test("one read of many messages overdraws by one at most, whatever their topics", () => {
  const core = limitedCore({ each: HUNDRED });
  const reader = core.connect();
  reader.subscribe("#", 0);
  const [same, other] = [core.connect(), core.connect()];
  same.sendBytes(exchanges(5_000));
  assertEquals(reader.takeMessages().length, 51);
  const mixed = upTo(500).map((i) => encodePacket(publishPacket(`t/${i}`, "x")));
  other.sendBytes(concatenate(mixed));
  assertEquals(reader.takeMessages().length, 51);
  assertEquals(core.statistics.rateHolds, 2);
  assertGreater(same.unread, 0);
  assertGreater(other.unread, 0);
});

Deno.test("a burst passes at once, and is there again after a silence", () => {
  const core = limitedCore({ each: HUNDRED });
  const publisher = core.connect();
  for (let round = 0; round < 3; round++) {
    publisher.sendBytes(exchanges(50));
    assertEquals(publisher.connection.readable, true, `round ${round}`);
    core.advance(500);
  }
  assertEquals(core.statistics.rateHolds, 0);
  assertEquals(core.broker.nextRateReleaseMs, Infinity);
});

Deno.test("a client is held by the millisecond, and only its publishes count as messages", () => {
  const core = limitedCore({ each: HUNDRED });
  const publisher = core.connect();
  for (let i = 0; i < 200; i++) publisher.send({ type: "PINGREQ" });
  assertEquals(publisher.takeAll().length, 200);
  publisher.subscribe("x");
  publisher.sendBytes(exchanges(53));
  assertEquals(core.broker.nextRateReleaseMs, core.nowMs + PAUSE_MS);
  core.advance(PAUSE_MS - 1);
  assertEquals(publisher.connection.heldByRate, true);
  core.advance(1);
  // The debt is paid; the next one overdraws again.
  assertEquals(core.statistics.publishReceived, 52);
  core.advance(PAUSE_MS);
  assertEquals(core.statistics.publishReceived, 53);
  assertEquals(publisher.unread, 0);
});

Deno.test("bytes of all packets are limited, and a large packet is paid for with time", () => {
  const core = limitedCore({ each: { bytesPerSecond: 1_000, bytesBurst: 500 } });
  const pinging = core.connect();
  for (let i = 0; i < 1_000; i++) pinging.send({ type: "PINGREQ" });
  assertEquals(pinging.takeAll().length, 251);
  const startedMs = core.nowMs;
  while (pinging.unread > 0) core.advance(1);
  const answers = 251 + pinging.takeAll().length;
  assertEquals(answers, 1_000);
  // 1,500 bytes over the burst; the last packet may have been taken on credit.
  assertLessOrEqual(Math.abs(core.nowMs - startedMs - 1_500), PAUSE_MS);
  const large = core.connect();
  const packet = encodePacket(publishPacket("t", "x".repeat(20_000)));
  large.sendBytes(packet);
  assertEquals(core.statistics.publishReceived, 1, "larger than the burst, and taken");
  assertEquals(core.broker.nextRateReleaseMs, core.nowMs + packet.length - 500);
});

Deno.test("others are served while a client is held, and log and $SYS counters tell of it", () => {
  const core = limitedCore({ each: HUNDRED });
  const reader = core.connect();
  reader.subscribe("other", 0);
  const greedy = core.connect({ clientIdentifier: "greedy" });
  const other = core.connect();
  for (let i = 0; i < 100; i++) {
    greedy.sendBytes(exchanges(100));
    for (const qos of [0, 1, 2] as const) other.publish("other", "x", { qos });
    core.advance(100);
    assertEquals(reader.takeAll().length, 3);
  }
  assertEquals(core.statistics.publishersHeld, 0);
  const lines = core.events.filter(({ kind }) => kind === "rateExceeded").map(describeEvent);
  const said = 'held: client="greedy" user=- address=192.0.2.1:1, a rate is exceeded; said once';
  assertEquals(lines, [{ severity: "info", text: said }]);
  assertGreater(core.statistics.rateHolds, 100);
  assertEquals(core.statistics.rateCloses, 0);
});

Deno.test("with over_limit close a client above its limit is closed, and its Will goes out", () => {
  const core = limitedCore({ each: HUNDRED, overLimit: "close" });
  const reader = core.connect();
  reader.subscribe("#", 0);
  const will = { topic: name("gone") };
  const publisher = core.connect({ clientIdentifier: "greedy", will });
  publisher.sendBytes(exchanges(50, 1));
  assertEquals(publisher.connection.closed, false);
  publisher.sendBytes(exchanges(500, 1));
  assertEquals(publisher.connection.closed, true);
  assertEquals(publisher.takeAll().length, 51, "what was carried out is acknowledged");
  assertEquals(reader.takeMessages().map(({ topic }) => topic).at(-1), name("gone"));
  assertEquals([core.statistics.rateCloses, core.statistics.rateHolds], [1, 0]);
  const closed = core.events.filter(({ kind }) => kind === "closed").map(describeEvent);
  const said = 'closed: client="greedy" user=- address=192.0.2.1:1, sends more than its rate';
  assertEquals(closed, [{ severity: "warn", text: said }]);
});

Deno.test("a client that was closed is let in again, and read when its debt is paid", () => {
  const core = limitedCore({
    each: { publishesPerSecond: 1, publishesBurst: 1 },
    overLimit: "close",
  });
  core.connect({ clientIdentifier: "greedy" }).sendBytes(exchanges(5));
  assertEquals(core.statistics.publishReceived, 2);
  const again = core.connect({ clientIdentifier: "greedy" });
  again.sendBytes(exchanges(1));
  core.advance(999);
  assertEquals(core.statistics.publishReceived, 2);
  core.advance(1);
  assertEquals(core.statistics.publishReceived, 3);
  assertEquals(core.statistics.rateCloses, 2);
});

Deno.test("coming back again and again gives nobody more than its rate", () => {
  const core = limitedCore({ each: HUNDRED });
  const startedMs = core.nowMs;
  for (let round = 0; round < 200; round++) {
    const client = core.connect({ clientIdentifier: "again" }); // takes over
    client.sendBytes(exchanges(100));
    core.advance(20);
    if (round % 2 === 0) client.lose();
  }
  assertLessOrEqual(core.statistics.publishReceived, 51 + (core.nowMs - startedMs) / 10);
});

Deno.test("a client that is held for its rate is not cut off by its keep alive", () => {
  const core = limitedCore({ each: { publishesPerSecond: 1, publishesBurst: 1 } });
  const publisher = core.connect({ keepAliveSeconds: 10 });
  publisher.sendBytes(exchanges(61));
  core.advance(60_000, 1_000);
  assertEquals(publisher.connection.closed, false);
  assertEquals(publisher.unread, 0);
  core.advance(14_000);
  assertEquals(publisher.connection.closed, false, "its keep alive starts anew");
  core.advance(3_000);
  assertEquals(publisher.connection.closed, true);
  assertEquals(core.statistics.keepAliveTimeouts, 1);
});

for (const end of ["lose", "takeOver", "shutdown"] as const) {
  Deno.test(`a client that ends while it is held leaves nothing behind: ${end}`, () => {
    const core = limitedCore({ each: HUNDRED });
    const publisher = core.connect({ clientIdentifier: "p" });
    publisher.sendBytes(exchanges(100));
    assertEquals(publisher.connection.heldByRate, true);
    let successor: FakeClient | null = null;
    if (end === "lose") publisher.lose();
    else if (end === "takeOver") successor = core.connect({ clientIdentifier: "p" });
    else {
      core.broker.close(publisher.connection, "shutdown", core.instant());
      core.turn();
    }
    assert(publisher.connection.closed);
    assertEquals(publisher.connection.heldByRate, false);
    assertEquals(publisher.connection.rate, null);
    assertEquals(core.broker.nextRateReleaseMs < Infinity, successor !== null, "the debt is there");
    core.advance(5_000);
    assertEquals(publisher.connection.readable, false);
    assertEquals(core.statistics.publishReceived, 51);
    successor?.disconnect();
    assertEquals(core.gauges(), NOTHING_LEFT);
  });
}

Deno.test("who is held for its rate and by the store is read when both let it go", () => {
  for (const first of ["rate", "store"] as const) {
    const store = new RecordingStore();
    const core = new Core({
      store,
      limits: { storeBacklogBytesMax: 10_000 },
      rates: ratesOf({ each: { bytesPerSecond: 10_000, bytesBurst: 10_000 } }),
    });
    const away = core.connect({ clientIdentifier: "away", cleanSession: false });
    away.subscribe("t", 1);
    away.lose();
    store.slow = true;
    const publisher = core.connect({ keepAliveSeconds: 5 });
    publisher.send(publishPacket("t", "x".repeat(30_000), { qos: 1, packetId: 1 }));
    publisher.send(publishPacket("t", "y", { qos: 1, packetId: 2 }));
    const { connection } = publisher;
    assertEquals([connection.heldByRate, connection.heldByStore], [true, true]);
    if (first === "rate") {
      core.advance(60_000);
      assertEquals([connection.heldByRate, connection.heldByStore], [false, true]);
    } else {
      core.release(store.progress());
      assertEquals([connection.heldByRate, connection.heldByStore], [true, false]);
    }
    assertEquals(connection.readable, false);
    assertEquals(core.statistics.publishReceived, 1);
    store.slow = false;
    core.release(store.progress());
    core.advance(2_500);
    assertEquals(core.statistics.publishReceived, 2);
    assertEquals(connection.closed, false, "its keep alive starts anew with the last of them");
    assertEquals(publisher.takeAll().map(({ type }) => type), ["PUBACK", "PUBACK"]);
  }
});

Deno.test("a receiver that is held for its rate does not hold others for longer than its grace", () => {
  const core = limitedCore({ each: { publishesPerSecond: 1, publishesBurst: 1 } });
  const receiver = core.connect();
  receiver.subscribe("t", 1);
  receiver.sendBytes(concatenate(upTo(60).map(() => encodePacket(publishPacket("x", "x")))));
  assertEquals(receiver.connection.heldByRate, true);
  const all = Array.from({ length: 45 }, () => core.connect());
  for (const publisher of all) publisher.send(publishPacket("t", "x", { qos: 1, packetId: 1 }));
  assertGreater(core.statistics.publishersHeld, 0);
  core.advance(core.limits.slowConsumerGraceMs + 500);
  assertEquals(core.statistics.slowConsumers, 1);
  assertEquals(all.filter(({ connection }) => connection.holds > 0).length, 0);
});

Deno.test("the limit of all holds however many send, and the greedy ones share it evenly", () => {
  const core = limitedCore({ all: { publishesPerSecond: 1_000, publishesBurst: 100 } });
  const greedy = Array.from({ length: 10 }, (_, i) => core.connect({ clientIdentifier: `g${i}` }));
  for (const client of greedy) client.sendBytes(exchanges(5_000));
  core.advance(1_000, 50);
  const unread = greedy.map(({ unread }) => unread);
  const startedMs = core.nowMs;
  const atStart = core.statistics.publishReceived;
  core.advance(10_000, 50);
  const passed = core.statistics.publishReceived - atStart;
  assertLessOrEqual(Math.abs(passed - (core.nowMs - startedMs)), 12);
  const bytes = greedy.map((client, i) => unread[i]! - client.unread);
  const [least, most] = [Math.min(...bytes), Math.max(...bytes)];
  assertLess(most - least, most / 20, `${bytes}`);
});

Deno.test("clients that flood do not starve those that keep a pace, whatever the QoS", () => {
  for (const perSecond of [500, 20_000]) {
    const core = limitedCore({ all: { publishesPerSecond: perSecond, publishesBurst: 100 } });
    const reader = core.connect();
    reader.subscribe("paced", 0);
    const greedy = Array.from({ length: 4 }, () => core.connect());
    const paced = Array.from({ length: 4 }, () => core.connect());
    let number = 0;
    let lateMs = 0;
    for (let ms = 0; ms < 5_000; ms += 20) {
      for (const client of greedy) {
        if (client.unread < 100_000) client.sendBytes(exchanges(1_000));
      }
      if (ms % 200 === 0) {
        // Five a second each, far below an eighth of the limit.
        for (const [i, client] of paced.entries()) {
          const qos = (i % 3) as Qos;
          const packetId = qos === 0 ? 0 : 1 + number;
          client.send(publishPacket("paced", `${number++}`, { qos, packetId }));
          if (qos === 2) client.send({ type: "PUBREL", packetId });
        }
      }
      core.advance(20, 20);
      const waiting = paced.filter(({ unread }) => unread > 0).length;
      lateMs = waiting === 0 ? 0 : lateMs + 20;
      // Each of eight clients has had its turn meanwhile.
      assertLessOrEqual(lateMs, 40, `${perSecond} a second, after ${ms} ms`);
    }
    assertEquals(numbersOf(reader), upTo(100));
    const passed = core.statistics.publishReceived;
    assertLessOrEqual(Math.abs(passed - 5 * perSecond - 100), perSecond / 50);
  }
});

Deno.test("who sends large packets leaves those with small ones their share of the bytes", () => {
  const core = limitedCore({ all: { bytesPerSecond: 1_000_000, bytesBurst: 100_000 } });
  const large = core.connect();
  const small = core.connect();
  const [huge, tiny] = [60_000, 100].map((size) =>
    encodePacket(publishPacket("t", "x".repeat(size)))
  );
  const fill = concatenate(Array.from({ length: 1_000 }, () => tiny!));
  let smallBytes = 0;
  for (let ms = 0; ms < 5_000; ms += 10) {
    while (large.unread < 200_000) large.sendBytes(huge!);
    const before = small.unread;
    if (before < 50_000) small.sendBytes(fill);
    const added = before < 50_000 ? fill.length : 0;
    core.advance(10, 10);
    smallBytes += before + added - small.unread;
  }
  // A turn is 10 ms of the rate, 10,000 bytes, and the other's one packet of 60,000.
  assertGreater(smallBytes, 5_000_000 / 8);
  const total = core.statistics.bytesReceived;
  assertLessOrEqual(total, 5_000_000 + 100_000 + 2 * 70_000);
  assertGreater(total, 5_000_000 - 100_000);
});
