/** Sessions, whether their clients are there or not, and their subscriptions. */
import { FILTERS } from "./api_clients.ts";
import { answerTo, type Listing, type Outcome, pageOr400 } from "./api_views.ts";
import type { Caller } from "./caller.ts";
import { PAGE_QUERY, pageOf } from "./paging.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  boolean,
  dateTime,
  integer,
  nullable,
  object,
  optional,
  text,
  type ValueOf,
} from "./schema.ts";

const SESSION = {
  client_id: text(),
  owner: nullable(text({ description: "Whom it belongs to; null for nobody in particular." })),
  connected: boolean("Whether its client is there."),
  clean_session: boolean("Whether it ends with the connection."),
  away_since: nullable(dateTime("Null while its client is there.")),
  expires_at: nullable(dateTime("When it is discarded if its client stays away.")),
  subscriptions: integer(),
  queued_messages: integer(),
  queued_bytes: integer(),
  in_flight: integer({ description: "QoS 1 and 2, sent and not acknowledged." }),
  awaiting_release: integer({ description: "QoS 2 messages of the client without their PUBREL." }),
} as const;
const LISTED = object(SESSION);
/** A session as lists show it. */
export type ApiSession = ValueOf<typeof LISTED>;

const WHOLE = object({ ...SESSION, filters: FILTERS });
/** A session with its subscriptions. */
export type ApiSessionDetails = ValueOf<typeof WHOLE>;

const SUBSCRIPTION = object({
  client_id: text(),
  filter: text(),
  qos: integer({ min: 0, max: 2, description: "As granted." }),
  connected: boolean(),
});
/** A subscription. */
export type ApiSubscription = ValueOf<typeof SUBSCRIPTION>;

const SESSION_FILTERS = {
  search: optional(text({ lengthMax: 256, description: "A part of Client Identifier or owner." })),
  connected: optional(boolean("Only those whose client is there, or is not.")),
} as const;
const SESSION_QUERY = object(SESSION_FILTERS);

const SUBSCRIPTION_FILTERS = {
  client_id: optional(text({ description: "Of this client." })),
  topic: optional(text({ description: "Only those that match this Topic Name: who gets it." })),
  filter: optional(text({ description: "Only those to just this Topic Filter." })),
} as const;
const SUBSCRIPTION_QUERY = object(SUBSCRIPTION_FILTERS);

const LIST = defineRoute({
  method: "GET",
  path: "/api/v1/sessions",
  role: "read",
  tag: "sessions",
  summary: "Sessions, by Client Identifier",
  query: { ...PAGE_QUERY, ...SESSION_FILTERS },
  answer: pageOf(LISTED),
});

const GET = defineRoute({
  method: "GET",
  path: "/api/v1/sessions/{client_id}",
  role: "read",
  tag: "sessions",
  summary: "All about a session",
  answer: WHOLE,
  problems: [404],
});

const REMOVE = defineRoute({
  method: "DELETE",
  path: "/api/v1/sessions/{client_id}",
  role: "operate",
  tag: "sessions",
  summary: "Discard a session and end its connection; what waits in it becomes dead letters",
  problems: [404, 503],
});

const SUBSCRIPTIONS = defineRoute({
  method: "GET",
  path: "/api/v1/subscriptions",
  role: "read",
  tag: "sessions",
  summary: "Subscriptions, by Client Identifier and Topic Filter",
  query: { ...PAGE_QUERY, ...SUBSCRIPTION_FILTERS },
  answer: pageOf(SUBSCRIPTION),
});

/** The definitions. */
export const SESSION_DEFINITIONS = [LIST, GET, REMOVE, SUBSCRIPTIONS] as const;

/** What the routes show and do. */
export interface SessionsView {
  readonly list: Listing<ApiSession, ValueOf<typeof SESSION_QUERY>>;
  readonly get: (clientIdentifier: string) => ApiSessionDetails | null;
  readonly remove: (clientIdentifier: string, caller: Caller) => Promise<Outcome>;
  /** Gives what is wrong with a topic as text. */
  readonly subscriptions: (
    query: Parameters<Listing<ApiSubscription, ValueOf<typeof SUBSCRIPTION_QUERY>>>[0],
  ) => ReturnType<Listing<ApiSubscription>> | string;
}

/** The routes. */
export function sessionRoutes(view: SessionsView): readonly ApiRoute[] {
  return [
    serve(LIST, async ({ query }) => pageOr400(await view.list(query))),
    serve(
      GET,
      ({ params }) => view.get(params.client_id) ?? problem(404, "there is no such session"),
    ),
    serve(
      REMOVE,
      async ({ params, caller }) =>
        answerTo(await view.remove(params.client_id, caller), "such session"),
    ),
    serve(SUBSCRIPTIONS, async ({ query }) => {
      const listed = view.subscriptions(query);
      return typeof listed === "string" ? problem(400, listed) : pageOr400(await listed);
    }),
  ];
}
