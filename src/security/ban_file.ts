/** Bans as the text of the file in which they survive the broker. */
import { type Ban, BAN_KINDS, BAN_VALUE_LENGTH_MAX, banId, type BanKind } from "./ban_list.ts";

const VERSION = 1;

/** A ban as it is written. */
interface WrittenBan {
  readonly kind: BanKind;
  readonly value: string;
  readonly until: string | null;
  readonly since: string;
  readonly reason: string;
  readonly by: string;
}

/** Writes bans. */
export function formatBans(bans: readonly Ban[]): string {
  const written = bans.map(({ kind, value, untilMs, sinceMs, reason, by }): WrittenBan => ({
    kind,
    value,
    until: untilMs === null ? null : new Date(untilMs).toISOString(),
    since: new Date(sinceMs).toISOString(),
    reason,
    by,
  }));
  return `${JSON.stringify({ version: VERSION, bans: written }, null, 1)}\n`;
}

/** Reads bans, or says what is wrong: to go on without them would let in who was kept out. */
export function parseBans(text: string): readonly Ban[] | { readonly problem: string } {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { problem: "it is no JSON" };
  }
  if (!isRecord(document)) return { problem: "it is no object" };
  if (document["version"] !== VERSION) return { problem: `its version is not ${VERSION}` };
  const { bans: written } = document;
  if (!Array.isArray(written)) return { problem: "it has no list of bans" };
  const bans: Ban[] = [];
  for (const [index, one] of written.entries()) {
    const ban = readBan(one);
    if (ban === null) return { problem: `ban ${index + 1} is none` };
    bans.push(ban);
  }
  return bans;
}

function readBan(written: unknown): Ban | null {
  if (!isRecord(written)) return null;
  const { kind: word, value, until, since, reason, by } = written;
  const kind = BAN_KINDS.find((known) => known === word);
  const sinceMs = timeOf(since);
  const untilMs = until === null ? null : timeOf(until);
  if (kind === undefined || typeof value !== "string" || value.length > BAN_VALUE_LENGTH_MAX) {
    return null;
  }
  if (typeof reason !== "string" || typeof by !== "string") return null;
  if (sinceMs === undefined || untilMs === undefined) return null;
  const id = banId(kind, value);
  return typeof id === "string" ? { id, kind, value, untilMs, sinceMs, reason, by } : null;
}

function timeOf(written: unknown): number | undefined {
  const timeMs = typeof written === "string" ? Date.parse(written) : NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
