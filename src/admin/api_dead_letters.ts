/** Messages that the broker had to give up: seen, published after all, or forgotten. */
import { notWritten, PAYLOAD, PREVIEW } from "./api_views.ts";
import type { Caller } from "./caller.ts";
import { type Page, PAGE_QUERY, pageOf, type PageQuery } from "./paging.ts";
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import {
  boolean,
  dateTime,
  integer,
  list,
  object,
  optional,
  text,
  type ValueOf,
  withDefault,
} from "./schema.ts";

/** Identifiers that one request may name. */
const IDS_MAX = 1_000;

const LETTER = {
  id: integer({ min: 1 }),
  time: dateTime(),
  reason: text(),
  topic: text(),
  qos: integer({ min: 0, max: 2 }),
  retain: boolean(),
  publisher: text({ description: "Client Identifier; empty if it is not known, or the server." }),
  session: text({ description: "Client that does not get it; empty if nobody does." }),
} as const;
const LISTED = object({ ...LETTER, ...PREVIEW });
/** A dead letter as lists show it. */
export type ApiDeadLetter = ValueOf<typeof LISTED>;
const WHOLE = object({ ...LETTER, ...PAYLOAD });
/** A dead letter with its payload. */
export type ApiDeadLetterDetails = ValueOf<typeof WHOLE>;

const FILTERS = {
  reason: optional(text({ description: "Given up for this reason." })),
  topic: optional(text({ description: "A topic that matches this Topic Filter." })),
  client_id: optional(
    text({ description: "Of this client, whether it published or was to get it." }),
  ),
  publisher: optional(text({ description: "Published by this client." })),
  session: optional(text({ description: "Not delivered to this client." })),
  since: optional(text({ description: "At this time or later." })),
  until: optional(text({ description: "Before this time." })),
} as const;
const SELECTION = object(FILTERS);
/** Which ones are meant, as it is written. */
export type ApiLetterFilters = ValueOf<typeof SELECTION>;

const ALL = withDefault(boolean("All of them, without any filter."), false);
const IDS = list(integer({ min: 1 }), { itemsMax: IDS_MAX });

const LIST = defineRoute({
  method: "GET",
  path: "/api/v1/dead-letters",
  role: "read",
  tag: "dead letters",
  summary: "Dead letters, the newest first",
  query: { ...PAGE_QUERY, ...FILTERS },
  answer: pageOf(LISTED),
  problems: [503],
});

const GET = defineRoute({
  method: "GET",
  path: "/api/v1/dead-letters/{id}",
  role: "read",
  tag: "dead letters",
  summary: "A dead letter with its payload",
  answer: WHOLE,
  problems: [404, 503],
});

const REPLAY = defineRoute({
  method: "POST",
  path: "/api/v1/dead-letters/replay",
  role: "operate",
  tag: "dead letters",
  summary: "Publish dead letters, on their topic or another, and forget them: each once",
  body: object({
    ids: optional(IDS),
    filter: optional(SELECTION),
    all: ALL,
    to: optional(text({ description: "Publish on this topic instead." })),
  }),
  answer: object({
    replayed: integer(),
    left: integer({
      description: "Those that cannot be published: too large, or on a topic of the server's.",
    }),
  }),
  problems: [422, 503],
});

const PURGE = defineRoute({
  method: "DELETE",
  path: "/api/v1/dead-letters",
  role: "admin",
  tag: "dead letters",
  summary: "Forget dead letters for good",
  query: {
    ...FILTERS,
    ids: optional(
      text({ pattern: "^[0-9]+(,[0-9]+)*$", description: "Numbers with commas between." }),
    ),
    all: ALL,
  },
  answer: object({ purged: integer() }),
  problems: [422, 503],
});

/** The definitions. */
export const DEAD_LETTER_DEFINITIONS = [LIST, GET, REPLAY, PURGE] as const;

/** Which ones a change is about: an empty choice is a mistake that nobody should have to make. */
export interface ApiLetterChoice {
  readonly ids: readonly number[] | undefined;
  readonly filters: Partial<ApiLetterFilters>;
}

/** What is wrong with what was asked for, or what cannot be done at present. */
export interface LetterProblem {
  readonly problem: string;
  /** 422: with the request; 503: with the store. */
  readonly status: 400 | 422 | 503;
}

/** What the routes show and do. */
export interface DeadLettersView {
  readonly list: (
    filters: Partial<ApiLetterFilters>,
    page: PageQuery,
  ) => Promise<Page<ApiDeadLetter> | LetterProblem>;
  readonly get: (id: number) => Promise<ApiDeadLetterDetails | LetterProblem | null>;
  readonly replay: (
    choice: ApiLetterChoice,
    how: { to: string | undefined; caller: Caller },
  ) => Promise<{ replayed: number; left: number; committed: boolean } | LetterProblem>;
  readonly purge: (
    choice: ApiLetterChoice,
    caller: Caller,
  ) => Promise<{ purged: number; committed: boolean } | LetterProblem>;
}

/** The routes. */
export function deadLetterRoutes(view: DeadLettersView): readonly ApiRoute[] {
  return [
    serve(LIST, async ({ query: { limit, cursor, ...filters } }) => {
      const page = await view.list(filters, { limit, cursor });
      return "problem" in page ? problem(page.status, page.problem) : page;
    }),
    serve(GET, async ({ params: { id } }) => {
      const letter = /^[1-9][0-9]{0,15}$/.test(id) ? await view.get(Number(id)) : null;
      if (letter === null) return problem(404, "there is no such dead letter");
      return "problem" in letter ? problem(letter.status, letter.problem) : letter;
    }),
    serve(REPLAY, async ({ body: { ids, filter = {}, all, to }, caller, concerns }) => {
      const choice = { ids, filters: filter };
      concerns(`${textOf(choice)}${to === undefined ? "" : ` to ${to}`}`);
      if (!all && !chooses(choice)) return problem(422, "say which: ids, filter, or all");
      const done = await view.replay(choice, { to, caller });
      if ("problem" in done) return problem(done.status, done.problem);
      const { replayed, left, committed } = done;
      return committed ? { replayed, left } : notWritten();
    }),
    serve(PURGE, async ({ query: { ids: written, all, ...filters }, caller, concerns }) => {
      const ids = written?.split(",").map(Number);
      concerns(textOf({ ids, filters }));
      if ((ids?.length ?? 0) > IDS_MAX) return problem(422, `ids: ${IDS_MAX} at most`);
      if (!all && !chooses({ ids, filters })) {
        return problem(422, "say which: ids, filters, or all");
      }
      const done = await view.purge({ ids, filters }, caller);
      if ("problem" in done) return problem(done.status, done.problem);
      return done.committed ? { purged: done.purged } : notWritten();
    }),
  ];
}

function chooses({ ids, filters }: ApiLetterChoice): boolean {
  return ids !== undefined || Object.values(filters).some((filter) => filter !== undefined);
}

/** A choice as the audit log tells it. */
function textOf({ ids, filters }: ApiLetterChoice): string {
  const given = Object.entries({ ids: ids?.join(","), ...filters }).filter(([, value]) =>
    value !== undefined
  );
  return given.map(([name, value]) => `${name}=${value}`).join(" ") || "all";
}
