/** Templates of the access file in a running broker. */
import { assertEquals } from "@std/assert";
import { SecurityFiles } from "../../support/security_files.ts";
import { TestBroker } from "../../support/test_broker.ts";
import { WireClient } from "../../support/wire_client.ts";

Deno.test("use sparkplug-node and sparkplug-host let a node and its host do their part, no more", async () => {
  await using files = await SecurityFiles.make();
  const accessFile = await files.access(
    "client node\nuse sparkplug-node G E\nclient host\nuse sparkplug-host H\n",
  );
  await using broker = await TestBroker.start({ security: { accessFile } }, {
    listener: { allowAnonymous: true },
  });
  using node = await WireClient.connect(broker.port, { clientIdentifier: "node" });
  using host = await WireClient.connect(broker.port, { clientIdentifier: "host" });
  assertEquals((await host.subscribe("spBv1.0/#")).returnCodes, [0]);
  assertEquals((await node.subscribe("spBv1.0/G/NCMD/E")).returnCodes, [0]);
  assertEquals((await node.subscribe("spBv1.0/#")).returnCodes, [0x80]);
  await node.publish("spBv1.0/G/NDATA/Other", "not its own");
  await node.publish("spBv1.0/G/NDATA/E", "its own");
  await host.publish("spBv1.0/G/NCMD/E", "do");
  assertEquals(await topics(host), ["spBv1.0/G/NDATA/E", "spBv1.0/G/NCMD/E"]);
  assertEquals(await topics(node), ["spBv1.0/G/NCMD/E"]);
});

async function topics(client: WireClient): Promise<string[]> {
  const packets = await client.drain();
  return packets.map((packet) => packet.type === "PUBLISH" ? packet.topic : packet.type);
}
