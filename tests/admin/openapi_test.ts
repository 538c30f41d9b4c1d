/** The document of the API: it says all of it, and running brokers answer as it says. */
import { assert, assertEquals } from "@std/assert";
import { API_DEFINITIONS } from "../../src/admin/api_definitions.ts";
import { ApiBroker } from "./_api.ts";
import { schemaFaults } from "./_json_schema.ts";

// deno-lint-ignore no-explicit-any -- a JSON document
type Json = any;

async function documentOf(api: ApiBroker): Promise<Json> {
  const { status, json } = await api.call("GET /api/v1/openapi.json", { as: null });
  assertEquals(status, 200);
  return json;
}

Deno.test("the validator of these tests finds what is wrong", () => {
  const schema = {
    type: "object",
    properties: { a: { type: "integer", minimum: 1 }, b: { enum: ["x"] } },
    required: ["a"],
    additionalProperties: false,
  };
  assertEquals(schemaFaults({ a: 1, b: "x" }, schema), []);
  assertEquals(schemaFaults({ a: 0, c: 1 }, schema).length, 2);
  assertEquals(schemaFaults({ b: "y" }, schema).length, 2);
  assertEquals(schemaFaults([], schema).length, 1);
  assertEquals(schemaFaults(null, { anyOf: [schema, { type: "null" }] }), []);
  assertEquals(schemaFaults(1, { unknown: 1 }).length, 1);
});

Deno.test("the document is for everybody, and has every route once, with its role", async () => {
  await using api = await ApiBroker.start();
  const document = await documentOf(api);
  assertEquals(document.openapi, "3.1.0");
  const documented = Object.entries<Json>(document.paths).flatMap(([path, operations]) =>
    Object.entries<Json>(operations).map(([method, operation]) => ({
      line: `${method.toUpperCase()} ${path}`,
      role: operation["x-role"] ?? null,
    }))
  );
  const defined = API_DEFINITIONS.map(({ method, path, role }) => ({
    line: `${method} ${path}`,
    role,
  }));
  const byLine = (a: { line: string }, b: { line: string }) => a.line < b.line ? -1 : 1;
  assertEquals(documented.toSorted(byLine), defined.toSorted(byLine));
  const ids = Object.values<Json>(document.paths).flatMap((operations) =>
    Object.values<Json>(operations).map(({ operationId }) => operationId)
  );
  assertEquals(new Set(ids).size, ids.length);
});

Deno.test("every route that reads answers as its schema says, and so do problems", async () => {
  await using api = await ApiBroker.start();
  const document = await documentOf(api);
  const faults: string[] = [];
  let checked = 0;
  for (const [path, operations] of Object.entries<Json>(document.paths)) {
    const { get } = operations;
    if (get === undefined) continue;
    const [media] = Object.keys(get.responses["200"].content ?? {});
    if (media !== "application/json") continue;
    const answer = await api.call(`GET ${path.replaceAll(/\{[a-z_]+\}/g, "no-such-thing")}`);
    const response = get.responses[String(answer.status)];
    if (response === undefined) {
      faults.push(`${path}: ${answer.status} is not in the document: ${answer.body}`);
      continue;
    }
    const [type, { schema }] = Object.entries<Json>(response.content)[0]!;
    assertEquals(answer.headers.get("content-type"), type, path);
    faults.push(...schemaFaults(answer.json, schema, { at: path, document }));
    checked++;
    if (get["x-role"] === undefined) continue;
    const refused = await api.call(`GET ${path.replaceAll(/\{[a-z_]+\}/g, "x")}`, { as: null });
    assertEquals(refused.status, 401, path);
    const problem = document.components.schemas.Problem;
    faults.push(...schemaFaults(refused.json, problem, { at: `${path} 401`, document }));
  }
  assertEquals(faults, []);
  assert(checked >= 9, `${checked} routes were checked`);
});
