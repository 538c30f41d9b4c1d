/** What a running broker records, over real sockets. */
import deno from "../../deno.json" with { type: "json" };
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  auditDirectory,
  type AuditLine,
  auditLines,
  recorded,
  told,
} from "../support/audit_files.ts";
import { encode, passwordFileText, SecurityFiles } from "../support/security_files.ts";
import { TestBroker } from "../support/test_broker.ts";
import { type ConnectOptions, name, payload, WireClient } from "../support/wire_client.ts";

const ALICE = { userName: "alice", password: encode("alice's secret") };

/** Waits until the core has nothing more to do for a client that has gone. */
async function gone(broker: TestBroker, connections: number): Promise<void> {
  while (broker.server.broker.statistics.connectionsOpen > connections) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What a CONNECT is answered with, behind which the client goes. */
async function returnCode(port: number, options: ConnectOptions): Promise<number> {
  using client = await WireClient.open(port);
  return (await client.sendConnect(options)).returnCode;
}

/** The sum of what was written and what was left out. */
function weight(lines: readonly AuditLine[]): number {
  return lines.reduce((sum, { suppressed }) => sum + 1 + Number(suppressed ?? 0), 0);
}

Deno.test("who comes, is taken over and goes is recorded with user, addresses and cause", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "alice's secret" });
  const lines = await recorded({ security: { passwordFile } }, async (broker) => {
    const options = { ...ALICE, clientIdentifier: "press", cleanSession: false };
    using first = await WireClient.connect(broker.port, options);
    const second = await WireClient.connect(broker.port, options);
    await first.expectClosed();
    await second.disconnect();
    using lost = await WireClient.connect(broker.port, { clientIdentifier: "lost", ...ALICE });
    lost.close();
    await gone(broker, 0);
    using rude = await WireClient.connect(broker.port, { clientIdentifier: "rude", ...ALICE });
    await rude.sendConnect().catch(() => {});
  });
  const who = { client: "press", user: "alice", listener: "127.0.0.1:0" };
  const [, takeOver] = told(lines, ["connected", "take-over"], ["from", "to"]);
  const [a, b] = [takeOver!.from, takeOver!.to];
  assertMatch(String(a), /^127\.0\.0\.1:\d+$/);
  assertNotEquals(a, b);
  assertEquals(
    told(lines, ["connected", "take-over", "closed"], [
      "client",
      "user",
      "address",
      "listener",
      "resumed",
      "cause",
      "problem",
    ]).map((line) => line.client === "press" ? line : { ...line, address: "" }),
    [
      { event: "connected", ...who, address: a, resumed: false },
      { event: "take-over", client: "press", user: "alice" },
      { event: "closed", ...who, address: a, cause: "taken-over" },
      { event: "connected", ...who, address: b, resumed: true },
      { event: "closed", ...who, address: b, cause: "disconnect" },
      { event: "connected", ...who, client: "lost", address: "", resumed: false },
      { event: "closed", ...who, client: "lost", address: "", cause: "peer-closed" },
      { event: "connected", ...who, client: "rude", address: "", resumed: false },
      {
        event: "closed",
        ...who,
        client: "rude",
        address: "",
        cause: "protocol-error",
        problem: "MQTT-3.1.0-2",
      },
    ],
  );
});

Deno.test("a name that nobody has verified is recorded as a claim", async () => {
  const lines = await recorded({}, async (broker) => {
    const client = await WireClient.connect(broker.port, { ...ALICE, clientIdentifier: "c" });
    await client.disconnect();
  });
  assertEquals(told(lines, ["connected", "closed"], ["user", "claimed"]), [
    { event: "connected", user: null, claimed: "alice" },
    { event: "closed", user: null },
  ]);
});

Deno.test("refusals are recorded with their reason: passwords, lock-out, limits, protocol", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "alice's secret" });
  const lines = await recorded({
    security: { passwordFile },
    loginGuard: { failuresMax: 2 },
    limits: { connectTimeoutMs: 300, connectionsMax: 2, sessionsMax: 1 },
  }, async (broker) => {
    const { port } = broker;
    using silent = await WireClient.open(port);
    await silent.expectClosed();
    silent.close();
    await gone(broker, 0);
    using rude = await WireClient.open(port);
    await rude.sendBytes(Uint8Array.of(0xc0, 0));
    await rude.expectClosed();
    rude.close();
    await gone(broker, 0);
    assertEquals(await returnCode(port, { clientIdentifier: "n" }), 5);
    await gone(broker, 0);
    using holder = await WireClient.connect(port, { ...ALICE, clientIdentifier: "holder" });
    assertEquals(await returnCode(port, { ...ALICE, clientIdentifier: "l" }), 3);
    await gone(broker, 1);
    using idle = await WireClient.open(port);
    using full = await WireClient.open(port);
    await full.expectClosed();
    idle.close();
    holder.close();
    await gone(broker, 0);
    for (const password of ["guess 1", "guess 2"]) {
      const options = { userName: "alice", password: encode(password), clientIdentifier: "g" };
      assertEquals(await returnCode(port, options), 4);
      await gone(broker, 0);
    }
    using locked = await WireClient.open(port);
    await locked.expectClosed();
  });
  const fields = ["reason", "client", "user", "problem", "seconds"];
  assertEquals(told(lines, ["refused", "lock-out"], fields), [
    { event: "refused", reason: "connect-timeout" },
    { event: "refused", reason: "protocol-error", problem: "MQTT-3.1.0-1" },
    { event: "refused", reason: "no-credentials", client: "n" },
    { event: "refused", reason: "sessions-max", client: "l", user: "alice" },
    { event: "refused", reason: "connections-max" },
    { event: "refused", reason: "bad-credentials", client: "g", user: "alice" },
    { event: "lock-out", seconds: 60 },
    { event: "refused", reason: "bad-credentials", client: "g", user: "alice" },
    { event: "refused", reason: "locked-out" },
  ]);
  for (const { address, listener } of lines.filter(({ event }) => event === "refused")) {
    assertMatch(String(address), /^127\.0\.0\.1(:\d+)?$/);
    assertEquals(listener, "127.0.0.1:0");
  }
});

