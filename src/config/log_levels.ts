/** Levels of the log, room by room, as the configuration writes them. */
import { nearestName } from "./nearest_name.ts";
import { quote } from "./_text.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/** The rooms that have something to say. */
const ROOMS = [
  "broker",
  "security",
  "store",
  "system",
  "transport",
  "sparkplug",
  "admin",
  "server",
] as const;

type Level = typeof LEVELS[number];

/** Levels of those rooms that have one of their own. */
export type LogLevels = { readonly [Room in typeof ROOMS[number]]?: Level };

/** Why a text names no levels. */
export interface LogLevelsProblem {
  readonly problem: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** Reads "room=level room=level", or says what is wrong with it. */
export function parseLogLevels(text: string): LogLevels | LogLevelsProblem {
  const levels: Partial<Record<typeof ROOMS[number], Level>> = {};
  for (const word of text.split(/\s+/).filter((word) => word !== "")) {
    const [name = "", value, ...rest] = word.split("=");
    if (value === undefined || rest.length > 0) {
      return { problem: `${quote(word)} is not "room=level"` };
    }
    const room = ROOMS.find((known) => known === name);
    if (room === undefined) return unknown("room", { word: name, known: ROOMS });
    const level = LEVELS.find((known) => known === value);
    if (level === undefined) return unknown("level", { word: value, known: LEVELS });
    if (levels[room] !== undefined) return { problem: `room "${room}" has two levels` };
    levels[room] = level;
  }
  return levels;
}

function unknown(
  what: string,
  { word, known }: { word: string; known: readonly string[] },
): LogLevelsProblem {
  const suggestion = nearestName(word.toLowerCase(), known);
  const problem = `${quote(word)} is no ${what} of the log: ${known.join(", ")}`;
  return suggestion === undefined ? { problem } : { problem, suggestion };
}
