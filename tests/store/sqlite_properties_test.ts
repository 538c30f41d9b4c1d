/** Random records, batch borders and crashes: the database always says what the records amount to. */
import { assert, assertEquals } from "@std/assert";
import type { DatabaseOptions, JournalRecord } from "../../src/store/mod.ts";
import { ChangeWriter } from "../../src/store/sqlite_change_writer.ts";
import { SqliteDatabase } from "../../src/store/sqlite_database.ts";
import { StoreNames, WriteGroup } from "../../src/store/sqlite_group.ts";
import { type LoadedState, readState } from "../../src/store/sqlite_state_reader.ts";
import { StateImage } from "../../src/store/state_image.ts";
import { canonicalState } from "./_canonical_state.ts";
import { Random, RecordCopies, RecordSource } from "./_random_records.ts";
import { databasePath, openStore } from "./_sqlite.ts";

const SEEDS = 12;
/** Small, so that checkpoints come often. */
const OPTIONS = { walBytesMax: 65_536, durability: "commit" } as const;

/** A database with its encoder, without worker and threads. */
class Inline {
  readonly path: string;
  changes = 0;
  readonly #options: DatabaseOptions;
  #database: SqliteDatabase;
  #group: WriteGroup;
  #copies = new RecordCopies();

  constructor(path = databasePath(), options: DatabaseOptions = OPTIONS) {
    this.path = path;
    this.#options = options;
    this.#database = SqliteDatabase.open(path, options);
    this.#group = new WriteGroup(new StoreNames(this.load()));
  }

  commit(records: readonly JournalRecord[]): void {
    const writer = new ChangeWriter();
    for (const record of records) this.#group.add(this.#copies.of(record));
    this.#group.writeTo(writer);
    this.changes += writer.changes;
    if (writer.changes > 0) this.#database.commit(writer.take());
    this.#database.checkpointIfDue();
  }

  load(): LoadedState {
    const chunks: Uint8Array[] = [];
    this.#database.load((chunk) => chunks.push(chunk));
    return readState(chunks);
  }

  state(): string {
    return canonicalState(this.load().state);
  }

  restart(): void {
    this.close();
    this.#copies = new RecordCopies();
    this.#database = SqliteDatabase.open(this.path, this.#options);
    this.#group = new WriteGroup(new StoreNames(this.load()));
  }

  close(): void {
    this.#database.close();
  }
}

/** What is in the files now, as a power cut would leave it; the log cut off at `walBytes`. */
function copyOf(path: string, walBytes?: number): string {
  const copy = databasePath();
  Deno.copyFileSync(path, copy);
  Deno.copyFileSync(`${path}-wal`, `${copy}-wal`);
  if (walBytes !== undefined) Deno.truncateSync(`${copy}-wal`, walBytes);
  return copy;
}

Deno.test("a group says the same as its records one by one, over restarts and shared messages", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed);
    const source = new RecordSource(random);
    const image = new StateImage();
    const grouped = new Inline();
    const single = new Inline();
    for (let round = 0; round < 25; round++) {
      const records = Array.from({ length: random.below(40) }, () => source.next());
      for (const record of records) image.apply(record);
      grouped.commit(records);
      for (const record of records) single.commit([record]);
      const expected = canonicalState(image.snapshot());
      assertEquals(grouped.state(), expected, `seed ${seed}, round ${round}, grouped`);
      assertEquals(single.state(), expected, `seed ${seed}, round ${round}, one by one`);
      // Opening also checks that every message has a delivery and every delivery its message.
      if (random.below(5) === 0) grouped.restart();
    }
    assert(grouped.changes < single.changes, "a group writes less");
    grouped.commit([...source.discardAll()]);
    grouped.restart();
    assertEquals(grouped.load().messageId, 0, "no message is left when no session is");
    grouped.close();
    single.close();
  }
});

