/** For every key of the configuration a check that a running broker obeys it. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ControlPacket } from "../../src/mqtt/mod.ts";
import { TestBroker } from "../support/test_broker.ts";
import { connectPacket, publishPacket, text, WireClient } from "../support/wire_client.ts";
import { adminCases } from "./_admin_cases.ts";
import { adminTlsCases } from "./_admin_tls_cases.ts";
import { serviceCases } from "./_service_cases.ts";
import { doorCases } from "./_door_cases.ts";
import { auditAndTakeOverCases } from "./_audit_cases.ts";
import { queueAndOutboxCases } from "./_queue_cases.ts";
import { rateCases } from "./_rate_cases.ts";
import { securityCases } from "./_security_cases.ts";
import { judgingCases } from "./_judging_cases.ts";
import { sparkplugCases } from "./_sparkplug_cases.ts";
import { stateCases } from "./_state_cases.ts";
import { tlsCases } from "./_tls_cases.ts";
import { websocketCases } from "./_websocket_cases.ts";

/** A case by the path of its key in TOML. */
export type KeyCases = Readonly<Record<string, () => Promise<void>>>;

/** Connects, sends `packet`, and gives the tag that the broker logged when it closed. */
async function tagOfRefusal(broker: TestBroker, packet: ControlPacket): Promise<string> {
  using client = await WireClient.connect(broker.port, { clientIdentifier: "breaker" });
  await client.send(packet);
  await client.expectClosed();
  return [...broker.server.broker.statistics.protocolErrors.keys()].join();
}

function subscribePacket(filters: string[]): ControlPacket {
  const subscriptions = filters.map((f) => ({ filter: f as never, qos: 0 as const }));
  return { type: "SUBSCRIBE", packetId: 1, subscriptions };
}

async function returnCodes(client: WireClient, filters: string[]): Promise<readonly number[]> {
  await client.send(subscribePacket(filters));
  return (await client.expect("SUBACK")).returnCodes;
}

async function retainedAfter(broker: TestBroker, contents: string[]): Promise<string[]> {
  using client = await WireClient.connect(broker.port);
  for (const [i, content] of contents.entries()) {
    await client.publish(`r/${i}`, content, { qos: 1, retain: true });
  }
  await client.subscribe("r/#");
  const packets = await client.drain();
  return packets.map((packet) => packet.type === "PUBLISH" ? text(packet.payload) : packet.type);
}

const protocolCases: KeyCases = {
  "protocol.mqtt_3_1": async () => {
    for (const mqtt31 of [false, true]) {
      await using broker = await TestBroker.start({ protocol: { mqtt31 } });
      using client = await WireClient.open(broker.port);
      await client.send({ ...connectPacket({ clientIdentifier: "old" }), protocolLevel: 3 });
      assertEquals((await client.expect("CONNACK")).returnCode, mqtt31 ? 0 : 1);
    }
  },
  "protocol.zero_length_client_identifiers": async () => {
    for (const allowed of [false, true]) {
      await using broker = await TestBroker.start({
        protocol: { zeroLengthClientIdentifiers: allowed },
      });
      using client = await WireClient.open(broker.port);
      assertEquals((await client.sendConnect()).returnCode, allowed ? 0 : 2);
    }
  },
};

