/** Who is kept out: bans, which survive the broker. */
import { BAN_KINDS, BAN_VALUE_LENGTH_MAX } from "../security/mod.ts";
import type { Caller } from "./caller.ts";
import { PAGE_QUERY, pageOf, pageOfList } from "./paging.ts";
import { pageOr400 } from "./api_views.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  dateTime,
  integer,
  nullable,
  object,
  oneOf,
  optional,
  text,
  type ValueOf,
  withDefault,
} from "./schema.ts";

/** Ten years: who wants more wants no end. */
const SECONDS_MAX = 315_360_000;

const BAN = {
  id: text({ description: "Of kind and value: banned again, it is the same." }),
  kind: oneOf(BAN_KINDS),
  value: text({ description: "Client Identifier, user name, or IP address or network." }),
  reason: text(),
  by: text({ description: "Who wanted it." }),
  since: dateTime(),
  until: nullable(dateTime("Null for no end.")),
} as const;
const LISTED = object(BAN);
/** A ban. */
export type ApiBan = ValueOf<typeof LISTED>;

const MADE = object({
  ...BAN,
  disconnected: integer({ description: "Connections that ended for it." }),
});
const WANTED = object({
  kind: oneOf(BAN_KINDS),
  value: text({ lengthMin: 1, lengthMax: BAN_VALUE_LENGTH_MAX }),
  seconds: optional(nullable(
    integer({ min: 1, max: SECONDS_MAX, description: "How long it holds; null for no end." }),
  )),
  reason: withDefault(text({ lengthMax: 256 }), ""),
});
/** A ban that is wanted. */
export type WantedBan = ValueOf<typeof WANTED>;

const LIST = defineRoute({
  method: "GET",
  path: "/api/v1/bans",
  role: "read",
  tag: "bans",
  summary: "The bans that hold",
  query: { ...PAGE_QUERY },
  answer: pageOf(LISTED),
});

const ADD = defineRoute({
  method: "POST",
  path: "/api/v1/bans",
  role: "operate",
  tag: "bans",
  summary: "Keep a client, a user or an address out, and end the connections it has",
  body: WANTED,
  answer: MADE,
  status: 201,
  problems: [422, 503],
});

const REMOVE = defineRoute({
  method: "DELETE",
  path: "/api/v1/bans/{id}",
  role: "operate",
  tag: "bans",
  summary: "Let somebody in again",
  problems: [404, 503],
});

/** The definitions. */
export const BAN_DEFINITIONS = [LIST, ADD, REMOVE] as const;

/** What the routes show and do. */
export interface BansView {
  readonly list: () => readonly ApiBan[];
  /** Gives why there can be no such ban, or why it may not survive the broker. */
  readonly add: (wanted: WantedBan, caller: Caller) => Promise<
    | { readonly ban: ValueOf<typeof MADE>; readonly notKept: string | null }
    | { readonly problem: string }
  >;
  /** Undefined where there is none. */
  readonly remove: (
    id: string,
    caller: Caller,
  ) => Promise<{ readonly notKept: string | null } | undefined>;
}

/** The routes. */
export function banRoutes(view: BansView): readonly ApiRoute[] {
  return [
    serve(LIST, ({ query }) => {
      const bans = view.list().toSorted((a, b) => a.id < b.id ? -1 : 1);
      return pageOr400(pageOfList(bans, query, ({ id }) => id));
    }),
    serve(ADD, async ({ body, caller, concerns }) => {
      concerns(`${body.kind} ${body.value}`);
      const added = await view.add(body, caller);
      if ("problem" in added) return problem(422, added.problem);
      const { ban, notKept } = added;
      return notKept === null
        ? ban
        : problem(503, `the ban holds, but not over a restart: ${notKept}`);
    }),
    serve(REMOVE, async ({ params, caller }) => {
      const removed = await view.remove(params.id, caller);
      if (removed === undefined) return problem(404, "there is no such ban");
      const { notKept } = removed;
      if (notKept === null) return undefined;
      return problem(503, `the ban is lifted, but not over a restart: ${notKept}`);
    }),
  ];
}
