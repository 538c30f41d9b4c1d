/** Server-sent events over real sockets. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { HttpServer } from "../../src/admin/mod.ts";
import { EventStream } from "../../src/admin/event_stream.ts";
import { StreamAnswer } from "../../src/admin/stream_answer.ts";
import { ApiBroker, writeTokens } from "./_api.ts";

const PEER = { address: "127.0.0.1:1", isSecure: false, certificate: null };
const PATIENCE_MS = 20_000;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Reads an answer as its bytes come. */
class Reader implements Disposable {
  readonly #connection: Deno.TcpConn;
  text = "";

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async ask(port: number, request: string): Promise<Reader> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(encoder.encode(request));
    return new Reader(connection);
  }

  /** Reads until something has come; false at the end. */
  async until(part: string): Promise<boolean> {
    const timer = setTimeout(() => this.#connection.close(), PATIENCE_MS);
    try {
      while (!this.text.includes(part)) {
        const buffer = new Uint8Array(65_536);
        const count = await this.#connection.read(buffer);
        if (count === null) return false;
        this.text += decoder.decode(buffer.subarray(0, count));
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  async ended(): Promise<void> {
    assertEquals(await this.until("what never comes"), false);
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // It was closed for want of patience.
    }
  }
}

function events(api: ApiBroker, topics: string, version = "1.1"): Promise<Reader> {
  const token = api.tokens.read;
  return Reader.ask(
    api.broker.server.adminAddress!.port,
    `GET /api/v1/events?topics=${topics} HTTP/${version}\r\nHost: localhost\r\n` +
      `Authorization: Bearer ${token}\r\n\r\n`,
  );
}

Deno.test("lines of the log come as events, in chunks that HTTP/1.1 can take apart", async () => {
  await using api = await ApiBroker.start();
  using reader = await events(api, "log");
  assert(await reader.until("event: hello"));
  assertStringIncludes(reader.text, "content-type: text/event-stream\r\n");
  assertStringIncludes(reader.text, "transfer-encoding: chunked\r\n");
  assertStringIncludes(reader.text, "cache-control: no-store\r\n");
  await api.call("PUT /api/v1/log/levels/store", { body: { level: "warn" } });
  assert(await reader.until('"text":"admin: changed'));
  const body = reader.text.slice(reader.text.indexOf("\r\n\r\n") + 4);
  const [size = "", ...rest] = body.split("\r\n");
  assertEquals(rest[0]!.length, parseInt(size, 16));
});

Deno.test("an old client gets the same without chunks", async () => {
  await using api = await ApiBroker.start();
  using reader = await events(api, "statistics", "1.0");
  assert(await reader.until("event: hello"));
  assertEquals(reader.text.includes("transfer-encoding"), false);
  assertStringIncludes(reader.text, '\r\n\r\nevent: hello\ndata: {"topics":["statistics"]}\n\n');
});

Deno.test("a stream ends with the broker, and with the token of its reader", async () => {
  await using api = await ApiBroker.start();
  using revoked = await events(api, "log");
  using other = await events(api, "log");
  assert(await revoked.until("event: hello"));
  assert(await other.until("event: hello"));
  await writeTokens(api.tokensFile, { read: api.tokens.read });
  await api.broker.server.reload();
  assert(await other.until("reload done"));
  await writeTokens(api.tokensFile, { admin: api.tokens.admin });
  await api.broker.server.reload();
  await revoked.ended();
  await other.ended();
  assertStringIncludes(revoked.text, "\r\n0\r\n\r\n");
});

Deno.test("topics that there are not, and a stream too many, are refused", async () => {
  await using api = await ApiBroker.start();
  assertEquals((await api.call("GET /api/v1/events?topics=all")).status, 400);
  const readers: Reader[] = [];
  try {
    for (let i = 0; i < 16; i++) {
      const reader = await events(api, "log");
      readers.push(reader);
      assert(await reader.until("event: hello"));
    }
    const refused = await api.call("GET /api/v1/events?topics=log");
    assertEquals([refused.status, refused.headers.get("retry-after")], [503, "5"]);
    readers.pop()![Symbol.dispose]();
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      using next = await events(api, "log");
      if (await next.until("event: hello").catch(() => false)) break;
      assert(performance.now() < deadline);
    }
  } finally {
    for (const reader of readers) reader[Symbol.dispose]();
  }
});

/** A server that answers everything with this stream. */
async function streaming(
  source: EventStream,
  use: (port: number) => Promise<void>,
  answerMs = 200,
): Promise<void> {
  const server = new HttpServer({
    answer: () => Promise.resolve(new StreamAnswer(source, {})),
    failed: () => {},
    limits: { answerMs, idleMs: 200, requestMs: 200 },
  });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) server.accept(connection, PEER);
  })();
  try {
    await use((listener.addr as Deno.NetAddr).port);
  } finally {
    listener.close();
    await server.close();
    await accepting;
  }
}

Deno.test("no timer ends a stream that says nothing for long", async () => {
  const source = new EventStream(1_000, () => {});
  await streaming(source, async (port) => {
    using reader = await Reader.ask(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    source.send("first", "1");
    assert(await reader.until("event: first"));
    await new Promise((resolve) => setTimeout(resolve, 700));
    source.send("second", "2");
    assert(await reader.until("event: second"));
  });
});

Deno.test("a reader that takes nothing is let go, and its stream told", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const source = new EventStream(100_000_000, resolve);
  await streaming(source, async (port) => {
    using reader = await Reader.ask(port, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    source.send("first", "1");
    assert(await reader.until("event: first"));
    for (let i = 0; i < 500; i++) source.send("much", JSON.stringify("x".repeat(100_000)));
    await promise;
  });
});

Deno.test("a reader that goes away ends its stream, and so does one that talks meanwhile", async () => {
  for (const talk of [false, true]) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const source = new EventStream(1_000, resolve);
    await streaming(source, async (port) => {
      const request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
      using reader = await Reader.ask(port, request + (talk ? request : ""));
      if (!talk) reader[Symbol.dispose]();
      await promise;
    }, 20_000);
  }
});

Deno.test("what a slow reader has no room for is counted, and told when there is room", async () => {
  const stream = new EventStream(100, () => {});
  for (let i = 0; i < 10; i++) stream.send("e", String(i));
  const first = decoder.decode((await stream.next())!);
  assertEquals(
    first,
    "event: e\ndata: 0\n\nevent: e\ndata: 1\n\nevent: e\ndata: 2\n\nevent: e\ndata: 3\n\nevent: e\ndata: 4\n\n",
  );
  stream.send("e", "10");
  const then = decoder.decode((await stream.next())!);
  assertEquals(then, 'event: lost\ndata: {"events":5}\n\nevent: e\ndata: 10\n\n');
  stream.end();
  assertEquals(await stream.next(), null);
});
