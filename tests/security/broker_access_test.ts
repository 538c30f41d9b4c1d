/** Who comes in and who may do what, over real sockets. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatPasswordHash, hashPassword } from "../../src/security/mod.ts";
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { Server } from "../../src/server.ts";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { TestBroker } from "../support/test_broker.ts";
import { name, payload, WireClient } from "../support/wire_client.ts";

const AWAY = { clientIdentifier: "away", cleanSession: false };
const ALICE = { userName: "alice", password: encode("alice's") };
const BOB = { userName: "bob", password: encode("bob's") };
const USERS = { alice: "alice's", bob: "bob's" };

async function returnCode(
  broker: TestBroker,
  options: Parameters<WireClient["sendConnect"]>[0],
): Promise<number> {
  using client = await WireClient.open(broker.port);
  return (await client.sendConnect(options)).returnCode;
}

async function topics(client: WireClient): Promise<string[]> {
  const packets = await client.drain();
  return packets.map((packet) => packet.type === "PUBLISH" ? packet.topic : packet.type);
}

Deno.test("a password is asked for, and who gives none or a wrong one is not let in", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  await using broker = await TestBroker.start({ security: { passwordFile } });
  assertEquals(await returnCode(broker, ALICE), 0);
  assertEquals(await returnCode(broker, { ...ALICE, password: BOB.password }), 4);
  assertEquals(await returnCode(broker, { userName: "alice" }), 4);
  assertEquals(await returnCode(broker, { ...ALICE, userName: "nobody" }), 4);
  assertEquals(await returnCode(broker, {}), 5);
});

Deno.test("allow_anonymous lets in who gives no user name, and nobody with a wrong password", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  await using broker = await TestBroker.start({ security: { passwordFile } }, {
    listener: { allowAnonymous: true },
  });
  assertEquals(await returnCode(broker, {}), 0);
  assertEquals(await returnCode(broker, { ...ALICE, password: BOB.password }), 4);
});

Deno.test("what comes behind a CONNECT waits for the verdict on its password", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  await using broker = await TestBroker.start({ security: { passwordFile } });
  using watcher = await WireClient.connect(broker.port, ALICE);
  await watcher.subscribe("#");
  for (
    const [options, expected] of [[BOB, ["t"]], [{ ...BOB, password: encode("?") }, []]] as const
  ) {
    using client = await WireClient.open(broker.port);
    const connack = client.sendConnect({ ...options, clientIdentifier: "early" });
    await client.publish("t", "early").catch(() => {});
    await connack;
    await client.drain().catch(() => {});
    assertEquals(await topics(watcher), [...expected]);
  }
});

Deno.test("rules are asked for publish, subscribe, delivery and the Will", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  const accessFile = await files.access(
    "user alice\nallow subscribe #\nallow read open/#\nuser bob\nallow publish open/%u/#\n",
  );
  await using broker = await TestBroker.start({ security: { passwordFile, accessFile } });
  using alice = await WireClient.connect(broker.port, ALICE);
  assertEquals((await alice.subscribe("#", 1)).returnCodes, [1]);
  const will = { topic: name("open/alice/will"), payload: payload("w"), qos: 1 as const };
  using bob = await WireClient.connect(broker.port, { ...BOB, will });
  assertEquals((await bob.subscribe("open/#")).returnCodes, [0x80]);
  for (const topic of ["open/bob/1", "open/alice/1", "closed/bob"]) {
    await bob.publish(topic, "x", { qos: 1 });
  }
  assertEquals(await topics(alice), ["open/bob/1"]);
  bob.close();
  const { dropped } = broker.server.broker.statistics;
  assertEquals(dropped["publish-refused"], 3, "two messages and the Will");
});

Deno.test("a subscriber gets no message that it may not read, live, retained or queued", async () => {
  await using files = await SecurityFiles.make();
  const accessFile = await files.access(
    "everyone\nallow publish #\nallow subscribe #\nallow read open/#\n",
  );
  await using broker = await TestBroker.start({ security: { accessFile } });
  using publisher = await WireClient.connect(broker.port);
  for (const topic of ["open/kept", "closed/kept"]) {
    await publisher.publish(topic, "x", { qos: 1, retain: true });
  }
  using client = await WireClient.connect(broker.port, AWAY);
  const subscriptions = [{ filter: "#" as never, qos: 1 as const }];
  await client.send({ type: "SUBSCRIBE", packetId: 9, subscriptions });
  const answer = [await client.receive(), await client.receive()];
  assertEquals(answer.map(({ type }) => type).sort(), ["PUBLISH", "SUBACK"]);
  for (const topic of ["open/live", "closed/live"]) await publisher.publish(topic, "x");
  assertEquals(await topics(client), ["open/live"]);
  await client.disconnect();
  for (const topic of ["closed/queued", "open/queued"]) {
    await publisher.publish(topic, "x", { qos: 1 });
  }
  using again = await WireClient.connect(broker.port, AWAY);
  const got = await topics(again);
  assertEquals(got.filter((topic) => topic.startsWith("closed/")), []);
  assertEquals(got.at(-1), "open/queued");
  assertEquals(broker.server.broker.statistics.dropped["read-refused"], 1);
});

Deno.test("a reload changes what connected clients may do, and who they may be", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  const accessFile = await files.access("everyone\nallow all #\n");
  await using broker = await TestBroker.start({ security: { passwordFile, accessFile } });
  using alice = await WireClient.connect(broker.port, { ...ALICE, clientIdentifier: "a" });
  await alice.subscribe("#", 1);
  using bob = await WireClient.connect(broker.port, { ...BOB, clientIdentifier: "b" });
  await bob.publish("t/1", "x", { qos: 1 });
  await files.access(
    "everyone\nallow all #\nuser alice\ndeny read t/2\nuser bob\ndeny publish t/3\n",
  );
  await broker.server.reload();
  for (const topic of ["t/1", "t/2", "t/3", "t/4"]) await bob.publish(topic, "x", { qos: 1 });
  assertEquals(await topics(alice), ["t/1", "t/1", "t/4"]);
  const lines = (await Deno.readTextFile(passwordFile)).split("\n");
  await Deno.writeTextFile(passwordFile, lines.filter((l) => !l.startsWith("bob:")).join("\n"));
  await broker.server.reload();
  await bob.expectClosed();
  assertStringIncludes(broker.log.join(""), "user is not known any more");
  assertEquals(await topics(alice), []);
});

Deno.test("a reload with a mistake changes nothing, and says what is wrong", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  const accessFile = await files.access("everyone\nallow all #\n");
  await using broker = await TestBroker.start({ security: { passwordFile, accessFile } });
  using alice = await WireClient.connect(broker.port, ALICE);
  await files.access("everyone\nalow all #\n");
  await broker.server.reload();
  await alice.drain();
  assertStringIncludes(broker.log.join(""), "reload failed, this is as it was: ");
  assertStringIncludes(broker.log.join(""), "/access:2:1: ");
  assertEquals((await alice.subscribe("#")).returnCodes, [0]);
  await Deno.remove(passwordFile);
  await broker.server.reload();
  assertEquals(await returnCode(broker, BOB), 0);
});

Deno.test("what was in flight to another user of the session is withdrawn, and its exchange ends", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  const accessFile = await files.access("user alice\nallow all #\nuser bob\nallow subscribe #\n");
  await using broker = await TestBroker.start({
    security: { passwordFile, accessFile, sessionOwner: "any" },
  });
  using publisher = await WireClient.connect(broker.port, { ...ALICE, clientIdentifier: "p" });
  {
    using first = await WireClient.connect(broker.port, { ...ALICE, ...AWAY });
    await first.subscribe("t", 2);
    await publisher.publish("t", "one", { qos: 1 });
    await publisher.publish("t", "two", { qos: 2 });
    assertEquals(await topics(first), ["t", "t"]);
  }
  using second = await WireClient.connect(broker.port, { ...BOB, ...AWAY });
  const packets = await second.drain();
  assertEquals(packets.map((packet) => packet.type), ["PUBREL"]);
  await second.send({ type: "PUBCOMP", packetId: 2 });
  await second.drain();
  assertEquals(broker.server.broker.statistics.inFlightMessages, 0);
  assertEquals(broker.server.broker.statistics.dropped["read-refused"], 2);
});

/** A password file with one user whose password takes a while to check. */
async function slowPassword(
  path: string,
  password: string,
  iterations = 2_000_000,
): Promise<void> {
  const hash = await hashPassword(encode(password), { iterations });
  await Deno.writeTextFile(path, `alice:${formatPasswordHash(hash)}\n`);
}

