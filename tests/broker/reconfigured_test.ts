/** Limits and rates that change while clients are connected hold for them, too. */
import { assertEquals, assertThrows } from "@std/assert";
import type { RateLimiter } from "../../src/broker/mod.ts";
import { TrafficRates } from "../../src/security/mod.ts";
import { publishPacket } from "../support/wire_client.ts";
import { Core } from "./_core.ts";

Deno.test("a topic in use is refused from the moment on at which the limits forbid it", () => {
  const core = new Core();
  const publisher = core.connect();
  publisher.publish("a/b/c", "x", { qos: 1 });
  publisher.publish("a/b/c", "x", { qos: 1 });
  core.broker.prepareLimits({ ...core.limits, topicLevelsMax: 2 })();
  publisher.send(publishPacket("a/b/c", "x", { qos: 1, packetId: 5 }));
  assertEquals(publisher.connection.closed, true);
  assertEquals(core.statistics.publishReceived, 2);
});

Deno.test("limits that are only prepared change nothing, and contradictions are refused", () => {
  const core = new Core();
  const publisher = core.connect();
  core.broker.prepareLimits({ ...core.limits, topicLevelsMax: 2 });
  publisher.publish("a/b/c", "x", { qos: 1 });
  const contradiction = { ...core.limits, outboxLowWaterBytes: core.limits.outboxBytesMax + 1 };
  assertThrows(() => core.broker.prepareLimits(contradiction), RangeError);
});

function rates(publishesPerSecond: number): RateLimiter {
  const none = { publishesPerSecond: 0, publishesBurst: 0, bytesPerSecond: 0, bytesBurst: 0 };
  const each = { ...none, publishesPerSecond, publishesBurst: 5 };
  return new TrafficRates({ each, all: none, overLimit: "hold" });
}

Deno.test("rates that come hold for who is connected, and nobody is held when they go", () => {
  const core = new Core();
  const publisher = core.connect();
  core.nowMs += 60_000; // the broker hears of the time with the rates
  core.broker.setRates(rates(10), core.instant());
  for (let i = 0; i < 20; i++) publisher.send(publishPacket("t", `${i}`));
  assertEquals(core.statistics.rateHolds > 0, true);
  assertEquals(publisher.connection.readable, false);
  const before = core.statistics.publishReceived;
  core.nowMs += 1_000;
  core.broker.setRates(null, core.instant());
  core.turn();
  assertEquals(publisher.connection.readable, true);
  assertEquals(core.statistics.publishReceived, 20, `${before} before`);
  assertEquals(publisher.connection.lastPacketMs, core.nowMs);
});
