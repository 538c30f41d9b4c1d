/** Backpressure: who is held, who lets go, who is slow, and what is lost (nothing, or as stated). */
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import { publishPacket, text } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

/** Publishes QoS 0 messages of 1,000 bytes until the publisher is held; gives how many. */
function pressUntilHeld(publisher: FakeClient, topic = "t"): number {
  for (let count = 1; count < 1_000; count++) {
    publisher.publish(topic, "x".repeat(1_000));
    if (!publisher.connection.readable) return count;
  }
  throw new Error("Cannot see a hold: 1,000 messages were taken");
}

Deno.test("a publisher is held at the high water of its receiver and read again at the low water", () => {
  const core = new Core();
  const receiver = core.connect();
  receiver.subscribe("t");
  receiver.frozen = true;
  const publisher = core.connect();
  pressUntilHeld(publisher);
  const { outboxHighWaterBytes, outboxLowWaterBytes } = core.limits;
  assertGreater(receiver.connection.pendingBytes, outboxHighWaterBytes);
  assertLessOrEqual(receiver.connection.pendingBytes, outboxHighWaterBytes + 1_100);
  publisher.send(publishPacket("t", "waits"));
  assertEquals(publisher.unread > 0, true);
  while (!publisher.connection.readable) {
    assertGreater(receiver.connection.pendingBytes, outboxLowWaterBytes);
    receiver.drain(500);
    receiver.flush();
    core.turn();
  }
  assertLessOrEqual(receiver.connection.pendingBytes, outboxLowWaterBytes + 10);
  assertEquals(publisher.unread, 0);
  assertEquals(core.statistics.publishersHeld, 1);
});

Deno.test("a receiver that does not keep up loses the right to hold after the grace", () => {
  const core = new Core();
  const receiver = core.connect();
  receiver.subscribe("t");
  receiver.frozen = true;
  const publisher = core.connect();
  pressUntilHeld(publisher);
  core.advance(core.limits.slowConsumerGraceMs);
  assertEquals(publisher.connection.readable, false);
  core.advance(1, 1);
  assertEquals(publisher.connection.readable, true);
  assertEquals(core.statistics.slowConsumers, 1);
  for (let i = 0; i < 500; i++) publisher.publish("t", "x".repeat(1_000));
  assertEquals(publisher.connection.readable, true);
  assertLessOrEqual(receiver.connection.pendingBytes, core.limits.outboxBytesMax);
  assertGreater(core.statistics.dropped["stalled-consumer"], 400);
});

Deno.test("a slow consumer that has caught up may hold again, and an operator is told", () => {
  const core = new Core();
  const receiver = core.connect();
  receiver.subscribe("t");
  receiver.frozen = true;
  const publisher = core.connect();
  pressUntilHeld(publisher);
  core.advance(2_000);
  receiver.thaw();
  const told = core.events.flatMap((e) => e.kind === "slowConsumer" ? [e.caughtUp] : []);
  assertEquals(told, [false, true]);
  receiver.frozen = true;
  pressUntilHeld(publisher);
});

Deno.test("others are served while one receiver holds its publisher", () => {
  const core = new Core();
  const frozen = core.connect();
  frozen.subscribe("t");
  frozen.frozen = true;
  pressUntilHeld(core.connect());
  const reader = core.connect();
  reader.subscribe("u");
  core.connect().publish("u", "x");
  assertEquals(reader.takeMessages().length, 1);
});

Deno.test("a publisher held by two receivers is read when both let go, and by the end of both", () => {
  const core = new Core();
  const receivers = [core.connect(), core.connect()];
  for (const receiver of receivers) {
    receiver.subscribe("t");
    receiver.frozen = true;
  }
  const publisher = core.connect();
  pressUntilHeld(publisher);
  assertEquals(publisher.connection.holds, 2);
  receivers[0]!.thaw();
  assertEquals(publisher.connection.readable, false);
  receivers[1]!.lose();
  assertEquals(publisher.connection.readable, true);
  assertEquals(publisher.connection.holds, 0);
});

