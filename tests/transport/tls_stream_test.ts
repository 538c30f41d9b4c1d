/** TLS as a byte stream: bounded in both directions, and the same to a driver as TCP. */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { encodePacket } from "../../src/mqtt/mod.ts";
import type { TlsStream } from "../../src/transport/mod.ts";
import {
  type IssuedFiles,
  NEEDS_OPENSSL,
  OPENSSL,
  SERVER_EXTENSIONS,
  temporaryDirectory,
  TestAuthority,
} from "../support/test_authority.ts";
import { TlsBroker, TlsTestListener } from "../support/tls_broker.ts";
import { TlsClient } from "../support/tls_client.ts";
import { concatenate, connectPacket, filter, publishPacket } from "../support/wire_client.ts";

const DIRECTORY = temporaryDirectory();
const MIB = 1_048_576;
let created = 0;

function streamTest(name: string, run: (server: IssuedFiles) => Promise<void>): void {
  Deno.test({
    name: name + NEEDS_OPENSSL,
    ignore: !OPENSSL,
    fn: async () => {
      const root = await TestAuthority.root(DIRECTORY, `root-${++created}`);
      await run(await root.issue({ subject: "/CN=broker", extensions: SERVER_EXTENSIONS }));
    },
  });
}

/** A connection that has passed: both ends. */
async function connected(
  listener: TlsTestListener,
): Promise<{ client: TlsClient; stream: TlsStream }> {
  const before = listener.established.length;
  const client = await TlsClient.connect({ port: listener.port });
  await listener.settled(before + 1);
  return { client, stream: listener.established[before]!.stream };
}

/** Bytes whose values depend on where they stand. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

async function readAll(stream: TlsStream, bufferBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(bufferBytes);
    const count = await stream.read(buffer);
    if (count === null) return concatenate(parts);
    assertGreater(count, 0);
    parts.push(buffer.subarray(0, count));
  }
}

streamTest("bytes arrive as they were sent, whatever the size of the reads", async (server) => {
  await using listener = await TlsTestListener.start(server);
  for (const bufferBytes of [7, 512, 65_536]) {
    const { client, stream } = await connected(listener);
    const sent = pattern(bufferBytes === 7 ? 100_000 : 3 * MIB);
    const reading = readAll(stream, bufferBytes);
    await client.send(sent);
    client.socket.end();
    const received = await reading;
    assertEquals(received.length, sent.length);
    assert(received.every((byte, i) => byte === sent[i]));
    stream.close();
  }
});

streamTest("a write takes a part at a time, and all of it arrives", async (server) => {
  await using listener = await TlsTestListener.start(server);
  const { client, stream } = await connected(listener);
  const sent = pattern(5 * MIB);
  const writing = (async () => {
    for (let written = 0; written < sent.length;) {
      const count = await stream.write(sent.subarray(written));
      assert(count > 0 && count <= 65_536);
      written += count;
    }
    await stream.closeWrite();
  })();
  const parts: Uint8Array[] = [];
  for (let part = await client.receive(); part !== null; part = await client.receive()) {
    parts.push(part);
  }
  await writing;
  const received = concatenate(parts);
  assertEquals(received.length, sent.length);
  assert(received.every((byte, i) => byte === sent[i]));
});

streamTest(
  "who waits for the end of its side is told when the stream is closed meanwhile",
  async (server) => {
    await using listener = await TlsTestListener.start(server);
    const { client, stream } = await connected(listener);
    const { promise: late, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error("not told in 10 s")), 10_000);
    const ending = stream.closeWrite();
    stream.close();
    await Promise.race([ending, late]);
    clearTimeout(timer);
    client.socket.destroy();
  },
);

streamTest("a connection that nobody reads stops reading the network", async (server) => {
  await using listener = await TlsTestListener.start(server);
  const { client, stream } = await connected(listener);
  const block = pattern(MIB);
  let sent = 0;
  client.socket.on("error", () => {});
  // Read once, so that it is in full swing when the reader stops.
  for (let i = 0; i < 64; i++) client.socket.write(block, () => sent += block.length);
  for (let read = 0; read < 4 * MIB;) read += (await stream.read(new Uint8Array(65_536)))!;
  const before = stream.ciphertextBytesRead;
  await new Promise((resolve) => setTimeout(resolve, 700));
  // One read of the network may have been under way.
  assertLess(stream.ciphertextBytesRead - before, 65_537);
  assertLess(sent, 32 * MIB);
  // And it goes on where it stopped.
  let read = 0;
  while (read < 8 * MIB) read += (await stream.read(new Uint8Array(65_536)))!;
  stream.close();
});

streamTest("a connection that never was read costs one read of the network", async (server) => {
  await using listener = await TlsTestListener.start(server);
  const { client, stream } = await connected(listener);
  const before = stream.ciphertextBytesRead;
  client.socket.on("error", () => {});
  client.socket.write(pattern(8 * MIB));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assertLess(stream.ciphertextBytesRead - before, 65_537);
  stream.close();
});

streamTest("a write to a client that does not read waits, and close ends it", async (server) => {
  await using listener = await TlsTestListener.start(server);
  const frozen = await frozenClient(listener);
  const passed = listener.established.at(-1)!.stream;
  const block = pattern(65_536);
  let written = 0;
  let pending = true;
  const writing = (async () => {
    while (pending) written += await passed.write(block);
    return "resolved";
  })().catch((error) => error.message);
  let last = -1;
  while (last !== written) {
    last = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  // What the two sockets hold, and nothing besides.
  assertLess(written, 16 * MIB);
  pending = false;
  passed.close();
  assertEquals(await writing, "Cannot write: the stream was closed");
  frozen.kill("SIGKILL");
  await frozen.status;
});

/** `openssl s_client`, stopped behind its handshake: it reads nothing more. */
async function frozenClient(listener: TlsTestListener): Promise<Deno.ChildProcess> {
  const before = listener.established.length + listener.refused.length;
  const process = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${listener.port}`, "-quiet"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
  const child = process.spawn();
  await listener.settled(before + 1);
  child.kill("SIGSTOP");
  return child;
}

streamTest("writes to a client that was killed fail, and nothing else does", async (server) => {
  await using listener = await TlsTestListener.start(server);
  for (let round = 0; round < 5; round++) {
    const frozen = await frozenClient(listener);
    const { stream } = listener.established.at(-1)!;
    const block = pattern(65_536);
    // Caught from the start: the end may come while the process is still waited for.
    const writing = (async () => {
      for (;;) await stream.write(block);
    })().catch(() => "failed");
    await new Promise((resolve) => setTimeout(resolve, 50));
    // What it has not read makes its end a reset.
    frozen.kill("SIGKILL");
    await frozen.status;
    assertEquals(await writing, "failed");
    assertEquals(await stream.read(new Uint8Array(10)), null);
  }
});

streamTest("close ends what waits; after it nothing can be read or written", async (server) => {
  await using listener = await TlsTestListener.start(server);
  const { client, stream } = await connected(listener);
  const waiting = stream.read(new Uint8Array(10));
  stream.close();
  assertEquals(await waiting, null);
  assertEquals(await stream.read(new Uint8Array(10)), null);
  assertEquals(
    await stream.write(new Uint8Array(10)).then(() => "written", () => "rejected"),
    "rejected",
  );
  assertEquals(
    await stream.closeWrite().then(() => "ended", () => "rejected"),
    "rejected",
  );
  stream.close();
  await client.ended();
});

streamTest("our end can be closed while the other one still sends", async (server) => {
  await using listener = await TlsTestListener.start(server);
  const child = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${listener.port}`, "-quiet", "-no_ign_eof"],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  await listener.settled(1);
  const { stream } = listener.established[0]!;
  await stream.write(new TextEncoder().encode("bye"));
  await stream.closeWrite();
  // s_client ends at our close_notify; what it had sent before is still there.
  const { stdout } = await child.output();
  assertEquals(new TextDecoder().decode(stdout), "bye");
  await child.stdin.close().catch(() => {});
  assertEquals(await stream.read(new Uint8Array(10)), null);
  stream.close();
});

