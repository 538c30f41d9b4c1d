import type { CliIo } from "./cli_io.ts";
import { EXIT_CODE } from "./exit_code.ts";

/**
 * Ends the process with `EXIT_CODE.internal` on an error or rejection that nothing has caught. The
 * runtime would end it too, but with code 1, which here says that the configuration is wrong.
 */
export function exitOnFault(io: Pick<CliIo, "err">): void {
  globalThis.addEventListener("error", (event) => fail(event.error, io));
  globalThis.addEventListener("unhandledrejection", (event) => fail(event.reason, io));
}

function fail(fault: unknown, io: Pick<CliIo, "err">): never {
  io.err(`Internal error: ${fault instanceof Error ? fault.stack ?? fault.message : fault}\n`);
  Deno.exit(EXIT_CODE.internal);
}
