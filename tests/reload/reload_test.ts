/** Another configuration while the broker runs: all of it that can hold at once, or nothing. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Config } from "../../src/config/mod.ts";
import type { Server } from "../../src/server.ts";
import { SecurityFiles } from "../support/security_files.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { eventually } from "../support/waiting.ts";
import { connectPacket, publishPacket, WireClient } from "../support/wire_client.ts";

type Answer = Awaited<ReturnType<Server["reload"]>>;

/** What holds, with these changes. */
function changed(config: Config, changes: ConfigChanges, listener = {}): Config {
  const wanted: Record<string, unknown> = structuredClone(config) as never;
  for (const [table, keys] of Object.entries(changes)) {
    wanted[table] = { ...wanted[table] as object, ...keys };
  }
  wanted.listeners = config.listeners.map((one) => ({ ...one, ...listener }));
  return wanted as unknown as Config;
}

function reload(
  { server }: TestBroker,
  changes: ConfigChanges,
  listener: Partial<Config["listeners"][number]> = {},
): Promise<Answer> {
  return server.reload(() => Promise.resolve(changed(server.config, changes, listener)));
}

async function refused(port: number, from = "127.0.0.1"): Promise<boolean> {
  using client = await WireClient.openFrom(from, port);
  await client.send(connectPacket()).catch(() => {});
  return await client.next(5_000) === "closed";
}

Deno.test("keys of many tables change together, and the answer and the log say which", async () => {
  await using broker = await TestBroker.start();
  const answer = await reload(broker, {
    limits: { connectionsMax: 1, topicLevelsMax: 2 },
    store: { durability: "interval" },
    audit: { enabled: !broker.server.config.audit.enabled },
  });
  assertEquals(answer, {
    applied: ["limits.connections_max", "limits.topic_levels_max"],
    needsRestart: ["audit.enabled", "store.durability"],
    problems: [],
  });
  const line = broker.log.join("").match(/configuration read: .*/)?.[0];
  assertEquals(
    line,
    "configuration read: in force now: limits.connections_max, limits.topic_levels_max; " +
      "at the next start: audit.enabled, store.durability",
  );
  const { config } = broker.server;
  assertEquals([config.limits.connectionsMax, config.store.durability], [1, "commit"]);
  // What waits for a start is said again, what is in force is not.
  const again = await reload(broker, { store: { durability: "interval" } });
  assertEquals(again, { applied: [], needsRestart: ["store.durability"], problems: [] });
  assertEquals(await reload(broker, {}), { applied: [], needsRestart: [], problems: [] });
});

Deno.test("what a client has done under wider limits is no licence: its topic is judged anew", async () => {
  await using broker = await TestBroker.start();
  using client = await WireClient.connect(broker.port);
  await client.publish("a/b/c", "before", { qos: 1 });
  await reload(broker, { limits: { topicLevelsMax: 2 } });
  await client.send(publishPacket("a/b/c", "after", { qos: 1, packetId: 7 }));
  await client.expectClosed();
});

Deno.test("clients that are there get the new rates, and nobody stays held by the old ones", async () => {
  const rate = { clientMessagesPerSecond: 1, clientMessagesBurst: 1 };
  await using broker = await TestBroker.start({ rate });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("t");
  const packets = Array.from({ length: 60 }, () => publishPacket("t", "x"));
  await client.send(...packets);
  const { statistics } = broker.server.broker;
  await eventually("a hold", () => statistics.rateHolds > 0);
  // At the old rate this would take a minute.
  await reload(broker, { rate: { clientMessagesPerSecond: 0, clientMessagesBurst: 0 } });
  for (let i = 0; i < packets.length; i++) await client.receiveMessage();
  await reload(broker, { rate });
  await client.send(...packets);
  const holds = statistics.rateHolds;
  await eventually("a hold under the limit that came back", () => statistics.rateHolds > holds);
});

