/** Everything that is committed, as the changes that would make it. */
import type { DatabaseSync } from "node:sqlite";
import type { Qos } from "../mqtt/mod.ts";
import type { ChangeSink, DeadLetterRow, WillRow } from "./sqlite_changes.ts";
import { StoreError } from "./sqlite_problem.ts";

/** A row of a query; names and types are those of the schema. */
type Row = Readonly<Record<string, unknown>>;

/** Rows that are read at once, and of tables whose rows may be large: stepping one by one is slow. */
const PAGE_ROWS = 1024;
const LARGE_ROWS = 32;

/** A table and the key by which it is read. */
interface Table {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns?: string;
  readonly pageRows?: number;
}

const TABLES = {
  session: { name: "session", key: ["key"] },
  subscription: { name: "subscription", key: ["session", "filter"] },
  receiving: { name: "receiving", key: ["session", "packet_id"] },
  message: { name: "message", key: ["id"], pageRows: LARGE_ROWS },
  delivery: { name: "delivery", key: ["session", "sequence"] },
  retained: { name: "retained", key: ["topic"], pageRows: LARGE_ROWS },
  will: { name: "will", key: ["client"], pageRows: LARGE_ROWS },
  publication: { name: "publication", key: ["id"], pageRows: LARGE_ROWS },
  deadLetter: { name: "dead_letter", key: ["id"], columns: "id, age_s, bytes" },
  clock: { name: "clock", key: ["one"] },
  edgeNode: { name: "edge_node", key: ["edge_node"] },
} as const satisfies Record<string, Table>;

/**
 * Writes all of it to `sink`; yields now and then, so that the caller can take what is there. Throws
 * StoreError, kind damaged, on rows that make no sense.
 */
export function* writeState(database: DatabaseSync, sink: ChangeSink): Generator<Row> {
  yield* writeSessions(database, sink);
  yield* writeDeliveries(database, sink);
  yield* writeRest(database, sink);
}

function* writeSessions(database: DatabaseSync, sink: ChangeSink): Generator<Row> {
  for (const row of rows(database, TABLES.session)) {
    sink.sessionCreated(row.key as number, {
      client: row.client as string,
      storedSinceMs: row.stored_since_ms as number,
      owner: row.owner as string,
    });
    yield row;
  }
  for (const row of rows(database, TABLES.subscription)) {
    const { filter, qos, replay } = row;
    const replayPending = replay === 1;
    sink.subscribed(row.session as number, {
      filter: filter as string,
      qos: qos as Qos,
      replayPending,
    });
    yield row;
  }
  for (const row of rows(database, TABLES.receiving)) {
    sink.receiveStarted(row.session as number, row.packet_id as number);
    yield row;
  }
}

function* writeDeliveries(database: DatabaseSync, sink: ChangeSink): Generator<Row> {
  for (const row of rows(database, TABLES.message)) {
    const body = row.body as Uint8Array;
    const topicEnd = 2 + ((body[0] ?? 0) << 8) + (body[1] ?? 0);
    if (topicEnd > body.length) {
      throw new StoreError("damaged", `message ${row.id}: Topic Name cut off`);
    }
    sink.message(row.id as number, { qos: row.qos as Qos, body });
    yield row;
  }
  for (const row of rows(database, TABLES.delivery)) {
    sink.deliveryAdded(row.session as number, {
      sequence: row.sequence as number,
      message: row.message as number,
      qos: row.qos as Qos,
      retain: row.retain === 1,
      packetId: row.packet_id as number,
      released: row.released === 1,
      sent: row.sent as number,
      queuedS: row.queued_s as number,
    });
    yield row;
  }
}

function* writeRest(database: DatabaseSync, sink: ChangeSink): Generator<Row> {
  for (const row of rows(database, TABLES.retained)) {
    sink.retainedSet(row.topic as string, {
      qos: row.qos as Qos,
      payload: row.payload as Uint8Array,
      atS: row.at_s as number,
    });
    yield row;
  }
  for (const row of rows(database, TABLES.will)) {
    sink.willSet(row.client as string, { ...willOf(row), owner: row.owner as string | null });
    yield row;
  }
  for (const row of rows(database, TABLES.publication)) {
    sink.publication(row.id as number, willOf(row));
    yield row;
  }
  for (const row of rows(database, TABLES.deadLetter)) {
    sink.deadLetterAdded(row.id as number, deadLetterOf(row));
    yield row;
  }
  for (const row of rows(database, TABLES.clock)) {
    sink.clockSaved({ ageMs: row.age_ms as number, wallMs: row.wall_ms as number });
    yield row;
  }
  for (const row of rows(database, TABLES.edgeNode)) {
    sink.bdSeqSeen(row.edge_node as string, row.bd_seq as number);
    yield row;
  }
}

function willOf(row: Row): WillRow {
  return {
    topic: row.topic as string,
    qos: row.qos as Qos,
    retain: row.retain === 1,
    payload: row.payload as Uint8Array,
  };
}

/** Only what the bounds are about; nobody needs the rest of them in memory. */
function deadLetterOf(row: Row): DeadLetterRow {
  const nothing = { reason: "", publisher: "", session: "", qos: 0, retain: false } as const;
  const body = new Uint8Array(0);
  const bounds = { wallMs: 0, ageS: row.age_s as number, bytes: row.bytes as number };
  return { ...nothing, ...bounds, body };
}

function* rows(database: DatabaseSync, table: Table): Generator<Row> {
  const { name, key, columns = "*", pageRows = PAGE_ROWS } = table;
  const order = key.join(", ");
  const marks = key.map(() => "?").join(", ");
  const rest = `ORDER BY ${order} LIMIT ${pageRows}`;
  const following = database.prepare(
    `SELECT ${columns} FROM ${name} WHERE (${order}) > (${marks}) ${rest}`,
  );
  let page = database.prepare(`SELECT ${columns} FROM ${name} ${rest}`).all();
  while (page.length > 0) {
    yield* page;
    const last = page.at(-1)!;
    page = page.length < pageRows ? [] : following.all(...key.map((column) => last[column]!));
  }
}
