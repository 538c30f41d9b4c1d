/** The operating system: log, signals, data directory, memory. */
export { DataDirectory } from "./data_directory.ts";
export { Log, LOG_LEVELS, type LogLevel } from "./log.ts";
export { FreedMemory } from "./freed_memory.ts";
export { GarbageCollection, type Urgency } from "./garbage_collection.ts";
export * from "./memory_guard.ts";
export { LoopLag, MemoryReader } from "./memory_reader.ts";
export { onReloadSignal, terminationSignal } from "./signals.ts";
export * from "./file_watch.ts";
