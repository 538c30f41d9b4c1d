/** Packets and frames out of streams, however they come. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ClientError } from "../../src/client/mod.ts";
import { PacketIds } from "../../src/client/packet_ids.ts";
import { PacketReader } from "../../src/client/packet_reader.ts";
import { WebSocketStream } from "../../src/client/websocket_stream.ts";
import { encodePacket } from "../../src/mqtt/mod.ts";
import { concatenate, publishPacket } from "../support/wire_client.ts";
import { FedStream, singly } from "./_fed_stream.ts";

Deno.test("packets of all sizes come out of any chunks", async () => {
  const sizes = [0, 1, 127, 16_383, 16_384, 16_390, 40_000, 0, 3];
  const packets = sizes.map((size) => publishPacket("t", "x".repeat(size)));
  const bytes = concatenate(packets.map(encodePacket));
  for (const chunkBytes of [1, 1_000, 16_384, bytes.length]) {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      chunks.push(bytes.subarray(at, at + chunkBytes));
    }
    const reader = new PacketReader(new FedStream(chunks));
    for (const packet of packets) assertEquals(await reader.next(), packet);
    assertEquals(await reader.next(), null);
  }
});

Deno.test("what is no packet is told, and a length alone costs no memory", async () => {
  const wrong = new PacketReader(new FedStream([Uint8Array.of(0xf0, 0)]));
  assertEquals((await assertRejects(() => wrong.next(), ClientError)).kind, "protocol");
  const before = Deno.memoryUsage().external;
  const huge = new PacketReader(new FedStream([Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f)]));
  assertEquals(await huge.next(), null);
  assertEquals(Deno.memoryUsage().external - before < 100_000_000, true);
});

/** A WebSocket whose server answers rightly and sends `frames` behind it, byte by byte. */
async function opened(
  frames: Uint8Array,
  change: (answer: string) => string = (answer) => answer,
): Promise<{ socket: WebSocketStream; inner: FedStream }> {
  const inner = new FedStream([]);
  let isAsked = false;
  const rest: Uint8Array[] = [];
  inner.read = async (target) => {
    if (!isAsked) {
      isAsked = true;
      const request = new TextDecoder().decode(Uint8Array.from(inner.written));
      const key = /Sec-WebSocket-Key: (\S+)/.exec(request)![1]!;
      const answer = change(
        "HTTP/1.1 101 Switching Protocols\r\n" +
          `sec-websocket-accept: ${await acceptOf(key)}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n`,
      );
      rest.push(...singly(concatenate([new TextEncoder().encode(answer), frames])));
    }
    const chunk = rest.shift();
    if (chunk === undefined) return null;
    target.set(chunk);
    return chunk.length;
  };
  return { socket: await WebSocketStream.open(inner, { host: "h:1", path: "/mqtt" }), inner };
}

async function acceptOf(key: string): Promise<string> {
  const text = new TextEncoder().encode(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  return new Uint8Array(await crypto.subtle.digest("SHA-1", text)).toBase64();
}

Deno.test("a WebSocket joins fragments, answers pings and ends at a close", async () => {
  const frames = Uint8Array.of(
    ...[0x02, 2, 1, 2], // a binary frame that goes on
    ...[0x89, 1, 9], // a ping between its fragments
    ...[0x80, 1, 3], // its end
    ...[0x8a, 0], // a pong that nobody has asked for
    ...[0x82, 0], // an empty frame
    ...[0x82, 126, 0, 3, 4, 5, 6], // a length of two bytes
    ...[0x88, 0],
  );
  const { socket, inner } = await opened(frames);
  const before = inner.written.length;
  const got: number[] = [];
  const target = new Uint8Array(2);
  for (;;) {
    const count = await socket.read(target);
    if (count === null) break;
    got.push(...target.subarray(0, count));
  }
  assertEquals(got, [1, 2, 3, 4, 5, 6]);
  const [first, second, ...rest] = inner.written.slice(before);
  assertEquals([first, second, rest.length], [0x8a, 0x81, 5]);
  assertEquals(rest[4]! ^ rest[0]!, 9);
});

Deno.test("an answer that is none for this question, and frames that no server may send, are refused", async () => {
  const answers: [(answer: string) => string, string][] = [
    [(answer) => answer.replace("101", "403"), "HTTP/1.1 403 "],
    [(answer) => answer.replace(/accept: .{4}/, "accept: AAAA"), "does not belong"],
    [(answer) => answer.replace(": mqtt", ": chat"), "subprotocol"],
  ];
  for (const [change, text] of answers) {
    const error = await assertRejects(() => opened(new Uint8Array(0), change), ClientError);
    assertStringIncludes(error.message, text);
  }
  for (const frame of [[0x82, 0x81, 0, 0, 0, 0, 1], [0xc2, 0], [0x81, 1, 65]]) {
    const { socket } = await opened(Uint8Array.from(frame));
    await assertRejects(() => socket.read(new Uint8Array(9)), ClientError);
  }
});

Deno.test("a Packet Identifier is not used again before its answer [MQTT-2.3.1-2]", async () => {
  const ids = new PacketIds<number>();
  const first = ids.take();
  for (let i = 2; i <= 65_535; i++) ids.settle(ids.take().packetId, 0);
  assertEquals([first.packetId, ids.take().packetId], [1, 2]);
  const room = ids.below(2);
  ids.settle(1, 7);
  assertEquals([await first.done, await room, ids.size], [7, undefined, 1]);
});
