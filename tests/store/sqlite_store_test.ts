/** The durable store against the suite of all stores, and what only it does. */
import { assertEquals, assertLess, assertRejects, assertThrows } from "@std/assert";
import { filter } from "../support/wire_client.ts";
import { testStore } from "./store_cases.ts";
import { databasePath, openStore } from "./_sqlite.ts";

const paths = new WeakMap<object, string>();

testStore({
  name: "SqliteStore",
  open: () => openAt(databasePath()),
  reopen: (closed) => openAt(paths.get(closed)!),
});

async function openAt(path: string) {
  const store = await openStore(path);
  paths.set(store, path);
  return store;
}

Deno.test("SqliteStore fails on a record about a session that is not there", async () => {
  const store = await openStore(databasePath());
  store.journal.subscribed("nobody", filter("a"), 0);
  assertThrows(() => store.commit(), Error, 'no session "nobody"');
  await store.close();
});

Deno.test("SqliteStore rejects what can never be written, and everything behind it", async () => {
  const store = await openAt(databasePath());
  store.journal.sessionCreated("c");
  await store.commit();
  store.journal.deliverySent("c", 7, { packetId: 1, sent: 1 });
  const first = Promise.resolve(store.commit());
  store.journal.sessionStored("c", 1);
  const second = Promise.resolve(store.commit());
  await assertRejects(() => first, Error, "Cannot commit: Cannot change delivery: no delivery 7");
  await assertRejects(() => second, Error, "no delivery 7");
  await assertRejects(() => Promise.resolve(store.commit()), Error, "no delivery 7");
  await store.close();
  const again = await openStore(paths.get(store)!);
  assertEquals(again.load().sessions[0]?.storedSinceMs, 0);
  await again.close();
});

Deno.test("SqliteStore commits behind one look at the dead letters, however many are wanted", async () => {
  const store = await openStore(databasePath());
  const query = { selection: {}, behind: null, newestFirst: true, limit: 1, payloadBytesMax: 0 };
  let looked = 0;
  const looks = Array.from({ length: 1_000 }, async () => {
    const { next } = await store.letterShelf.look(query);
    assertEquals(next, null);
    looked++;
  });
  store.journal.sessionCreated("c");
  store.journal.awaitCommit();
  await store.commit();
  assertLess(looked, 1_000);
  await Promise.all(looks);
  await store.close();
});

Deno.test("SqliteStore commits what was handed over before it closes", async () => {
  const path = databasePath();
  const store = await openStore(path);
  for (let batch = 0; batch < 20; batch++) {
    store.journal.sessionCreated(`c${batch}`);
    void store.commit();
  }
  await store.close();
  const again = await openStore(path);
  assertEquals(again.load().sessions.length, 20);
  await again.close();
});

Deno.test("with durability interval SqliteStore commits at once, and has synced when it is closed", async () => {
  const path = databasePath();
  const store = await openStore(path, { durability: "interval", syncIntervalMs: 1_000 });
  for (let batch = 0; batch < 20; batch++) {
    store.journal.sessionCreated(`c${batch}`);
    store.journal.awaitCommit();
    assertEquals(typeof store.commit(), "number");
  }
  while (store.statistics.recordsWaiting > 0) await new Promise((r) => setTimeout(r, 5));
  assertEquals(store.statistics.syncs, 0, "nothing has been through fsync yet");
  while (store.statistics.syncs === 0) await new Promise((r) => setTimeout(r, 5));
  store.journal.sessionCreated("last");
  void store.commit();
  await store.close();
  assertEquals(store.statistics.syncs, 2);
  const again = await openStore(path);
  assertEquals(again.load().sessions.length, 21);
  await again.close();
});
