/**
 * The command line: `relayq serve`, `check`, `init`, `ctl`, `version` and others.
 *
 * @module
 */
export type { CliIo, PasswordSource, RunServer } from "./cli_io.ts";
export { EXIT_CODE } from "./exit_code.ts";
export { exitOnFault } from "./exit_on_fault.ts";
export { runCli } from "./run_cli.ts";
export { BUILD } from "./version.ts";
export { terminalWidth } from "./terminal_width.ts";
export { writeFully } from "./write_fully.ts";
