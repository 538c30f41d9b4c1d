/** Births that are kept as certificates, and last known values. */
import { notWritten } from "./api_views.ts";
import { type Page, PAGE_QUERY, pageOf, type PageQuery } from "./paging.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  anything,
  boolean,
  dateTime,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  text,
  type ValueOf,
  withDefault,
} from "./schema.ts";

const NAME = text({ lengthMin: 1, lengthMax: 65_535 });

const CERTIFICATE = object({
  topic: text({ description: "Of the birth." }),
  group: text(),
  node: text(),
  device: nullable(text()),
  bytes: integer({ description: "Of the payload." }),
});
/** A birth that is kept. */
export type ApiBirth = ValueOf<typeof CERTIFICATE>;

const VALUE = object({
  name: text(),
  alias: nullable(text({ description: "A number; as a text, because it may be large." })),
  data_type: text(),
  value: anything("As of its datatype; whole numbers of 64 bits and times as texts."),
  timestamp: nullable(dateTime("Of the metric, or else of its message; null if neither had one.")),
  received_at: nullable(dateTime()),
  quality: nullable(text({ description: "good, bad, stale or a number; null if it is not told." })),
  stale: boolean("Whether it may be another one by now."),
});

const VALUES = object({
  online: boolean("Whether its birth holds."),
  since: dateTime("Since when it is so."),
  cause: text({ description: "Why it is not; empty if it is." }),
  items: list(VALUE),
  next: nullable(text({ description: "The cursor of the next page; null on the last one." })),
  total: integer(),
});
/** Last values of an Edge Node or a Device. */
export type ApiValues = ValueOf<typeof VALUES>;

const VALUE_QUERY = {
  ...PAGE_QUERY,
  search: withDefault(text({ lengthMax: 256, description: "A part of the metric's name." }), ""),
} as const;

const NODE_VALUES = defineRoute({
  method: "GET",
  path: "/sparkplug/v1/groups/{group}/nodes/{node}/metrics",
  role: "read",
  tag: "sparkplug",
  summary: "The last known values of an Edge Node's own metrics (sparkplug.last_values)",
  query: VALUE_QUERY,
  answer: VALUES,
  problems: [404],
});

const DEVICE_VALUES = defineRoute({
  method: "GET",
  path: "/sparkplug/v1/groups/{group}/nodes/{node}/devices/{device}/metrics",
  role: "read",
  tag: "sparkplug",
  summary: "The last known values of a Device's metrics (sparkplug.last_values)",
  query: VALUE_QUERY,
  answer: VALUES,
  problems: [404],
});

const BIRTH = defineRoute({
  method: "GET",
  path: "/api/v1/sparkplug/nodes/{group}/{node}/birth",
  role: "read",
  tag: "sparkplug",
  summary: "The last birth of an Edge Node or a Device, decoded or as it came",
  query: {
    device: optional(NAME),
    format: withDefault(oneOf(["json", "protobuf"]), "json"),
  },
  answer: anything("The payload with names for its datatypes; numbers of 64 bits as texts."),
  media: ["application/x-protobuf"],
  problems: [404, 422],
});

const CERTIFICATES = defineRoute({
  method: "GET",
  path: "/api/v1/sparkplug/certificates",
  role: "read",
  tag: "sparkplug",
  summary: "Births that are kept under $sparkplug/certificates/",
  query: { ...PAGE_QUERY, group: optional(NAME), node: optional(NAME) },
  answer: pageOf(CERTIFICATE),
});

/** What is removed stands in the path, and so in the audit log. */
const PURGE = {
  method: "DELETE",
  role: "operate",
  tag: "sparkplug",
  query: {
    announce: withDefault(
      boolean("Whether those who are subscribed to them get an empty message."),
      false,
    ),
  },
  problems: [503] as readonly number[],
  answer: object({
    removed: integer({ description: "At most 10000 at a time: ask again if there may be more." }),
  }),
} as const;

