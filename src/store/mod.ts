/** Where sessions, queued messages, retained messages and Wills are kept. */
export { readDatabaseHeader } from "./database_header.ts";
export { BatchJournal, type JournalRecord } from "./batch_journal.ts";
export { MemoryStore } from "./memory_store.ts";
export type { DeadLetterFile } from "./dead_letter_file.ts";
export type { LetterPage, LetterQuery, LetterShelf, LetterView } from "./dead_letter_look.ts";
export {
  type DeadLetterSelection,
  openDeadLetters,
  parseReplayTopic,
  parseSelection,
  type StoredLetter,
} from "./dead_letter_selection.ts";
export type { QuarantineReport } from "./quarantine.ts";
export type { OrphanMessage } from "./salvage/consistency.ts";
export type { DatabaseOptions } from "./sqlite_database.ts";
export type { StoreProblem } from "./sqlite_problem.ts";
export { SCHEMA_VERSION } from "./sqlite_schema.ts";
export { DurableStore } from "./durable_store.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite_store.ts";
export { quarantineText, storeFacts } from "./store_text.ts";
export type { StoreStatistics } from "./store_statistics.ts";
export type { Store } from "./store.ts";
