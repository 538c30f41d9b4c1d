/** Allow and block lists of a running broker. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ListenerConfig } from "../../src/config/mod.ts";
import { BrokerProcess } from "../durability/_broker_process.ts";
import { isLetIn, refusalLines, refusals, untilSys } from "../support/door.ts";
import {
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { connectPacket, WireClient } from "../support/wire_client.ts";

const PEERS = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.1.2"];

/** Who of the peers is let in. */
async function letIn(
  changes: ConfigChanges,
  listener: Partial<ListenerConfig> = {},
): Promise<{ peers: string[]; refused: string[] }> {
  await using broker = await TestBroker.start(changes, { listener });
  const peers: string[] = [];
  for (const from of PEERS) if (await isLetIn(broker, { from })) peers.push(from);
  return { peers, refused: refusals(broker) };
}

Deno.test("without lists everybody may connect", async () => {
  assertEquals(await letIn({}), { peers: PEERS, refused: [] });
});

Deno.test("a blocked address and a blocked network are refused, and nobody else", async () => {
  assertEquals(await letIn({ ip: { block: "127.0.0.2" } }), {
    peers: ["127.0.0.1", "127.0.0.3", "127.0.1.2"],
    refused: ["127.0.0.2 ip-blocked"],
  });
  assertEquals(await letIn({ ip: { block: "10.0.0.0/8 127.0.0.2/31" } }), {
    peers: ["127.0.0.1", "127.0.1.2"],
    refused: ["127.0.0.2 ip-blocked", "127.0.0.3 ip-blocked"],
  });
});

Deno.test("where somebody is allowed, nobody else may connect, and a block wins", async () => {
  assertEquals(await letIn({ ip: { allow: "127.0.0.0/24", block: "127.0.0.3" } }), {
    peers: ["127.0.0.1", "127.0.0.2"],
    refused: ["127.0.0.3 ip-blocked", "127.0.1.2 ip-not-allowed"],
  });
});

Deno.test("IPv4 addresses are written as mapped ones as well", async () => {
  assertEquals(await letIn({ ip: { block: "::ffff:127.0.0.2 ::ffff:127.0.1.0/120" } }), {
    peers: ["127.0.0.1", "127.0.0.3"],
    refused: ["127.0.0.2 ip-blocked", "127.0.1.2 ip-blocked"],
  });
});

Deno.test("lists of IPv6 say nothing of IPv4: blocked is none, allowed neither", async () => {
  assertEquals((await letIn({ ip: { block: "::/0" } })).peers, PEERS);
  assertEquals((await letIn({ ip: { allow: "::/0" } })).peers, []);
});

Deno.test("who one of the lists does not let in is refused, be it the listener's or that of all", async () => {
  const both = await letIn({ ip: { allow: "127.0.0.0/24" } }, {
    ipAllow: "127.0.0.2 127.0.1.2",
    ipBlock: "127.0.0.3",
  });
  assertEquals(both, {
    peers: ["127.0.0.2"],
    refused: ["127.0.0.1 ip-not-allowed", "127.0.0.3 ip-blocked", "127.0.1.2 ip-not-allowed"],
  });
});

Deno.test("the lists of a listener are its own", async () => {
  await using broker = await TestBroker.start({}, {
    listener: { ipBlock: "127.0.0.2" },
    more: [{ ipAllow: "127.0.0.2" }],
  });
  const [first, second] = broker.server.addresses;
  for (
    const [port, from, expected] of [
      [first!.port, "127.0.0.1", true],
      [first!.port, "127.0.0.2", false],
      [second!.port, "127.0.0.1", false],
      [second!.port, "127.0.0.2", true],
    ] as const
  ) {
    using client = await WireClient.openFrom(from, port);
    const answered = await client.sendConnect().then(() => true, () => false);
    assertEquals(answered, expected, `${from} at ${port}`);
  }
});

Deno.test("the address ::1 is judged by lists of IPv6", async () => {
  for (const [block, expected] of [["::1", "closed"], ["::2 127.0.0.1", "CONNACK"]] as const) {
    await using broker = await TestBroker.start({ ip: { block } }, {
      listener: { address: "[::1]:0" },
    });
    using client = await WireClient.openV6(broker.port);
    if (expected === "closed") {
      await client.expectClosed();
      assertEquals(refusals(broker), ["::1 ip-blocked"]);
    } else assertEquals((await client.sendConnect()).returnCode, 0);
  }
});

