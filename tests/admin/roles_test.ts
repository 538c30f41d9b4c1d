/** Every route that changes something, asked by everybody who may not. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { API_DEFINITIONS } from "../../src/admin/api_definitions.ts";
import { type Role, ROLES } from "../../src/security/mod.ts";
import { WireClient } from "../support/wire_client.ts";
import { ApiBroker } from "./_api.ts";

Deno.test("no route lets anybody in without its role, whatever the rest of the request is", async () => {
  await using api = await ApiBroker.start();
  using client = await WireClient.connect(api.broker.port, { clientIdentifier: "c" });
  await client.publish("t", "x", { qos: 1, retain: true });
  const before = { ...api.broker.server.broker.statistics };
  let asked = 0;
  for (const { method, path, role } of API_DEFINITIONS) {
    if (role === null) continue;
    const line = `${method} ${path.replace("{topic}", "t").replace(/\{[a-z_]+\}/g, "c")}`;
    const below = ROLES.slice(0, ROLES.indexOf(role)) as readonly Role[];
    for (const as of [null, ...below]) {
      const { status, json } = await api.call(line, { as });
      assertEquals(status, as === null ? 401 : 403, `${line} as ${as}`);
      assertEquals([json.status, typeof json.detail], [status, "string"]);
      asked++;
    }
  }
  assert(asked > API_DEFINITIONS.length);
  assertEquals(await client.drain(), [], "it is still there");
  const { retainedMessages, sessions } = api.broker.server.broker.statistics;
  assertEquals([retainedMessages, sessions], [before.retainedMessages, before.sessions]);
});

Deno.test("what changes something is for those who operate, what cannot be undone for those who administer", () => {
  for (const { method, path, role } of API_DEFINITIONS) {
    if (method !== "GET") assert(role === "operate" || role === "admin", `${method} ${path}`);
  }
  const purge = API_DEFINITIONS.find(({ method, path }) =>
    method === "DELETE" && path.endsWith("/dead-letters")
  );
  assertEquals(purge?.role, "admin");
  assertStringIncludes(ROLES.join(" "), "read operate admin");
});
