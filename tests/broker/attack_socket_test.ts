/** Attacks that need a real socket: peers that read nothing. */
import { assertEquals } from "@std/assert";
import { concatenate, publishPacket, WireClient } from "../support/wire_client.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { TestBroker } from "../support/test_broker.ts";

/** Resolves when `done` gives true; fails after `patienceMs`. */
async function eventually(what: string, done: () => boolean, patienceMs = 8_000): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`Cannot see that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Publishes to `flood` until the frozen subscriber's outbox does not drain any more. */
async function fill(broker: TestBroker, publisher: WireClient): Promise<void> {
  const packet = encodePacket(publishPacket("flood", "x".repeat(60_000)));
  const chunk = concatenate(Array(20).fill(packet));
  for (let round = 0; round < 60; round++) {
    await publisher.sendBytes(chunk);
    await publisher.drain();
    const core = broker.server.broker;
    const stuck = [...core.connections()].some((c) => c.pendingBytes > 3_000_000);
    // On a slow machine the stall may be over before this looks.
    if (stuck || core.statistics.stalledWrites > 0) return;
  }
  throw new Error("Cannot fill the outbox of a client that reads nothing");
}

const CHANGES = { outbox: { slowConsumerGraceMs: 0 } } as const;
const IMPATIENT = { outbox: { stalledWriteTimeoutMs: 500, slowConsumerGraceMs: 0 } } as const;

Deno.test("A client that takes no bytes loses its socket [limit:stalled_write_timeout_ms]", async () => {
  await using broker = await TestBroker.start(IMPATIENT);
  using frozen = await WireClient.connect(broker.port);
  await frozen.subscribe("flood");
  using publisher = await WireClient.connect(broker.port);
  await fill(broker, publisher);
  const { statistics } = broker.server.broker;
  await eventually("the write is seen to stall", () => statistics.stalledWrites === 1);
  await eventually("the socket is closed", () => statistics.connectionsOpen === 1);
});

Deno.test("A client that breaks the protocol and takes no bytes loses its socket", async () => {
  await using broker = await TestBroker.start(CHANGES);
  using frozen = await WireClient.connect(broker.port);
  await frozen.subscribe("flood");
  using publisher = await WireClient.connect(broker.port);
  await fill(broker, publisher);
  await frozen.sendBytes(Uint8Array.of(0xff));
  const { statistics } = broker.server.broker;
  await eventually("the error is seen", () => statistics.clientsConnected === 1);
  await eventually("the socket is closed", () => statistics.connectionsOpen === 1);
  assertEquals(await publisher.drain(), []);
});
