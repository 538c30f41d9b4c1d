/** The configuration and the files it names, read again. */
import { problem } from "./problem.ts";
import { type ApiRoute, defineRoute, serve } from "./route.ts";
import { list, object, text } from "./schema.ts";

const RELOAD = defineRoute({
  method: "POST",
  path: "/api/v1/reload",
  role: "admin",
  tag: "configuration",
  summary: "Reads the configuration and all its files again, as SIGHUP does",
  answer: object({
    applied: list(text({ description: "A key that holds now and did not before." })),
    needs_restart: list(text({ description: "A key that holds from the next start on." })),
  }),
  problems: [422],
});

/** The definitions. */
export const RELOAD_DEFINITIONS = [RELOAD] as const;

/** What came of it. */
export interface ReloadOutcome {
  readonly applied: readonly string[];
  readonly needsRestart: readonly string[];
  /** What is wrong; nothing was changed then. */
  readonly problems: readonly string[];
}

/** The routes. */
export function reloadRoutes(reload: () => Promise<ReloadOutcome>): readonly ApiRoute[] {
  return [
    serve(RELOAD, async () => {
      const { applied, needsRestart, problems } = await reload();
      if (problems.length === 0) {
        return { applied: [...applied], needs_restart: [...needsRestart] };
      }
      const detail = "the configuration has mistakes, nothing is changed";
      return problem(422, detail, { more: { problems } });
    }),
  ];
}
