/** How fast connections come into a running broker. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { isLetIn, refusalLines, refusals, untilSys } from "../support/door.ts";
import { TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";

const SYS = { sysTopics: { enabled: true, intervalMs: 100 } };
/** No address has a limit, not even for this test. */
const UNLIMITED_EACH = { perAddressPerSecond: 0, perAddressBurst: 1 };

Deno.test("an address gets its burst and then its rate; others do not notice", async () => {
  const connectionRate = { perAddressPerSecond: 1, perAddressBurst: 5, exempt: "127.0.0.1" };
  await using broker = await TestBroker.start({ connectionRate, ...SYS });
  let opened = 0;
  while (await isLetIn(broker, { from: "127.0.0.2" })) assert(++opened < 5_000, "no limit");
  assert(opened >= 5, `${opened}`);
  assertEquals(await isLetIn(broker, { from: "127.0.0.3" }), true);
  for (let i = 0; i < 20; i++) assertEquals(await isLetIn(broker), true, "exempt");
  assertEquals(refusals(broker), ["127.0.0.2 connection-rate"]);
  assertMatch(refusalLines(broker)[0]!.line, / for_s=1 listener=/);
  await untilSys(broker, "refused/connection-rate", "1");
});

Deno.test("who was refused for the rate gets in by trying again", async () => {
  const connectionRate = { perAddressPerSecond: 20, perAddressBurst: 1, exempt: "" };
  await using broker = await TestBroker.start({ connectionRate });
  let tries = 0;
  for (let letIn = 0; letIn < 5; tries++) {
    assert(tries < 5_000, "never");
    if (await isLetIn(broker, { from: "127.0.0.2" })) letIn++;
  }
  assert(tries > 5, "some were refused");
});

Deno.test("beyond the rate of all together nobody is refused: they wait in the kernel", async () => {
  const connectionRate = { perSecond: 50, burst: 5, ...UNLIMITED_EACH };
  await using broker = await TestBroker.start({ connectionRate });
  using before = await WireClient.connect(broker.port, { clientIdentifier: "before" });
  const startedMs = performance.now();
  const clients = await Promise.all(
    Array.from({ length: 25 }, (_, i) => WireClient.openFrom(`127.0.0.${2 + i}`, broker.port)),
  );
  const { statistics } = broker.server.broker;
  while (statistics.connectionsTotal < 26) {
    // Whoever is in already is served meanwhile.
    assertEquals(await before.drain(), []);
    const elapsedMs = performance.now() - startedMs;
    const most = 5 + 50 * (elapsedMs + 20) / 1000 + 1;
    assert(statistics.connectionsTotal <= most, `${statistics.connectionsTotal} > ${most}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert(performance.now() - startedMs >= (26 - 5 - 2) * 20, "no faster than the rate");
  for (const client of clients) assertEquals((await client.sendConnect()).returnCode, 0);
  assertEquals(refusals(broker), []);
  for (const client of clients) client.close();
});

Deno.test("all listeners pause together, and the pauses are counted", async () => {
  const connectionRate = { perSecond: 20, burst: 1, ...UNLIMITED_EACH };
  await using broker = await TestBroker.start({ connectionRate, ...SYS }, { more: [{}] });
  const ports = broker.server.addresses.map(({ port }) => port);
  const startedMs = performance.now();
  for (let i = 0; i < 8; i++) (await WireClient.connect(ports[0]!)).close();
  const halfMs = performance.now();
  for (let i = 0; i < 8; i++) (await WireClient.connect(ports[1]!)).close();
  // The first is free, and each of the two may let one more in that it was accepting already.
  assert(halfMs - startedMs >= (8 - 3) * 50, "the first");
  assert(performance.now() - halfMs >= (8 - 3) * 50, "the second, in debt to the first");
  using client = await WireClient.connect(broker.port);
  await client.subscribe("$SYS/broker/connections/paused");
  while (new TextDecoder().decode((await client.receiveMessage()).payload) === "0");
  assertEquals(broker.log.join("").split("connection rate: ").length, 2, "one line");
});

Deno.test("0 is no limit, of one address and of all", async () => {
  const connectionRate = { perSecond: 0, burst: 1, ...UNLIMITED_EACH, exempt: "" };
  await using broker = await TestBroker.start({ connectionRate });
  const clients = await Promise.all(
    Array.from({ length: 200 }, () => WireClient.openFrom("127.0.0.2", broker.port)),
  );
  for (const client of clients) assertEquals((await client.sendConnect()).returnCode, 0);
  for (const client of clients) client.close();
  assertEquals(refusals(broker), []);
});