Deno.test("a password that is replaced while it is checked does not count any more", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  await slowPassword(passwordFile, "stolen");
  await using broker = await TestBroker.start({ security: { passwordFile } });
  using thief = await WireClient.open(broker.port);
  const answer = thief.sendConnect({ userName: "alice", password: encode("stolen") });
  using watcher = await WireClient.open(broker.port);
  // Answered behind the other one's CONNECT, which is being checked now.
  assertEquals((await watcher.sendConnect({})).returnCode, 5);
  await files.passwords(USERS);
  await broker.server.reload();
  assertEquals((await answer).returnCode, 4);
});

/** Passwords that this broker has hashed by now. */
async function hashedBy(broker: TestBroker): Promise<number> {
  using watcher = await WireClient.connect(broker.port, {});
  await watcher.subscribe("$SYS/broker/+/+");
  let hashed = NaN;
  for (let rounds = 0; rounds < 3;) {
    const { topic, payload } = await watcher.receiveMessage();
    if (topic.endsWith("/bytes/sent")) rounds++; // changes each time, if only by this
    else if (topic.endsWith("/hashed")) hashed = Number(new TextDecoder().decode(payload));
  }
  return hashed;
}

Deno.test("clients that have gone do not make the others wait for their passwords", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  await slowPassword(passwordFile, "alice's", 300_000);
  const pinFile = await files.pins("");
  await using broker = await TestBroker.start({
    security: { passwordFile, pinFile },
    loginGuard: { exempt: "127.0.0.1" },
    limits: { connectTimeoutMs: 120_000 },
    sysTopics: { enabled: true, intervalMs: 100 },
  }, { listener: { allowAnonymous: true } });
  // All of one address, which no right password has made known: whoever comes next is behind them.
  const wrong = { ...ALICE, password: BOB.password, clientIdentifier: "gone" };
  const answers = Array.from({ length: 100 }, async () => {
    using client = await WireClient.open(broker.port);
    return await client.sendConnect(wrong).then(() => true, () => false);
  });
  const { statistics } = broker.server.broker;
  while (statistics.packetsReceived < answers.length) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await files.pins(`client gone sha256/${"0".repeat(64)}\n`);
  await broker.server.reload();
  const answered = (await Promise.all(answers)).filter((wasAnswered) => wasAnswered).length;
  const before = await hashedBy(broker);
  assertEquals(await returnCode(broker, ALICE), 0);
  assertEquals(await hashedBy(broker) - before, 1, `${answered} were answered before`);
});

Deno.test("a listener that lets anonymous clients in opens no other one of the same address", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords(USERS);
  const listener = { ...DEFAULT_CONFIG.listeners[0]!, address: "127.0.0.1:0" };
  const server = await Server.start({
    ...DEFAULT_CONFIG,
    // Any free port: the one address that two listeners may have.
    listeners: [listener, { ...listener, allowAnonymous: true }],
    security: { ...DEFAULT_CONFIG.security, passwordFile },
    store: { ...DEFAULT_CONFIG.store, dataDir: `${files.directory}/data` },
  }, { err: () => {} });
  assert(server instanceof Server);
  const [asks] = server.addresses;
  using client = await WireClient.open(asks!.port);
  const { returnCode } = await client.sendConnect({});
  await server.stop("end of test");
  assertEquals(returnCode, 5);
});
