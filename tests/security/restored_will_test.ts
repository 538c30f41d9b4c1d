/** The Will of a client that was connected when the broker was killed, under other rules. */
import { assertEquals } from "@std/assert";
import { BrokerProcess } from "../durability/_broker_process.ts";
import { encode, SecurityFiles } from "../support/security_files.ts";
import { name, payload, WireClient } from "../support/wire_client.ts";

function login(userName: string, topic?: string): Parameters<WireClient["sendConnect"]>[0] {
  const who = { userName, password: encode("right"), clientIdentifier: userName };
  if (topic === undefined) return who;
  return { ...who, will: { topic: name(topic), payload: payload("gone"), qos: 1, retain: true } };
}

Deno.test("a Will that is published at the start has to be allowed by the rules of that start", async () => {
  await using files = await SecurityFiles.make();
  const { directory } = files;
  const passwordFile = await files.passwords({ alice: "right", bob: "right", reader: "right" });
  const accessFile = await files.access("everyone\nallow all #\n");
  const config = `${directory}/relayq.toml`;
  await Deno.writeTextFile(
    config,
    `[[listeners]]
address = "127.0.0.1:0"
[security]
password_file = "${passwordFile}"
access_file = "${accessFile}"
[store]
data_dir = "${directory}/data"
`,
  );
  const first = BrokerProcess.start(config);
  await first.listening();
  using _alice = await WireClient.connect(first.port, login("alice", "will/alice"));
  using _bob = await WireClient.connect(first.port, login("bob", "will/bob"));
  await first.kill();
  await files.access(
    "user reader\nallow all #\nallow all $SYS/#\nuser alice\nallow publish will/%u\n",
  );
  const second = BrokerProcess.start(config);
  await second.listening();
  {
    using reader = await WireClient.connect(second.port, login("reader"));
    await reader.subscribe("#");
    const topics = (await reader.drain()).map((packet) =>
      packet.type === "PUBLISH" && packet.topic
    );
    assertEquals(topics, [name("will/alice")]);
    await reader.subscribe("$SYS/broker/dead-letters/publish-refused");
    const [refused] = await reader.drain();
    assertEquals(refused?.type === "PUBLISH" && new TextDecoder().decode(refused.payload), "1");
  }
  await second.stop();
});
