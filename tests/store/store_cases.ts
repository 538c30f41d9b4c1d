/** One suite of cases for every store: what is committed is what is loaded. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { type DeadLetter, makeMessage, type StoredState } from "../../src/broker/mod.ts";
import type { Qos } from "../../src/mqtt/mod.ts";
import type { Store } from "../../src/store/mod.ts";
import { filter, name, payload, text } from "../support/wire_client.ts";

/** A store under test, and how it is opened again after a restart; null where nothing survives. */
export interface StoreFactory {
  readonly name: string;
  open(): Promise<Store> | Store;
  /** Opens what a store left that was closed. */
  reopen(closed: Store): Promise<Store> | Store;
}

/** One case: what is written, and what must be loaded. */
interface StoreCase {
  readonly name: string;
  write(store: Store): void;
  readonly expected: Partial<Loaded>;
}

/** A loaded state in a form that can be compared. */
interface Loaded {
  sessions: unknown[];
  retained: unknown[];
  wills: unknown[];
  deadLetters: unknown;
  publications: unknown;
  clock: unknown;
  edgeNodes: unknown[];
}

const NOTHING: Loaded = {
  sessions: [],
  retained: [],
  wills: [],
  deadLetters: [],
  publications: [],
  clock: null,
  edgeNodes: [],
};

function added(store: Store, sequence: number, changes: { packetId?: number; qos?: Qos } = {}) {
  store.journal.deliveryAdded({
    clientIdentifier: "c",
    sequence,
    message: makeMessage("t", payload(`m${sequence}`), 2),
    qos: changes.qos ?? 1,
    retain: false,
    packetId: changes.packetId ?? 0,
    sent: changes.packetId === undefined ? 0 : sequence,
    queuedS: 0,
  });
}

function deadLetter(id: number): DeadLetter {
  return {
    id,
    reason: "message-expired",
    wallMs: 1_700_000_000_000,
    ageS: 100 + id,
    publisher: "p",
    session: "c",
    message: makeMessage(`t/${id % 2}`, payload(`m${id}`), 1),
    qos: 1,
    retain: false,
    bytes: 10 * id,
  };
}

function session(changes: Record<string, unknown>): Record<string, unknown> {
  return {
    clientIdentifier: "c",
    storedSinceMs: 0,
    owner: "",
    subscriptions: [],
    deliveries: [],
    receiving: [],
    ...changes,
  };
}

function delivery(sequence: number, changes: Record<string, unknown> = {}) {
  return {
    sequence,
    topic: "t",
    payload: `m${sequence}`,
    messageQos: 2,
    qos: 1,
    retain: false,
    packetId: 0,
    sent: 0,
    queuedS: 0,
    released: false,
    ...changes,
  };
}

function subscription(topicFilter: string, qos: Qos, replayPending = false) {
  return { filter: topicFilter, qos, replayPending };
}

