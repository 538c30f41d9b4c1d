/** Serves the dashboard: a page and what it consists of, all of it out of the binary. */
import { DASHBOARD_FILES, DASHBOARD_PAGE } from "./dashboard_files.ts";
import type { Route } from "./http.ts";

const FOLDER = "/dashboard/";
const TYPES: Readonly<Record<string, string>> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};
/**
 * The page loads what is its own and talks to its own listener, and that is all. Trusted types make
 * of every attempt to turn a string into markup an error: names and payloads are other people's.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");
const encoder = new TextEncoder();

/** One file, with what its answer says of it. */
class StaticFile {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #type: string;
  #tag: string | null = null;

  constructor(name: string, text: string) {
    this.#bytes = encoder.encode(text);
    this.#type = TYPES[name.slice(name.lastIndexOf(".") + 1)]!;
  }

  /** The file, or 304 for who has it already. */
  async answer(request: Request): Promise<Response> {
    this.#tag ??= await tagOf(this.#bytes);
    const headers = {
      "content-security-policy": POLICY,
      // It may be kept, but another version of the broker has other files of the same names.
      "cache-control": "no-cache",
      "etag": this.#tag,
    };
    if (knows(request.headers.get("if-none-match"), this.#tag)) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(this.#bytes, { headers: { ...headers, "content-type": this.#type } });
  }
}

/** Routes of the dashboard: a fixed one for each file, so that no path leads anywhere else. */
export function dashboardRoutes(): readonly Route[] {
  const files = Object.entries(DASHBOARD_FILES)
    .map(([name, text]): [string, StaticFile] => [FOLDER + name, new StaticFile(name, text)]);
  const page = new StaticFile("index.html", DASHBOARD_PAGE);
  return [["/", page] as const, ...files].map(([path, file]) => ({
    method: "GET",
    path,
    handle: ({ request }) => file.answer(request),
  }));
}

/** Whether the client has a file with this tag. */
function knows(ifNoneMatch: string | null, tag: string): boolean {
  if (ifNoneMatch === null) return false;
  const tags = ifNoneMatch.split(",").map((text) => text.trim().replace(/^W\//, ""));
  return tags.includes(tag) || tags.includes("*");
}

async function tagOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `"${digest.subarray(0, 16).toHex()}"`;
}
