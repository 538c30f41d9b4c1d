/** Load balancers in front of a running broker: whose word is taken, and for what. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import type { ListenerConfig } from "../../src/config/mod.ts";
import { isLetIn, refusalLines, refusals } from "../support/door.ts";
import { LoadBalancer } from "../support/load_balancer.ts";
import { PROXY_V1_UNKNOWN, proxyV1, proxyV2 } from "../support/proxy_header.ts";
import { encode, SecurityFiles } from "../support/security_files.ts";
import {
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { concatenate, connectPacket, publishPacket, WireClient } from "../support/wire_client.ts";

const IPV6 = [0x20, 0x01, 0x0d, 0xb8, ...Array<number>(11).fill(0), 9];
const MAPPED = [...Array<number>(10).fill(0), 0xff, 0xff, 198, 51, 100, 4];

/** A broker behind a load balancer on 127.0.0.1. */
function behindProxy(
  changes: ConfigChanges = {},
  listener: Partial<ListenerConfig> = {},
): Promise<TestBroker> {
  return TestBroker.start(changes, {
    listener: { proxyProtocol: "any", trustedProxies: "127.0.0.1 10.0.0.0/8", ...listener },
  });
}

/** The address that the log names for a client. */
function loggedAddress({ log }: TestBroker, clientIdentifier: string): string | undefined {
  const line = log.join("").split("\n").find((l) =>
    l.includes(`connected: client="${clientIdentifier}"`)
  );
  return /address=(\S+?),?$/.exec(line ?? "")?.[1];
}

const CASES = [
  ["v1", proxyV1("203.0.113.7"), "203.0.113.7:5555"],
  ["v1-v6", proxyV1("2001:db8::9"), "[2001:db8::9]:5555"],
  ["v1-mapped", proxyV1("::ffff:198.51.100.4"), "198.51.100.4:5555"],
  ["v2", proxyV2([203, 0, 113, 7]), "203.0.113.7:5555"],
  ["v2-v6", proxyV2(IPV6), "[2001:db8::9]:5555"],
  ["v2-mapped", proxyV2(MAPPED), "198.51.100.4:5555"],
  ["v2-tlvs", proxyV2([203, 0, 113, 7], { tlvBytes: 900 }), "203.0.113.7:5555"],
] as const;

Deno.test("the address that a trusted proxy names is the client's, and nothing it sends is lost", async () => {
  await using broker = await behindProxy();
  for (const [name, header, expected] of CASES) {
    using client = await WireClient.open(broker.port);
    // Header, CONNECT and a whole PUBLISH in one segment.
    const connect = encodePacket(connectPacket({ clientIdentifier: name }));
    const publish = encodePacket(publishPacket("t", "x".repeat(5_000), { qos: 1, packetId: 9 }));
    await client.sendBytes(concatenate([header, connect, publish]));
    assertEquals((await client.expect("CONNACK")).returnCode, 0);
    assertEquals((await client.expect("PUBACK")).packetId, 9);
    assertEquals(loggedAddress(broker, name), expected);
  }
  assertEquals(refusals(broker), []);
});