Deno.test("lists of addresses hold from the next connection on, of all listeners and of one", async () => {
  await using broker = await TestBroker.start();
  const { port } = broker;
  assertEquals(await refused(port, "127.0.0.2"), false);
  await reload(broker, { ip: { block: "127.0.0.2" } });
  assertEquals([await refused(port, "127.0.0.2"), await refused(port, "127.0.0.3")], [true, false]);
  await reload(broker, { ip: { block: "" } }, { ipBlock: "127.0.0.3" });
  assertEquals([await refused(port, "127.0.0.2"), await refused(port, "127.0.0.3")], [false, true]);
});

Deno.test("an address that is locked out stays so when the login guard changes", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "secret" });
  await using broker = await TestBroker.start({
    security: { passwordFile },
    loginGuard: { failuresMax: 2, lockOutMs: 600_000, lockOutMsMax: 600_000, exempt: "" },
  }, { listener: { allowAnonymous: false } });
  const wrong = { userName: "alice", password: new TextEncoder().encode("guess") };
  for (let i = 0; i < 2; i++) {
    using client = await WireClient.openFrom("127.0.0.2", broker.port);
    await client.sendConnect(wrong);
  }
  assertEquals(await refused(broker.port, "127.0.0.2"), true);
  await reload(broker, { loginGuard: { failuresMax: 50, windowMs: 1_000, lockOutMs: 1_000 } });
  assertEquals(await refused(broker.port, "127.0.0.2"), true);
  assertEquals(await refused(broker.port, "127.0.0.3"), false);
  await reload(broker, { loginGuard: { exempt: "127.0.0.2" } });
  assertEquals(await refused(broker.port, "127.0.0.2"), false);
});

Deno.test("rules, passwords and anonymous clients: another file decides, and who may not stay goes", async () => {
  await using files = await SecurityFiles.make();
  const passwordFile = await files.passwords({ alice: "secret", bob: "secret" });
  await using broker = await TestBroker.start({ security: { passwordFile } });
  const login = { userName: "alice", password: new TextEncoder().encode("secret") };
  using alice = await WireClient.connect(broker.port, { ...login, clientIdentifier: "a" });
  const others = `${files.directory}/others`;
  await Deno.rename(passwordFile, others);
  await Deno.writeTextFile(
    others,
    (await Deno.readTextFile(others)).split("\n").filter((line) => !line.includes("alice"))
      .join("\n"),
  );
  const accessFile = await files.access("everyone\nallow all public/#\n");
  const answer = await reload(broker, { security: { passwordFile: others, accessFile } }, {
    allowAnonymous: false,
  });
  assertEquals(answer.problems, []);
  await alice.expectClosed();
  using anonymous = await WireClient.open(broker.port);
  assertEquals((await anonymous.sendConnect()).returnCode, 5);
  using bob = await WireClient.connect(broker.port, { ...login, userName: "bob" });
  assertEquals((await bob.subscribe("secret")).returnCodes, [0x80]);
  assertEquals((await bob.subscribe("public/x")).returnCodes, [0]);
});

Deno.test("with one mistake nothing is changed, not even by half", async () => {
  await using broker = await TestBroker.start();
  const before = structuredClone(broker.server.config);
  const good = {
    limits: { connectionsMax: 1 },
    ip: { block: "127.0.0.2" },
    rate: { clientMessagesPerSecond: 1, clientMessagesBurst: 1 },
    log: { level: "error" },
  } as const;
  const faults: [ConfigChanges, Partial<Config["listeners"][number]>, RegExp][] = [
    [{ security: { passwordFile: "/nonexistent/users" } }, {}, /\/nonexistent\/users: /],
    [{ security: { accessFile: "/nonexistent/access" } }, {}, /\/nonexistent\/access: /],
    [{ connectionRate: { exempt: "nobody" } }, {}, /connection_rate\.exempt: /],
    [{}, { ipAllow: "300.0.0.1" }, /^listener 127\.0\.0\.1:0: ip_allow: /],
    [{ outbox: { lowWaterBytes: 1e9 } }, {}, /limits contradict/],
  ];
  for (const [changes, listener, problem] of faults) {
    const { port } = broker;
    const answer = await reload(broker, { ...good, ...changes }, listener);
    assertEquals([answer.applied, answer.needsRestart], [[], []]);
    assertMatch(answer.problems.join("\n"), problem);
    assertEquals(broker.server.config, before);
    assertEquals(await refused(port, "127.0.0.2"), false);
    using first = await WireClient.connect(port);
    using _second = await WireClient.connect(port);
    await first.subscribe("t");
    for (let i = 0; i < 20; i++) await first.publish("t", "x");
    assertEquals((await first.drain()).length, 20);
  }
  const told = broker.log.filter((line) => line.includes("reload failed, nothing is changed: "));
  assertEquals(told.length, faults.length);
  assertEquals(broker.server.broker.statistics.rateHolds, 0);
});

