/**
 * A database as a plant would have it, made by the real code, and the rows that are in one. Each
 * payload can be told from its beginning: what was rescued is right, or it is not.
 */
import { DatabaseSync } from "node:sqlite";
import { makeMessage } from "../../src/broker/mod.ts";
import type { Qos } from "../../src/mqtt/mod.ts";
import type { JournalRecord } from "../../src/store/mod.ts";
import { ChangeWriter } from "../../src/store/sqlite_change_writer.ts";
import { SqliteDatabase } from "../../src/store/sqlite_database.ts";
import { StoreNames, WriteGroup } from "../../src/store/sqlite_group.ts";
import { readState } from "../../src/store/sqlite_state_reader.ts";
import { filter, name, payload } from "../support/wire_client.ts";
import { Random } from "./_random_records.ts";
import { databasePath } from "./_sqlite.ts";

export const PAGE_BYTES = 4096;
/** Longer bodies go on in other pages, and nothing says whether those are right. */
export const INLINE_BYTES = 4000;
const SESSIONS = 30;
const BATCHES = 60;

/** Bytes of the files of a database, as a power cut would leave them. */
export interface PlantFiles {
  readonly main: Uint8Array<ArrayBuffer>;
  readonly wal: Uint8Array<ArrayBuffer>;
}

/** Rows by their keys. */
export interface PlantRows {
  readonly session: ReadonlyMap<string, string>;
  readonly subscription: ReadonlyMap<string, string>;
  readonly delivery: ReadonlyMap<string, string>;
  readonly message: ReadonlyMap<string, string>;
  readonly receiving: ReadonlyMap<string, string>;
  readonly retained: ReadonlyMap<string, string>;
  readonly will: ReadonlyMap<string, string>;
  readonly dead_letter: ReadonlyMap<string, string>;
  readonly publication: ReadonlyMap<string, string>;
  readonly clock: ReadonlyMap<string, string>;
  readonly edge_node: ReadonlyMap<string, string>;
}

/** A payload that says what it must be; some are long. */
export function plantPayload(number: number): string {
  const length = number % 40 === 0 ? 9000 + number % 9000 : number % 600;
  return `${number}:`.padEnd(length, `${number % 7}abcdef`);
}

/** Whether a payload is one of those. */
export function isPlantPayload(text: string): boolean {
  const number = Number(text.split(":", 1)[0]);
  return Number.isSafeInteger(number) && text === plantPayload(number);
}

/** Makes the files of a database; `keepLog` leaves much of it in the log. */
export function plantFiles(seed: number, { keepLog }: { keepLog: boolean }): PlantFiles {
  const path = databasePath();
  const database = SqliteDatabase.open(path, { walBytesMax: 262_144, durability: "commit" });
  const group = new WriteGroup(new StoreNames(readState([])));
  const random = new Random(seed);
  const records = plantRecords(random);
  for (let batch = 0; batch < BATCHES; batch++) {
    const writer = new ChangeWriter();
    for (const record of records[batch]!) group.add(record);
    group.writeTo(writer);
    database.commit(writer.take());
    if (!keepLog || batch < BATCHES / 2) database.checkpointIfDue();
  }
  if (!keepLog) database.close();
  const main = Deno.readFileSync(path);
  const wal = keepLog ? Deno.readFileSync(`${path}-wal`) : new Uint8Array();
  if (keepLog) database.close();
  return { main, wal };
}

