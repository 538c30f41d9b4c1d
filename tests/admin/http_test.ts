/** The admin listener and its bounds, over real sockets. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { HttpServer } from "../../src/admin/mod.ts";
import { WireClient } from "../support/wire_client.ts";
import { adminBroker, type Answer, ask, HttpClient } from "./_http_client.ts";

const PEER = { address: "127.0.0.1:1", isSecure: false, certificate: null };
const HEALTHZ = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert(performance.now() < deadline, "not in 20 s");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

Deno.test("requests of one connection are answered in order, however their bytes come", async () => {
  await using broker = await adminBroker();
  const { port } = broker.server.adminAddress!;
  using whole = await HttpClient.connect(port);
  await whole.send(`${HEALTHZ}\r\nGET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n${HEALTHZ}\r\n`);
  const statuses = [await whole.answer(), await whole.answer(), await whole.answer()];
  assertEquals(statuses.map((answer) => answer?.status), [200, 404, 200]);
  using slow = await HttpClient.connect(port);
  for (const character of `${HEALTHZ}Connection: close\r\n\r\n`) await slow.send(character);
  assertEquals((await slow.answer())?.body, '{"status":"alive"}');
  await slow.ended();
});

Deno.test("an answer leaves in one piece: a second one would wait for the client's acknowledgement", async () => {
  const writes: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const request = new TextEncoder().encode(`${HEALTHZ}Connection: close\r\n\r\n`);
  let reads = 0;
  const server = new HttpServer({
    answer: () => Promise.resolve(new Response("body")),
    failed: () => {},
  });
  server.accept({
    read: (target) => {
      if (reads++ > 0) return Promise.resolve(null);
      target.set(request);
      return Promise.resolve(request.length);
    },
    write: (source) => Promise.resolve(writes.push(source.length) && source.length),
    closeWrite: () => Promise.resolve(),
    close: resolve,
  }, PEER);
  await promise;
  assertEquals(writes.length, 1);
});

Deno.test("HTTP/1.0 and Connection: close end the connection, keep-alive keeps it", async () => {
  await using broker = await adminBroker();
  const { port } = broker.server.adminAddress!;
  for (const version of ["1.0", "1.1"]) {
    for (const wish of ["close", "keep-alive", ""]) {
      using client = await HttpClient.connect(port);
      const line = wish === "" ? "" : `Connection: ${wish}\r\n`;
      await client.send(`GET /healthz HTTP/${version}\r\nHost: localhost\r\n${line}\r\n`);
      const stays = wish === "keep-alive" || (wish === "" && version === "1.1");
      const answer = await client.answer();
      assertEquals(answer?.headers.get("connection"), stays ? "keep-alive" : "close");
      if (!stays) await client.ended();
      else {
        await client.send(`${HEALTHZ}\r\n`);
        assertEquals((await client.answer())?.status, 200);
      }
    }
  }
});

/** What is refused: the request, and the status. */
const REFUSED: readonly (readonly [string, string, number])[] = [
  ["no request line", "hello\r\n\r\n", 400],
  ["a method in small letters", "get / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
  ["a target that is no path", "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
  ["a target with control characters", "GET /\t HTTP/1.1\r\nHost: localhost\r\n\r\n", 400],
  ["a long target", `GET /${"a".repeat(5000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 414],
  ["another version", "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505],
  ["no Host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["two Hosts", `${HEALTHZ}Host: localhost\r\n\r\n`, 400],
  ["a Host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
  ["a Host that no URL takes", "GET / HTTP/1.1\r\nHost: 1.2.3.999\r\n\r\n", 400],
  ["a Host that is no name", "GET / HTTP/1.1\r\nHost: xn--a\r\n\r\n", 400],
  ["a port that no URL takes", "GET / HTTP/1.1\r\nHost: localhost:99999\r\n\r\n", 400],
  ["a folded field", `${HEALTHZ}X: a\r\n b\r\n\r\n`, 400],
  ["a blank before the colon", `${HEALTHZ}X : a\r\n\r\n`, 400],
  ["a bare line feed", `${HEALTHZ}X: a\nY: b\r\n\r\n`, 400],
  ["a NUL", `${HEALTHZ}X: a\0\r\n\r\n`, 400],
  ["a body in chunks", `${HEALTHZ}Transfer-Encoding: chunked\r\n\r\n`, 501],
  ["two lengths", `${HEALTHZ}Content-Length: 0\r\nContent-Length: 1\r\n\r\n`, 400],
  ["a length that is none", `${HEALTHZ}Content-Length: -1\r\n\r\n`, 400],
  ["a body of GET", `${HEALTHZ}Content-Length: 1\r\n\r\nx`, 400],
  ["a large body", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n", 413],
  ["an expectation", `${HEALTHZ}Expect: 100-continue\r\n\r\n`, 417],
  ["many fields", `${HEALTHZ}${"X: a\r\n".repeat(101)}\r\n`, 431],
  ["a long head", `${HEALTHZ}X: ${"a".repeat(17_000)}\r\n\r\n`, 431],
  ...["TRACE", "TRACK", "CONNECT"].map((method): [string, string, number] => [
    `a method that no request may have: ${method}`,
    `${method} / HTTP/1.1\r\nHost: localhost\r\n\r\n`,
    501,
  ]),
  ["a head without an end", `${HEALTHZ}X: ${"a".repeat(40_000)}`, 431],
];

Deno.test("what is no request is refused, and the connection ends", async () => {
  await using broker = await adminBroker();
  for (const [name, request, status] of REFUSED) {
    using client = await HttpClient.connect(broker.server.adminAddress!.port);
    await client.send(request);
    const answer = await client.answer();
    assertEquals([name, answer?.status], [name, status]);
    assertEquals(answer?.headers.get("content-type"), "application/problem+json");
    assertEquals(JSON.parse(answer?.body ?? "").status, status);
    if (answer?.headers.get("connection") === "close") await client.ended();
  }
  assertEquals((await ask(broker, "/healthz")).status, 200);
});

Deno.test("paths and methods that there are not are refused, HEAD is GET without a body", async () => {
  await using broker = await adminBroker();
  assertEquals((await ask(broker, "/nothing")).status, 404);
  assertEquals((await ask(broker, "/healthz/")).status, 404);
  const wrong = await ask(broker, "/metrics", { method: "DELETE" });
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD"]);
  const head = await ask(broker, "/healthz?x=1", { method: "HEAD" });
  assertEquals([head.status, head.headers.get("content-length")], [200, "18"]);
});

Deno.test("a name that nobody has listed is refused as Host, and foreign origins are", async () => {
  await using broker = await adminBroker({ admin: { hosts: "gateway.local Other.example" } });
  async function status(headers: Record<string, string>): Promise<number> {
    return (await ask(broker, "/healthz", { headers })).status;
  }
  for (const host of ["127.0.0.1:9883", "[::1]:1", "localhost", "LOCALHOST:80", "10.1.2.3"]) {
    assertEquals([host, await status({ Host: host })], [host, 200]);
  }
  for (const host of ["gateway.local", "Gateway.Local:9883", "other.example"]) {
    assertEquals([host, await status({ Host: host })], [host, 200]);
  }
  for (
    const host of ["attacker.example", "localhost.attacker.example", "gateway.local."]
  ) {
    assertEquals([host, await status({ Host: host })], [host, 421]);
  }
  assertEquals(await status({ Host: "localhost:1", Origin: "http://localhost:1" }), 200);
  assertEquals(await status({ Host: "localhost:1", Origin: "http://localhost:2" }), 403);
  assertEquals(await status({ Origin: "https://attacker.example" }), 403);
  assertEquals(await status({ Origin: "null" }), 403);
});

Deno.test("every answer forbids to be framed, sniffed, cached and run", async () => {
  await using broker = await adminBroker();
  for (const path of ["/healthz", "/metrics", "/nothing"]) {
    const { headers } = await ask(broker, path);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("x-frame-options"), "DENY");
    assertEquals(headers.get("cache-control"), "no-store");
    assertStringIncludes(headers.get("content-security-policy") ?? "", "default-src 'none'");
  }
});

Deno.test("connections that send nothing or too slowly make room, and MQTT does not notice", async () => {
  await using broker = await adminBroker();
  const { port } = broker.server.adminAddress!;
  const slow: HttpClient[] = [];
  try {
    for (let i = 0; i < 200; i++) {
      const client = await HttpClient.connect(port);
      slow.push(client);
      if (i % 2 === 0) await client.send("GET /healthz HTTP/1.1\r\nX: ").catch(() => {});
    }
    assertEquals((await ask(broker, "/healthz")).status, 200);
    using client = await WireClient.connect(broker.port);
    await client.subscribe("t");
    await client.publish("t", "x");
    assertEquals((await client.receiveMessage()).topic, "t");
    const page = (await ask(broker, "/metrics")).body;
    const open = Number(/^relayq_admin_connections (\d+)$/m.exec(page)?.[1]);
    assert(open <= 64, `${open} connections`);
    assertMatch(page, /^relayq_admin_connections_evicted_total 1[0-9]{2}$/m);
  } finally {
    for (const client of slow) client[Symbol.dispose]();
  }
});

/** A server without a broker, with limits of the test's own. */
async function served(
  limits: NonNullable<ConstructorParameters<typeof HttpServer>[0]["limits"]>,
  use: (port: number, server: HttpServer) => Promise<void>,
  answer: (request: Request) => Promise<Response> = (request) =>
    request.text().then((text) => new Response(text)),
): Promise<string[]> {
  const failures: string[] = [];
  const server = new HttpServer({
    answer: ({ request }) => answer(request),
    failed: (reason) => failures.push(reason),
    limits,
  });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) server.accept(connection, PEER);
  })();
  try {
    await use((listener.addr as Deno.NetAddr).port, server);
  } finally {
    listener.close();
    await server.close();
    await accepting;
  }
  return failures;
}

Deno.test("a request that takes too long is ended, at its head and at its body", async () => {
  await served({ requestMs: 200 }, async (port, { statistics }) => {
    for (const begun of ["", "POST / HT", `${HEALTHZ}X: a`]) {
      using client = await HttpClient.connect(port);
      if (begun !== "") await client.send(begun);
      await client.ended();
    }
    using client = await HttpClient.connect(port);
    await client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcd");
    await client.ended();
    assertEquals(statistics.timeouts, 4);
    using late = await HttpClient.connect(port);
    await late.send(`${HEALTHZ}\r\nGET /he`); // behind a whole one
    assertEquals((await late.answer())?.status, 200);
    await until(() => statistics.timeouts === 5);
  });
});

Deno.test("a request that has come whole is answered however long that takes", async () => {
  const server = new HttpServer({
    answer: async () => {
      await until(() => server.statistics.timeouts > 0 || performance.now() > endMs);
      return new Response("done");
    },
    failed: () => {},
    limits: { requestMs: 50 },
  });
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using client = await HttpClient.connect(listener.addr.port);
  server.accept(await listener.accept(), PEER);
  const endMs = performance.now() + 300;
  await client.send(`${HEALTHZ}Connection: close\r\n\r\n`);
  assertEquals((await client.answer())?.body, "done");
  assertEquals(server.statistics.timeouts, 0);
  await server.close();
});

Deno.test("a connection that was of use is ended when it is idle for too long", async () => {
  await served({ idleMs: 200, requestMs: 20_000 }, async (port, { statistics }) => {
    using client = await HttpClient.connect(port);
    await client.send(`${HEALTHZ}\r\n`);
    assertEquals((await client.answer())?.status, 200);
    await client.ended();
    assertEquals(statistics.timeouts, 1);
  });
});

Deno.test("a client that does not take its answer is let go", async () => {
  const large = "x".repeat(50_000_000);
  await served({ answerMs: 300 }, async (port, { statistics }) => {
    using client = await HttpClient.connect(port);
    await client.send(`${HEALTHZ}\r\n`);
    await until(() => statistics.timeouts === 1 && statistics.connections === 0);
  }, () => Promise.resolve(new Response(large)));
});

Deno.test("a body comes whole, in one piece or in many", async () => {
  const body = "x".repeat(65_536);
  const head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65536\r\n\r\n";
  await served({}, async (port) => {
    using client = await HttpClient.connect(port);
    for (const pieces of [[head + body + head, body], [head, body.slice(1), "x"]]) {
      for (const piece of pieces) await client.send(piece);
      const answers = [await client.answer()];
      if (pieces[1] === body) answers.push(await client.answer());
      for (const answer of answers) assertEquals(answer?.body === body, true);
    }
  });
});

Deno.test("a connection whose request is being answered is not given up for a new one", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  await served({ connectionsMax: 1 }, async (port) => {
    using first = await HttpClient.connect(port);
    await first.send(`${HEALTHZ}\r\n`);
    await until(() => asked === 1);
    using second = await HttpClient.connect(port);
    await second.ended();
    resolve();
    assertEquals((await first.answer())?.status, 200);
    using third = await HttpClient.connect(port);
    await third.send(`${HEALTHZ}\r\n`);
    assertEquals((await third.answer())?.status, 200);
  }, async () => {
    asked++;
    await promise;
    return new Response("done");
  });
});

Deno.test("a fault of ours is told as such, and not what it is", async () => {
  let answer: Answer | null = null;
  const failures = await served({}, async (port) => {
    using client = await HttpClient.connect(port);
    await client.send(`${HEALTHZ}\r\n`);
    answer = await client.answer();
  }, () => Promise.reject(new Error("secret")));
  assertEquals(answer!.status, 500);
  assertEquals(answer!.body.includes("secret"), false);
  assertStringIncludes(failures.join(), "secret");
});
