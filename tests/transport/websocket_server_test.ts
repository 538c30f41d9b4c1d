/** A broker that speaks MQTT over WebSocket: what it lets in, and what that costs it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import mqtt from "mqtt";
import type { ListenerConfig } from "../../src/config/mod.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { refusals } from "../support/door.ts";
import { type ConfigChanges, TestBroker } from "../support/test_broker.ts";
import { type HandshakeOptions, tcpPipe, WebSocketClient } from "../support/websocket_client.ts";
import { clientFrame } from "../support/websocket_frames.ts";
import { connectPacket, publishPacket, text, WireClient } from "../support/wire_client.ts";

function start(
  listener: Partial<ListenerConfig> = {},
  changes: ConfigChanges = {},
): Promise<TestBroker> {
  return TestBroker.start(changes, { listener: { websocketPath: "/mqtt", ...listener } });
}

async function open(
  { port }: TestBroker,
  options: HandshakeOptions = {},
): Promise<WebSocketClient> {
  const client = await WebSocketClient.open(await tcpPipe(port), options);
  assert(client !== null, "the connection ended without an answer");
  return client;
}

async function connect(broker: TestBroker, clientIdentifier: string): Promise<WireClient> {
  const client = WireClient.over(await open(broker));
  await client.sendConnect({ clientIdentifier });
  return client;
}

Deno.test("messages of all sizes pass a WebSocket in both directions", async () => {
  await using broker = await start();
  using receiver = await connect(broker, "receiver");
  await receiver.subscribe("t", 1);
  using sender = await connect(broker, "sender");
  for (const size of [0, 1, 124, 125, 126, 127, 65_000, 65_535, 65_536, 300_000]) {
    await sender.send(publishPacket("t", "x".repeat(size), { qos: 1, packetId: 1 }));
    await sender.expect("PUBACK");
    assertEquals((await receiver.receiveMessage()).payload.length, size);
  }
});

Deno.test("WebSocket and TCP clients reach each other", async () => {
  const changes = { sysTopics: { enabled: false } };
  await using broker = await start({}, changes);
  const url = `ws://127.0.0.1:${broker.port}/mqtt`;
  const options = { reconnectPeriod: 0, protocolVersion: 4 } as const;
  const browserLike = await mqtt.connectAsync(url, { ...options, clientId: "mqtt.js" });
  await browserLike.subscribeAsync("to/#", { qos: 2 });
  using wire = await connect(broker, "wire");
  await wire.subscribe("from/#", 1);
  const received = new Promise<string>((resolve) =>
    browserLike.once("message", (topic, content) => resolve(`${topic} ${content}`))
  );
  await wire.send(publishPacket("to/js", "hello"));
  assertEquals(await received, "to/js hello");
  await browserLike.publishAsync("from/js", "hello, too", { qos: 2 });
  assertEquals(text((await wire.receiveMessage()).payload), "hello, too");
  await browserLike.endAsync();
});

Deno.test("a request that is not one for MQTT over WebSocket gets its answer and a line of the log", async () => {
  await using broker = await start();
  const cases: [HandshakeOptions, string][] = [
    [{ path: "/" }, "404"],
    [{ protocol: "chat" }, "400"],
    [{ origin: "https://evil.example" }, "403"],
  ];
  for (const [options, status] of cases) {
    const client = await open(broker, options);
    assertStringIncludes(client.answer, `HTTP/1.1 ${status} `);
    while (await client.frame().catch(() => null) !== null);
    client.close();
  }
  while (refusals(broker).length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals(refusals(broker), Array(3).fill("127.0.0.1 websocket-handshake"));
  assertMatch(broker.log.join(""), /reason=websocket-handshake .*origin is not allowed/);
});

Deno.test("a page of an allowed origin may connect, in whatever letters", async () => {
  await using broker = await start({ websocketOrigins: "http://other HTTPS://HMI.plant" });
  using client = WireClient.over(await open(broker, { origin: "https://hmi.PLANT" }));
  assertEquals((await client.sendConnect()).returnCode, 0);
});

Deno.test("MQTT that does not wait for the answer to its request is not lost", async () => {
  await using broker = await start();
  const payload = encodePacket(connectPacket({ clientIdentifier: "early" }));
  using client = WireClient.over(await open(broker, { early: clientFrame({ payload }) }));
  await client.expect("CONNACK");
});

Deno.test("MQTT itself on a WebSocket listener, and WebSocket on one of MQTT, end at once", async () => {
  await using broker = await start();
  const pipe = await tcpPipe(broker.port);
  await pipe.send(new TextEncoder().encode("\x10\x0c\x00\x04MQTT\x04\x02\0\0\0\0\r\n\r\n"));
  assertStringIncludes(new TextDecoder().decode((await pipe.receive())!), "HTTP/1.1 400 ");
  assertEquals(await pipe.receive(), null);
  pipe.close();
  await using plain = await TestBroker.start();
  assertEquals(await WebSocketClient.open(await tcpPipe(plain.port)), null);
});

Deno.test("a ping is answered, and keeps no MQTT client alive", async () => {
  await using broker = await start();
  const socket = await open(broker);
  await socket.write(encodePacket(connectPacket({ keepAliveSeconds: 1 })));
  assertEquals((await socket.frame())?.opcode, 2);
  let frames = 0;
  for (;;) {
    await socket.send({ opcode: 9, payload: Uint8Array.of(7) }).catch(() => {});
    const frame = await socket.frame().catch(() => null);
    if (frame === null || frame.opcode === 8) break;
    assertEquals([frame.opcode, ...frame.payload], [10, 7]);
    frames++;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert(frames > 3, `${frames}`);
  socket.close();
});

Deno.test("a client that closes its WebSocket gets a Close frame back, and its Will goes out", async () => {
  await using broker = await start();
  using watcher = await connect(broker, "watcher");
  await watcher.subscribe("will");
  const socket = await open(broker);
  const client = WireClient.over(socket);
  const will = { topic: "will" as never, payload: new TextEncoder().encode("gone") };
  await client.sendConnect({ clientIdentifier: "c", will });
  await socket.send({ opcode: 8, payload: Uint8Array.of(3, 232) });
  const answer = await socket.frame();
  assertEquals([answer?.opcode, ...answer?.payload ?? []], [8, 3, 232]);
  assertEquals(text((await watcher.receiveMessage()).payload), "gone");
  client.close();
});

Deno.test("requests that never end are bounded in time and number, and hold up nobody", async () => {
  await using broker = await start({ handshakeTimeoutMs: 300, handshakesMax: 2 });
  const silent = [
    await tcpPipe(broker.port),
    await tcpPipe(broker.port),
    await tcpPipe(broker.port),
  ];
  for (const pipe of silent) await pipe.send(new TextEncoder().encode("GET /mqtt HTTP/1.1\r\n"));
  for (const pipe of silent) assertEquals(await pipe.receive(), null);
  for (const pipe of silent) pipe.close();
  using client = await connect(broker, "late");
  await client.subscribe("t");
  const log = broker.log.join("");
  assertStringIncludes(log, "too many handshakes at a time");
  assertStringIncludes(log, "no request in time");
});

Deno.test("a request that is too long is refused before it is all there", async () => {
  await using broker = await start();
  const pipe = await tcpPipe(broker.port);
  const line = `X: ${"y".repeat(1_000)}\r\n`;
  await pipe.send(new TextEncoder().encode("GET /mqtt HTTP/1.1\r\n" + line.repeat(9))).catch(
    () => {},
  );
  assertStringIncludes(new TextDecoder().decode((await pipe.receive())!), "HTTP/1.1 431 ");
  pipe.close();
});

Deno.test("a broker that stops ends handshakes and WebSockets", async () => {
  const broker = await start();
  const waiting = await tcpPipe(broker.port);
  await waiting.send(new TextEncoder().encode("GET"));
  const socket = await open(broker);
  await socket.write(encodePacket(connectPacket()));
  assertEquals((await socket.frame())?.opcode, 2);
  await broker[Symbol.asyncDispose]();
  assertEquals((await socket.frame())?.opcode, 8);
  assertEquals(await waiting.receive(), null);
  socket.close();
  waiting.close();
});
