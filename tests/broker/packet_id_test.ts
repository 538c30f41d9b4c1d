/** Packet Identifiers of the server, and the queue of a session. */
import { assert, assertEquals } from "@std/assert";
import { makeMessage } from "../../src/broker/mod.ts";
import { Delivery, DeliveryQueue } from "../../src/broker/delivery_queue.ts";
import { Session } from "../../src/broker/session.ts";
import { Random } from "../../fuzz/random.ts";

function delivery(text = "x"): Delivery {
  return new Delivery(makeMessage("t", new TextEncoder().encode(text), 1), 1, false);
}

Deno.test("Packet Identifiers run from 1 to 65,535 and begin again, without 0 [MQTT-2.3.1-1]", () => {
  const session = new Session("c", false);
  for (let round = 0; round < 2; round++) {
    for (let expected = 1; expected <= 65_535; expected++) {
      if (session.allocatePacketId() !== expected) throw new Error(`not ${expected}`);
    }
  }
});

Deno.test("an identifier in use is passed over, at the wrap as well [MQTT-2.3.1-4]", () => {
  const session = new Session("c", false);
  for (const id of [1, 2, 5, 65_535]) session.inFlight.set(id, delivery());
  assertEquals([1, 2, 3].map(() => session.allocatePacketId()), [3, 4, 6]);
  for (let id = 7; id < 65_535; id++) session.allocatePacketId();
  assertEquals(session.allocatePacketId(), 3);
});

Deno.test("the last free identifier of all is found", () => {
  const session = new Session("c", false);
  const one = delivery();
  for (let id = 1; id <= 65_535; id++) if (id !== 30_000) session.inFlight.set(id, one);
  assertEquals(session.allocatePacketId(), 30_000);
  assertEquals(session.allocatePacketId(), 30_000);
});

Deno.test("random allocation and release never give an identifier twice", () => {
  const session = new Session("c", false);
  const random = new Random(7);
  const used: number[] = [];
  for (let step = 0; step < 200_000; step++) {
    if (used.length < 60 && !random.oneIn(2)) {
      const id = session.allocatePacketId();
      assert(id >= 1 && id <= 65_535 && !session.inFlight.has(id));
      session.inFlight.set(id, delivery());
      used.push(id);
    } else if (used.length > 0) {
      session.inFlight.delete(used.splice(random.below(used.length), 1)[0]!);
    }
  }
});

Deno.test("a delivery queue is first in, first out, and knows its bytes", () => {
  const queue = new DeliveryQueue();
  const model: Delivery[] = [];
  const random = new Random(8);
  for (let step = 0; step < 20_000; step++) {
    // Grows for the first half, shrinks for the second.
    if (random.below(10) < (step < 10_000 ? 7 : 3)) {
      const item = delivery("x".repeat(random.below(50)));
      queue.push(item);
      model.push(item);
    } else assertEquals(queue.shift() === model.shift(), true);
    assertEquals(queue.length, model.length);
    assertEquals(queue.peek() === model[0], true);
  }
  assertEquals(queue.bytes, model.reduce((sum, item) => sum + item.cost, 0));
  while (queue.shift() !== undefined);
  assertEquals([queue.length, queue.bytes], [0, 0]);
});

Deno.test("messages at the head of a queue get memory of their own", () => {
  const queue = new DeliveryQueue();
  const slab = new Uint8Array(1000);
  const message = makeMessage("t", new Uint8Array(10), 1);
  slab.set(message.bytes, 100);
  message.topicEnd += 100;
  message.end += 100;
  message.start = 100;
  message.bytes = slab;
  queue.push(new Delivery(message, 1, false));
  queue.detach(5);
  assertEquals([message.bytes.length, message.start, message.topicEnd], [13, 0, 3]);
});
