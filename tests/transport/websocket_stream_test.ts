/** A WebSocket as a byte stream, over a peer in memory. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ByteStream, WebSocketStream } from "../../src/transport/mod.ts";
import { clientFrame, joined } from "../support/websocket_frames.ts";

/** A peer that has sent all its bytes, and takes a few at a time. */
class Peer implements ByteStream {
  readonly #chunks: Uint8Array[];
  readonly #bytesPerWrite: number;
  taken: number[] = [];
  ended = false;
  closed = false;

  constructor(chunks: readonly Uint8Array[], bytesPerWrite = 3) {
    this.#chunks = [...chunks];
    this.#bytesPerWrite = bytesPerWrite;
  }

  read(target: Uint8Array): Promise<number | null> {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return Promise.resolve(null);
    const count = Math.min(chunk.length, target.length);
    target.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks.unshift(chunk.subarray(count));
    return Promise.resolve(count);
  }

  async write(source: Uint8Array): Promise<number> {
    await Promise.resolve();
    const count = Math.min(source.length, this.#bytesPerWrite);
    this.taken.push(...source.subarray(0, count));
    return count;
  }

  closeWrite(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  close(): void {
    this.closed = true;
  }
}

const NOTHING = new Uint8Array(0);

function open(peer: Peer, early = NOTHING): { stream: WebSocketStream; pauses: () => number } {
  let pauses = 0;
  const pause = () => {
    pauses++;
    return Promise.resolve();
  };
  return { stream: new WebSocketStream(peer, { early, pause }), pauses: () => pauses };
}

async function readAll(stream: ByteStream, size = 512): Promise<number[]> {
  const all: number[] = [];
  const target = new Uint8Array(size);
  for (;;) {
    const count = await stream.read(target);
    if (count === null) return all;
    all.push(...target.subarray(0, count));
  }
}

function data(...payload: number[]): Uint8Array {
  return clientFrame({ payload: Uint8Array.from(payload) });
}

Deno.test("a WebSocket gives the bytes of its messages, those behind the handshake first", async () => {
  const bytes = joined(data(1, 2, 3), data(4, 5), data(6));
  for (let cut = 0; cut <= bytes.length; cut++) {
    const { stream } = open(new Peer([bytes.subarray(cut)]), bytes.slice(0, cut));
    assertEquals(await readAll(stream, 4), [1, 2, 3, 4, 5, 6]);
  }
});

Deno.test("a WebSocket writes its bytes as binary messages, 64 kB in each", async () => {
  const peer = new Peer([], 50_000);
  const { stream } = open(peer);
  assertEquals(await stream.write(Uint8Array.of(7, 8)), 2);
  assertEquals(peer.taken, [0x82, 2, 7, 8]);
  assertEquals(await stream.write(new Uint8Array(100_000)), 65_536);
  assertEquals(peer.taken.length, 4 + 10 + 65_536);
});

Deno.test("a pong does not get between the bytes of a message, nor a message into it", async () => {
  const ping = clientFrame({ opcode: 9, payload: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
  const peer = new Peer([ping, data(1), ping, data(2)]);
  const { stream } = open(peer);
  const written = stream.write(Uint8Array.of(10, 11, 12, 13, 14, 15, 16));
  const target = new Uint8Array(64);
  assertEquals(await stream.read(target), 1);
  const again = stream.write(Uint8Array.of(20, 21));
  assertEquals(await stream.read(target), 1);
  await Promise.all([written, again]);
  await stream.closeWrite();
  const message = [0x82, 7, 10, 11, 12, 13, 14, 15, 16];
  const pong = [0x8a, 8, 1, 2, 3, 4, 5, 6, 7, 8];
  // The second ping came while the pong to the first one waited: one answers both.
  assertEquals(peer.taken, [...message, ...pong, 0x82, 2, 20, 21, 0x88, 2, 3, 232]);
  assert(peer.ended);
});

Deno.test("a WebSocket that the peer closes ends behind the same code", async () => {
  const close = clientFrame({ opcode: 8, payload: Uint8Array.of(3, 233) });
  const peer = new Peer([joined(data(1), close, data(2))]);
  const { stream } = open(peer);
  assertEquals(await readAll(stream), [1]);
  assertEquals(peer.taken, [0x88, 2, 3, 233]);
  await assertRejects(() => stream.write(Uint8Array.of(1)), Error, "closed");
  assertEquals(peer.taken.length, 4);
});

Deno.test("a fault ends a WebSocket behind a Close frame that names it", async () => {
  const peer = new Peer([joined(data(1), clientFrame({ mask: null })), data(2)]);
  const { stream } = open(peer);
  assertEquals(await readAll(stream), [1]);
  assertEquals(peer.taken, [0x88, 2, 3, 234]);
});

Deno.test("a WebSocket that we close still reads, until the peer has closed, too", async () => {
  const close = clientFrame({ opcode: 8, payload: Uint8Array.of(3, 232) });
  const peer = new Peer([data(1), close, data(2)]);
  const { stream } = open(peer);
  await stream.closeWrite();
  assertEquals(await readAll(stream), [1]);
  assertEquals(peer.taken, [0x88, 2, 3, 232]);
});

Deno.test("a peer that sends nothing but pings or empty messages lets others have their turn", async () => {
  for (const frame of [clientFrame({ opcode: 9 }), data()]) {
    const flood = joined(...Array.from({ length: 50_000 }, () => frame));
    const { stream, pauses } = open(new Peer([flood]));
    assertEquals(await readAll(stream), []);
    assertEquals(pauses(), Math.floor(flood.length / 65_536));
  }
});

Deno.test("a Close frame that the peer does not take ends the WebSocket all the same", async () => {
  const peer = new Peer([clientFrame({ opcode: 8 })]);
  peer.write = () => new Promise<number>(() => {});
  const { stream } = open(peer);
  assertEquals(await readAll(stream), []);
});