Deno.test("who is turned away at the door is recorded: lists, rates, and what is no PROXY header", async () => {
  const connectionRate = { perAddressPerSecond: 1, perAddressBurst: 1, exempt: "127.0.0.1" };
  const lines = await recorded({ ip: { block: "127.0.0.9" }, connectionRate }, async ({ port }) => {
    for (const address of ["127.0.0.9", "127.0.0.2", "127.0.0.2"]) {
      using client = await WireClient.openFrom(address, port);
      await client.sendConnect({ clientIdentifier: "c" }).catch(() => {});
    }
  });
  assertEquals(told(lines, ["connected", "refused"], ["reason"]), [
    { event: "refused", reason: "ip-blocked" },
    { event: "connected" },
    { event: "refused", reason: "connection-rate" },
  ]);
  const listener = { proxyProtocol: "any", trustedProxies: "127.0.0.1" } as const;
  const proxied = await recorded({}, async ({ port }) => {
    using client = await WireClient.open(port);
    await client.sendBytes(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await client.expectClosed();
  }, { listener });
  const [refused] = told(proxied, ["refused"], ["reason", "address", "problem"]);
  assertEquals([refused?.reason, refused?.address], ["proxy-protocol", "127.0.0.1"]);
  assertMatch(String(refused?.problem), /./);
});

Deno.test("denials are recorded: publish, subscribe, Will, read, and topics of the server", async () => {
  await using files = await SecurityFiles.make();
  const accessFile = await files.access(
    "everyone\nallow publish ok\nallow subscribe #\nallow read #\n",
  );
  const lines = await recorded({ security: { accessFile } }, async (broker) => {
    const { port } = broker;
    const reader = { clientIdentifier: "reader", cleanSession: false };
    const away = await WireClient.connect(port, reader);
    await away.subscribe("#", 1);
    await away.disconnect();
    using client = await WireClient.connect(port, {
      clientIdentifier: "c",
      will: { topic: name("will/no") },
    });
    for (const topic of ["no", "no", "no", "$SYS/no"]) await client.publish(topic, "x");
    await client.publish("ok", "kept", { qos: 1 });
    await client.publish("no", "x", { qos: 1 });
    await client.drain();
    await files.access("everyone\nallow publish ok\n");
    await broker.server.reload();
    assertEquals((await client.subscribe("secret/#")).returnCodes, [128]);
    using back = await WireClient.connect(port, reader);
    await back.drain();
  });
  const fields = ["client", "action", "topic", "rule"];
  const denied = { event: "acl-denied", client: "c" };
  const found = told(lines, ["acl-denied"], fields);
  const rule = "access-rules";
  for (
    const expected of [
      { ...denied, action: "will", topic: "will/no", rule },
      { ...denied, action: "publish", topic: "no", rule },
      { ...denied, action: "publish", topic: "$SYS/no", rule: "server-topic" },
      { ...denied, action: "subscribe", topic: "secret/#", rule },
      { event: "acl-denied", client: "reader", action: "read", topic: "ok", rule },
    ]
  ) assert(found.some((line) => Object.entries(expected).every(([k, v]) => line[k] === v)));
  const publishes = lines.filter(({ action, topic }) => action === "publish" && topic === "no");
  assertEquals(publishes.reduce((sum, { count }) => sum + Number(count), 0), 4);
});

Deno.test("of a flood of denials few are written, and the others are counted", async () => {
  await using files = await SecurityFiles.make();
  const accessFile = await files.access("everyone\nallow publish ok\n");
  const audit = { perOriginMax: 3, perMinuteMax: 1000 };
  const lines = await recorded({ security: { accessFile }, audit }, async (broker) => {
    using client = await WireClient.connect(broker.port, { clientIdentifier: "flood" });
    for (let i = 0; i < 200; i++) await client.subscribe(`no/${i}`);
    using other = await WireClient.connect(broker.port, { clientIdentifier: "other" });
    await other.subscribe("no");
  });
  const denials = lines.filter(({ event }) => event === "acl-denied");
  const flood = denials.filter(({ client }) => client === "flood");
  // Three, and one at the end that carries the count.
  assertEquals([flood.length, weight(flood)], [4, 200]);
  assertEquals(denials.length, 5, "the other client is heard all the same");
});

Deno.test("of a client that comes and goes all the time not everything is written", async () => {
  const audit = { connectionsPerClientMax: 5 };
  const lines = await recorded({ audit }, async ({ port }) => {
    for (let i = 0; i < 40; i++) {
      const client = await WireClient.connect(port, { clientIdentifier: "restless" });
      await client.disconnect();
    }
  });
  for (const event of ["connected", "closed"]) {
    const found = lines.filter((line) => line.event === event);
    assertEquals([found.length, weight(found)], [6, 40]);
  }
});

Deno.test("no password, no payload, nothing forged and nothing endless gets into a line", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "alice's secret" });
  const accessFile = await files.access("everyone\nallow publish ok\n");
  const forged = '","event":"admin"}\n\u2028\u001b[31m\u007f';
  const long = `long/${"x".repeat(5000)}`;
  const lines = await recorded({ security: { passwordFile, accessFile } }, async ({ port }) => {
    const guess = { userName: forged, password: encode("wrong secret"), clientIdentifier: "g" };
    assertEquals(await returnCode(port, guess), 4);
    using client = await WireClient.connect(port, {
      ...ALICE,
      clientIdentifier: forged,
      will: { topic: name("no"), payload: payload("will secret") },
    });
    await client.publish(long, "payload secret", { qos: 1 });
  });
  const text = JSON.stringify(lines);
  assert(!/secret/.test(text), text);
  assertEquals(lines.find(({ event }) => event === "refused")!.user, forged);
  const { topic } = lines.find(({ action }) => action === "publish")!;
  assertEquals(String(topic).length, 257);
  assertEquals(lines.filter(({ event }) => event === "admin"), []);
});

