/** The files of the dashboard, as any HTTP client gets them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { TestBroker } from "../support/test_broker.ts";
import { adminBroker, ask } from "./_http_client.ts";

const FOLDER = new URL("../../src/admin/dashboard/", import.meta.url);
/** In the folder for those who write the page, and not for those who see it. */
const NOT_SERVED = new Set(["browser.json", "index.html", "types.d.ts"]);
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

/** By a client that knows UTF-8. */
async function fetched({ server }: TestBroker, path: string) {
  const response = await fetch(`http://127.0.0.1:${server.adminAddress!.port}${path}`);
  return { status: response.status, headers: response.headers, body: await response.text() };
}

async function names(): Promise<string[]> {
  const found = ["uplot.css", "uplot.js"];
  for await (const { name } of Deno.readDir(FOLDER)) if (!NOT_SERVED.has(name)) found.push(name);
  return found.sort();
}

Deno.test("every file of the dashboard is served as what it is, with a policy and without guessing", async () => {
  await using broker = await adminBroker();
  const page = await fetched(broker, "/");
  assertEquals([page.status, page.headers.get("content-type")], [200, "text/html; charset=utf-8"]);
  const paths = (await names()).map((name) => `/dashboard/${name}`);
  for (const path of ["/", ...paths]) {
    const { status, headers, body } = await fetched(broker, path);
    assertEquals([path, status], [path, 200]);
    const type = path === "/" ? "text/html; charset=utf-8" : TYPES[path.split(".").at(-1)!];
    assertEquals([path, headers.get("content-type")], [path, type]);
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("x-frame-options"), "DENY");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("cache-control"), "no-cache");
    const policy = headers.get("content-security-policy") ?? "";
    assertMatch(policy, /^default-src 'none'; script-src 'self'; style-src 'self'; /);
    assert(!/unsafe|https?:|\*/.test(policy), policy);
    assert(body.length > 100, `${path} has ${body.length} characters`);
  }
});

Deno.test("the page refers to files that are served, and to nothing outside", async () => {
  await using broker = await adminBroker();
  const { body } = await fetched(broker, "/");
  const references = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  assert(references.length >= 5);
  for (const path of references) {
    assertMatch(path, /^dashboard\//);
    assertEquals([path, (await fetched(broker, `/${path}`)).status], [path, 200]);
  }
  for (const name of await names()) {
    const text = (await fetched(broker, `/dashboard/${name}`)).body;
    for (const [, imported] of text.matchAll(/^(?:import|\} from) .*?"\.\/([a-z_.]+)";$/gm)) {
      assertEquals([imported, (await fetched(broker, `/dashboard/${imported}`)).status], [
        imported,
        200,
      ]);
    }
    // The name of a namespace is no address; that of uPlot stands in its comment.
    const foreign = [...text.matchAll(/https?:\/\/[^\s"'`)]+/g)].map(([url]) => url);
    assertEquals(
      foreign.filter((url) =>
        url !== "http://www.w3.org/2000/svg" && !url.includes("github.com/leeoniya/uPlot")
      ),
      [],
    );
  }
});

Deno.test("who has a file already is told so, and only so", async () => {
  await using broker = await adminBroker();
  const first = await ask(broker, "/dashboard/main.js");
  const tag = first.headers.get("etag") ?? "";
  assertMatch(tag, /^"[0-9a-f]{32}"$/);
  for (const known of [tag, `"other", W/${tag}`, "*"]) {
    const headers = { "If-None-Match": known };
    const again = await ask(broker, "/dashboard/main.js", { headers, method: "HEAD" });
    assertEquals([known, again.status, again.headers.get("etag")], [known, 304, tag]);
    assert(again.headers.has("content-security-policy"));
  }
  const headers = { "If-None-Match": '"00000000000000000000000000000000"' };
  const other = await ask(broker, "/dashboard/main.js", { headers });
  assertEquals([other.status, other.body], [200, first.body]);
  assert((await ask(broker, "/dashboard/live.js")).headers.get("etag") !== tag);
});

Deno.test("no path below the dashboard leads to another file", async () => {
  await using broker = await adminBroker();
  const paths = [
    "/dashboard",
    "/dashboard/",
    "/dashboard/index.html",
    "/dashboard/browser.json",
    "/dashboard/../mod.ts",
    "/dashboard/..%2fmod.ts",
    "/dashboard/%2e%2e/mod.ts",
    "/dashboard/....//mod.ts",
    "/dashboard/..\\mod.ts",
    "/dashboard//etc/passwd",
    "/dashboard/main.js%00.css",
    "/dashboard/MAIN.JS",
    "/dashboard/constructor",
    "/dashboard/__proto__",
    "/../../etc/passwd",
    "/src/admin/dashboard/main.js",
  ];
  for (const path of paths) {
    const { status, body } = await ask(broker, path);
    assert(status === 404 || status === 400, `${path}: ${status} ${body.slice(0, 80)}`);
  }
  assertEquals((await ask(broker, "/dashboard/main.js", { method: "PUT" })).status, 405);
});
