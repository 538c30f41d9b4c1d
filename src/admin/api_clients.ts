/** Clients that are connected: seen, and disconnected. */
import { answerTo, type Listing, type Outcome, pageOr400 } from "./api_views.ts";
import type { Caller } from "./caller.ts";
import { PAGE_QUERY, pageOf } from "./paging.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  boolean,
  dateTime,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  text,
  type ValueOf,
  withDefault,
} from "./schema.ts";

/** What is spoken between the client and MQTT. */
const TRANSPORTS = ["tcp", "tls", "ws", "wss"] as const;

const CLIENT = {
  client_id: text(),
  user: nullable(text({ description: "Of the certificate, or as the client gave it." })),
  user_verified: boolean("Whether a password or a certificate has proved it."),
  address: text({ description: "host:port" }),
  listener: text({ description: "Address of the listener, as configured." }),
  transport: oneOf(TRANSPORTS),
  tls_version: nullable(text()),
  clean_session: boolean(),
  keep_alive_s: number("As granted; 0 for none."),
  connected_at: dateTime(),
  subscriptions: integer(),
  queued_messages: integer(),
  queued_bytes: integer(),
  in_flight: integer({ description: "QoS 1 and 2, sent and not acknowledged." }),
  unsent_bytes: integer({ description: "Bytes that its socket has not taken." }),
  messages_in: integer({ description: "PUBLISH packets from it." }),
  bytes_in: integer(),
  bytes_out: integer(),
} as const;
const LISTED = object(CLIENT);
/** A client as lists show it. */
export type ApiClient = ValueOf<typeof LISTED>;

const QOS = integer({ min: 0, max: 2 });
/** Subscriptions that come with one client or session. */
export const SUBSCRIPTIONS_SHOWN = 1_000;
/** The filters of one client. */
export const FILTERS = list(object({ filter: text(), qos: QOS }), {
  itemsMax: SUBSCRIPTIONS_SHOWN,
  description: `The first ${SUBSCRIPTIONS_SHOWN}; all of them has /api/v1/subscriptions.`,
});

const WHOLE = object({
  ...CLIENT,
  will: nullable(
    object({ topic: text(), qos: QOS, retain: boolean(), payload_bytes: integer() }),
  ),
  filters: FILTERS,
  tls: nullable(object({ version: text(), cipher: text(), resumed: boolean() })),
  certificate: nullable(object({
    subject: text(),
    issuer: text(),
    serial: text(),
    fingerprint: text({ description: "SHA-256, in hexadecimal digits." }),
    not_after: dateTime(),
  })),
});
/** A client with all that is known of it. */
export type ApiClientDetails = ValueOf<typeof WHOLE>;

const FILTERS_OF_LIST = {
  search: optional(text({ lengthMax: 256, description: "A part of Client Identifier or user." })),
  user: optional(text({ description: "Of this user." })),
  from: optional(text({ description: "From this address, without its port." })),
  listener: optional(text({ description: "On this listener." })),
} as const;
const LIST_QUERY = object(FILTERS_OF_LIST);

const LIST = defineRoute({
  method: "GET",
  path: "/api/v1/clients",
  role: "read",
  tag: "clients",
  summary: "Clients that are connected, by Client Identifier",
  query: { ...PAGE_QUERY, ...FILTERS_OF_LIST },
  answer: pageOf(LISTED),
});

const GET = defineRoute({
  method: "GET",
  path: "/api/v1/clients/{client_id}",
  role: "read",
  tag: "clients",
  summary: "All about a client that is connected",
  answer: WHOLE,
  problems: [404],
});

const DISCONNECT = defineRoute({
  method: "DELETE",
  path: "/api/v1/clients/{client_id}",
  role: "operate",
  tag: "clients",
  summary: "End the connection of a client; its session stays, and it may come back",
  query: {
    will: withDefault(boolean("Whether its Will is published."), true),
    reason: optional(text({ lengthMax: 256, description: "For the log." })),
  },
  problems: [404, 503],
});

/** The definitions. */
export const CLIENT_DEFINITIONS = [LIST, GET, DISCONNECT] as const;

/** What the routes show and do. */
export interface ClientsView {
  readonly list: Listing<ApiClient, ValueOf<typeof LIST_QUERY>>;
  readonly get: (clientIdentifier: string) => ApiClientDetails | null;
  readonly disconnect: (
    clientIdentifier: string,
    how: { will: boolean; reason: string; caller: Caller },
  ) => Promise<Outcome>;
}

/** The routes. */
export function clientRoutes(view: ClientsView): readonly ApiRoute[] {
  return [
    serve(LIST, async ({ query }) => pageOr400(await view.list(query))),
    serve(
      GET,
      ({ params }) => view.get(params.client_id) ?? problem(404, "there is no such client"),
    ),
    serve(DISCONNECT, async ({ params, query: { will, reason = "" }, caller }) => {
      const how = { will, reason, caller };
      return answerTo(await view.disconnect(params.client_id, how), "such client");
    }),
  ];
}
