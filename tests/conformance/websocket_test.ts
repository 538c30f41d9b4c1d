/** MQTT over WebSocket, section 6 of the standard. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { TestBroker } from "../support/test_broker.ts";
import { tcpPipe, WebSocketClient } from "../support/websocket_client.ts";
import {
  concatenate,
  connectPacket,
  publishPacket,
  text,
  WireClient,
} from "../support/wire_client.ts";

function start(): Promise<TestBroker> {
  return TestBroker.start({}, { listener: { websocketPath: "/mqtt" } });
}

async function open({ port }: TestBroker, protocol?: string | null): Promise<WebSocketClient> {
  const options = protocol === undefined ? {} : { protocol };
  const client = await WebSocketClient.open(await tcpPipe(port), options);
  assert(client !== null);
  return client;
}

const CONNECT = encodePacket(connectPacket({ clientIdentifier: "ws" }));

Deno.test("packets in another than a binary frame end the connection [MQTT-6.0.0-1]", async () => {
  await using broker = await start();
  const client = await open(broker);
  await client.send({ opcode: 1, payload: CONNECT });
  const frame = await client.frame();
  assertEquals([frame?.opcode, ...frame?.payload ?? []], [8, 3, 235], "Close with 1003");
  assertEquals(await client.frame(), null);
  client.close();
});

Deno.test("packets the broker sends are in binary frames [MQTT-6.0.0-1]", async () => {
  await using broker = await start();
  const client = await open(broker);
  await client.write(CONNECT);
  assertEquals(
    await client.frame(),
    { opcode: 2, payload: Uint8Array.of(32, 2, 0, 0), length: 6 } as never,
  );
  client.close();
});

Deno.test("packets may begin and end anywhere in frames and fragments [MQTT-6.0.0-2]", async () => {
  await using broker = await start();
  using watcher = WireClient.over(await open(broker));
  await watcher.sendConnect({ clientIdentifier: "watcher" });
  await watcher.subscribe("t");
  const publishes = ["a", "b", "c"].map((content) => encodePacket(publishPacket("t", content)));
  const bytes = concatenate([CONNECT, ...publishes]);
  for (let size = 1; size <= bytes.length; size++) {
    const client = await open(broker);
    for (let at = 0; at < bytes.length; at += size) {
      const payload = bytes.slice(at, at + size);
      const final = at + size >= bytes.length;
      // All of it one message in fragments, or each piece a message of its own.
      if (size % 2 === 0) await client.send({ opcode: at === 0 ? 2 : 0, payload, final });
      else await client.write(payload);
    }
    for (const content of ["a", "b", "c"]) {
      assertEquals(text((await watcher.receiveMessage()).payload), content, `${size}`);
    }
    client.close();
  }
});

Deno.test("a client that offers other sub-protocols or none is not let in [MQTT-6.0.0-3]", async () => {
  await using broker = await start();
  for (const protocol of [null, "chat", "MQTT"]) {
    const client = await open(broker, protocol);
    assertStringIncludes(client.answer, "HTTP/1.1 400 ");
    client.close();
  }
});

Deno.test("the broker chooses mqtt of the sub-protocols [MQTT-6.0.0-4]", async () => {
  await using broker = await start();
  const client = await open(broker, "chat, mqtt");
  assertStringIncludes(client.answer, "\r\nSec-WebSocket-Protocol: mqtt");
  client.close();
});
