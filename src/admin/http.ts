/** What the admin listener answers to: a table of paths, and what holds for all of them. */
import { problem } from "./problem.ts";

/** Answers a request. */
type Handler = (request: Request) => Response | Promise<Response>;

/** Something that can be asked for. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The whole path. */
  readonly path: string;
  readonly handle: Handler;
}

/** What every answer says unless it says otherwise: nothing of it is for others, or to be run. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};
/** What may stand in Host without being listed: addresses, which no name server can redirect. */
const HOST_OF_ADDRESS = /^(?:localhost|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|\[[0-9a-f:.]+\])$/;

/** Finds the route of a request. */
export class Router {
  readonly #routes: readonly Route[];
  readonly #hosts: ReadonlySet<string>;

  /** `hosts` are names, in small letters and without a port, by which clients may call the listener. */
  constructor(routes: readonly Route[], hosts: readonly string[]) {
    this.#routes = routes;
    this.#hosts = new Set(hosts);
  }

  /** Answers a request; one that a foreign web page makes a browser send is refused. */
  async answer(request: Request): Promise<Response> {
    const response = this.#foreign(request) ?? await this.#route(request);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    return response;
  }

  #foreign({ url, headers }: Request): Response | null {
    const { hostname, host } = new URL(url);
    // A page of `attacker.example` whose name has come to mean our address has its name in here.
    if (!HOST_OF_ADDRESS.test(hostname) && !this.#hosts.has(hostname)) {
      return problem(421, "this host is not in admin.hosts");
    }
    const origin = headers.get("origin");
    if (origin === null || origin === `http://${host}` || origin === `https://${host}`) return null;
    return problem(403, "requests of other origins are refused");
  }

  async #route(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const here = this.#routes.filter(({ path }) => path === pathname);
    if (here.length === 0) return problem(404, "there is nothing here");
    const wanted = request.method === "HEAD" ? "GET" : request.method;
    const route = here.find(({ method }) => method === wanted);
    if (route !== undefined) return await route.handle(request);
    const methods = here.flatMap(({ method }) => method === "GET" ? ["GET", "HEAD"] : [method]);
    return problem(405, "not with this method", { allow: methods.join(", ") });
  }
}