Deno.test("a header may come in pieces over real sockets", async () => {
  await using broker = await behindProxy();
  for (const [name, header] of CASES) {
    if (header.length > 60) continue;
    using client = await WireClient.open(broker.port);
    const bytes = concatenate([
      header,
      encodePacket(connectPacket({ clientIdentifier: `${name}-slow` })),
    ]);
    for (const byte of bytes) {
      await client.sendBytes(Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
    assertEquals((await client.expect("CONNACK")).returnCode, 0);
  }
});

Deno.test("a proxy that comes for itself is the client: UNKNOWN and LOCAL", async () => {
  await using broker = await behindProxy();
  for (const [name, header] of [["unknown", PROXY_V1_UNKNOWN], ["local", proxyV2([])]] as const) {
    using client = await WireClient.open(broker.port);
    await client.sendBytes(header);
    assertEquals((await client.sendConnect({ clientIdentifier: name })).returnCode, 0);
    assert(/^127\.0\.0\.1:\d+$/.test(loggedAddress(broker, name)!));
  }
});

Deno.test("who is no trusted proxy is refused, whatever address he claims to have", async () => {
  await using broker = await behindProxy({ sysTopics: { enabled: true, intervalMs: 100 } });
  for (const preamble of [proxyV1("127.0.0.1"), proxyV2([127, 0, 0, 1]), new Uint8Array(0)]) {
    assertEquals(await isLetIn(broker, { from: "127.0.0.2", preamble }), false);
  }
  assertEquals(refusals(broker), Array(3).fill("127.0.0.2 proxy-protocol"));
  assertStringIncludes(refusalLines(broker)[0]!.line, 'detail="not a trusted proxy"');
  assertEquals(broker.server.broker.statistics.connectionsTotal, 0, "the core has seen none");
});

Deno.test("a header on a listener without proxies is no CONNECT", async () => {
  await using broker = await TestBroker.start();
  for (const preamble of [proxyV1("203.0.113.7"), proxyV2([203, 0, 113, 7])]) {
    assertEquals(await isLetIn(broker, { preamble }), false);
  }
});

Deno.test("a trusted proxy that sends no valid header is refused with a line", async () => {
  const ascii = (text: string) => new TextEncoder().encode(text);
  const cases: [Uint8Array, string][] = [
    [new Uint8Array(0), "no PROXY header"], // the CONNECT itself
    [ascii("GET / HTTP/1.1\r\n\r\n"), "no PROXY header"],
    [ascii(`PROXY TCP4 ${"1".repeat(200)}`), "version 1: no end of the line"],
    [ascii("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"), "version 1: not five fields"],
    [proxyV2([1, 2, 3, 4], { tlvBytes: 3_000 }), "version 2: header too long"],
  ];
  await using broker = await behindProxy();
  for (const [preamble] of cases) assertEquals(await isLetIn(broker, { preamble }), false);
  assertEquals(refusals(broker), cases.map(() => "127.0.0.1 proxy-protocol"));
  const lines = refusalLines(broker);
  for (const [i, [, problem]] of cases.entries()) {
    assertStringIncludes(lines[i]!.line, `detail="${problem}"`);
  }
});

Deno.test("a proxy that says nothing, or not all, is refused in time, and counted", async () => {
  await using broker = await behindProxy({
    limits: { connectTimeoutMs: 200 },
    sysTopics: { enabled: true, intervalMs: 100 },
  });
  for (const part of [new Uint8Array(0), proxyV1("203.0.113.7").subarray(0, 12)]) {
    using client = await WireClient.open(broker.port);
    await client.sendBytes(part);
    await client.expectClosed();
  }
  assertEquals(refusals(broker), Array(2).fill("127.0.0.1 proxy-protocol"));
  assertStringIncludes(refusalLines(broker)[0]!.line, 'detail="no header within 200 ms"');
});

Deno.test("a listener takes the version that it is told to", async () => {
  const headers = { v1: proxyV1("203.0.113.7"), v2: proxyV2([203, 0, 113, 7]) };
  for (const proxyProtocol of ["v1", "v2"] as const) {
    await using broker = await behindProxy({}, { proxyProtocol });
    for (const [version, preamble] of Object.entries(headers)) {
      assertEquals(await isLetIn(broker, { preamble }), version === proxyProtocol);
    }
  }
});

Deno.test("lists act on the address that the proxy names, not on the proxy's", async () => {
  await using broker = await behindProxy({
    ip: { block: "203.0.113.0/24 127.0.0.1 2001:db8::/64" },
  });
  for (
    const [source, expected] of [
      ["203.0.113.7", false],
      ["::ffff:203.0.113.8", false],
      ["2001:db8::9", false],
      ["198.51.100.4", true],
      ["2001:db8:1::9", true],
    ] as const
  ) {
    assertEquals(await isLetIn(broker, { preamble: proxyV1(source) }), expected, source);
  }
  assertEquals(await isLetIn(broker, { preamble: PROXY_V1_UNKNOWN }), false, "for itself");
  assertEquals(refusals(broker), [
    "203.0.113.7 ip-blocked",
    "203.0.113.8 ip-blocked",
    "2001:db8::9 ip-blocked",
    "127.0.0.1 ip-blocked",
  ]);
});

Deno.test("guessing locks out the address that the proxy names, and nobody else behind it", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "right" });
  await using broker = await behindProxy({
    security: { passwordFile },
    loginGuard: { failuresMax: 3 },
  });
  const login = async (source: string, password: string) => {
    using client = await WireClient.open(broker.port);
    await client.sendBytes(proxyV1(source));
    const options = { userName: "alice", password: encode(password) };
    return await client.sendConnect(options).then(({ returnCode }) => returnCode, () => null);
  };
  for (let i = 0; i < 3; i++) assertEquals(await login("203.0.113.7", "wrong"), 4);
  assertEquals(await login("203.0.113.7", "right"), null);
  assertEquals(await login("203.0.113.8", "right"), 0);
  assertEquals(refusals(broker), [
    ...Array(3).fill("203.0.113.7 bad-credentials"),
    "203.0.113.7 locked-out",
  ]);
});

