import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { healthRoutes, type ReadinessFacts } from "../../src/admin/health.ts";
import { TestBroker } from "../support/test_broker.ts";
import { WireClient } from "../support/wire_client.ts";
import { adminBroker, ask, HttpClient } from "./_http_client.ts";

const PEER = { address: "127.0.0.1:1", isSecure: false, certificate: null };

Deno.test("a broker that serves lives and is ready", async () => {
  await using broker = await adminBroker();
  const alive = await ask(broker, "/healthz");
  assertEquals([alive.status, alive.body], [200, '{"status":"alive"}']);
  const ready = await ask(broker, "/readyz");
  assertEquals([ready.status, ready.body], [200, '{"status":"ready"}']);
});

Deno.test("a broker whose memory is short lives, but is not ready, and says why", async () => {
  const memory = { limitBytes: 2 * Deno.memoryUsage().rss, refuseConnectionsPercent: 20 };
  await using broker = await adminBroker({ memory });
  const deadline = performance.now() + 20_000;
  for (;;) {
    const { status, body, headers } = await ask(broker, "/readyz");
    if (status === 503) {
      assertEquals(headers.get("content-type"), "application/problem+json");
      assertStringIncludes(JSON.parse(body).detail, "memory is short");
      break;
    }
    assert(performance.now() < deadline, "not in 20 s");
  }
  assertEquals((await ask(broker, "/healthz")).status, 200);
});

Deno.test("without an address nothing listens, and a taken one keeps the broker from starting", async () => {
  await using quiet = await TestBroker.start();
  assertEquals(quiet.server.adminAddress, null);
  await using broker = await adminBroker();
  const { port } = broker.server.adminAddress!;
  let problem = "";
  try {
    await using _other = await adminBroker({ admin: { address: `127.0.0.1:${port}` } });
  } catch (error) {
    problem = String(error);
  }
  assertStringIncludes(problem, `admin listener 127.0.0.1:${port}: Address already in use`);
});

Deno.test("readiness names the first reason: the end, then the store, then the memory", async () => {
  const facts: { -readonly [K in keyof ReadinessFacts]: ReadinessFacts[K] } = {
    accepting: false,
    refusesConnections: true,
    storeTrouble: "disk is full",
  };
  async function reason(): Promise<string> {
    const route = healthRoutes(() => facts).find(({ path }) => path === "/readyz")!;
    const response = await route.handle({
      request: new Request("http://localhost/readyz"),
      params: {},
      query: "",
      peer: PEER,
    });
    return (await response.json()).detail ?? `${response.status}`;
  }
  assertEquals(await reason(), "it does not accept connections");
  facts.accepting = true;
  assertEquals(await reason(), "the store is in trouble: disk is full");
  facts.storeTrouble = null;
  assertEquals(await reason(), "the memory is short: new clients are refused");
  facts.refusesConnections = false;
  assertEquals(await reason(), "200");
});

Deno.test("a broker that ends says until its clients have gone that it is not ready", async () => {
  const broker = await adminBroker();
  try {
    using client = await HttpClient.connect(broker.server.adminAddress!.port);
    await client.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assertEquals((await client.answer())?.status, 200);
    // It never closes its side: the broker waits for it.
    using _client = await WireClient.connect(broker.port);
    const ended = broker[Symbol.asyncDispose]();
    await client.send("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assertEquals((await client.answer())?.status, 503);
    await ended;
    await client.ended();
  } catch (error) {
    await broker.server.stop("end of test").catch(() => {});
    throw error;
  }
});
