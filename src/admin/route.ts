/** The routes of the API as data: what drives the router, the checks, OpenAPI and `relayq ctl`. */
import type { Role } from "../security/mod.ts";
import type { Caller } from "./caller.ts";
import type { Fields, ObjectOf, ScalarFields, Schema } from "./schema.ts";

/** Names of the parameters in a path: `/clients/{client_id}` has `client_id`. */
export type ParameterNames<Path extends string> = Path extends
  `${string}{${infer Name}}${infer Rest}` ? Name | ParameterNames<Rest> : never;

/** What a route is about, without the code that answers. */
export interface RouteDefinition<
  Path extends string = string,
  Query extends ScalarFields = ScalarFields,
  Body = unknown,
  Answer = unknown,
> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /**
   * From the root on. A segment in braces is a parameter: one or more characters, percent-encoded
   * where it has to be, so that a topic with its slashes (`%2F`) is one.
   */
  readonly path: Path;
  /** The least role that may ask; null for everybody. */
  readonly role: Role | null;
  /** What belongs together in the document. */
  readonly tag: string;
  /** One line, for the document and for people. */
  readonly summary: string;
  /** What the parameters of the path mean, by name. */
  readonly parameters: { readonly [Name in ParameterNames<Path>]?: string };
  readonly query: Query;
  /** Null where a request has no body. */
  readonly body: Schema<Body> | null;
  /** Most bytes of the body, up to 4 MiB; 64 KiB if nothing is said. */
  readonly bodyBytesMax: number;
  /** Null where an answer that succeeds has no JSON: no content, or one of `media`. */
  readonly answer: Schema<Answer> | null;
  /** Of an answer with JSON; without any it is 204. */
  readonly status: number;
  /** Content types of answers besides JSON; the handler makes these itself. */
  readonly media: readonly string[];
  /** The data of server-sent events, by their names. */
  readonly events: Fields;
  /** Statuses of the problems that are this route's own, such as 404. */
  readonly problems: readonly number[];
}

/** What a handler is given: everything in it has been checked. */
export interface ApiRequest<Path extends string, Query extends ScalarFields, Body> {
  readonly params: { readonly [Name in ParameterNames<Path>]: string };
  readonly query: ObjectOf<Query>;
  readonly body: Body;
  readonly caller: Caller;
  /** Says what a request is about, for the audit log, where its path does not. */
  readonly concerns: (target: string) => void;
}

/** A definition of which only the general is known. */
// deno-lint-ignore no-explicit-any -- bodies and answers stand on both sides of their handlers
export type AnyDefinition = RouteDefinition<string, ScalarFields, any, any>;

/** A route with whoever answers it. */
export interface ApiRoute {
  readonly definition: AnyDefinition;
  readonly handle: (request: ApiRequest<string, ScalarFields, unknown>) => unknown;
}

/** What a definition may leave out. */
type Defaulted =
  | "parameters"
  | "query"
  | "body"
  | "bodyBytesMax"
  | "answer"
  | "status"
  | "media"
  | "events"
  | "problems";

/** Defines a route; without `query` it takes none, without `body` there is none, and so on. */
export function defineRoute<
  const Path extends string,
  Query extends ScalarFields = Record<never, never>,
  Body = undefined,
  Answer = undefined,
>(
  definition:
    & Omit<RouteDefinition<Path, Query, Body, Answer>, Defaulted>
    & Partial<Pick<RouteDefinition<Path, Query, Body, Answer>, Defaulted>>,
): RouteDefinition<Path, Query, Body, Answer> {
  return {
    parameters: {},
    query: {} as Query,
    body: null,
    bodyBytesMax: 65_536,
    answer: null,
    status: 200,
    media: [],
    events: {},
    problems: [],
    ...definition,
  };
}

/**
 * Joins a definition with its handler. The handler gives the answer as the schema has it (undefined
 * where there is none: 204), or a `Response` of its own: `problem(404, …)`, another content type, a
 * `StreamAnswer`.
 */
export function serve<Path extends string, Query extends ScalarFields, Body, Answer>(
  definition: RouteDefinition<Path, Query, Body, Answer>,
  handle: (
    request: ApiRequest<Path, Query, Body>,
  ) => Answer | Response | Promise<Answer | Response>,
): ApiRoute {
  return { definition, handle: handle as ApiRoute["handle"] };
}
