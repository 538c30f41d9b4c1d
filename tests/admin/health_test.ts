import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TestBroker } from "../support/test_broker.ts";
import { adminBroker, ask } from "./_http_client.ts";

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
