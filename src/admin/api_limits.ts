/** The bounds of the broker, and its configuration. */
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import { anything, integer, list, nullable, object, record, text, type ValueOf } from "./schema.ts";

const LIMIT = object({
  name: text(),
  key: nullable(text({ description: "In the configuration; null for a fixed one." })),
  unit: text(),
  limit: nullable(integer({ description: "Null for none." })),
  used: nullable(integer({ description: "Null where nothing is kept of it." })),
  refused: nullable(integer({ description: "How often there was no room, since the start." })),
});
/** One bound. */
export type ApiLimit = ValueOf<typeof LIMIT>;

const LIMITS = defineRoute({
  method: "GET",
  path: "/api/v1/limits",
  role: "read",
  tag: "limits",
  summary: "Each bound: how much of it is in use, and how often there was no room",
  answer: object({ items: list(LIMIT) }),
});

const CONFIG = defineRoute({
  method: "GET",
  path: "/api/v1/config",
  role: "admin",
  tag: "config",
  summary: 'The configuration in effect, by table and key; secrets are "***"',
  answer: record(anything("A table, or a list of them for [[listeners]].")),
});

/** The definitions. */
export const LIMIT_DEFINITIONS = [LIMITS, CONFIG] as const;

/** What the routes show. */
export interface LimitView {
  readonly limits: () => readonly ApiLimit[];
  readonly config: () => Readonly<Record<string, unknown>>;
}

/** The routes. */
export function limitRoutes({ limits, config }: LimitView): readonly ApiRoute[] {
  return [serve(LIMITS, () => ({ items: limits() })), serve(CONFIG, () => config())];
}
