/** Regressions: nobody gets out of being held, and nobody waits for a client that is not read. */
import { assertEquals, assertGreater } from "@std/assert";
import { encodePacket, type PublishPacket } from "../../src/mqtt/mod.ts";
import { concatenate, publishPacket } from "../support/wire_client.ts";
import { Core } from "./_core.ts";
import type { FakeClient } from "./_fake_client.ts";

function publishes(topic: string, count: number): Uint8Array {
  const packet = encodePacket(publishPacket(topic, "x", { qos: 1, packetId: 1 }));
  return concatenate(Array(count).fill(packet));
}

function acknowledgement({ packetId }: PublishPacket): Uint8Array {
  return encodePacket({ type: "PUBACK", packetId });
}

/** Acknowledges what came; gives how many messages that were. */
function acknowledge(client: FakeClient): number {
  const messages = client.takeMessages();
  for (const message of messages) client.present(acknowledgement(message));
  return messages.length;
}

/** Fills the window of a client and some more, so that it is congested. */
function congest(core: Core, topic: string): FakeClient {
  const client = core.connect();
  client.subscribe(topic, 1);
  core.connect().sendBytes(publishes(topic, 60));
  assertGreater(client.connection.congestedSinceMs, 0);
  return client;
}

/**
 * Floods a subscriber that acknowledges all it gets, for less than the grace; gives how many messages
 * the broker took over and did not keep for it.
 */
function lostOfFlood(
  core: Core,
  flooder: FakeClient,
  { acknowledges, each }: { acknowledges: boolean; each: () => void },
): number {
  const subscriber = core.connect();
  subscriber.subscribe("t", 1);
  let received = 0;
  let taken = 0;
  for (let ms = 0; ms < 900; ms++) {
    if (flooder.unread < 65_536) flooder.present(publishes("t", 50));
    each();
    core.turn();
    received += acknowledge(subscriber);
    core.advance(1, 1);
    for (const packet of flooder.takeAll()) {
      if (packet.type === "PUBACK") taken++;
      // Between its own messages, so that its backlog never fills its queue.
      else if (packet.type === "PUBLISH" && acknowledges) flooder.present(acknowledgement(packet));
    }
  }
  assertGreater(received, 1_000);
  received += subscriber.takeMessages().length;
  return taken - received - subscriber.connection.session!.queue.length;
}

Deno.test("a client that congests itself is still held: its flood costs a healthy subscriber nothing", () => {
  const core = new Core();
  const flooder = core.connect();
  flooder.subscribe("own", 1);
  flooder.send(...Array(60).fill(publishPacket("own", "x", { qos: 1, packetId: 1 })));
  flooder.takeAll();
  assertGreater(flooder.connection.congestedSinceMs, 0);
  assertEquals(lostOfFlood(core, flooder, { acknowledges: false, each: () => {} }), 0);
});

Deno.test("a client that another one congests is still held: its flood costs a healthy subscriber nothing", () => {
  const core = new Core();
  const flooder = core.connect();
  flooder.subscribe("own", 1);
  const accomplice = core.connect();
  const lost = lostOfFlood(core, flooder, {
    acknowledges: true,
    each: () => {
      if (accomplice.unread < 65_536) accomplice.present(publishes("own", 50));
      accomplice.takeAll();
    },
  });
  assertEquals(lost, 0);
});

Deno.test("a publisher that is held itself holds nobody", () => {
  const core = new Core();
  const middle = core.connect();
  middle.subscribe("middle", 1);
  const first = core.connect();
  // The window and what may wait without a hold, and one more.
  first.sendBytes(publishes("middle", 5 * core.limits.inFlightMessagesMax + 1));
  assertEquals(first.unread, 0);
  assertEquals(first.connection.readable, false);
  congest(core, "last");
  middle.sendBytes(publishes("last", 1));
  assertEquals(middle.connection.readable, false);
  assertEquals(first.connection.readable, true);
});

Deno.test("two clients that flood each other both make progress", () => {
  const core = new Core();
  const [a, b] = [core.connect(), core.connect()];
  a.subscribe("a", 1);
  b.subscribe("b", 1);
  const received = [0, 0];
  for (let ms = 0; ms < 900; ms++) { // below the grace: no slow consumer comes to help
    if (a.unread < 10_000) a.present(publishes("b", 50));
    if (b.unread < 10_000) b.present(publishes("a", 50));
    core.turn();
    received[0]! += acknowledge(a);
    received[1]! += acknowledge(b);
    core.advance(1, 1);
  }
  assertEquals(core.statistics.slowConsumers, 0);
  assertGreater(Math.min(...received), 50);
});
