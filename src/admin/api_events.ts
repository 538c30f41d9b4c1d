/** What happens, as it happens: server-sent events. */
import { EVENT_TOPICS, type EventHub, type EventTopic } from "./event_hub.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import { text, withDefault } from "./schema.ts";

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
