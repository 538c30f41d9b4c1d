/** Retained messages: as a list, as a tree of topics, and one by one. */
import { answerTo, type Listing, type Outcome, pageOr400, PAYLOAD, PREVIEW } from "./api_views.ts";
import type { Caller } from "./caller.ts";
import { PAGE_QUERY, pageOf } from "./paging.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  boolean,
  integer,
  nullable,
  object,
  optional,
  text,
  type ValueOf,
  withDefault,
} from "./schema.ts";

const QOS = integer({ min: 0, max: 2 });
const LISTED = object({ topic: text(), qos: QOS, ...PREVIEW });
/** A retained message as lists show it. */
export type ApiRetained = ValueOf<typeof LISTED>;

const WHOLE = object({ topic: text(), qos: QOS, ...PAYLOAD });
/** A retained message with its payload. */
export type ApiRetainedDetails = ValueOf<typeof WHOLE>;

const LEVEL = object({
  level: text({ description: "One level; it may be empty." }),
  topic: text({ description: "The topic that ends with it." }),
  has_children: boolean("Whether something is retained below it; ask with topic and / as prefix."),
  retained: nullable(object({ qos: QOS, ...PREVIEW })),
});
/** A level of the tree of topics. */
export type ApiTopicLevel = ValueOf<typeof LEVEL>;

const FILTERS = {
  filter: optional(
    text({ description: "Only topics that match; without it all but those with $." }),
  ),
  search: optional(text({ lengthMax: 256, description: "A part of the topic." })),
} as const;
const LIST_QUERY = object(FILTERS);
const PREFIX = withDefault(
  text({ description: "Empty, or a topic and /: plant/ stands for the levels below plant." }),
  "",
);
const TREE_QUERY = object({ prefix: PREFIX });

const LIST = defineRoute({
  method: "GET",
  path: "/api/v1/retained",
  role: "read",
  tag: "retained",
  summary: "Retained messages, by topic",
  query: { ...PAGE_QUERY, ...FILTERS },
  answer: pageOf(LISTED),
});

const GET = defineRoute({
  method: "GET",
  path: "/api/v1/retained/{topic}",
  role: "read",
  tag: "retained",
  summary: "A retained message with its payload",
  answer: WHOLE,
  problems: [404],
});

const REMOVE = defineRoute({
  method: "DELETE",
  path: "/api/v1/retained/{topic}",
  role: "operate",
  tag: "retained",
  summary: "Retain a message no more; those of the server itself stay",
  problems: [404, 409, 503],
});

const TREE = defineRoute({
  method: "GET",
  path: "/api/v1/topics",
  role: "read",
  tag: "retained",
  summary: "One level of the tree of topics on which something is retained",
  query: { ...PAGE_QUERY, prefix: PREFIX },
  answer: pageOf(LEVEL),
});

/** The definitions. */
export const RETAINED_DEFINITIONS = [LIST, GET, REMOVE, TREE] as const;

/** What the routes show and do; what is wrong with a topic is a text. */
export interface RetainedView {
  readonly list: (
    query: Parameters<Listing<ApiRetained, ValueOf<typeof LIST_QUERY>>>[0],
  ) => ReturnType<Listing<ApiRetained>> | string;
  readonly get: (topic: string) => ApiRetainedDetails | null;
  readonly remove: (topic: string, caller: Caller) => Promise<Outcome | "server">;
  readonly tree: (
    query: Parameters<Listing<ApiTopicLevel, ValueOf<typeof TREE_QUERY>>>[0],
  ) => ReturnType<Listing<ApiTopicLevel>> | string;
}

/** The routes. */
export function retainedRoutes(view: RetainedView): readonly ApiRoute[] {
  return [
    serve(LIST, async ({ query }) => {
      const listed = view.list(query);
      return typeof listed === "string" ? problem(400, listed) : pageOr400(await listed);
    }),
    serve(GET, ({ params }) => view.get(params.topic) ?? problem(404, "nothing is retained there")),
    serve(REMOVE, async ({ params, caller }) => {
      const outcome = await view.remove(params.topic, caller);
      if (outcome === "server") return problem(409, "this topic is the server's own");
      return answerTo(outcome, "message retained there");
    }),
    serve(TREE, async ({ query }) => {
      const listed = view.tree(query);
      return typeof listed === "string" ? problem(400, listed) : pageOr400(await listed);
    }),
  ];
}
