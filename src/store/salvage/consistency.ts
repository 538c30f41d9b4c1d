/**
 * Makes rescued rows say the same: what refers to something that is lost goes, what stands twice is
 * decided, and messages that nobody is left for are handed out.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Qos } from "../../mqtt/mod.ts";
import { topicEnd } from "./row_shapes.ts";
import type { TableTally } from "./salvage.ts";

const ORPHANS_MAX = 10_000;
const ORPHAN_BYTES_MAX = 16_777_216;

/** A message that was rescued, but not the session it was for. */
export interface OrphanMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: Qos;
}

const HAS_SESSION = "session IN (SELECT key FROM session)";
const HAS_MESSAGE = "message IN (SELECT id FROM message)";

/** Rows of a table that are known to have been there, because others refer to them. */
const MISSING: Readonly<Record<string, string>> = {
  session: "SELECT count(*) AS count FROM (SELECT session FROM delivery UNION" +
    " SELECT session FROM subscription UNION SELECT session FROM receiving)" +
    ` WHERE NOT ${HAS_SESSION}`,
  message: `SELECT count(DISTINCT message) AS count FROM delivery WHERE NOT ${HAS_MESSAGE}`,
};

/** In this order: the sessions decide about the deliveries, and they about the messages. */
const REMOVALS: readonly (readonly [table: string, condition: string])[] = [
  ["subscription", `NOT ${HAS_SESSION}`],
  ["receiving", `NOT ${HAS_SESSION}`],
  ["delivery", `NOT ${HAS_SESSION}`],
  ["delivery", `NOT ${HAS_MESSAGE}`],
  ["message", "id NOT IN (SELECT message FROM delivery)"],
];

/** A message may still have other deliveries, to sessions that were rescued. */
const ORPHANS = `SELECT qos, body FROM message WHERE id NOT IN (SELECT message FROM delivery)
  OR id IN (SELECT message FROM delivery WHERE NOT ${HAS_SESSION}) ORDER BY id`;

/**
 * Packet Identifiers that a session uses more than once. The first row of each keeps it: one that
 * waits for PUBCOMP before others, then the oldest.
 */
const SAME_PACKET_ID = `SELECT session, sequence, released, row_number() OVER
    (PARTITION BY session, packet_id ORDER BY released DESC, sequence) AS place
  FROM delivery WHERE packet_id > 0 AND (session, packet_id) IN (
    SELECT session, packet_id FROM delivery WHERE packet_id > 0
    GROUP BY session, packet_id HAVING count(*) > 1)`;

/** Removes and repairs rows, and counts what is lost in `tables`. */
export function makeConsistent(
  database: DatabaseSync,
  tables: Readonly<Record<string, TableTally>>,
): { orphans: OrphanMessage[]; orphansLeftOut: number } {
  for (const [table, query] of Object.entries(MISSING)) {
    const tally = tables[table];
    const missing = Number(database.prepare(query).get()?.count);
    // The rows that could not be read may be the same.
    if (tally !== undefined) tally.lost = Math.max(tally.lost, missing);
  }
  decidePacketIds(database);
  // As in the migration: rows of version 1 do not say it.
  database.exec("UPDATE delivery SET sent = sequence WHERE packet_id > 0 AND sent = 0");
  const orphans = takeOrphans(database);
  for (const [table, condition] of REMOVALS) {
    const removed = Number(
      database.prepare(`DELETE FROM ${table} WHERE ${condition}`).run().changes,
    );
    const tally = tables[table];
    if (tally !== undefined) tally.lost += removed;
  }
  return orphans;
}

function decidePacketIds(database: DatabaseSync): void {
  const again = database.prepare(
    "UPDATE delivery SET packet_id = 0, sent = 0 WHERE session = ? AND sequence = ?",
  );
  const remove = database.prepare("DELETE FROM delivery WHERE session = ? AND sequence = ?");
  for (const row of database.prepare(SAME_PACKET_ID).all()) {
    if (Number(row.place) === 1) continue;
    // The receiver has a message that is released: what is left of it is the PUBREL, and that is
    // sent for the one that keeps the Packet Identifier.
    const statement = Number(row.released) === 1 ? remove : again;
    statement.run(Number(row.session), Number(row.sequence));
  }
}

function takeOrphans(database: DatabaseSync): { orphans: OrphanMessage[]; orphansLeftOut: number } {
  const orphans: OrphanMessage[] = [];
  let orphansLeftOut = 0;
  let bytes = 0;
  for (const { qos, body } of database.prepare(ORPHANS).iterate()) {
    const end = body instanceof Uint8Array ? topicEnd(body) : null;
    if (!(body instanceof Uint8Array) || end === null) continue;
    if (orphans.length >= ORPHANS_MAX || bytes + body.length > ORPHAN_BYTES_MAX) {
      orphansLeftOut++;
      continue;
    }
    bytes += body.length;
    const topic = new TextDecoder("utf-8", { ignoreBOM: true }).decode(body.subarray(2, end));
    orphans.push({ topic, payload: body.slice(end), qos: Number(qos) as Qos });
  }
  return { orphans, orphansLeftOut };
}