function plantRecords(random: Random): JournalRecord[][] {
  const batches: JournalRecord[][] = [[]];
  const open: { clientIdentifier: string; sequence: number }[] = [];
  let sequence = 0;
  for (let index = 0; index < SESSIONS; index++) {
    const clientIdentifier = `press-${index}`;
    batches[0]!.push({ kind: "sessionCreated", clientIdentifier });
    for (let at = 0; at < 3; at++) {
      const topicFilter = filter(`line/${index}/${at}/#`);
      batches[0]!.push({ kind: "subscribed", clientIdentifier, filter: topicFilter, qos: 1 });
    }
    const will = { topic: name("gone"), payload: payload(plantPayload(index)), qos: 1 as const };
    batches[0]!.push({
      kind: "willSet",
      clientIdentifier,
      will: { ...will, retain: false },
      owner: index % 2 === 0 ? "" : `user ${clientIdentifier}`,
    });
  }
  for (let batch = 1; batch < BATCHES; batch++) {
    const records: JournalRecord[] = [];
    for (let count = 0; count < 50; count++) {
      const clientIdentifier = `press-${random.below(SESSIONS)}`;
      const number = ++sequence;
      const topic = `line/${number % 50}`;
      const message = makeMessage(topic, payload(plantPayload(number)), 1);
      const delivery = { clientIdentifier, sequence: number, message, retain: false, queuedS: 7 };
      const packetId = random.below(8) === 0 ? number : 0;
      const qos = 1 + random.below(2) as Qos;
      records.push({
        kind: "deliveryAdded",
        delivery: { ...delivery, packetId, sent: packetId, qos },
      });
      open.push({ clientIdentifier, sequence: number });
      if (count % 8 === 0) {
        const retained = name(`state/${random.below(200)}`);
        records.push({ kind: "retainedSet", topic: retained, message, atS: number });
      }
    }
    records.push({
      kind: "receiveStarted",
      clientIdentifier: `press-${batch % SESSIONS}`,
      packetId: batch,
    });
    const letter = { id: batch, reason: "queue-full-oldest", wallMs: 1.7e12, ageS: batch } as const;
    const who = { publisher: "p", session: `press-${batch % SESSIONS}` };
    const message = makeMessage("line/lost", payload(plantPayload(batch)), 1);
    records.push({
      kind: "deadLetterAdded",
      letter: { ...letter, ...who, message, qos: 1, retain: false, bytes: 100 },
    });
    records.push({ kind: "clockSaved", clock: { ageMs: batch, wallMs: 1.7e12 } });
    records.push({ kind: "bdSeqSeen", edgeNode: `plant/line ${batch % 7}`, bdSeq: batch });
    // Bursts: pages become free as they empty.
    if (batch % 10 === 9) {
      for (const { clientIdentifier, sequence } of open.splice(0, 150 + random.below(150))) {
        records.push({ kind: "deliveryFinished", clientIdentifier, sequence });
      }
    }
    batches.push(records);
  }
  return batches;
}

/** Writes files to a new path. */
export function laidOut({ main, wal }: { main: Uint8Array | null; wal: Uint8Array }): string {
  const path = databasePath();
  if (main !== null) Deno.writeFileSync(path, main, { mode: 0o600 });
  if (wal.length > 0) Deno.writeFileSync(`${path}-wal`, wal);
  return path;
}

const QUERIES: Readonly<Record<keyof PlantRows, string>> = {
  session: "SELECT key AS k, client AS v FROM session",
  subscription: "SELECT session || ' ' || filter AS k, qos AS v FROM subscription",
  delivery: "SELECT session || ' ' || sequence AS k," +
    " concat_ws(' ', message, qos, packet_id, released, sent, queued_s) AS v FROM delivery",
  message: "SELECT id AS k, body AS v FROM message",
  receiving: "SELECT session || ' ' || packet_id AS k, '' AS v FROM receiving",
  retained: "SELECT topic AS k, payload AS v FROM retained",
  will: "SELECT client AS k, payload AS v FROM will",
  dead_letter: "SELECT id || ' ' || reason || ' ' || session AS k, body AS v FROM dead_letter",
  publication: "SELECT id AS k, topic AS v FROM publication",
  clock: "SELECT one AS k, age_ms || ' ' || wall_ms AS v FROM clock",
  edge_node: "SELECT edge_node AS k, bd_seq AS v FROM edge_node",
};

/** The rows in a database that is closed. */
export function rowsOf(path: string): PlantRows {
  const database = new DatabaseSync(path);
  const decoder = new TextDecoder();
  const rows = Object.entries(QUERIES).map(([table, query]) => {
    const entries = database.prepare(query).all().map(({ k, v }) => {
      const bytes = v instanceof Uint8Array ? v : null;
      // Of a message body, the payload.
      const start = bytes !== null && table !== "retained" && table !== "will"
        ? 2 + bytes[0]! * 256 + bytes[1]!
        : 0;
      return [String(k), bytes === null ? String(v) : decoder.decode(bytes.subarray(start))];
    });
    return [table, new Map(entries as [string, string][])];
  });
  database.close();
  return Object.fromEntries(rows);
}