const CASES: readonly StoreCase[] = [
  { name: "a new store is empty", write: () => {}, expected: {} },
  {
    name: "a session is kept",
    write: ({ journal }) => journal.sessionCreated("c"),
    expected: { sessions: [session({})] },
  },
  {
    name: "a Client Identifier may be any text",
    write: ({ journal }) => journal.sessionCreated("\ufeff'\";--\u{1f600}\n__proto__"),
    expected: { sessions: [session({ clientIdentifier: "\ufeff'\";--\u{1f600}\n__proto__" })] },
  },
  {
    name: "the time at which a client left is kept, and forgotten when it is back",
    write: ({ journal }) => {
      journal.sessionCreated("c");
      journal.sessionStored("c", 1_700_000_000_123);
      journal.sessionCreated("d");
      journal.sessionStored("d", 5);
      journal.sessionStored("d", 0);
    },
    expected: {
      sessions: [
        session({ storedSinceMs: 1_700_000_000_123 }),
        session({ clientIdentifier: "d" }),
      ],
    },
  },
  {
    name: "whom a session belongs to is kept, and changes",
    write: ({ journal }) => {
      journal.sessionCreated("c");
      journal.sessionOwned("c", "user alice");
      journal.sessionCreated("d");
      journal.sessionOwned("d", "user bob");
      journal.sessionOwned("d", "certificate \u{1f600} gw");
      journal.sessionCreated("e");
      journal.sessionOwned("e", "user carol");
      journal.sessionDiscarded("e");
      journal.sessionCreated("e");
    },
    expected: {
      sessions: [
        session({ owner: "user alice" }),
        session({ clientIdentifier: "d", owner: "certificate \u{1f600} gw" }),
        session({ clientIdentifier: "e" }),
      ],
    },
  },
  {
    name: "a discarded session takes everything with it, and may be created again",
    write: (store) => {
      const { journal } = store;
      journal.sessionCreated("c");
      journal.subscribed("c", filter("a"), 1);
      added(store, 1);
      journal.receiveStarted("c", 7);
      journal.sessionDiscarded("c");
      journal.sessionCreated("c");
    },
    expected: { sessions: [session({})] },
  },
  {
    name: "subscriptions are kept, replaced and removed",
    write: ({ journal }) => {
      journal.sessionCreated("c");
      journal.subscribed("c", filter("a/+"), 0);
      journal.subscribed("c", filter("b/#"), 1);
      journal.subscribed("c", filter("a/+"), 2);
      journal.subscribed("c", filter("gone"), 1);
      journal.unsubscribed("c", filter("gone"));
    },
    expected: {
      sessions: [
        session({ subscriptions: [subscription("a/+", 2), subscription("b/#", 1)] }),
      ],
    },
  },
  {
    name: "what of a retained answer is pending is kept with its subscription",
    write: ({ journal }) => {
      journal.sessionCreated("c");
      for (const f of ["a", "b", "d", "e"].map(filter)) {
        journal.subscribed("c", f, 1);
        journal.replayPending("c", f, true);
      }
      journal.replayPending("c", filter("b"), false);
      journal.subscribed("c", filter("a"), 2);
      journal.unsubscribed("c", filter("d"));
      journal.subscribed("c", filter("d"), 0);
      journal.unsubscribed("c", filter("e"));
    },
    expected: {
      sessions: [
        session({
          subscriptions: [subscription("a", 2, true), subscription("b", 1), subscription("d", 0)],
        }),
      ],
    },
  },
  {
    name: "in flight stands first, in the order of sending",
    write: (store) => {
      store.journal.sessionCreated("c");
      for (const sequence of [1, 2, 3]) added(store, sequence);
      added(store, 4, { packetId: 9 });
      store.journal.deliverySent("c", 2, { packetId: 7, sent: 6 });
      store.journal.deliverySent("c", 1, { packetId: 8, sent: 7 });
    },
    expected: {
      sessions: [
        session({
          deliveries: [
            delivery(4, { packetId: 9, sent: 4 }),
            delivery(2, { packetId: 7, sent: 6 }),
            delivery(1, { packetId: 8, sent: 7 }),
            delivery(3),
          ],
        }),
      ],
    },
  },
  {
    name: "dead letters are kept, and the oldest are forgotten",
    write: ({ journal }) => {
      for (const id of [1, 2, 3, 4]) {
        journal.deadLetterAdded(deadLetter(id));
      }
      journal.deadLettersDropped(2);
    },
    expected: {
      deadLetters: [{ id: 3, ageS: 103, bytes: 30 }, { id: 4, ageS: 104, bytes: 40 }],
    },
  },
  {
    name: "dead letters that are taken out are forgotten, the others stay",
    write: ({ journal }) => {
      for (const id of [1, 2, 3, 4, 5]) journal.deadLetterAdded(deadLetter(id));
      journal.deadLettersDropped(1);
      journal.deadLettersRemoved([3, 5]);
    },
    expected: {
      deadLetters: [{ id: 2, ageS: 102, bytes: 20 }, { id: 4, ageS: 104, bytes: 40 }],
    },
  },
  {
    name: "the age clock is kept as it was saved last",
    write: ({ journal }) => {
      journal.clockSaved({ ageMs: 1, wallMs: 2 });
      journal.clockSaved({ ageMs: 1_700_000_000_123, wallMs: 5 });
    },
    expected: { clock: { ageMs: 1_700_000_000_123, wallMs: 5 } },
  },
  {
    name: "the last bdSeq of each Edge Node is kept until it is forgotten",
    write: ({ journal }) => {
      journal.bdSeqSeen("G/E", 255);
      journal.bdSeqSeen("G/E", 0);
      journal.bdSeqSeen("G/gone", 7);
      journal.bdSeqSeen("G/gone", null);
      journal.bdSeqSeen("G/back", null);
      journal.bdSeqSeen("G/back", 8);
    },
    expected: { edgeNodes: [{ edgeNode: "G/E", bdSeq: 0 }, { edgeNode: "G/back", bdSeq: 8 }] },
  },
  {
    name: "deliveries come in the order of their sequence",
    write: (store) => {
      store.journal.sessionCreated("c");
      for (const sequence of [1, 2, 10, 11, 100]) added(store, sequence);
    },
    expected: { sessions: [session({ deliveries: [1, 2, 10, 11, 100].map((n) => delivery(n)) })] },
  },
  {
    name: "a delivery goes into flight, is released and is finished",
    write: (store) => {
      store.journal.sessionCreated("c");
      for (const sequence of [1, 2, 3, 4]) added(store, sequence, { qos: 2 });
      for (const sequence of [1, 2, 3]) {
        const flight = { packetId: 100 + sequence, sent: 10 + sequence };
        store.journal.deliverySent("c", sequence, flight);
      }
      for (const sequence of [2, 3]) store.journal.deliveryReleased("c", sequence);
      store.journal.deliveryFinished("c", 3);
    },
    expected: {
      sessions: [
        session({
          deliveries: [
            delivery(1, { qos: 2, packetId: 101, sent: 11 }),
            delivery(2, { qos: 2, packetId: 102, sent: 12, released: true }),
            delivery(4, { qos: 2 }),
          ],
        }),
      ],
    },
  },
  {
    name: "a delivery that was in flight from the start keeps its identifier",
    write: (store) => {
      store.journal.sessionCreated("c");
      added(store, 1, { packetId: 65_535 });
    },
    expected: { sessions: [session({ deliveries: [delivery(1, { packetId: 65_535, sent: 1 })] })] },
  },
  {
    name: "identifiers of QoS 2 messages of a client are kept until PUBREL",
    write: ({ journal }) => {
      journal.sessionCreated("c");
      for (const id of [1, 65_535, 7]) journal.receiveStarted("c", id);
      journal.receiveFinished("c", 7);
    },
    expected: { sessions: [session({ receiving: [1, 65_535] })] },
  },
  {
    name: "retained messages are kept, replaced and deleted",
    write: ({ journal }) => {
      const retain = (topic: string, content: string, qos: Qos) =>
        journal.retainedSet(name(topic), makeMessage(topic, payload(content), qos), 77);
      retain("a", "old", 0);
      retain("a", "new", 2);
      retain("b", "\u0000\u{1f600}", 1);
      retain("gone", "x", 0);
      journal.retainedDeleted(name("gone"));
    },
    expected: {
      retained: [
        { topic: "a", payload: "new", qos: 2, atS: 77 },
        { topic: "b", payload: "\u0000\u{1f600}", qos: 1, atS: 77 },
      ],
    },
  },
  {
    name: "Wills are kept, replaced and deleted",
    write: ({ journal }) => {
      const will = { topic: name("w"), payload: payload("1"), qos: 1 as const, retain: true };
      journal.willSet("c", { ...will, payload: payload("0") }, "user a");
      journal.willSet("c", will, "certificate b");
      journal.willSet("d", will, "");
      journal.willDeleted("d");
    },
    expected: {
      wills: [{
        clientIdentifier: "c",
        topic: "w",
        payload: "1",
        qos: 1,
        retain: true,
        owner: "certificate b",
      }],
    },
  },
];