Deno.test("reloads are recorded with their reason, and who has to go for one", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "alice's secret", bob: "b" });
  const lines = await recorded({ security: { passwordFile } }, async (broker) => {
    using alice = await WireClient.connect(broker.port, { ...ALICE, clientIdentifier: "a" });
    await Deno.writeTextFile(passwordFile, "no password file");
    await broker.server.reload();
    await alice.drain();
    await Deno.writeTextFile(passwordFile, await passwordFileText({ bob: "b" }));
    await broker.server.reload();
    await alice.expectClosed();
  });
  const reloads = told(lines, ["reload"], ["what", "result", "problem"]);
  const what = "passwords";
  assertEquals(reloads.filter((line) => line.what === what).map(({ result }) => result), [
    "failed",
    "ok",
  ]);
  assertMatch(String(reloads[0]!.problem), /passwords:1:/);
  const fields = ["client", "user", "reason", "cause"];
  assertEquals(told(lines, ["revoked", "closed"], fields), [
    {
      event: "revoked",
      client: "a",
      user: "alice",
      reason: "its user is not known any more",
    },
    { event: "closed", client: "a", user: "alice", cause: "revoked" },
  ]);
});

Deno.test("start and stop are recorded, with a digest that another configuration changes", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    for (const intervalMs of [1000, 1000, 2000]) {
      const changes = { sysTopics: { intervalMs }, store: { dataDir } };
      await (await TestBroker.start(changes, { keepDataDir: true }))[Symbol.asyncDispose]();
    }
    const lines = await auditLines(auditDirectory(dataDir));
    const once = ["log-opened", "started", "stopping", "log-closed"];
    assertEquals(lines.map(({ event }) => event), [...once, ...once, ...once]);
    const starts = lines.filter(({ event }) => event === "started");
    for (const { version, listeners, config_sha256: digest } of starts) {
      assertEquals([version, listeners], [deno.version, "127.0.0.1:0"]);
      assertMatch(String(digest), /^[0-9a-f]{64}$/);
    }
    const [first, second, third] = starts.map((line) => line.config_sha256);
    assertEquals(first, second);
    assertNotEquals(first, third);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a database that is set aside is recorded with its reason", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    await Deno.writeTextFile(
      `${dataDir}/relayq.db`,
      "no database at all, but long enough".repeat(99),
    );
    const changes = { store: { dataDir } };
    await (await TestBroker.start(changes, { keepDataDir: true }))[Symbol.asyncDispose]();
    const lines = await auditLines(auditDirectory(dataDir));
    const [line] = lines.filter(({ event }) => event === "store-quarantine");
    assertEquals((await Deno.stat(String(line!.file))).isFile, true);
    assertMatch(String(line!.reason), /./);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("a broker that is told to keep no audit log makes none", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    const changes = { store: { dataDir }, audit: { enabled: false } };
    {
      await using broker = await TestBroker.start(changes, { keepDataDir: true });
      const client = await WireClient.connect(broker.port);
      await client.disconnect();
    }
    assertEquals([...Deno.readDirSync(dataDir)].filter(({ name }) => name === "audit"), []);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
