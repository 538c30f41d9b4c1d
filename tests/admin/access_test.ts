/** Who may ask the API for what, and who is told of it. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { newToken, tokenLine } from "../../src/security/mod.ts";
import { auditDirectory, auditLines } from "../support/audit_files.ts";
import { ApiBroker, writeTokens } from "./_api.ts";
import { adminBroker, ask } from "./_http_client.ts";

const LEVELS = "GET /api/v1/log/levels";
const SET = "PUT /api/v1/log/levels/store";

Deno.test("without tokens and certificates nobody is let in, and the answer says what to configure", async () => {
  await using broker = await adminBroker();
  for (const headers of [{}, { Authorization: `Bearer ${newToken()}` }] as const) {
    const answer = await ask(broker, "/api/v1/log/levels", { headers: { ...headers } });
    assertEquals(answer.status, 401);
    assertEquals(answer.headers.get("content-type"), "application/problem+json");
    assertStringIncludes(JSON.parse(answer.body).detail, "admin.tokens_file");
  }
});

Deno.test("each role may what it is for and what those below may, and no more", async () => {
  await using api = await ApiBroker.start();
  const statuses: Record<string, number[]> = {};
  for (const as of [null, "read", "operate", "admin"] as const) {
    const read = await api.call(LEVELS, { as });
    const write = await api.call(SET, { as, body: { level: "debug" } });
    statuses[as ?? "nobody"] = [read.status, write.status];
  }
  assertEquals(statuses, {
    nobody: [401, 401],
    read: [200, 403],
    operate: [200, 403],
    admin: [200, 200],
  });
  const refused = await api.call(SET, { as: "read", body: { level: "debug" } });
  assertEquals(refused.json.detail, "the role admin is needed, and reader has the role read");
});

Deno.test("what is no right token is refused, and says so to HTTP", async () => {
  await using api = await ApiBroker.start();
  const { read } = api.tokens;
  const wrong = [`Bearer ${read}x`, `Basic ${read}`, "Bearer", `Bearer ${read} ${read}`, read];
  for (const Authorization of wrong) {
    const answer = await api.call(LEVELS, { as: null, headers: { Authorization } });
    assertEquals(answer.status, 401, Authorization);
    assertMatch(answer.headers.get("www-authenticate") ?? "", /^Bearer /);
  }
  const again = await api.call(LEVELS, { as: null, headers: { Authorization: `bearer ${read}` } });
  assertEquals(again.status, 200);
});

Deno.test("wrong tokens lock their address out, but not callers who were there before", async () => {
  await using api = await ApiBroker.start();
  assertEquals((await api.call(LEVELS, { as: "read" })).status, 200);
  const statuses: number[] = [];
  for (let i = 0; i < 12; i++) {
    const headers = { Authorization: `Bearer ${newToken()}` };
    statuses.push((await api.call(LEVELS, { as: null, headers })).status);
  }
  assertEquals(statuses, [...Array(10).fill(401), 429, 429]);
  const unknown = await api.call(LEVELS, { as: "operate" });
  assertEquals(unknown.status, 429);
  assert(Number(unknown.headers.get("retry-after")) >= 1);
  assertEquals((await api.call(LEVELS, { as: "read" })).status, 200);
});

Deno.test("a tokens file that changes counts at once, one with a mistake not at all", async () => {
  await using api = await ApiBroker.start();
  const { server, log } = api.broker;
  assertEquals((await api.call(LEVELS, { as: "read" })).status, 200);
  await writeTokens(api.tokensFile, { admin: api.tokens.admin });
  await server.reload();
  assertEquals((await api.call(LEVELS, { as: "read" })).status, 401);
  assertEquals((await api.call(LEVELS)).status, 200);
  for (const mistake of ["nobody:read", "x:read:123", `x:root:${"0".repeat(64)}`]) {
    await writeTokens(api.tokensFile, {}, `${mistake}\n`);
    await server.reload();
    assertEquals((await api.call(LEVELS)).status, 200, mistake);
  }
  await writeTokens(api.tokensFile, {});
  await Deno.chmod(api.tokensFile, 0o644);
  await server.reload();
  assertEquals((await api.call(LEVELS)).status, 200);
  assertStringIncludes(log.join(""), "others may read or change it (mode 0644): chmod 0600");
});

Deno.test("a tokens file that has changed is read without being asked for", async () => {
  await using api = await ApiBroker.start({ security: { fileCheckMs: 20 } });
  assertEquals((await api.call(LEVELS, { as: "read" })).status, 200);
  await writeTokens(api.tokensFile, { admin: api.tokens.admin });
  const deadline = performance.now() + 20_000;
  while ((await api.call(LEVELS, { as: "read" })).status !== 401) {
    assert(performance.now() < deadline);
  }
  assertEquals((await api.call(LEVELS)).status, 200);
});

Deno.test("a tokens file that cannot be used keeps the broker from starting", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "scada:read:secret\n");
    const problem = await adminBroker({ admin: { tokensFile: path } }).catch(String);
    assertStringIncludes(String(problem), `${path}:1:1: the third part is no SHA-256`);
    assert(!String(problem).includes("secret"));
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a caller with too many requests has to wait, others have not", async () => {
  await using api = await ApiBroker.start({ admin: { requestsPerSecond: 1 } });
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await api.call(LEVELS, { as: "read" })).status);
  assertEquals(statuses.slice(0, 4), [200, 200, 200, 200]);
  // The fifth may have come a second later on a busy machine.
  while (statuses.at(-1) === 200 && statuses.length < 100) {
    statuses.push((await api.call(LEVELS, { as: "read" })).status);
  }
  assertEquals(statuses.at(-1), 429);
  assertEquals((await api.call(LEVELS, { as: "admin" })).status, 200);
});

Deno.test("the log tells who changed and who was refused, and never a token", async () => {
  await using api = await ApiBroker.start();
  await api.call(SET, { body: { level: "warn" } });
  await api.call(SET, { as: "read", body: { level: "warn" } });
  await api.call(SET, { as: null, headers: { Authorization: "Bearer wrong-token" } });
  await api.call(LEVELS, { as: "read" });
  await new Promise((resolve) => setTimeout(resolve, 0));
  const log = api.broker.log.join("");
  for (const token of ["wrong-token", ...Object.values(api.tokens)]) assert(!log.includes(token));
  const action = 'PUT /api/v1/log/levels/{room} target="store"';
  for (
    const [who, status] of [['changed ADDRESS "adminer"', 200], ['refused ADDRESS "reader"', 403]]
  ) {
    const told = log.replaceAll(/127\.0\.0\.1:\d+/g, "ADDRESS");
    assertStringIncludes(told, `admin: ${who} ${action} ${status}`);
  }
});

Deno.test("the audit log has actor, address, action, target and result of each of them", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    const api = await ApiBroker.start({ store: { dataDir } }, { keepDataDir: true });
    await api.call(SET, { body: { level: "warn" } });
    await api.call(SET, { as: "read", body: { level: "warn" } });
    await api.call(SET, { as: null });
    await api.call(LEVELS, { as: "read" });
    await api[Symbol.asyncDispose]();
    const entries = (await auditLines(auditDirectory(dataDir)))
      .filter(({ event }) => event === "admin")
      .map(({ actor, action, target, result }) => ({ actor, action, target, result }));
    const action = "PUT /api/v1/log/levels/{room}";
    assertEquals(entries, [
      { actor: "adminer", action, target: "store", result: 200 },
      { actor: "reader", action, target: "store", result: 403 },
      { actor: null, action, target: "store", result: 401 },
    ]);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("tokens tried at /metrics and requests of other sites are in the audit log, too", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "relayq-test-" });
  try {
    const api = await ApiBroker.start({ store: { dataDir } }, { keepDataDir: true });
    const headers = { Authorization: "Bearer guess" };
    assertEquals((await api.call("GET /metrics", { as: null, headers })).status, 401);
    const evil = { Origin: "http://evil.example" };
    assertEquals((await api.call("POST /api/v1/reload?x=1", { headers: evil })).status, 403);
    const rebound = { Host: "evil.example" };
    assertEquals((await api.call("GET /api/v1/status", { headers: rebound })).status, 421);
    await api[Symbol.asyncDispose]();
    const entries = (await auditLines(auditDirectory(dataDir)))
      .filter(({ event }) => event === "admin")
      .map(({ actor, action, target, result }) => ({ actor, action, target, result }));
    assertEquals(entries, [
      { actor: null, action: "GET /metrics", target: "", result: 401 },
      { actor: null, action: "POST of another site", target: "/api/v1/reload", result: 403 },
      { actor: null, action: "GET of another site", target: "/api/v1/status", result: 421 },
    ]);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("with tokens /metrics asks for one of them, or for its own", async () => {
  // Of "secret".
  const metricsTokenSha256 = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
  await using api = await ApiBroker.start({ admin: { metricsTokenSha256 } });
  assertEquals((await api.call("GET /metrics", { as: null })).status, 401);
  assertEquals((await api.call("GET /metrics", { as: "read" })).status, 200);
  const headers = { Authorization: "Bearer secret" };
  assertEquals((await api.call("GET /metrics", { as: null, headers })).status, 200);
  assertEquals((await api.call(LEVELS, { as: null, headers })).status, 401);
  assertEquals((await api.call("GET /healthz", { as: null })).status, 200);
});

Deno.test("two tokens of one name are both right, the same token twice is a mistake", async () => {
  await using api = await ApiBroker.start();
  const token = newToken();
  const line = await tokenLine({ name: "reader", role: "read", token });
  await writeTokens(api.tokensFile, api.tokens, `${line}\n`);
  await api.broker.server.reload();
  const headers = { Authorization: `Bearer ${token}` };
  assertEquals((await api.call(LEVELS, { as: null, headers })).status, 200);
  assertEquals((await api.call(LEVELS, { as: "read" })).status, 200);
  await writeTokens(api.tokensFile, {}, `${line}\n${line}\n`);
  await api.broker.server.reload();
  assertStringIncludes(api.broker.log.join(""), "the token stands in line 2 already");
});