/** Registers the suite for one store. */
export function testStore(factory: StoreFactory): void {
  for (const { name: what, write, expected } of CASES) {
    Deno.test(`${factory.name}: ${what}`, async () => {
      const store = await factory.open();
      write(store);
      await store.commit();
      await store.close();
      const again = await factory.reopen(store);
      assertEquals(loaded(again.load()), { ...NOTHING, ...expected });
      await again.close();
    });
  }

  Deno.test(`${factory.name}: what is not committed is not loaded`, async () => {
    const store = await factory.open();
    store.journal.sessionCreated("c");
    await store.commit();
    store.journal.sessionCreated("d");
    await store.close();
    const again = await factory.reopen(store);
    assertEquals(again.load().sessions.map((s) => s.clientIdentifier), ["c"]);
    await again.close();
  });

  Deno.test(`${factory.name}: batches are numbered, and commit names the batch it has committed`, async () => {
    const store = await factory.open();
    const { journal } = store;
    let last = 0;
    for (let round = 0; round < 5; round++) {
      assertEquals(store.dirty, false);
      const { batch, records } = journal;
      journal.retainedDeleted(name(`t${round}`));
      journal.retainedDeleted(name(`u${round}`));
      assertEquals(journal.records, records + 2);
      assertEquals(store.dirty, true);
      assertEquals(journal.batch, batch, "records of one turn are one batch");
      const committed = await store.commit();
      assertEquals(committed, batch);
      assertGreater(committed, last);
      last = committed;
    }
    await store.close();
  });

  Deno.test(`${factory.name}: dead letters are looked at piece by piece, from either end`, async () => {
    const store = await factory.open();
    for (let id = 1; id <= 9; id++) store.journal.deadLetterAdded(deadLetter(id));
    await store.commit();
    const topic = filter("t/1");
    const query = { selection: { topic }, newestFirst: true, limit: 2, payloadBytesMax: 1 };
    const pages: number[][] = [];
    for (let behind: number | null = null;;) {
      const page = await store.letterShelf.look({ ...query, behind });
      pages.push(page.letters.map(({ id }) => id));
      behind = page.next;
      if (behind === null) break;
    }
    assertEquals(pages, [[9, 7], [5, 3], [1]]);
    store.journal.deadLettersRemoved([1, 2, 4]);
    await store.commit();
    const oldest = { ...query, selection: {}, newestFirst: false, behind: 2 };
    const { letters } = await store.letterShelf.look(oldest);
    assertEquals(letters.map(({ id }) => id), [3, 5]);
    const { payload: cut, ...first } = letters[0]!;
    assertEquals([text(cut), first.payloadBytes, first.topic], ["m", 2, "t/1"]);
    assertEquals([first.reason, first.publisher, first.session], ["message-expired", "p", "c"]);
    const byId = { ...query, limit: 5, selection: { ids: [4, 8, 6] }, behind: null };
    const { letters: chosen, next } = await store.letterShelf.look(byId);
    assertEquals([chosen.map(({ id }) => id), next], [[8, 6], null]);
    await store.close();
  });

  Deno.test(`${factory.name}: a loaded state is not changed by later records`, async () => {
    const first = await factory.open();
    first.journal.sessionCreated("c");
    added(first, 1);
    await first.commit();
    await first.close();
    const store = await factory.reopen(first);
    const before = store.load();
    const text = JSON.stringify(loaded(before));
    store.journal.deliverySent("c", 1, { packetId: 9, sent: 2 });
    store.journal.subscribed("c", filter("a"), 1);
    await store.commit();
    assertEquals(JSON.stringify(loaded(before)), text);
    await store.close();
    const again = await factory.reopen(store);
    assert(JSON.stringify(loaded(again.load())) !== text);
    await again.close();
  });
}

function loaded(state: StoredState): Loaded {
  return {
    sessions: state.sessions.map((stored) => ({
      ...stored,
      deliveries: stored.deliveries.map(({ message, ...rest }) => ({
        ...rest,
        topic: message.topic,
        payload: text(message.payload),
        messageQos: message.qos,
      })),
    })).sort((a, b) => a.clientIdentifier < b.clientIdentifier ? -1 : 1),
    retained: state.retained.map(({ topic, message, atS }) => ({
      topic,
      atS,
      payload: text(message.payload),
      qos: message.qos,
    })).sort((a, b) => a.topic < b.topic ? -1 : 1),
    wills: state.wills.map(({ clientIdentifier, will, owner }) => ({
      ...will,
      owner,
      clientIdentifier,
      payload: text(will.payload),
    })),
    deadLetters: state.deadLetters,
    publications: state.publications,
    clock: state.clock,
    edgeNodes: state.edgeNodes.toSorted((a, b) => a.edgeNode < b.edgeNode ? -1 : 1),
  };
}
