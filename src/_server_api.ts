/** The admin API of a running broker: what it shows, and what it changes. One line for each part. */
import type { Turns } from "./_server_turns.ts";
import { type ApiLogLine, type ApiRoute, EventHub, eventRoutes, logRoutes } from "./admin/mod.ts";
import type { Config } from "./config/mod.ts";
import { LOG_ROOMS, type LogLine, LogRing, type LogRoom, type NumberedLine } from "./system/mod.ts";

/** What the routes are made of. */
export interface ApiSurroundings {
  readonly config: Config;
  readonly turns: Turns;
}

/** Lines of the log that are kept. */
const LINES_MAX = 1_000;

/** What goes on, for those who listen; nothing is kept where nobody can. */
export class ApiSide {
  readonly hub = new EventHub();
  readonly #ring: LogRing | null;

  constructor({ admin }: Config) {
    this.#ring = admin.address === "" ? null : new LogRing(LINES_MAX);
  }

  /** A line of the log. */
  lineSeen(line: LogLine): void {
    const numbered = this.#ring?.add(line);
    if (numbered !== undefined && this.hub.wants("log")) {
      this.hub.publish("log", "log", apiLine(numbered));
    }
  }

  /** All routes. */
  routes({ turns: { log } }: ApiSurroundings): readonly ApiRoute[] {
    return [
      ...logRoutes({
        lines: () => (this.#ring?.lines ?? []).map(apiLine),
        rooms: LOG_ROOMS,
        levels: () => log.levels,
        setLevel: (room, level) => {
          const { level: all, levels } = log.levels;
          if (room === null) log.levels = { level: level ?? all, levels };
          else {
            const { [room as LogRoom]: _, ...others } = levels;
            log.levels = {
              level: all,
              levels: level === null ? others : { ...others, [room]: level },
            };
          }
        },
      }),
      ...eventRoutes(this.hub),
    ];
  }
}

function apiLine({ number, wallMs, level, room, text, fields }: NumberedLine): ApiLogLine {
  return { number, time: new Date(wallMs).toISOString(), level, room, text, fields };
}
