/** The operating system: log, signals, data directory, memory. */
export { DataDirectory } from "./data_directory.ts";
export { isJournal } from "./journal.ts";
export { type LineFacts, Log, type LogOptions } from "./log.ts";
export { LogFile } from "./log_file.ts";
export {
  formatLogLine,
  formatLostLines,
  LOG_LEVELS,
  LOG_ROOMS,
  type LogLevel,
  type LogLine,
  type LogRoom,
} from "./log_line.ts";
export { LogQueue, type LogTarget } from "./log_queue.ts";
export { LogRing, type NumberedLine } from "./log_ring.ts";
export { type ByteSink, LogStream } from "./log_stream.ts";
export { FreedMemory } from "./freed_memory.ts";
export { GarbageCollection, type Urgency } from "./garbage_collection.ts";
export * from "./memory_guard.ts";
export { LoopLag, MemoryReader } from "./memory_reader.ts";
export { monotonicUs, ServiceManager } from "./service_manager.ts";
export { replaceFile } from "./replace_file.ts";
export { onReloadSignal, terminationSignal } from "./signals.ts";
export * from "./file_watch.ts";
