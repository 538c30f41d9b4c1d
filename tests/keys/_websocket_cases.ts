/** Keys about WebSocket. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { type HandshakeOptions, tcpPipe, WebSocketClient } from "../support/websocket_client.ts";
import { WireClient } from "../support/wire_client.ts";
import type { KeyCases } from "./_cases.ts";

async function answerTo({ port }: TestBroker, options: HandshakeOptions): Promise<string> {
  const client = await WebSocketClient.open(await tcpPipe(port), options);
  assert(client !== null);
  const [line] = client.answer.split("\r\n");
  if (client.isOpen) assertEquals((await WireClient.over(client).sendConnect()).returnCode, 0);
  client.close();
  return line!;
}

export const websocketCases: KeyCases = {
  "listeners.websocket_path": async () => {
    await using broker = await TestBroker.start({}, { listener: { websocketPath: "/plant/mqtt" } });
    assertStringIncludes(await answerTo(broker, { path: "/plant/mqtt" }), " 101 ");
    assertStringIncludes(await answerTo(broker, { path: "/mqtt" }), " 404 ");
  },
  "listeners.websocket_origins": async () => {
    for (const [websocketOrigins, status] of [["", "403"], ["http://hmi", "101"], ["*", "101"]]) {
      const listener = { websocketPath: "/mqtt", websocketOrigins: websocketOrigins! };
      await using broker = await TestBroker.start({}, { listener });
      assertStringIncludes(await answerTo(broker, { origin: "http://hmi" }), ` ${status} `);
    }
  },
};
