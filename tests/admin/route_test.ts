/** The table of routes, with a table of the test's own, over real sockets. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { AdminAccess, HttpServer, Router } from "../../src/admin/mod.ts";
import { type ApiAudit, routesOfApi } from "../../src/admin/api.ts";
import { openApi } from "../../src/admin/openapi.ts";
import {
  decodeCursor,
  encodeCursor,
  PAGE_QUERY,
  pageOf,
  pageOfList,
} from "../../src/admin/paging.ts";
import { problem } from "../../src/admin/problem.ts";
import { type ApiRoute, defineRoute, serve } from "../../src/admin/route.ts";
import {
  boolean,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  readValue,
  record,
  text,
  withDefault,
} from "../../src/admin/schema.ts";
import { AdminTokens, tokenLine } from "../../src/security/mod.ts";
import { type Answer, HttpClient } from "./_http_client.ts";
import { schemaFaults } from "./_json_schema.ts";

const PEER = { address: "127.0.0.1:1", isSecure: false, certificate: null };
const THINGS = Array.from({ length: 25 }, (_, i) => `thing-${String(i).padStart(2, "0")}`);

const COMMON = { role: "read", tag: "test", summary: "A test" } as const;
const LIST = defineRoute({
  ...COMMON,
  method: "GET",
  path: "/t/things",
  query: { ...PAGE_QUERY, search: optional(text({ lengthMax: 9 })) },
  answer: pageOf(text()),
});
const SPECIAL = defineRoute({
  ...COMMON,
  method: "GET",
  path: "/t/things/special",
  answer: text(),
});
const ONE = defineRoute({
  ...COMMON,
  method: "GET",
  path: "/t/things/{name}",
  query: {
    deep: withDefault(boolean(), false),
    depth: optional(integer({ min: 1, max: 9 })),
    kind: optional(oneOf(["a", "b"])),
  },
  answer: object({ name: text(), deep: boolean(), depth: nullable(integer()) }),
  problems: [404],
});
const REMOVE = defineRoute({
  ...COMMON,
  role: "operate",
  method: "DELETE",
  path: "/t/things/{name}",
});
const ADD = defineRoute({
  ...COMMON,
  role: "operate",
  method: "POST",
  path: "/t/things",
  body: object({ payload: text(), tags: optional(record(list(integer(), { itemsMax: 2 }))) }),
  bodyBytesMax: 1_000_000,
  status: 201,
  answer: object({ bytes: integer() }),
});

const ROUTES: readonly ApiRoute[] = [
  serve(LIST, ({ query }) =>
    pageOfList(
      THINGS.filter((name) => name.includes(query.search ?? "")),
      query,
      (name) => name,
    ) ?? problem(400, "cursor is none of ours")),
  serve(
    ONE,
    ({ params: { name }, query: { deep, depth } }) =>
      name === "none" ? problem(404, "no such thing") : { name, deep, depth: depth ?? null },
  ),
  serve(SPECIAL, () => "special"),
  serve(REMOVE, () => undefined),
  serve(ADD, ({ body: { payload } }) => ({ bytes: payload.length })),
];

/** Serves the table; gives a way to ask it. */
async function served(
  use: (
    ask: (request: string, options?: { token?: string; body?: string }) => Promise<Answer>,
    audits: ApiAudit[],
  ) => Promise<void>,
): Promise<readonly ApiAudit[]> {
  const access = new AdminAccess({
    hasTokens: true,
    asksCertificates: false,
    requestsPerSecond: 0,
    nowMs: () => performance.now(),
  });
  const lines = [
    await tokenLine({ name: "r", role: "read", token: "reads" }),
    await tokenLine({ name: "o", role: "operate", token: "operates" }),
  ];
  const parsed = AdminTokens.parse(lines.join("\n"));
  assert(parsed.ok);
  access.tokens = parsed.value;
  const audits: ApiAudit[] = [];
  const routes = routesOfApi(ROUTES, { access, audited: (entry) => audits.push(entry) });
  const router = new Router(routes, { hosts: [], foreignRefused: () => {} });
  const server = new HttpServer({
    answer: (exchange) => router.answer(exchange),
    bodyBytesMax: (announced) => router.bodyBytesMax(announced),
    failed: (reason) => {
      throw new Error(reason);
    },
  });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepting = (async () => {
    for await (const connection of listener) server.accept(connection, PEER);
  })();
  try {
    await use(async (request, { token = "operates", body = "" } = {}) => {
      using client = await HttpClient.connect((listener.addr as Deno.NetAddr).port);
      const head = `${request} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
        "Connection: close\r\n\r\n";
      // A server that does not want it closes on it.
      await client.send(head).then(() => client.send(body)).catch(() => {});
      const answer = await client.answer();
      assert(answer !== null);
      return answer;
    }, audits);
  } finally {
    listener.close();
    await server.close();
    await accepting;
  }
  return audits;
}

Deno.test("a path finds its route, the most definite one, with its parameters decoded", async () => {
  await served(async (ask) => {
    assertEquals((await ask("GET /t/things/special")).body, '"special"\n');
    for (const name of ["a/b", "a b", "..", ".", "%", "é💡", "__proto__", "a?b#c", "\0"]) {
      const { status, body } = await ask(`GET /t/things/${encodeURIComponent(name)}`);
      assertEquals([status, JSON.parse(body).name], [200, name]);
    }
    for (const name of [".", "%2E%2e"]) {
      const { body } = await ask(`GET /t/things/${name}`);
      assertEquals(JSON.parse(body).name, decodeURIComponent(name));
    }
    assertEquals((await ask("GET /t/things/")).status, 404);
    assertEquals((await ask("GET /t/things/a/b")).status, 404);
    assertEquals((await ask("PUT /t/things/a")).headers.get("allow"), "GET, HEAD, DELETE");
  });
});

Deno.test("a query is read as its schemas say, with what is left out", async () => {
  await served(async (ask) => {
    async function one(query: string): Promise<unknown> {
      const { body } = await ask(`GET /t/things/x?${query}`);
      const { detail, ...answer } = JSON.parse(body);
      return detail ?? answer;
    }
    assertEquals(await one(""), { name: "x", deep: false, depth: null });
    assertEquals(await one("deep=true&depth=9&kind=b"), { name: "x", deep: true, depth: 9 });
    assertEquals(await one("deep=1"), "deep must be true or false");
    assertEquals(await one("depth=10"), "depth must be a whole number from 1 to 9");
    assertEquals(await one("depth=%32"), { name: "x", deep: false, depth: 2 });
    assertEquals(await one("kind=c"), "kind must be one of a, b");
    assertEquals((await ask("GET /t/things/none")).status, 404);
  });
});

Deno.test("who may only read changes nothing, and an answer without content has none", async () => {
  const audits = await served(async (ask) => {
    assertEquals((await ask("DELETE /t/things/a%20b", { token: "reads" })).status, 403);
    assertEquals((await ask("DELETE /t/things/a%20b", { token: "wrong" })).status, 401);
    const { status, headers, body } = await ask("DELETE /t/things/a%20b");
    assertEquals([status, headers.get("content-length"), body], [204, undefined, ""]);
    assertEquals((await ask("DELETE /t/things/a", { body: "{}" })).status, 400);
    await ask("GET /t/things/a");
  });
  const action = "DELETE /t/things/{name}";
  const told = { action, address: PEER.address, target: "a b" };
  assertEquals(audits, [
    { ...told, actor: "r", status: 403, refused: true },
    { ...told, actor: null, status: 401, refused: true },
    { ...told, actor: "o", status: 204, refused: false },
    { ...told, target: "a", actor: "o", status: 400, refused: false },
  ]);
});

Deno.test("a large body is read of those who may send it, and of nobody else", async () => {
  await served(async (ask, audits) => {
    const body = JSON.stringify({ payload: "x".repeat(900_000) });
    const { status, body: answer } = await ask("POST /t/things", { body });
    assertEquals([status, answer], [201, '{"bytes":900000}\n']);
    for (const token of ["reads", "wrong"]) {
      audits.length = 0;
      assertEquals((await ask("POST /t/things", { body, token })).status, 413, token);
      const [actor, status] = token === "reads" ? ["r", 403] : [null, 401];
      assertEquals(audits.map((a) => [a.actor, a.status, a.refused]), [[actor, status, true]]);
    }
    const larger = JSON.stringify({ payload: "x".repeat(1_000_000) });
    assertEquals((await ask("POST /t/things", { body: larger })).status, 413);
    assertEquals((await ask("DELETE /t/things/a", { body })).status, 413);
  });
});

Deno.test("to announce a large body is no way to try tokens without being counted", async () => {
  await served(async (ask) => {
    const body = "x".repeat(100_000);
    for (let i = 0; i < 10; i++) {
      assertEquals((await ask("POST /t/things", { body, token: `guess-${i}` })).status, 413);
    }
    // Right, but nobody has seen it from here yet.
    assertEquals((await ask("POST /t/things", { body })).status, 413);
    assertEquals((await ask("DELETE /t/things/a")).status, 429);
  });
});

Deno.test("a body is checked as deep as it goes", async () => {
  await served(async (ask) => {
    for (
      const [body, detail] of [
        ["{", "the body is no JSON"],
        ["\xff", "the body is no JSON"],
        ["null", "the body must be an object"],
        ["{}", "payload is missing"],
        ['{"payload":1}', "payload must be a text"],
        ['{"payload":"a\\ud800b"}', "payload must not have halves of surrogate pairs"],
        ['{"payload":"","tags":{"a":[1,"2"]}}', "tags.a[1] must be a whole number"],
        ['{"payload":"","tags":{"a":[1,2,3]}}', "tags.a must have at most 2 items"],
        ['{"payload":"","__proto__":{}}', "__proto__ is not known here"],
        [`${"[".repeat(50_000)}`, "the body is no JSON"],
      ] as const
    ) {
      const answer = await ask("POST /t/things", { body });
      assertEquals([400, 422].includes(answer.status), true, detail);
      assertStringIncludes(JSON.parse(answer.body).detail, detail);
    }
    const good = '{"payload":"","tags":{"__proto__":[1]}}';
    assertEquals((await ask("POST /t/things", { body: good })).status, 201);
  });
});

Deno.test("a list comes in pages that join without a gap, whatever their size", async () => {
  await served(async (ask) => {
    for (const limit of [1, 7, 25, 1000]) {
      const all: string[] = [];
      let cursor = "";
      do {
        const { body } = await ask(`GET /t/things?limit=${limit}${cursor}`);
        const { items, next, total } = JSON.parse(body);
        assert(items.length <= limit);
        assertEquals(total, 25);
        all.push(...items);
        cursor = next === null ? "" : `&cursor=${next}`;
      } while (cursor !== "");
      assertEquals(all, THINGS);
    }
    assertEquals((await ask("GET /t/things?cursor=%2B")).status, 400);
  });
  for (const position of ["", "a/b", "é💡\0"]) {
    assertEquals(decodeCursor(encodeCursor(position)), position);
  }
});

Deno.test("two routes of one method and path are a fault", () => {
  const route = { method: "GET", path: "/a/{b}", handle: () => new Response() } as const;
  assertThrows(
    () => new Router([route, route], { hosts: [], foreignRefused: () => {} }),
    Error,
    "there are two routes",
  );
});

Deno.test("values that pass are those that JSON Schema lets pass", () => {
  const schema = object({
    name: text({ lengthMin: 1, lengthMax: 3, pattern: "^[a-z]*$" }),
    count: optional(integer({ min: 1, max: 3 })),
    kind: nullable(oneOf(["a", "b"])),
  });
  const values: unknown[] = [];
  for (const name of ["", "a", "abcd", "A", 1, null, undefined]) {
    for (const count of [0, 1, 3, 4, 1.5, "1", null, undefined]) {
      for (const kind of ["a", "c", null, 1, undefined]) values.push({ name, count, kind });
    }
  }
  values.push(null, [], "a", { name: "a", kind: null, more: 1 });
  let passed = 0;
  for (const value of values) {
    const sent = JSON.parse(JSON.stringify(value));
    const isGood = "value" in readValue(schema, sent);
    assertEquals(isGood, schemaFaults(sent, schema.json).length === 0, JSON.stringify(sent));
    if (isGood) passed++;
  }
  assertEquals(passed, 6);
});

Deno.test("the document says what a route takes and gives", () => {
  // deno-lint-ignore no-explicit-any -- a JSON document
  const { paths } = openApi(ROUTES.map(({ definition }) => definition), "1") as any;
  const { post } = paths["/t/things"];
  assertEquals(post.requestBody.content["application/json"].schema, ADD.body!.json);
  assertEquals(Object.keys(post.responses).includes("201"), true);
  const { get, delete: remove } = paths["/t/things/{name}"];
  const parameters = get.parameters.map((
    parameter: Record<string, unknown>,
  ) => [parameter.name, parameter.in, parameter.required]);
  assertEquals(parameters, [
    ["name", "path", true],
    ["deep", "query", false],
    ["depth", "query", false],
    ["kind", "query", false],
  ]);
  assertEquals(remove.responses["204"], { description: "No Content" });
  assertEquals(remove["x-role"], "operate");
});