Deno.test("an IPv4 peer of a listener for both versions is judged as IPv4", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const config = `${dataDir}/relayq.toml`;
  await Deno.writeTextFile(
    config,
    `[[listeners]]
address = "[::]:0"
allow_anonymous = true
[ip]
block = "127.0.0.2"
allow = "127.0.0.0/24"
[store]
data_dir = "${dataDir}/data"
`,
  );
  const broker = BrokerProcess.start(config);
  try {
    await broker.listening();
    for (const [from, expected] of [["127.0.0.1", true], ["127.0.0.2", false]] as const) {
      assertEquals(await isLetIn(broker, { from }), expected, from);
    }
    using other = await WireClient.openV6(broker.port);
    await other.expectClosed();
    for (let i = 0; i < 500 && !broker.stderr.includes("ip-not-allowed"); i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  } finally {
    await broker.kill();
    await Deno.remove(dataDir, { recursive: true });
  }
  const lines = broker.stderr.matchAll(/login refused: address=(\S+ reason=\S+)/g);
  assertEquals([...lines].map((line) => line[1]), [
    "127.0.0.2 reason=ip-blocked",
    "::1 reason=ip-not-allowed",
  ]);
});

Deno.test("refusals by list are counted by reason in $SYS", async () => {
  await using broker = await TestBroker.start({
    ip: { block: "127.0.0.2" },
    sysTopics: { enabled: true, intervalMs: 100 },
  }, { listener: { ipAllow: "127.0.0.1 127.0.0.2" } });
  for (const from of ["127.0.0.2", "127.0.0.2", "127.0.0.3"]) {
    assertEquals(await isLetIn(broker, { from }), false);
  }
  await untilSys(broker, "refused/ip-blocked", "2");
  await untilSys(broker, "refused/ip-not-allowed", "1");
});

Deno.test("a flood from a blocked address is counted in full and told in a few lines", async () => {
  await using broker = await TestBroker.start({
    ip: { block: "127.0.0.2" },
    sysTopics: { enabled: true, intervalMs: 100 },
  });
  for (let i = 0; i < 60; i++) assertEquals(await isLetIn(broker, { from: "127.0.0.2" }), false);
  await untilSys(broker, "refused/ip-blocked", "60");
  assertEquals(refusals(broker), Array(10).fill("127.0.0.2 ip-blocked"));
});

Deno.test("what was not written is told when the minute is over", async () => {
  await using broker = await TestBroker.start({ ip: { block: "127.0.0.2" } });
  for (let i = 0; i < 13; i++) assertEquals(await isLetIn(broker, { from: "127.0.0.2" }), false);
  assertEquals(refusals(broker).length, 10);
  const realNow = performance.now.bind(performance);
  performance.now = () => realNow() + 61_000;
  try {
    while (refusals(broker).length === 10) await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    performance.now = realNow;
  }
  assertMatch(refusalLines(broker).at(-1)!.line, / reason=ip-blocked suppressed=3 /);
});

Deno.test("who comes when there is no room has a line as well", async () => {
  await using full = await TestBroker.start({ limits: { connectionsMax: 1 } });
  using _first = await WireClient.connect(full.port);
  assertEquals(await isLetIn(full, { from: "127.0.0.2" }), false);
  assertEquals(refusals(full), ["127.0.0.2 connections-max"]);
});

Deno.test({
  name: `who is blocked gets no ServerHello: lists are asked before TLS${NEEDS_OPENSSL}`,
  ignore: !OPENSSL,
  fn: async () => {
    const ca = await TestAuthority.root(temporaryDirectory(), "ca");
    const files = await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
    await using broker = await TestBroker.start({ ip: { block: "127.0.0.2" } }, {
      listener: files,
    });
    using blocked = await TlsClient.connect({ port: broker.port, from: "127.0.0.2" });
    assertEquals(await blocked.ended(), 0);
    assertEquals(blocked.ciphertextBytes, 0);
    using allowed = await TlsClient.connect({ port: broker.port });
    assertEquals(allowed.socket.getProtocol(), "TLSv1.3");
    assert(allowed.ciphertextBytes > 500, "its certificate");
    using plain = await WireClient.openFrom("127.0.0.3", broker.port);
    await plain.send(connectPacket());
    await plain.expectClosed().catch(() => {}); // perhaps behind an alert
    assertEquals(refusals(broker), ["127.0.0.2 ip-blocked", "127.0.0.3 tls-handshake"]);
  },
});

Deno.test("a list that cannot be read does not start", async () => {
  for (
    const [changes, listener, place] of [
      [{ ip: { allow: "10.0.0.0/8 nonsense" } }, {}, "ip.allow: nonsense: "],
      [{ ip: { block: "10.0.0.1/8" } }, {}, "ip.block: 10.0.0.1/8: "],
      [{ connectionRate: { exempt: "x" } }, {}, "connection_rate.exempt: "],
      [{}, { ipAllow: "1.2.3" }, "ip_allow: 1.2.3: "],
      [{}, { trustedProxies: "1.2.3" }, "trusted_proxies: "],
    ] as const
  ) {
    const started = await TestBroker.start(changes, { listener }).catch((error) => String(error));
    assertStringIncludes(String(started), place);
  }
});