Deno.test("listeners that come, go or change TLS need a restart; the others change", async () => {
  await using broker = await TestBroker.start({}, { more: [{ address: "127.0.0.2:0" }] });
  const { server } = broker;
  const [first, second] = server.config.listeners;
  const answers: [Config["listeners"], string[], string[]][] = [
    [[second!, { ...first!, ipBlock: "10.0.0.1" }], ["listeners.ip_block"], []],
    [[{ ...first!, ipBlock: "10.0.0.1" }], [], ["listeners.address"]],
    [[{ ...first!, ipBlock: "" }, { ...second!, address: "127.0.0.3:0" }], ["listeners.ip_block"], [
      "listeners.address",
    ]],
    [[{ ...first!, certificateFile: "c", keyFile: "k", ipBlock: "10.0.0.2" }, second!], [], [
      "listeners.certificate_file",
      "listeners.ip_block",
      "listeners.key_file",
    ]],
  ];
  for (const [listeners, applied, needsRestart] of answers) {
    const answer = await server.reload(() => Promise.resolve({ ...server.config, listeners }));
    const sorted = answer.needsRestart.toSorted();
    assertEquals([answer.applied, sorted, answer.problems], [applied, needsRestart, []]);
  }
});

Deno.test("rounds of $SYS follow their interval, and the memory its limit", async () => {
  await using broker = await TestBroker.start({
    sysTopics: { enabled: true, intervalMs: 86_400_000 },
    memory: { enabled: true, dwellMs: 100 },
  });
  using client = await WireClient.connect(broker.port);
  await client.subscribe("$SYS/broker/uptime");
  await client.receiveMessage();
  await client.expectSilence(150);
  await reload(broker, { sysTopics: { intervalMs: 100 } });
  for (let i = 0; i < 2; i++) await client.receiveMessage();
  assertEquals(broker.server.broker.refusesConnections, false);
  await reload(broker, { memory: { limitBytes: 16_777_216 } });
  await eventually("a stage", () => broker.server.broker.refusesConnections);
  await reload(broker, { memory: { limitBytes: 0 } });
  await eventually("the end of it", () => !broker.server.broker.refusesConnections);
});

Deno.test("messages under way are neither lost nor doubled by reloads between them", async () => {
  await using broker = await TestBroker.start();
  using subscriber = await WireClient.connect(broker.port, { clientIdentifier: "s" });
  using publisher = await WireClient.connect(broker.port, { clientIdentifier: "p" });
  await subscriber.subscribe("t/#", 1);
  const count = 300;
  const publishing = (async () => {
    for (let i = 0; i < count; i++) await publisher.publish(`t/${i % 7}`, `${i}`, { qos: 1 });
  })();
  const received = (async () => {
    const contents: string[] = [];
    while (contents.length < count) {
      contents.push(new TextDecoder().decode((await subscriber.receiveMessage()).payload));
    }
    return contents;
  })();
  let isOver = false;
  const reloading = (async () => {
    for (let i = 0; !isOver; i++) {
      const { problems } = await reload(broker, {
        limits: { inFlightMessagesMax: 1 + i % 3, topicLevelsMax: 5 + i % 5 },
        rate: { clientMessagesPerSecond: i % 2 * 100_000 },
        queue: { messagesMax: 1_000 + i },
      });
      assertEquals(problems, []);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  await publishing;
  assertEquals(await received, Array.from({ length: count }, (_, i) => `${i}`));
  isOver = true;
  await reloading;
  await subscriber.expectSilence(50);
  assert(broker.server.config.queue.messagesMax >= 1_000);
});
