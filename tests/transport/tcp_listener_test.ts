/** The accept loop against what ends naive ones: resets before accept, and too many open files. */
import { assert, assertEquals } from "@std/assert";
import net from "node:net";
import { TcpListener } from "../../src/transport/mod.ts";
import { TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";

/** Connects and resets at once, so that the connection is gone when it is accepted. */
function connectAndReset(port: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.resetAndDestroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve());
  });
}

Deno.test("a plain accept rejects when a client connects and resets at once", async () => {
  // The reason for a loop of our own: should this ever change, the loop can go.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await connectAndReset((listener.addr as Deno.NetAddr).port);
  let error: unknown;
  try {
    (await listener.accept()).close();
  } catch (caught) {
    error = caught;
  }
  assert(error instanceof Deno.errors.NotConnected);
});

Deno.test("clients that connect and reset at once do not end the accept loop", async () => {
  await using broker = await TestBroker.start();
  for (let round = 0; round < 50; round++) await connectAndReset(broker.port);
  using client = await WireClient.connect(broker.port, { clientIdentifier: "after" });
  assertEquals(await client.drain(), []);
});

/** A listener that notes when it accepts, and closes what it has accepted. */
function noting(): { listener: TcpListener; acceptedMs: number[] } {
  const acceptedMs: number[] = [];
  const listener = TcpListener.listen({ host: "127.0.0.1", port: 0 }, {
    accepted: (connection) => {
      acceptedMs.push(performance.now());
      connection.close();
    },
    failed: () => {},
  });
  return { listener, acceptedMs };
}

Deno.test("who connects during a pause is accepted behind it", async () => {
  const { listener, acceptedMs } = noting();
  const { port } = listener.address;
  // The one that is being accepted already may pass.
  listener.pause(200);
  using passes = await WireClient.open(port);
  await passes.expectClosed();
  const pausedMs = performance.now();
  listener.pause(500);
  listener.pause(1);
  using first = await WireClient.open(port);
  using second = await WireClient.open(port);
  await Promise.all([first.expectClosed(), second.expectClosed()]);
  assertEquals(acceptedMs.length, 3);
  for (const atMs of acceptedMs.slice(1)) assert(atMs >= pausedMs + 499, `${atMs - pausedMs}`);
  using third = await WireClient.open(port);
  await third.expectClosed();
  await listener.close();
});

Deno.test("a listener closes during a pause, however long", async () => {
  const { listener } = noting();
  listener.pause(3_600_000);
  using _client = await WireClient.open(listener.address.port);
  // The loop has come to its pause.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await listener.close();
});

Deno.test("the accept loop survives running out of file descriptors", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const main = new URL("../../main.ts", import.meta.url).pathname;
  // Sets both limits: the CLI raises the soft one to the hard one.
  const serve =
    `ulimit -n 64 && exec "$0" run --no-prompt --allow-net --allow-read --allow-write ` +
    `"${main}" serve --listen 127.0.0.1:0 --data-dir "${dataDir}"`;
  const child = new Deno.Command("sh", {
    args: ["-c", serve, Deno.execPath()],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const log = collect(child.stderr);
  const clients: Deno.TcpConn[] = [];
  try {
    const port = await listeningPort(child.stdout);
    for (let i = 0; i < 80; i++) clients.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    await until(() => log.text.includes("accept failed"), "EMFILE in the log");
    for (const client of clients.splice(0)) client.close();
    using client = await WireClient.connect(port, { clientIdentifier: "after" });
    assertEquals(await client.drain(), []);
  } finally {
    for (const client of clients) client.close();
    child.kill("SIGTERM");
    await child.status;
    await log.ended;
    await Deno.remove(dataDir, { recursive: true });
  }
});

/** Reads the banner up to the port, and the rest behind our back so that the pipe cannot fill. */
async function listeningPort(stdout: ReadableStream<Uint8Array>): Promise<number> {
  const banner = collect(stdout);
  await until(() => /listens on\s+127\.0\.0\.1:(\d+)/.test(banner.text), "banner");
  return Number(/listens on\s+127\.0\.0\.1:(\d+)/.exec(banner.text)![1]);
}

function collect(stream: ReadableStream<Uint8Array>): { text: string; ended: Promise<void> } {
  const collected = { text: "", ended: Promise.resolve() };
  const decoder = new TextDecoder();
  collected.ended = (async () => {
    for await (const chunk of stream) collected.text += decoder.decode(chunk, { stream: true });
  })();
  return collected;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Cannot see ${what}: nothing for 20 s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
