/** What the admin listener answers to: a table of paths, and what holds for all of them. */
import type { HttpPeer } from "./caller.ts";
import type { HttpExchange } from "./http_connection.ts";
import { PathPattern } from "./path_pattern.ts";
import { problem } from "./problem.ts";

/** A request whose route has been found. */
export interface RoutedRequest {
  readonly request: Request;
  /** The parameters of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** What stands behind the question mark, as it was written; empty without one. */
  readonly query: string;
  readonly peer: HttpPeer;
}

/** Answers a request. */
type Handler = (routed: RoutedRequest) => Response | Promise<Response>;

/** Something that can be asked for. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** The whole path; a segment in braces is a parameter. */
  readonly path: string;
  readonly handle: Handler;
  /** Most bytes of the body of this request, where that is more than anybody may send. */
  readonly bodyBytesMax?: (routed: RoutedRequest) => number;
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

/** Told of a request that was refused for its Host or its Origin. */
type ForeignRefused = (exchange: HttpExchange, status: number) => void;

/** Routes of one path. */
interface Place {
  readonly pattern: PathPattern;
  readonly routes: Route[];
}

/** Finds the route of a request. */
export class Router {
  /** Paths without parameters. */
  readonly #fixed = new Map<string, Place>();
  /** The others by their number of segments, the most definite first. */
  readonly #open = new Map<number, Place[]>();
  readonly #hosts: ReadonlySet<string>;
  readonly #foreignRefused: ForeignRefused;

  /**
   * `hosts` are names, in small letters and without a port, by which clients may call the listener.
   * Throws where a path has two routes of one method.
   */
  constructor(
    routes: readonly Route[],
    { hosts, foreignRefused }: { hosts: readonly string[]; foreignRefused: ForeignRefused },
  ) {
    this.#foreignRefused = foreignRefused;
    for (const route of routes) this.#add(route);
    for (const places of this.#open.values()) {
      places.sort((a, b) => a.pattern.parameters.length - b.pattern.parameters.length);
    }
    this.#hosts = new Set(hosts);
  }

  /** Answers a request; one that a foreign web page makes a browser send is refused. */
  async answer(exchange: HttpExchange): Promise<Response> {
    const foreign = this.#foreign(exchange.request);
    if (foreign !== null) this.#foreignRefused(exchange, foreign.status);
    const response = foreign ?? await this.#route(exchange);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    return response;
  }

  #add(route: Route): void {
    const { path, method } = route;
    const pattern = new PathPattern(path);
    const places = this.#open.get(pattern.length) ?? [];
    const known = this.#fixed.get(path) ?? places.find(({ routes }) => routes[0]!.path === path);
    if (known !== undefined) {
      if (known.routes.some((other) => other.method === method)) {
        throw new Error(`Cannot serve ${method} ${path}: there are two routes`);
      }
      known.routes.push(route);
    } else if (pattern.parameters.length === 0) {
      this.#fixed.set(path, { pattern, routes: [route] });
    } else {
      places.push({ pattern, routes: [route] });
      this.#open.set(pattern.length, places);
    }
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

  /** Most bytes of the body that is announced, where that is more than anybody may send; else 0. */
  bodyBytesMax(announced: HttpExchange): number {
    const found = this.#foreign(announced.request) ?? this.#find(announced);
    return found instanceof Response ? 0 : found.route.bodyBytesMax?.(found.routed) ?? 0;
  }

  async #route(exchange: HttpExchange): Promise<Response> {
    const found = this.#find(exchange);
    return found instanceof Response ? found : await found.route.handle(found.routed);
  }

  #find(
    { request, target, peer }: HttpExchange,
  ): { route: Route; routed: RoutedRequest } | Response {
    const path = pathOf(target);
    const segments = path.split("/");
    const place = this.#fixed.get(path) ??
      this.#open.get(segments.length)?.find(({ pattern }) => pattern.fits(segments));
    if (place === undefined) return problem(404, "there is nothing here");
    const { pattern, routes } = place;
    const wanted = request.method === "HEAD" ? "GET" : request.method;
    const route = routes.find(({ method }) => method === wanted);
    if (route === undefined) {
      const methods = routes.flatMap(({ method }) => method === "GET" ? ["GET", "HEAD"] : [method]);
      return problem(405, "not with this method", { headers: { allow: methods.join(", ") } });
    }
    const params = pattern.read(segments);
    if (params === null) return problem(400, "the path is no percent-encoded UTF-8");
    const query = target.slice(path.length + 1);
    return { route, routed: { request, params, query, peer } };
  }
}

/** What stands in front of the question mark. */
export function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}