Deno.test("a crash at any byte of the log leaves the state of a commit, and the last one if none is cut", () => {
  for (let seed = 100; seed < 100 + SEEDS; seed++) {
    const random = new Random(seed);
    const source = new RecordSource(random);
    const image = new StateImage();
    // A checkpoint relies on the log that is on the disk: only without one may any byte be missing.
    const mayTear = seed % 2 === 0;
    const database = new Inline(
      databasePath(),
      mayTear ? { ...OPTIONS, walBytesMax: 1e9 } : OPTIONS,
    );
    const states = [canonicalState(image.snapshot())];
    for (let round = 0; round < 20; round++) {
      const records = Array.from({ length: 1 + random.below(40) }, () => source.next());
      for (const record of records) image.apply(record);
      database.commit(records);
      states.push(canonicalState(image.snapshot()));
      if (random.below(3) > 0) continue;
      const whole = new Inline(copyOf(database.path));
      assertEquals(whole.state(), states.at(-1), `seed ${seed}, round ${round}`);
      whole.close();
      if (!mayTear) continue;
      const { size } = Deno.statSync(`${database.path}-wal`);
      const torn = new Inline(copyOf(database.path, random.below(size)));
      assert(states.includes(torn.state()), `seed ${seed}, round ${round}: torn log`);
      torn.close();
    }
    database.close();
  }
});

Deno.test("batches that pile up behind a commit become durable in their order", async () => {
  for (let seed = 200; seed < 204; seed++) {
    const random = new Random(seed);
    const source = new RecordSource(random);
    const image = new StateImage();
    const path = databasePath();
    let store = await openStore(path, OPTIONS);
    for (let restart = 0; restart < 3; restart++) {
      const copies = new RecordCopies();
      const promises: (number | Promise<number>)[] = [];
      let last = 0;
      for (let batch = 0; batch < 60; batch++) {
        for (let count = random.below(20); count >= 0; count--) {
          const record = source.next();
          image.apply(record);
          write(store.journal, copies.of(record));
        }
        last = store.journal.batch;
        promises.push(store.commit());
        if (random.below(8) === 0) await promises.at(-1);
      }
      const committed = await Promise.all(promises);
      assertEquals(committed.at(-1), last);
      assertEquals(committed, committed.toSorted((a, b) => a - b));
      assert(store.statistics.commits < 60, "batches share commits");
      assertEquals(store.statistics.recordsWaiting, 0);
      assertEquals(store.journal.backlogBytes, 0);
      await store.close();
      store = await openStore(path, OPTIONS);
      assertEquals(canonicalState(store.load()), canonicalState(image.snapshot()), `seed ${seed}`);
    }
    await store.close();
  }
});

type StoreJournal = Awaited<ReturnType<typeof openStore>>["journal"];

/** Writes a record through the journal. */
function write(journal: StoreJournal, record: JournalRecord): void {
  switch (record.kind) {
    case "sessionCreated":
    case "sessionDiscarded":
    case "willDeleted":
      return journal[record.kind](record.clientIdentifier);
    case "sessionStored":
      return journal.sessionStored(record.clientIdentifier, record.sinceMs);
    case "sessionOwned":
      return journal.sessionOwned(record.clientIdentifier, record.owner);
    case "subscribed":
      return journal.subscribed(record.clientIdentifier, record.filter, record.qos);
    case "replayPending":
      return journal.replayPending(record.clientIdentifier, record.filter, record.pending);
    case "deadLetterAdded":
      return journal.deadLetterAdded(record.letter);
    case "deadLettersDropped":
      return journal.deadLettersDropped(record.through);
    case "deadLettersRemoved":
      return journal.deadLettersRemoved(record.ids);
    case "republished":
      return journal.republished(record.id);
    case "clockSaved":
      return journal.clockSaved(record.clock);
    case "bdSeqSeen":
      return journal.bdSeqSeen(record.edgeNode, record.bdSeq);
    case "unsubscribed":
      return journal.unsubscribed(record.clientIdentifier, record.filter);
    case "deliveryAdded":
      return journal.deliveryAdded(record.delivery);
    case "deliverySent":
      return journal.deliverySent(record.clientIdentifier, record.sequence, record);
    case "deliveryReleased":
    case "deliveryFinished":
      return journal[record.kind](record.clientIdentifier, record.sequence);
    case "receiveStarted":
    case "receiveFinished":
      return journal[record.kind](record.clientIdentifier, record.packetId);
    case "retainedSet":
      return journal.retainedSet(record.topic, record.message, record.atS);
    case "retainedDeleted":
      return journal.retainedDeleted(record.topic);
    case "willSet":
      return journal.willSet(record.clientIdentifier, record.will, record.owner);
  }
}
