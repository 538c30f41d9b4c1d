/** Two places that take one Client Identifier from each other, over real sockets. */
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { recorded, told } from "../support/audit_files.ts";
import { TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";

const HERE = "127.0.0.1";
const THERE = "127.0.0.2";
const SERVER_UNAVAILABLE = 3;
const PRESS = { clientIdentifier: "press", cleanSession: false };

/** Two addresses in turn take the same Client Identifier; gives the return codes, and who has it. */
async function fight(
  port: number,
  times: number,
): Promise<{ codes: number[]; holder: WireClient | null }> {
  const codes: number[] = [];
  let holder: WireClient | null = null;
  for (let i = 0; i < times; i++) {
    const client = await WireClient.openFrom(i % 2 === 0 ? HERE : THERE, port);
    const { returnCode } = await client.sendConnect(PRESS);
    codes.push(returnCode);
    if (returnCode === 0) {
      holder?.close();
      holder = client;
    } else client.close();
  }
  return { codes, holder };
}

Deno.test("two places in a loop are damped, both named in log and audit, and the holder stays", async () => {
  const takeOver = { returnsMax: 4, dampMs: 60_000, dampMsMax: 60_000 };
  let log = "";
  const lines = await recorded({ takeOver }, async (broker) => {
    const { port, server: { broker: { statistics } } } = broker;
    const { codes, holder } = await fight(port, 20);
    // The first has it, the second takes it, three come back; then only the holder's own address.
    assertEquals(codes.slice(0, 8), [0, 0, 0, 0, 0, SERVER_UNAVAILABLE, 0, SERVER_UNAVAILABLE]);
    assertEquals(statistics.takeOversRefused, codes.filter((code) => code !== 0).length);
    assertEquals(await holder!.drain(), [], "it has not lost it");
    using other = await WireClient.openFrom(THERE, port);
    assertEquals((await other.sendConnect({ clientIdentifier: "another" })).returnCode, 0);
    await holder!.disconnect();
    // It is not taken over: whoever comes first when it is free has it.
    using free = await WireClient.openFrom(THERE, port);
    assertEquals((await free.sendConnect(PRESS)).returnCode, 0);
    log = broker.log.join("");
  });
  const storms = log.split("\n").filter((line) => line.includes("storm: client="));
  assertEquals(storms.length, 1);
  assertMatch(
    storms[0]!,
    /warn {2}take-over storm: client="press" holder=127\.0\.0\.1:\d+ newcomer=127\.0\.0\.2:\d+ addresses="127\.0\.0\.1 127\.0\.0\.2" for_s=60$/,
  );
  assertMatch(
    log,
    /closed: client="press" .*address=127\.0\.0\.2:\d+, refused \(take-over storm\)/,
  );
  assertEquals(told(lines, ["take-over-storm"], ["client", "addresses", "seconds"]), [
    { event: "take-over-storm", client: "press", addresses: "127.0.0.1 127.0.0.2", seconds: 60 },
  ]);
  const [refused] = told(lines, ["refused"], ["client", "reason", "address"]);
  assertEquals([refused?.client, refused?.reason], ["press", "take-over-storm"]);
  assertMatch(String(refused?.address), /^127\.0\.0\.2:\d+$/);
});

Deno.test("each damping of a storm is longer, and between them it goes on", async () => {
  const takeOver = { returnsMax: 2, dampMs: 100, dampMsMax: 10_000 };
  await using broker = await TestBroker.start({ takeOver });
  const deadline = performance.now() + 30_000;
  const storms = () => [...broker.log.join("").matchAll(/ storm: .* for_s=(\d+)\n/g)];
  while (storms().length < 5) {
    assert(performance.now() < deadline);
    (await fight(broker.port, 4)).holder?.close();
  }
  // 0.1, 0.2, 0.4, 0.8 and 1.6 s, rounded up.
  assertEquals(storms().map(([, seconds]) => seconds), ["1", "1", "1", "1", "2"]);
  assertGreater(broker.server.broker.statistics.takeOvers, 5);
});

Deno.test("two clients behind one router are damped when they come back at once, not before", async () => {
  const takeOver = { sameAddressMax: 20, dampMs: 60_000, dampMsMax: 60_000 };
  const lines = await recorded({ takeOver }, async ({ port, log }) => {
    let last = await WireClient.connect(port, PRESS);
    for (let i = 0; i < 20; i++) {
      const next = await WireClient.connect(port, PRESS);
      await last.expectClosed();
      last.close();
      last = next;
    }
    using refused = await WireClient.open(port);
    assertEquals((await refused.sendConnect(PRESS)).returnCode, SERVER_UNAVAILABLE);
    await last.drain();
    last.close();
    assertMatch(log.join(""), /take-over storm: .* addresses="127\.0\.0\.1" for_s=60\n/);
  });
  assertEquals(lines.filter(({ event }) => event === "take-over").length, 20);
  assertEquals(lines.filter(({ event }) => event === "take-over-storm").length, 1);
});

Deno.test("a client that moves from address to address, or reconnects, is never refused", async () => {
  await using broker = await TestBroker.start();
  const clients: WireClient[] = [];
  for (let i = 1; i <= 40; i++) {
    const client = await WireClient.openFrom(`127.0.0.${1 + (i >> 1)}`, broker.port);
    assertEquals((await client.sendConnect(PRESS)).returnCode, 0);
    clients.push(client);
  }
  for (const client of clients) client.close();
});
