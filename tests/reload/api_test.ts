/** POST /api/v1/reload. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { DEFAULT_CONFIG } from "../../src/config/mod.ts";
import { Server } from "../../src/server.ts";
import { ApiBroker } from "../admin/_api.ts";

const RELOAD = "POST /api/v1/reload";

Deno.test("POST /api/v1/reload is for the role admin, and reads files where there is no configuration", async () => {
  await using api = await ApiBroker.start();
  for (const [as, status] of [[null, 401], ["read", 403], ["operate", 403]] as const) {
    assertEquals((await api.call(RELOAD, { as })).status, status);
  }
  const { status, json } = await api.call(RELOAD);
  assertEquals([status, json], [200, { applied: [], needs_restart: [] }]);
  assertStringIncludes(api.broker.log.join(""), "reload done: ");
});

Deno.test("POST /api/v1/reload tells what holds now, what waits for a start, and what is wrong", async () => {
  const directory = await Deno.makeTempDir({ prefix: "relayq-test-" });
  const tokensFile = `${directory}/tokens`;
  await using made = await ApiBroker.start();
  await Deno.copyFile(made.tokensFile, tokensFile);
  const present = {
    ...DEFAULT_CONFIG,
    listeners: [{ ...DEFAULT_CONFIG.listeners[0]!, address: "127.0.0.1:0" }],
    store: { ...DEFAULT_CONFIG.store, dataDir: directory },
    admin: { ...DEFAULT_CONFIG.admin, address: "127.0.0.1:0", tokensFile },
  };
  const limits = { ...present.limits, connectionsMax: 7 };
  const wanted = { ...present, limits, audit: { ...present.audit, enabled: false } };
  const answers = [wanted, { problems: ["relayq.toml:4:1: unknown key foo"] }];
  const server = await Server.start(present, {
    err() {},
    reread: () => Promise.resolve(answers.shift()!),
  });
  if ("problem" in server) throw new Error(server.problem);
  const { port } = server.adminAddress!;
  async function call(path: string, method: string): Promise<{ status: number; json: unknown }> {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: { Authorization: `Bearer ${made.tokens.admin}` },
    });
    return { status: answer.status, json: await answer.json() };
  }
  try {
    const applied = ["limits.connections_max"];
    const needs_restart = ["audit.enabled"];
    assertEquals(await call("/api/v1/reload", "POST"), {
      status: 200,
      json: { applied, needs_restart },
    });
    const { json } = await call("/api/v1/config", "GET") as { json: typeof present };
    assertEquals(json.audit.enabled, true);
    assertEquals((json.limits as unknown as Record<string, number>).connections_max, 7);
    const wrong = await call("/api/v1/reload", "POST");
    assertEquals(wrong.status, 422);
    assertEquals((wrong.json as { problems: string[] }).problems, [
      "relayq.toml:4:1: unknown key foo",
    ]);
  } finally {
    await server.stop("end of test");
    await Deno.remove(directory, { recursive: true });
  }
});
