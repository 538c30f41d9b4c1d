/** Answers the requests of the API: who may, what is asked for, what comes of it, and who is told. */
import type { Role } from "../security/mod.ts";
import type { AdminAccess } from "./access.ts";
import type { Caller, HttpPeer } from "./caller.ts";
import type { Route, RoutedRequest } from "./http.ts";
import { problem } from "./problem.ts";
import type { ApiRequest, ApiRoute } from "./route.ts";
import { readTexts, readValue, type ScalarFields } from "./schema.ts";

/** A request that changed something, or was refused. */
export interface ApiAudit {
  /** Null where nobody knows who it was. */
  readonly actor: string | null;
  /** "host:port". */
  readonly address: string;
  /** Method and path of the route, with its parameters in braces. */
  readonly action: string;
  /** The parameters of the path, or what the handler says. */
  readonly target: string;
  /** The status of the answer. */
  readonly status: number;
  /** Whether it never came to its handler: not allowed, or too often. */
  readonly refused: boolean;
}

/** What the API needs of others. */
export interface ApiParts {
  readonly access: AdminAccess;
  readonly audited: (entry: ApiAudit) => void;
}

/** Makes what the router takes of the routes of the API. */
export function routesOfApi(routes: readonly ApiRoute[], parts: ApiParts): readonly Route[] {
  return routes.map((route) => {
    const { method, path, role, bodyBytesMax } = route.definition;
    return {
      method,
      path,
      handle: (routed: RoutedRequest) => answer(route, routed, parts),
      bodyBytesMax: (routed: RoutedRequest) =>
        role !== null && mayFill(role, `${method} ${path}`, { ...parts, routed })
          ? bodyBytesMax
          : 0,
    };
  });
}

/** Only who may do it at all may fill the memory with it; who may not is not asked again. */
function mayFill(
  role: Role,
  action: string,
  { access, audited, routed }: ApiParts & { routed: RoutedRequest },
): boolean {
  const { request, peer, params } = routed;
  const refused = access.refusal(request, peer, role);
  if (refused === null) return true;
  const { actor, refusal: { status } } = refused;
  const target = targetOf(params);
  audited({ actor, address: peer.address, action, target, status, refused: true });
  return false;
}

async function answer(
  route: ApiRoute,
  routed: RoutedRequest,
  { access, audited }: ApiParts,
): Promise<Response> {
  const { definition } = route;
  const { request, peer, params } = routed;
  const about = {
    address: peer.address,
    action: `${definition.method} ${definition.path}`,
    target: targetOf(params),
  };
  const concerns = (target: string): void => void (about.target = target);
  const caller = definition.role === null
    ? anybody(peer)
    : access.admit(request, peer, definition.role);
  if ("refusal" in caller) {
    const { refusal, actor } = caller;
    audited({ ...about, actor, status: refusal.status, refused: true });
    return refusal;
  }
  let status = 500;
  try {
    const response = await handled(route, routed, { caller, concerns });
    status = response.status;
    return response;
  } finally {
    const changes = definition.method !== "GET";
    if (changes) audited({ ...about, actor: caller.name, status, refused: false });
  }
}

async function handled(
  { definition, handle }: ApiRoute,
  { request, params, query: written }: RoutedRequest,
  more: Pick<ApiRequest<string, ScalarFields, unknown>, "caller" | "concerns">,
): Promise<Response> {
  const texts = textsOf(written);
  if (typeof texts === "string") return problem(400, texts);
  const query = readTexts(definition.query, texts);
  if ("fault" in query) return problem(400, query.fault);
  const body = await bodyOf(request, definition);
  if (body instanceof Response) return body;
  const result = await handle({ params, query: query.value, body: body.value, ...more });
  if (result instanceof Response) return result;
  if (definition.answer === null) return new Response(null, { status: 204 });
  return new Response(`${JSON.stringify(result)}\n`, {
    status: definition.status,
    headers: { "content-type": "application/json" },
  });
}

/** The fields of a query, or what is wrong with it. */
function textsOf(query: string): ReadonlyMap<string, string> | string {
  const texts = new Map<string, string>();
  if (query === "") return texts;
  for (const pair of query.split("&")) {
    const [name, ...value] = pair.split("=").map((part) => part.replaceAll("+", " "));
    try {
      const decoded = decodeURIComponent(name!);
      if (texts.has(decoded)) return `the parameter ${decoded.slice(0, 64)} stands twice`;
      texts.set(decoded, decodeURIComponent(value.join("=")));
    } catch {
      return "the query is no percent-encoded UTF-8";
    }
  }
  return texts;
}

async function bodyOf(
  request: Request,
  { body: schema }: ApiRoute["definition"],
): Promise<Response | { value: unknown }> {
  const bytes = await request.arrayBuffer();
  if (schema === null) {
    if (bytes.byteLength > 0) return problem(400, "this request has no body");
    return { value: undefined };
  }
  const [type = ""] = (request.headers.get("content-type") ?? "").split(";");
  // Whatever else a form of a web page can send is none of these.
  if (type.trim().toLowerCase() !== "application/json") {
    return problem(415, "the body has to be application/json");
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return problem(400, "the body is no JSON");
  }
  const read = readValue(schema, value);
  return "fault" in read ? problem(422, read.fault) : read;
}

function targetOf(params: RoutedRequest["params"]): string {
  return Object.values(params).join(" ");
}

function anybody({ address }: HttpPeer): Caller {
  return { name: "", role: "read", by: "nothing", address };
}