Deno.test("a held publisher that goes away leaves nothing behind in its receiver", () => {
  const core = new Core();
  const receiver = core.connect();
  receiver.subscribe("t");
  receiver.frozen = true;
  const publisher = core.connect();
  pressUntilHeld(publisher);
  publisher.lose();
  assertEquals(receiver.connection.holding?.size ?? 0, 0);
  receiver.thaw();
  assertEquals(publisher.connection.holds, 0);
});

Deno.test("a Will of a connection that ends while it publishes holds nobody", () => {
  const core = new Core();
  const receiver = core.connect();
  receiver.subscribe("#");
  receiver.frozen = true;
  pressUntilHeld(core.connect());
  const dying = core.connect({ will: { topic: publishPacket("t", "").topic } });
  dying.sendBytes(Uint8Array.of(0xff));
  assertEquals(receiver.connection.holding?.has(dying.connection) ?? false, false);
});

Deno.test("whoever publishes to itself is never held by itself", () => {
  const core = new Core();
  const client = core.connect();
  client.subscribe("t");
  client.frozen = true;
  for (let i = 0; i < 200; i++) client.publish("t", "x".repeat(1_000));
  assertEquals(client.connection.holds, 0);
  assertLessOrEqual(client.connection.pendingBytes, core.limits.outboxBytesMax);
});

Deno.test("a slow client that acknowledges within the grace loses nothing at QoS 1", () => {
  const core = new Core({ limits: { slowConsumerGraceMs: 60_000 } });
  const receiver = core.connect();
  receiver.subscribe("t", 1);
  const publisher = core.connect();
  const count = 500;
  for (let i = 0; i < count; i++) {
    publisher.send(publishPacket("t", `${i}`, { qos: 1, packetId: i + 1 }));
  }
  const numbers: number[] = [];
  while (receiver.inbox.length > 0) {
    const packet = receiver.take("PUBLISH");
    numbers.push(Number(text(packet.payload)));
    core.advance(40, 40);
    receiver.send({ type: "PUBACK", packetId: packet.packetId });
    assertLessOrEqual(core.statistics.queuedMessages, core.limits.queueMessagesMax);
  }
  assertEquals(numbers, Array.from({ length: count }, (_, i) => i));
  assertEquals(publisher.takeAll().length, count);
  assertEquals(core.statistics.dropped["queue-full-newest"], 0);
});

Deno.test("a frozen client costs bounded memory at every QoS", () => {
  for (const qos of [0, 1, 2] as const) {
    const core = new Core();
    const frozen = core.connect();
    frozen.subscribe("t", qos);
    frozen.frozen = true;
    const publisher = core.connect();
    for (let i = 1; i <= 400; i++) {
      const packetId = qos === 0 ? 0 : 1 + i % 10;
      publisher.send(publishPacket("t", "x".repeat(500), { qos, packetId }));
      if (qos === 2) publisher.send({ type: "PUBREL", packetId });
      core.advance(50, 50);
    }
    const { outboxBytesMax, queueMessagesMax, queueBytesMax } = core.limits;
    assertLessOrEqual(frozen.connection.pendingBytes, outboxBytesMax);
    assertLessOrEqual(core.statistics.queuedMessages, queueMessagesMax);
    assertLessOrEqual(core.statistics.queuedBytes, queueBytesMax);
    const { "stalled-consumer": outboxFull, "queue-full-newest": queueFull } =
      core.statistics.dropped;
    assertGreater(outboxFull + queueFull, 100);
    assertEquals(publisher.unread, 0);
  }
});

Deno.test("a turn that has done enough stops reading and goes on after its end", () => {
  const core = new Core({ limits: { outboxHighWaterBytes: 1e9, outboxBytesMax: 2e9 } });
  const receivers = Array.from({ length: 40 }, () => core.connect());
  for (const receiver of receivers) receiver.subscribe("t");
  const publisher = core.connect();
  const packets = Array.from({ length: 20 }, (_, i) => publishPacket("t", `${i}`.padEnd(20_000)));
  publisher.send(...packets);
  for (const receiver of receivers) {
    assertEquals(
      receiver.takeMessages().map((m) => parseInt(text(m.payload))),
      packets.map((_, i) => i),
    );
  }
  assert(!core.broker.turnFull);
});