const limitCases: KeyCases = {
  "limits.connections_max": async () => {
    await using broker = await TestBroker.start({ limits: { connectionsMax: 1 } });
    using _first = await WireClient.connect(broker.port);
    using second = await WireClient.open(broker.port);
    await second.expectClosed();
    assertEquals(broker.server.broker.statistics.connectionsRefused, 1);
  },
  "limits.connect_timeout_ms": async () => {
    await using broker = await TestBroker.start({ limits: { connectTimeoutMs: 100 } });
    using client = await WireClient.open(broker.port);
    await client.expectClosed();
    assertEquals(broker.server.broker.statistics.connectTimeouts, 1);
  },
  "limits.packet_bytes_max": async () => {
    await using broker = await TestBroker.start({ limits: { packetBytesMax: 64 } });
    using client = await WireClient.connect(broker.port);
    await client.publish("t", "x".repeat(64 - 5), { qos: 0 });
    assertEquals(await client.drain(), []);
    const tag = await tagOfRefusal(broker, publishPacket("t", "x".repeat(64 - 4)));
    assertEquals(tag, "limit:packet_bytes_max");
  },
  "limits.client_identifier_bytes_max": async () => {
    await using broker = await TestBroker.start({ limits: { clientIdentifierBytesMax: 30 } });
    for (const [bytes, code] of [[30, 0], [31, 2]] as const) {
      using client = await WireClient.open(broker.port);
      const connack = await client.sendConnect({ clientIdentifier: "c".repeat(bytes) });
      assertEquals(connack.returnCode, code);
    }
  },
  "limits.topic_bytes_max": async () => {
    await using broker = await TestBroker.start({ limits: { topicBytesMax: 20 } });
    using client = await WireClient.connect(broker.port);
    await client.publish("t".repeat(20), "fits", { qos: 1 });
    const tag = await tagOfRefusal(broker, publishPacket("t".repeat(21), "no"));
    assertEquals(tag, "limit:topic_bytes_max");
  },
  "limits.topic_levels_max": async () => {
    await using broker = await TestBroker.start({ limits: { topicLevelsMax: 3 } });
    using client = await WireClient.connect(broker.port);
    await client.publish("a/b/c", "fits", { qos: 1 });
    assertEquals(await returnCodes(client, ["a/b/#"]), [0]);
    const tag = await tagOfRefusal(broker, subscribePacket(["a/b/c/#"]));
    assertEquals(tag, "limit:topic_levels_max");
  },
  "limits.subscriptions_per_session_max": async () => {
    await using broker = await TestBroker.start({ limits: { subscriptionsPerSessionMax: 2 } });
    using client = await WireClient.connect(broker.port);
    assertEquals(await returnCodes(client, ["a", "b", "c", "a"]), [0, 0, 0x80, 0]);
  },
  "limits.subscriptions_max": async () => {
    await using broker = await TestBroker.start({ limits: { subscriptionsMax: 2 } });
    using first = await WireClient.connect(broker.port);
    using second = await WireClient.connect(broker.port);
    assertEquals(await returnCodes(first, ["a"]), [0]);
    assertEquals(await returnCodes(second, ["a", "b"]), [0, 0x80]);
    assertEquals(broker.server.broker.statistics.subscriptionsRefused, 1);
  },
  "limits.sessions_max": async () => {
    await using broker = await TestBroker.start({ limits: { sessionsMax: 1 } });
    using _first = await WireClient.connect(broker.port, { clientIdentifier: "one" });
    using second = await WireClient.open(broker.port);
    assertEquals((await second.sendConnect({ clientIdentifier: "two" })).returnCode, 3);
    assertEquals(broker.server.broker.statistics.sessionsRefused, 1);
  },
  "limits.retained_messages_max": async () => {
    await using broker = await TestBroker.start({ limits: { retainedMessagesMax: 2 } });
    assertEquals(await retainedAfter(broker, ["a", "b", "c"]), ["a", "b"]);
    assertEquals(broker.server.broker.statistics.dropped["retained-limit"], 1);
  },
  "limits.retained_bytes_max": async () => {
    await using broker = await TestBroker.start({ limits: { retainedBytesMax: 600 } });
    const fits = "x".repeat(20);
    assertEquals(await retainedAfter(broker, [fits, "y".repeat(20)]), [fits]);
  },
  "limits.in_flight_messages_max": async () => {
    await using broker = await TestBroker.start({ limits: { inFlightMessagesMax: 2 } });
    using client = await WireClient.connect(broker.port);
    await client.subscribe("t", 1);
    using publisher = await WireClient.connect(broker.port);
    for (const content of ["1", "2", "3"]) await publisher.publish("t", content, { qos: 1 });
    assertEquals((await client.drain()).length, 2);
  },
  "limits.receive_in_flight_max": async () => {
    await using broker = await TestBroker.start({ limits: { receiveInFlightMax: 1 } });
    using client = await WireClient.connect(broker.port);
    await client.send(publishPacket("t", "1", { qos: 2, packetId: 1 }));
    await client.expect("PUBREC");
    await client.send(publishPacket("t", "2", { qos: 2, packetId: 2 }));
    await client.expectClosed();
    const { protocolErrors } = broker.server.broker.statistics;
    assertEquals([...protocolErrors.keys()], ["limit:receive_in_flight_max"]);
  },
  "limits.keep_alive_max_ms": async () => {
    await using broker = await TestBroker.start({ limits: { keepAliveMaxMs: 200 } });
    using client = await WireClient.connect(broker.port, { keepAliveSeconds: 0 });
    await client.expectClosed();
    assertEquals(broker.server.broker.statistics.keepAliveTimeouts, 1);
  },
};

