/** One line of the log, as people and as programs read it. */

/** Levels, least important first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** A level of the log. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Where lines come from. */
export const LOG_ROOMS = [
  "broker",
  "security",
  "store",
  "system",
  "transport",
  "sparkplug",
  "admin",
  "server",
] as const;

/** One of these. */
export type LogRoom = typeof LOG_ROOMS[number];

/** What a line is about, for programs; people find it in the text. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

/** A line before it is written. */
export interface LogLine {
  readonly wallMs: number;
  readonly level: LogLevel;
  readonly room: LogRoom;
  readonly text: string;
  readonly fields: LogFields;
}

/** How lines look. */
export interface LogStyle {
  readonly format: "text" | "json";
  /** Whether each begins with its priority, as journald takes it. */
  readonly priorities: boolean;
}

/** Priorities of `syslog(3)`. */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** Writes a line, with its end. */
export function formatLogLine(line: LogLine, { format, priorities }: LogStyle): string {
  const prefix = priorities ? `<${PRIORITIES[line.level]}>` : "";
  const time = new Date(line.wallMs).toISOString();
  const { level, room, text, fields } = line;
  if (format === "text") return `${prefix}${time} ${level.padEnd(5)} ${escapeControls(text)}\n`;
  const json = JSON.stringify({ time, level, room, ...fields, text }, (_, value) => shorten(value));
  return `${prefix}${escapeControls(json)}\n`;
}

/** The line that stands for lines that were lost on their way. */
export function formatLostLines(
  { lost, reason, wallMs }: { lost: number; reason: string; wallMs: number },
  style: LogStyle,
): string {
  const text = `log: lost ${lost.toLocaleString("en-US")} lines: ${reason}`;
  const origin = { level: "warn", room: "system" } as const;
  return formatLogLine({ wallMs, ...origin, text, fields: { lost, reason } }, style);
}

/** Characters of a text in JSON at most: clients may have very long names. */
const TEXT_LENGTH_MAX = 1_024;

function shorten(value: unknown): unknown {
  const isLong = typeof value === "string" && value.length > TEXT_LENGTH_MAX;
  return isLong ? `${value.slice(0, TEXT_LENGTH_MAX)}…` : value;
}

/** Control characters, and those that are not seen or turn the text around them. */
const CONTROLS = /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

/** No text ends a line before its end, shows a part elsewhere, or reaches a terminal with a control sequence. */
function escapeControls(text: string): string {
  return text.replace(CONTROLS, escapeControl);
}

function escapeControl(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