Deno.test("a right password is to the credit of the address that the proxy names", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "right" });
  await using broker = await behindProxy({
    security: { passwordFile },
    loginGuard: { failuresMax: 3 },
  });
  const codes: number[] = [];
  for (const password of ["1", "2", "right", "3", "4", "right"]) {
    using client = await WireClient.open(broker.port);
    await client.sendBytes(proxyV1("203.0.113.7"));
    const options = { userName: "alice", password: encode(password) };
    codes.push((await client.sendConnect(options)).returnCode);
  }
  assertEquals(codes, [4, 4, 0, 4, 4, 0]);
});

Deno.test("a connection that waits for its header ends with the broker", async () => {
  const broker = await behindProxy();
  using client = await WireClient.open(broker.port);
  await client.sendBytes(proxyV1("203.0.113.7").subarray(0, 9));
  await client.expectSilence(50);
  await broker[Symbol.asyncDispose]();
  await client.expectClosed();
});

Deno.test("the rate of an address is that of the one that the proxy names", async () => {
  const connectionRate = { perAddressPerSecond: 1, perAddressBurst: 2, exempt: "" };
  await using broker = await behindProxy({ connectionRate });
  const letIn: boolean[] = [];
  for (let i = 0; i < 8; i++) {
    letIn.push(await isLetIn(broker, { preamble: proxyV1(`203.0.113.${i >> 1}`) }));
  }
  assertEquals(letIn, Array(8).fill(true), "two of each, all from one proxy");
  for (let i = 0; i < 3; i++) await isLetIn(broker, { preamble: proxyV1("203.0.113.9") });
  assertEquals(refusals(broker), ["203.0.113.9 connection-rate"]);
});

Deno.test("a health check that connects and closes disturbs nobody", async () => {
  await using broker = await behindProxy({ sysTopics: { enabled: true, intervalMs: 100 } });
  for (let i = 0; i < 20; i++) (await WireClient.open(broker.port)).close();
  assertEquals(await isLetIn(broker, { preamble: proxyV1("203.0.113.7") }), true);
  using client = await WireClient.open(broker.port);
  await client.sendBytes(proxyV2([]));
  await client.sendConnect({ clientIdentifier: "watcher" });
  await client.subscribe("$SYS/broker/refused/proxy-protocol");
  for (let seen = ""; seen !== "20";) {
    seen = new TextDecoder().decode((await client.receiveMessage()).payload);
  }
  assertEquals(refusals(broker).length, 10, "more lines would say nothing new");
});

Deno.test({
  name: `TLS begins behind the header, in one segment with it or not${NEEDS_OPENSSL}`,
  ignore: !OPENSSL,
  fn: async () => {
    const ca = await TestAuthority.root(temporaryDirectory(), "ca");
    const files = await ca.issue({ subject: "/CN=localhost", extensions: SERVER_EXTENSIONS });
    const certificate = await ca.issue({ subject: "/CN=pump-1" });
    await using broker = await behindProxy({ ip: { block: "203.0.113.99" } }, {
      ...files,
      caFile: ca.certificateFile,
      clientCertificates: "required",
    });
    for (const [name, preamble, expected] of CASES) {
      await using balancer = new LoadBalancer(broker.port, preamble);
      for (const [port, options] of [[balancer.port, {}], [broker.port, { preamble }]] as const) {
        using client = await TlsClient.connect({ port, certificate, ...options });
        const clientIdentifier = `${name}-${port === broker.port ? "apart" : "joined"}`;
        await client.send(encodePacket(connectPacket({ clientIdentifier })));
        assertEquals([...await client.receive() ?? []], [0x20, 2, 0, 0], name);
        assertEquals(loggedAddress(broker, clientIdentifier), expected);
      }
    }
    using blocked = await TlsClient.connect({
      port: broker.port,
      preamble: proxyV1("203.0.113.99"),
      certificate,
    });
    assertEquals(await blocked.ended(), 0);
    assertEquals(blocked.ciphertextBytes, 0);
    using spoofed = await TlsClient.connect({
      port: broker.port,
      from: "127.0.0.2",
      preamble: proxyV1("203.0.113.7"),
      certificate,
    });
    assertEquals(await spoofed.ended(), 0);
    assertEquals(spoofed.ciphertextBytes, 0);
    using anonymous = await TlsClient.connect({
      port: broker.port,
      preamble: proxyV2([203, 0, 113, 8]),
    });
    assertEquals(await anonymous.ended(), 0);
    assertEquals(refusals(broker), [
      "203.0.113.99 ip-blocked",
      "127.0.0.2 proxy-protocol",
      "203.0.113.8 certificate-refused",
    ]);
  },
});