streamTest("a peer that vanishes without close_notify is an end", async (server) => {
  await using listener = await TlsTestListener.start(server);
  const { client, stream } = await connected(listener);
  const waiting = stream.read(new Uint8Array(10));
  client.socket.destroy();
  assertEquals(await waiting, null);
  stream.close();
});

streamTest("a broker over TLS: 20,000 messages through it, in order and whole", async (server) => {
  await using broker = await TlsBroker.start(server);
  using subscriber = await TlsClient.connect({ port: broker.port });
  using publisher = await TlsClient.connect({ port: broker.port });
  await subscriber.send(encodePacket(connectPacket({ clientIdentifier: "subscriber" })));
  await subscriber.send(encodePacket({
    type: "SUBSCRIBE",
    packetId: 1,
    subscriptions: [{ filter: filter("flood"), qos: 0 }],
  }));
  await publisher.send(encodePacket(connectPacket({ clientIdentifier: "publisher" })));
  let received = (await subscriber.receive())!;
  while (received.length < 9) received = concatenate([received, (await subscriber.receive())!]);
  assertEquals([received[0], received[4]], [0x20, 0x90]); // CONNACK, SUBACK
  const count = 20_000;
  const packets = Array.from(
    { length: count },
    (_, i) => encodePacket(publishPacket("flood", String(i).padEnd(600, "."))),
  );
  const expected = concatenate(packets);
  const sending = publisher.send(expected);
  const parts = [received.subarray(9)];
  let length = parts[0]!.length;
  while (length < expected.length) {
    const part = await subscriber.receive();
    if (part === null) throw new Error(`Cannot receive: closed after ${length} bytes`);
    parts.push(part);
    length += part.length;
  }
  await sending;
  const whole = concatenate(parts);
  assertEquals(whole.length, expected.length);
  assert(whole.every((byte, i) => byte === expected[i]));
});