const PURGE_GROUP = defineRoute({
  ...PURGE,
  path: "/api/v1/sparkplug/certificates/{group}",
  summary: "Remove the births that are kept of a group",
});

const PURGE_NODE = defineRoute({
  ...PURGE,
  path: "/api/v1/sparkplug/certificates/{group}/{node}",
  summary: "Remove the births that are kept of an Edge Node and its Devices",
});

const PURGE_DEVICE = defineRoute({
  ...PURGE,
  path: "/api/v1/sparkplug/certificates/{group}/{node}/{device}",
  summary: "Remove the birth that is kept of a Device",
});

/** The definitions. */
export const BIRTH_DEFINITIONS = [
  NODE_VALUES,
  DEVICE_VALUES,
  BIRTH,
  CERTIFICATES,
  PURGE_GROUP,
  PURGE_NODE,
  PURGE_DEVICE,
] as const;

/** Whose birth or values are wanted. */
export interface BirthName {
  readonly group: string;
  readonly node: string;
  readonly device: string | null;
}

/** Which births are meant: all that are not told apart. */
export interface BirthSelection {
  readonly group: string;
  readonly node?: string;
  readonly device?: string;
}

/** What the routes show and change. */
export interface BirthView {
  /** Null if values are not kept, or there is nobody of this name; `unfit` for a bad cursor. */
  readonly values: (
    name: BirthName,
    query: PageQuery & { readonly search: string },
  ) => ApiValues | null | "unfit";
  /** As it came; null if it is not kept. */
  readonly birth: (name: BirthName) => Uint8Array | null;
  /** As JSON, or why it cannot be read. */
  readonly decoded: (
    birth: Uint8Array,
  ) => Promise<{ readonly json: unknown } | { problem: string }>;
  readonly certificates: (
    query: PageQuery & { readonly group: string | undefined; readonly node: string | undefined },
  ) => Page<ApiBirth> | null;
  /** Gives how many were removed; null if that is not written down in time. */
  readonly purge: (of: BirthSelection, announce: boolean) => Promise<number | null>;
}

/** The routes. */
export function birthRoutes(view: BirthView): readonly ApiRoute[] {
  function values(name: BirthName, query: PageQuery & { readonly search: string }) {
    const found = view.values(name, query);
    if (found === "unfit") return problem(400, "cursor is none of ours");
    return found ?? problem(404, "nothing is known of it, or sparkplug.last_values is off");
  }
  async function purge(of: BirthSelection, { announce }: { readonly announce: boolean }) {
    const names = [of.group, of.node ?? "", of.device ?? ""];
    // They would be wildcards, or levels.
    if (names.some((name) => /[+#/\0]/.test(name))) return problem(400, "a name has none of + # /");
    const removed = await view.purge(of, announce);
    return removed === null ? notWritten() : { removed };
  }
  return [
    serve(NODE_VALUES, ({ params, query }) => values({ ...params, device: null }, query)),
    serve(DEVICE_VALUES, ({ params, query }) => values(params, query)),
    serve(BIRTH, async ({ params, query: { device = null, format } }) => {
      const birth = view.birth({ ...params, device });
      if (birth === null) return problem(404, "no birth of it is kept");
      if (format === "protobuf") {
        return new Response(birth.slice(), {
          headers: {
            "content-type": "application/x-protobuf",
            "content-disposition": 'attachment; filename="birth.pb"',
          },
        });
      }
      const decoded = await view.decoded(birth);
      return "problem" in decoded ? problem(422, decoded.problem) : decoded.json;
    }),
    serve(
      CERTIFICATES,
      ({ query }) => view.certificates(query) ?? problem(400, "cursor is none of ours"),
    ),
    serve(PURGE_GROUP, ({ params, query }) => purge(params, query)),
    serve(PURGE_NODE, ({ params, query }) => purge(params, query)),
    serve(PURGE_DEVICE, ({ params, query }) => purge(params, query)),
  ];
}
