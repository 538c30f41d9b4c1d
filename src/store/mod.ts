/** Where sessions, queued messages, retained messages and Wills are kept. */
export { BatchJournal, type JournalRecord } from "./batch_journal.ts";
export { MemoryStore } from "./memory_store.ts";
export type { Store } from "./store.ts";
