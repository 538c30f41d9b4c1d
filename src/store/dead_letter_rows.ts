/** Dead letters as rows of the database. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { Qos, TopicName } from "../mqtt/mod.ts";
import { type LetterPage, type LetterQuery, type LetterView, pageOf } from "./dead_letter_look.ts";
import type { DeadLetterSelection, StoredLetter } from "./dead_letter_selection.ts";

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
/** Length bytes and Topic Name at most. */
const TOPIC_BYTES_MAX = 2 + 65_535;
const COLUMNS = "id, reason, wall_ms, publisher, session, qos, retain";

/** Looks at the dead letters of an open database. */
export function lookAtRows(database: DatabaseSync, query: LetterQuery): LetterPage {
  const { selection, behind, newestFirst, payloadBytesMax } = query;
  const { where, values } = conditions(selection);
  const order = newestFirst ? "DESC" : "ASC";
  const from = behind === null ? "" : ` AND id ${newestFirst ? "<" : ">"} ?`;
  const rows = database.prepare(
    `SELECT ${COLUMNS}, length(body) AS body_bytes, substr(body, 1, ?) AS body` +
      ` FROM dead_letter WHERE ${where}${from} ORDER BY id ${order}`,
  ).iterate(
    TOPIC_BYTES_MAX + payloadBytesMax,
    ...values,
    ...behind === null ? [] : [behind],
  );
  return pageOf(views(rows, payloadBytesMax), query);
}

function* views(
  rows: Iterable<Record<string, unknown>>,
  payloadBytesMax: number,
): Generator<LetterView> {
  for (const row of rows) {
    const letter = letterOf(row);
    const topicBytes = (row.body as Uint8Array).length - letter.payload.length;
    const payloadBytes = Number(row.body_bytes) - topicBytes;
    yield { ...letter, payload: letter.payload.slice(0, payloadBytesMax), payloadBytes };
  }
}

/** The part of a selection that the database judges, as the condition of a query. */
export function conditions(
  selection: DeadLetterSelection,
): { where: string; values: SQLInputValue[] } {
  const { ids, reason, publisher, session, client, sinceMs, untilMs } = selection;
  const wanted: [string, SQLInputValue | undefined][] = [
    ["reason = ?", reason],
    ["publisher = ?", publisher],
    ["session = ?", session],
    ["? IN (publisher, session)", client],
    ["wall_ms >= ?", sinceMs],
    ["wall_ms < ?", untilMs],
  ];
  const given = wanted.filter(([, value]) => value !== undefined);
  const where = given.map(([condition]) => condition);
  const values = given.map(([, value]) => value!);
  if (ids !== undefined) {
    where.push(`id IN (${ids.map(() => "?").join(", ")})`);
    values.push(...ids);
  }
  return { where: where.length === 0 ? "1" : where.join(" AND "), values };
}

/** A row with the whole body, or enough of it for its topic. */
export function letterOf(row: Record<string, unknown>): StoredLetter {
  const body = row.body as Uint8Array;
  const topicEnd = 2 + (body[0]! << 8) + body[1]!;
  return {
    id: row.id as number,
    reason: row.reason as string,
    wallMs: row.wall_ms as number,
    publisher: row.publisher as string,
    session: row.session as string,
    topic: DECODER.decode(body.subarray(2, topicEnd)) as TopicName,
    qos: row.qos as Qos,
    retain: row.retain === 1,
    payload: body.slice(topicEnd),
  };
}
