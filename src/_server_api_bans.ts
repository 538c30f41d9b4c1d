/** What the admin API shows of bans, and does with them. */
import type { BanFile } from "./_server_bans.ts";
import type { Reception } from "./_server_reception.ts";
import type { Turns } from "./_server_turns.ts";
import type { ApiBan, BansView } from "./admin/mod.ts";
import { type Ban, banId, quote } from "./security/mod.ts";

/** Shows who is kept out, and changes that. */
export function bansView(
  turns: Turns,
  { bans, reception }: { bans: BanFile; reception: Reception },
): BansView {
  const { list } = bans;
  return {
    list: () => list.values().map(apiBan),
    async add({ kind, value, seconds = null, reason }, caller) {
      const id = banId(kind, value);
      if (typeof id === "object") return id;
      const sinceMs = turns.instant().wallMs;
      const untilMs = seconds === null ? null : sinceMs + seconds * 1000;
      const ban: Ban = { id, kind, value, untilMs, sinceMs, reason, by: caller.name };
      const adding = bans.add(ban); // it holds from here on, whatever becomes of the file
      const disconnected = list.get(id) === ban
        ? reception.expel((connection) => list.banOf(connection) !== null)
        : 0;
      const added = await adding;
      if ("problem" in added) return added;
      const why = reason === "" ? "" : ` reason=${quote(reason)}`;
      const howLong = seconds === null ? "for good" : `for_s=${seconds}`;
      const text = `banned by ${quote(caller.name)}: ${kind}=${quote(value)} ${howLong}${why}`;
      turns.log.line("warn", text, { room: "security" });
      return { ban: { ...apiBan(ban), disconnected }, notKept: added.notKept };
    },
    async remove(id, caller) {
      const ban = list.get(id);
      const removed = await bans.remove(id);
      if (ban === undefined || removed === undefined) return undefined;
      const text = `ban lifted by ${quote(caller.name)}: ${ban.kind}=${quote(ban.value)}`;
      turns.log.line("warn", text, { room: "security" });
      return removed;
    },
  };
}

function apiBan({ id, kind, value, reason, by, sinceMs, untilMs }: Ban): ApiBan {
  const since = new Date(sinceMs).toISOString();
  const until = untilMs === null ? null : new Date(untilMs).toISOString();
  return { id, kind, value, reason, by, since, until };
}
