/** Keep Alive, PINGREQ and PINGRESP: sections 3.1.2.10 and 3.12. Here, and only here, time counts. */
import { assert, assertEquals } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { name, publishPacket, WireClient } from "../support/wire_client.ts";
import { hex } from "./_raw.ts";

const KEEP_ALIVE_SECONDS = 1;
const EARLIEST_MS = 1_000;
const LATEST_MS = 4_000;

Deno.test("PINGREQ is answered by PINGRESP, each by one [MQTT-3.12.4-1]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.sendBytes(hex("c0 00 c0 00 c0 00"));
  for (let index = 0; index < 3; index++) {
    assertEquals(await client.receive(), { type: "PINGRESP" });
  }
  assertEquals(await client.drain(), []);
});

Deno.test("a silent client is cut off after its Keep Alive, as if the network had failed [MQTT-3.1.2-24]", async () => {
  await using broker = await TestBroker.start();
  using watcher = await WireClient.connect(broker.port);
  await watcher.subscribe("will");
  using unlimited = await WireClient.connect(broker.port, { keepAliveSeconds: 0 });
  using patient = await WireClient.connect(broker.port, { keepAliveSeconds: 600 });
  using client = await WireClient.connect(broker.port, {
    keepAliveSeconds: KEEP_ALIVE_SECONDS,
    will: { topic: name("will") },
  });
  const startMs = performance.now();
  assertEquals(await client.expectClosed(LATEST_MS), []);
  const elapsedMs = performance.now() - startMs;
  assert(elapsedMs >= EARLIEST_MS && elapsedMs < LATEST_MS, `closed after ${elapsedMs} ms`);
  assertEquals((await watcher.receiveMessage()).topic, name("will"));
  await unlimited.drain();
  await patient.drain();
});

Deno.test("bytes that are no whole Control Packet do not keep a client alive [MQTT-3.1.2-24]", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port, { keepAliveSeconds: KEEP_ALIVE_SECONDS });
  await client.sendBytes(hex("30 7f"));
  const deadlineMs = performance.now() + LATEST_MS;
  while (performance.now() < deadlineMs) {
    const next = await client.next(200);
    if (next === "closed") return;
    assertEquals(next, "silence");
    await client.sendBytes(hex("00")).catch(() => {});
  }
  throw new Error(`Cannot see close: open after ${LATEST_MS} ms`);
});

Deno.test("a client that sends packets of any type stays connected [MQTT-3.1.2-24]", async () => {
  await using broker = await TestBroker.start();
  using pinging = await WireClient.connect(broker.port, { keepAliveSeconds: KEEP_ALIVE_SECONDS });
  using publishing = await WireClient.connect(broker.port, {
    keepAliveSeconds: KEEP_ALIVE_SECONDS,
  });
  const startMs = performance.now();
  while (performance.now() - startMs < 2_400) {
    await pinging.send({ type: "PINGREQ" });
    assertEquals(await pinging.receive(), { type: "PINGRESP" });
    await publishing.send(publishPacket("t", "x"));
    await pinging.expectSilence(300);
  }
  await pinging.drain();
  await publishing.drain();
});
