/** The memory store against the suite of all stores. */
import { assertThrows } from "@std/assert";
import { MemoryStore } from "../../src/store/mod.ts";
import { filter } from "../support/wire_client.ts";
import { testStore } from "./store_cases.ts";

// It ends with the process, so that it is its own successor within it.
testStore({ name: "MemoryStore", open: () => new MemoryStore(), reopen: (closed) => closed });

Deno.test("MemoryStore fails on a record about a session that is not there", () => {
  const store = new MemoryStore();
  store.journal.subscribed("nobody", filter("a"), 0);
  assertThrows(() => store.commit(), Error, 'no session "nobody"');
});
