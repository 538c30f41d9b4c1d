/** The log: its last lines, and its levels. */
import { type Page, PAGE_QUERY, pageOf, type PageQuery } from "./paging.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  anything,
  dateTime,
  integer,
  list,
  nullable,
  object,
  oneOf,
  optional,
  record,
  text,
  type ValueOf,
} from "./schema.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
type Level = typeof LEVELS[number];

/** A line of the log; also the data of `event: log`. */
export const LINE = object({
  number: integer({ description: "Rises by one from line to line; from 1 at the start." }),
  time: dateTime(),
  level: oneOf(LEVELS),
  room: text(),
  text: text(),
  fields: record(anything(), "What the line is about, for programs."),
});
/** A line as the API tells it. */
export type ApiLogLine = ValueOf<typeof LINE>;

const LEVEL_LIST = object({
  level: oneOf(LEVELS, "Of all rooms without a level of their own."),
  rooms: list(object({ room: text(), level: oneOf(LEVELS), own: nullable(oneOf(LEVELS)) })),
});

const LOG = defineRoute({
  method: "GET",
  path: "/api/v1/log",
  role: "read",
  tag: "log",
  summary: "The last lines of the log, the newest first",
  query: {
    ...PAGE_QUERY,
    level: optional(oneOf(LEVELS, "This level and those above.")),
    room: optional(text({ lengthMax: 32 })),
    search: optional(text({ lengthMax: 256, description: "A part of the text." })),
  },
  answer: pageOf(LINE),
});

const LOG_LEVELS = defineRoute({
  method: "GET",
  path: "/api/v1/log/levels",
  role: "read",
  tag: "log",
  summary: "The level of every room of the log",
  answer: LEVEL_LIST,
});

const SET_LOG_LEVEL = defineRoute({
  method: "PUT",
  path: "/api/v1/log/levels/{room}",
  role: "admin",
  tag: "log",
  summary: "Another level for a room of the log, until the next start or reload",
  parameters: { room: 'A room, or "all" for those without a level of their own.' },
  body: object({
    level: nullable(oneOf(LEVELS, "Null gives a room the level of all again.")),
  }),
  answer: LEVEL_LIST,
  problems: [404],
});

/** The definitions. */
export const LOG_DEFINITIONS = [LOG, LOG_LEVELS, SET_LOG_LEVEL] as const;

/** What the routes read and set. */
export interface LogView {
  /** Lines that are kept, the oldest first. */
  readonly lines: () => readonly ApiLogLine[];
  readonly rooms: readonly string[];
  readonly levels: () => {
    readonly level: Level;
    readonly levels: Readonly<Record<string, Level | undefined>>;
  };
  /** Null as room stands for all that have none of their own; null as level takes that away. */
  readonly setLevel: (room: string | null, level: Level | null) => void;
}

/** The routes. */
export function logRoutes(view: LogView): readonly ApiRoute[] {
  function levels(): ValueOf<typeof LEVEL_LIST> {
    const { level, levels: own } = view.levels();
    return {
      level,
      rooms: view.rooms.map((room) => ({
        room,
        level: own[room] ?? level,
        own: own[room] ?? null,
      })),
    };
  }
  return [
    serve(LOG, ({ query }) => {
      const { level = "debug", room, search } = query;
      const least = LEVELS.indexOf(level);
      const lines = view.lines().filter((line) =>
        LEVELS.indexOf(line.level) >= least && (room === undefined || line.room === room) &&
        (search === undefined || line.text.toLowerCase().includes(search.toLowerCase()))
      );
      return pageOfLines(lines.reverse(), query) ?? problem(400, "cursor is none of ours");
    }),
    serve(LOG_LEVELS, levels),
    serve(SET_LOG_LEVEL, ({ params: { room }, body: { level } }) => {
      if (room === "all") {
        if (level === null) return problem(422, "level must not be null for all rooms");
        view.setLevel(null, level);
      } else if (view.rooms.includes(room)) view.setLevel(room, level);
      else return problem(404, `the rooms are ${view.rooms.join(", ")}, and all`);
      return levels();
    }),
  ];
}

/** By number, falling: lines that come meanwhile shift no page. */
function pageOfLines(
  lines: readonly ApiLogLine[],
  { limit, cursor }: PageQuery,
): Page<ApiLogLine> | null {
  if (cursor !== undefined && !/^[0-9]{1,15}$/.test(cursor)) return null;
  const rest = cursor === undefined ? lines : lines.filter(({ number }) => number < Number(cursor));
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  const next = rest.length > items.length && last !== undefined ? String(last.number) : null;
  return { items, next, total: lines.length };
}
