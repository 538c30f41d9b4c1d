/** What happens, as it happens: server-sent events. */
import { LINE } from "./api_log.ts";
import { STATISTICS } from "./api_status.ts";
import { EVENT_TOPICS, type EventHub, type EventTopic } from "./event_hub.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  boolean,
  dateTime,
  integer,
  list,
  nullable,
  object,
  oneOf,
  text,
  type ValueOf,
  withDefault,
} from "./schema.ts";

/** The data of `event: client`. */
const CLIENT = object({
  time: dateTime(),
  change: oneOf(["connected", "disconnected"]),
  client_id: text(),
  user: nullable(text()),
  address: text({ description: "With its port." }),
  listener: text(),
  cause: nullable(text({ description: "Why it was disconnected." })),
  resumed: nullable(boolean("Whether it has its session of before; of who has connected.")),
});
/** A client that came or went. */
export type ApiClientEvent = ValueOf<typeof CLIENT>;

const EVENTS = defineRoute({
  method: "GET",
  path: "/api/v1/events",
  role: "read",
  tag: "events",
  summary: "Server-sent events: statistics once a second, lines of the log, clients, Sparkplug",
  query: {
    topics: withDefault(
      text({ lengthMax: 256, description: `Of ${EVENT_TOPICS.join(", ")}; with commas between.` }),
      EVENT_TOPICS[0],
    ),
  },
  media: ["text/event-stream"],
  events: {
    hello: object({ topics: list(oneOf(EVENT_TOPICS)) }, "The stream has begun."),
    lost: object({ events: integer() }, "So many came too fast for this reader."),
    statistics: STATISTICS,
    log: LINE,
    client: CLIENT,
    clients_untold: object({ count: integer() }, "So many more of this second are not told."),
  },
  problems: [503],
});

/** The definitions. */
export const EVENT_DEFINITIONS = [EVENTS] as const;

/** The routes. */
export function eventRoutes(hub: EventHub): readonly ApiRoute[] {
  return [
    serve(EVENTS, ({ query, caller }) => {
      const topics: EventTopic[] = [];
      for (const word of query.topics.split(",")) {
        const topic = EVENT_TOPICS.find((known) => known === word);
        if (topic === undefined) {
          return problem(400, `topics: each must be one of ${EVENT_TOPICS.join(", ")}`);
        }
        topics.push(topic);
      }
      return hub.open(topics, caller);
    }),
  ];
}