const otherCases: KeyCases = {
  "session.expiry_ms": async () => {
    await using broker = await TestBroker.start({ session: { expiryMs: 1 } });
    using client = await WireClient.connect(broker.port, {
      clientIdentifier: "away",
      cleanSession: false,
    });
    await client.disconnect();
    const deadline = performance.now() + 15_000;
    while (broker.server.broker.statistics.sessions > 0) {
      assert(performance.now() < deadline, "the session is still there");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertEquals(broker.server.broker.statistics.sessionsExpired, 1);
  },
  "sys_topics.enabled": async () => {
    for (const enabled of [false, true]) {
      await using broker = await TestBroker.start({ sysTopics: { enabled } });
      using client = await WireClient.connect(broker.port);
      await client.subscribe("$SYS/broker/version");
      assertEquals((await client.drain()).length, enabled ? 1 : 0);
    }
  },
  "sys_topics.interval_ms": async () => {
    await using broker = await TestBroker.start({
      sysTopics: { enabled: true, intervalMs: 100 },
    });
    using client = await WireClient.connect(broker.port);
    await client.subscribe("$SYS/broker/bytes/received");
    const first = await client.receiveMessage();
    const second = await client.receiveMessage();
    assertEquals([first.retain, second.retain], [true, false]);
  },
  "log.level": async () => {
    for (const level of ["error", "info"] as const) {
      await using broker = await TestBroker.start({ log: { level } });
      using client = await WireClient.connect(broker.port, { clientIdentifier: "logged" });
      await client.drain();
      assertEquals(broker.log.some((line) => line.includes("logged")), level === "info");
    }
  },
};

/** Runs `relayq serve` with a configuration until it fails; gives its exit code and errors. */
async function serveFails(toml: string): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const config = `${directory}/relayq.toml`;
  await Deno.writeTextFile(config, toml);
  const main = new URL("../../main.ts", import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", "--allow-read", "--allow-write", main].concat(
      ["serve", "--config", config],
    ),
    stdout: "null",
    stderr: "piped",
  }).output();
  await Deno.remove(directory, { recursive: true });
  return `${code} ${new TextDecoder().decode(stderr)}`;
}

const startCases: KeyCases = {
  "listeners.address": async () => {
    await using broker = await TestBroker.start();
    const taken = `[[listeners]]\naddress = "127.0.0.1:${broker.port}"\n`;
    const output = await serveFails(`${taken}[store]\ndata_dir = "${await Deno.makeTempDir()}"\n`);
    assertStringIncludes(
      output,
      `Cannot start: listener 127.0.0.1:${broker.port}: Address already`,
    );
  },
  "listeners.allow_anonymous": async () => {
    const output = await serveFails(`[[listeners]]\naddress = "0.0.0.0:1"\n`);
    assertStringIncludes(output, "allow_anonymous = true");
  },
  "store.data_dir": async () => {
    // Held by this broker, so another one must not take it.
    const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
    await using _broker = await TestBroker.start({ store: { dataDir } });
    const listener = `[[listeners]]\naddress = "127.0.0.1:0"\n`;
    const output = await serveFails(`${listener}[store]\ndata_dir = "${dataDir}"\n`);
    assertStringIncludes(output, `3 Cannot start: data directory ${dataDir} is held`);
  },
  "store.kind": async () => {
    for (const kind of ["memory", "sqlite"] as const) {
      const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
      const store = { kind, dataDir };
      {
        await using broker = await TestBroker.start({ store }, { keepDataDir: true });
        using client = await WireClient.connect(broker.port);
        await client.publish("kept", "?", { qos: 1, retain: true });
      }
      await using broker = await TestBroker.start({ store });
      using client = await WireClient.connect(broker.port);
      await client.subscribe("kept");
      assertEquals((await client.drain()).length, kind === "sqlite" ? 1 : 0);
    }
  },
};

/** Every case. */
export const KEY_CASES: KeyCases = {
  ...protocolCases,
  ...limitCases,
  ...queueAndOutboxCases,
  ...otherCases,
  ...securityCases,
  ...doorCases,
  ...rateCases,
  ...auditAndTakeOverCases,
  ...tlsCases,
  ...websocketCases,
  ...stateCases,
  ...sparkplugCases,
  ...judgingCases,
  ...startCases,
  ...adminCases,
  ...adminTlsCases,
  ...serviceCases,
};
