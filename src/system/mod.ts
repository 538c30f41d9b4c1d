/** The operating system: log, signals, data directory. */
export { DataDirectory } from "./data_directory.ts";
export { Log, LOG_LEVELS, type LogLevel } from "./log.ts";
export { onReloadSignal, terminationSignal } from "./signals.ts";
